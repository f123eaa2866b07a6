"""Stores that cannot be used: said in one sentence, before anything is opened."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faults_night import write_campaign
from typer.testing import CliRunner, Result

from orchestrator.cli.app import app
from orchestrator.errors import Exit
from orchestrator.journal import open_store


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    return folder


def run(tmp_path: Path, store: Path) -> Result:
    if not (tmp_path / "campaign").exists():
        write_campaign(tmp_path / "campaign", trials=1)
    return CliRunner().invoke(app, ["run", str(tmp_path / "campaign"), "--store", str(store)])


def check_refused(result: Result, runtime: Path, *said: str) -> None:
    assert result.exit_code == Exit.ENVIRONMENT
    sentence, hint = result.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert hint.startswith("hint: ")
    assert all(words in result.stderr for words in said), result.stderr
    assert not list(runtime.glob("*/twins/*")), "nothing was started"


def test_a_store_from_a_newer_version(tmp_path: Path, runtime: Path) -> None:
    store = tmp_path / "store.sqlite"
    open_store(store).close()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.close()
    before = store.read_bytes()
    check_refused(run(tmp_path, store), runtime, "has format 99", "pip install -U hagane")
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"trial,resistivity\n1,2e-3\n" * 100, "it is not a database"),
        (b"SQLite format 3\x00" + b"\x00" * 4000, "damaged"),
    ],
)
def test_a_file_that_is_no_store(tmp_path: Path, runtime: Path, content: bytes, said: str) -> None:
    store = tmp_path / "results.csv"
    store.write_bytes(content)
    check_refused(run(tmp_path, store), runtime, said)
    assert store.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path, runtime: Path) -> None:
    store = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, url TEXT)")
    connection.close()
    check_refused(run(tmp_path, store), runtime, "a database of another program")


def test_a_folder_instead_of_a_file(tmp_path: Path, runtime: Path) -> None:
    check_refused(run(tmp_path, tmp_path), runtime, "it is a folder", "name a file in it")


def test_a_folder_that_is_not_there(tmp_path: Path, runtime: Path) -> None:
    store = tmp_path / "nowhere" / "store.sqlite"
    check_refused(run(tmp_path, store), runtime, "there is no folder", "mkdir -p")


def test_a_file_where_a_folder_should_be(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "results.csv").write_text("a,b\n")
    store = tmp_path / "results.csv" / "deep" / "store.sqlite"
    check_refused(run(tmp_path, store), runtime, "results.csv is a file", "name a file in a folder")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nobody may write, root neither."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.getuid() != 0:
        folder.chmod(0o555)
        yield folder
        folder.chmod(0o755)
        return
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("root may write everywhere, and may not mount a read-only disk here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_folder(tmp_path: Path, runtime: Path, read_only: Path) -> None:
    store = read_only / "store.sqlite"
    check_refused(run(tmp_path, store), runtime, str(read_only))
