"""What is said of stores that cannot be used, and what opening one loads."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from journal_samples import PostgresServer, done

from orchestrator.errors import Exit, InputError, JournalError, StoreTooNew
from orchestrator.journal import Store, open_store
from orchestrator.journal.artifacts import LARGE_BYTES
from orchestrator.journal.opening import reading_sqlite
from orchestrator.journal.sql import SqlStore


def refused(where: Path | str) -> JournalError:
    with pytest.raises(JournalError) as caught:
        open_store(where)
    error = caught.value
    assert error.exit_code == Exit.ENVIRONMENT
    assert str(where) in str(error)
    assert "\n" not in str(error)
    assert error.hint
    return error


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version,))
    newer.close()


def test_a_store_of_a_newer_version_is_refused_untouched(sqlite_path: Path) -> None:
    open_store(sqlite_path).close()
    set_version(sqlite_path, "999")
    before = sqlite_path.read_bytes()
    error = refused(sqlite_path)
    assert isinstance(error, StoreTooNew)
    assert "999" in str(error)
    assert sqlite_path.read_bytes() == before


def test_garbage_is_refused_untouched(sqlite_path: Path) -> None:
    for garbage in (b"name: films\n", os.urandom(5000), b"SQLite format 3\x00" + b"\xff" * 5000):
        sqlite_path.write_bytes(garbage)
        refused(sqlite_path)
        assert sqlite_path.read_bytes() == garbage


def test_a_store_that_lost_its_end_is_refused(sqlite_path: Path) -> None:
    store = open_store(sqlite_path)
    store.create("films", "a")
    store.close()
    with sqlite_path.open("r+b") as file:
        file.truncate(5000)
    refused(sqlite_path)


def test_a_database_of_another_program_is_refused_untouched(sqlite_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_path)) as other, other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    assert "another program" in str(refused(sqlite_path))
    with closing(sqlite3.connect(sqlite_path)) as other, other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    other.close()


def test_an_empty_file_becomes_a_store(sqlite_path: Path) -> None:
    sqlite_path.touch()
    store = open_store(sqlite_path)
    assert store.campaigns() == []
    store.close()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "folder" in str(refused(tmp_path))


def test_a_store_in_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path / "typo" / "store.sqlite")
    assert "typo" in error.hint
    assert not (tmp_path / "typo").exists()


def test_a_place_where_no_file_can_be_made_is_refused() -> None:
    refused(Path("/proc/store.sqlite"))


OPEN_AS_NOBODY = """
import os, sys
import orchestrator.journal.sql, sqlalchemy.dialects.sqlite.pysqlite
from orchestrator.errors import JournalError
from orchestrator.journal import open_store
if os.getuid() == 0:  # root may write everything
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    open_store(sys.argv[1])
except JournalError as error:
    sys.exit(0 if sys.argv[1] in str(error) and "permissions" in error.hint else str(error))
sys.exit("not refused")
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"), [(0o444, 0o777), (0o000, 0o777), (0o666, 0o555)]
)
def test_a_file_that_may_not_be_written_is_refused(file_mode: int, folder_mode: int) -> None:
    # not in tmp_path: its parents are closed to others
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        open_store(path).close()
        path.chmod(file_mode)
        path.parent.chmod(folder_mode)
        subprocess.run([sys.executable, "-c", OPEN_AS_NOBODY, str(path)], check=True)
        path.parent.chmod(0o700)


def test_a_store_on_a_read_only_disk_is_refused(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mounted(disk):
        pytest.skip("only root may mount a disk, and not in every container")
    try:
        open_store(disk / "store.sqlite").close()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        refused(disk / "store.sqlite")
        refused(disk / "new.sqlite")
    finally:
        subprocess.run(["umount", disk], check=True)


def mounted(disk: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    return os.getuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def test_the_default_is_a_file_in_the_data_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store()
    store.create("films", "a")
    store.close()
    assert len(list(tmp_path.rglob("hagane/store.sqlite"))) == 1


def test_a_store_keeps_its_campaigns_when_it_is_closed(sqlite_path: Path) -> None:
    store = open_store(str(sqlite_path))
    row = store.create("films", "a")
    store.close()
    again: Store = open_store(sqlite_path)
    assert again.campaigns() == [row]
    again.close()


def test_commits_are_flushed_and_foreign_keys_held(sqlite_path: Path) -> None:
    from orchestrator.journal.opening import open_database

    database = open_database(sqlite_path)
    with database.reading() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "fullfsync")
        }
        wait_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    database.engine.dispose()
    full = 2
    assert settings == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "fullfsync": 1,
    }
    assert wait_ms is not None
    assert wait_ms >= 5000


LAZY = """
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from orchestrator.journal import open_store
store = open_store("memory:")
store.lease(store.create("films", "a").id, "me")
heavy = {"sqlalchemy", "psycopg", "sqlite3", "torch", "numpy"} & set(sys.modules)
sys.exit(f"loaded {heavy}" if heavy else 0)
"""


def test_a_store_in_memory_loads_no_database() -> None:
    subprocess.run([sys.executable, "-c", LAZY], check=True)


WITHOUT_DRIVER = """
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
sys.modules["psycopg"] = None
from orchestrator.errors import MissingExtra
from orchestrator.journal import open_store
try:
    open_store("postgresql://localhost/x")
except MissingExtra as error:
    sys.exit(0 if "hagane[postgresql]" in error.hint else error.hint)
sys.exit("not refused")
"""


INTERRUPTED = """
import sys
from orchestrator.journal.opening import open_database

database = open_database(sys.argv[1])
do_close = database.engine.dialect.do_close

def interrupted(connection):
    do_close(connection)
    raise KeyboardInterrupt

database.engine.dialect.do_close = interrupted
try:
    database.engine.dispose()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_while_a_store_is_closed_prints_no_traceback(sqlite_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(sqlite_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")


def test_a_postgresql_store_without_its_driver_names_the_extra() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], check=True)


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="pip install 'psycopg[binary]'")
    with pytest.raises(JournalError) as caught:
        open_store("postgresql://yuki:secret@127.0.0.1:1/films")
    assert "127.0.0.1:1/films" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_address_that_is_none_is_refused() -> None:
    pytest.importorskip("psycopg", reason="pip install 'psycopg[binary]'")
    with pytest.raises(InputError, match="address"):
        open_store("postgresql://host:port/films")


def test_a_server_s_store_has_a_schema_of_its_own_and_a_version(
    postgres_server: PostgresServer,
) -> None:
    import psycopg

    address = postgres_server.new_database()
    with psycopg.connect(address) as other:
        other.execute("CREATE TABLE events (of_another_program TEXT)")
    open_store(address).close()
    open_store(address).close()
    with psycopg.connect(address) as newer:
        newer.execute("UPDATE hagane.meta SET value = '2'")
    with pytest.raises(StoreTooNew, match="format 2"):
        open_store(address)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_new_store_that_many_open_at_once_is_made_once(
    request: pytest.FixtureRequest, sqlite_path: Path, kind: str
) -> None:
    where = str(sqlite_path)
    if kind == "postgresql":
        where = request.getfixturevalue("postgres_server").new_database()
    together = threading.Barrier(6)

    def open_and_create() -> None:
        together.wait()
        store = open_store(where)
        store.create("films", "a")
        store.close()

    with ThreadPoolExecutor(6) as pool:
        for opened in [pool.submit(open_and_create) for _ in range(6)]:
            opened.result()
    store = open_store(where)
    assert len({row.id for row in store.campaigns()}) == 6
    store.close()


def test_a_store_that_may_not_be_written_can_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = open_store(path)
    row = store.create("films", "hash")
    journal = store.lease(row.id, "the test")
    asyncio.run(journal.append([done(1), done(2)], at=0.0))
    asyncio.run(journal.close())
    store.close()
    before = sorted(tmp_path.iterdir())
    looked = SqlStore(reading_sqlite(path))
    assert [entry.seq for entry in looked.read(row.id)] == [1, 2]
    with pytest.raises(JournalError):
        looked.request(row.id, "pause", {}, "kim")
    looked.close()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_looking_asks_for_no_right_to_write(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    open_store(path).close()
    tmp_path.chmod(0o500)
    try:
        assert open_store(path, to_look=True).campaigns() == []
        with pytest.raises(JournalError, match="you may not write in"):
            open_store(path)
    finally:
        tmp_path.chmod(0o700)


def test_what_lies_beside_a_store_is_found_by_a_link_to_it_too(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.sqlite"
    link.symlink_to(tmp_path / "there" / "store.sqlite")
    large = bytes(LARGE_BYTES)
    by_link = open_store(link)
    sha256 = by_link.put_artifact(by_link.create("films", "a").id, large, "large")
    by_link.close()
    by_name = open_store(tmp_path / "there" / "store.sqlite")
    assert by_name.get_artifact(sha256) == large
    by_name.close()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_log_in_a_folder_that_may_not_be_written_is_read_or_named(tmp_path: Path) -> None:
    store = open_store(tmp_path / "in use.sqlite")
    journal = store.lease(store.create("films", "hash").id, "the test")
    asyncio.run(journal.append([done(1), done(2)], at=0.0))
    kept = tmp_path / "kept"
    kept.mkdir()
    for end in ("", "-wal", "-shm"):
        shutil.copyfile(tmp_path / f"in use.sqlite{end}", kept / f"store.sqlite{end}")
    store.close()
    links = tmp_path / "links"
    links.mkdir()
    link = links / "link.sqlite"
    link.symlink_to(kept / "store.sqlite")
    links.chmod(0o500)
    kept.chmod(0o500)
    try:
        for path in (kept / "store.sqlite", link):
            looked = open_store(path, to_look=True)
            assert [row.n_events for row in looked.campaigns()] == [2]
            looked.close()
        kept.chmod(0o700)
        (kept / "store.sqlite-shm").unlink()
        kept.chmod(0o500)
        with pytest.raises(JournalError, match=r"newest events are in store\.sqlite-wal"):
            open_store(link, to_look=True)
        (kept / "store.sqlite-wal").chmod(0)
        with pytest.raises(JournalError, match=r"you may not read store\.sqlite-wal"):
            open_store(link, to_look=True)
    finally:
        kept.chmod(0o700)
        links.chmod(0o700)
