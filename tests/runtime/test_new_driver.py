"""A new driver is a distribution of its own whose tests pass as written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.conformance.promises import PROMISES
from orchestrator.errors import InputError
from orchestrator.runtime.new import new_campaign
from orchestrator.runtime.new_driver import NewDriver, new_driver
from tests.docs.private_lab import private_runtime
from tests.packaging.private_installation import private_installation

LONGEST_DRIVER = 120


@dataclass(frozen=True)
class Author:
    """Somebody with a virtual environment, a driver that was just written, and a shell."""

    made: NewDriver
    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Author]:
    place = tmp_path_factory.mktemp("author")
    made = new_driver(place / "bench-heater")
    environment = os.environ | private_installation(place / "venv")
    environment |= {"HAGANE_DATA": str(place / "data")}
    environment.pop("PYTHONPATH", None)
    with private_runtime() as runtime:
        environment |= {"XDG_RUNTIME_DIR": str(runtime)}
        author = Author(made, place / "bench-heater", environment)
        installed = author.run("pip", "install", "-q", "-e", ".[test]")
        assert installed.returncode == 0, installed.stderr
        yield author


@pytest.mark.slow
def test_its_tests_pass_as_written_and_hold_the_driver_to_every_promise(author: Author) -> None:
    ran = author.run("pytest", "-v", "--color=no", "-p", "no:cacheprovider")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for promise in PROMISES:
        assert f"test_the_driver_keeps[bench-heater-{promise}] PASSED" in ran.stdout


@pytest.mark.slow
def test_a_fault_that_is_put_into_it_fails_with_the_promise(author: Author) -> None:
    driver = author.folder / "bench_heater" / "driver.py"
    sound = driver.read_text()
    guard = '        within("temperature", temperature, 0, self._max_temperature, "degC")\n'
    assert guard in sound
    try:
        driver.write_text(sound.replace(guard, ""))
        ran = author.run("pytest", "--color=no", "-p", "no:cacheprovider", "-k", "keeps")
    finally:
        driver.write_text(sound)
    assert ran.returncode == 1
    said = "bench-heater breaks a promise: Every number just beyond a limit"
    assert said in ran.stdout, ran.stdout
    assert f"1 failed, {len(PROMISES) - 1} passed" in ran.stdout


def test_a_driver_without_a_specimen_fails(author: Author) -> None:
    test = author.folder / "tests" / "test_forgotten.py"
    test.write_text("def test_it_keeps(promise):\n    promise.keep()\n")
    try:
        ran = author.run("pytest", "-q", "--color=no", "-p", "no:cacheprovider", str(test))
    finally:
        test.unlink()
    assert ran.returncode == 1
    assert "nothing answers 'bench-heater': give it a Specimen" in ran.stdout


def test_a_driver_that_the_distribution_does_not_have_is_named(author: Author) -> None:
    ran = author.run("pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--driver", "heatr")
    assert ran.returncode != 0
    assert "'heatr' is not a driver of 'bench-heater'" in ran.stdout


def test_a_driver_of_a_typical_instrument_is_short(tmp_path: Path) -> None:
    made = new_driver(tmp_path / "acme-bh1")
    driver = tmp_path / "acme-bh1" / "acme_bh1" / "driver.py"
    assert len(driver.read_text().splitlines()) < LONGEST_DRIVER
    assert "class AcmeBh1(Instrument)" in driver.read_text()
    assert set(made.files) == {
        str(path.relative_to(tmp_path / "acme-bh1"))
        for path in (tmp_path / "acme-bh1").rglob("*")
        if path.is_file()
    }
    assert not [file for file in made.files if "$" in (tmp_path / "acme-bh1" / file).read_text()]


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("Heater", "cannot be the name", "lower-case"),
        ("9lives", "cannot be the name", "a letter first"),
        ("acme--bh", "cannot be the name", "single '-'"),
        ("alicat", "is installed already", "resource show alicat"),
        ("drivers", "imported as 'drivers', which is a name in use", "drivers-2400"),
        ("serial", "imported as 'serial'", "serial-2400"),
        ("lambda", "imported as 'lambda'", "lambda-2400"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, said: str, hint: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        new_driver(tmp_path / name)
    assert hint in refused.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["labs/north/acme-bh1", "my labs/acme-bh1", "../acme-bh1"])
def test_a_path_says_where_and_its_last_name_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = new_driver(Path(place))
    assert made.kind == "acme-bh1"
    went = subprocess.run(["/bin/sh", "-c", f"{made.next[0]} && cat pyproject.toml"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert 'acme-bh1 = "acme_bh1.driver:AcmeBh1"' in went.stdout


@pytest.mark.parametrize("place", [".", "..", "../here"])
def test_a_folder_that_is_there_is_told_and_not_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="exists already") as refused:
        new_driver(Path(place))
    assert "a folder that is not there yet, named as the kind: acme-bh1" in refused.value.hint


def test_a_folder_that_cannot_be_written_is_an_error_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for new in (new_driver, new_campaign):
        with pytest.raises(InputError, match="cannot be written: not a directory") as refused:
            new(tmp_path / "file" / "acme")
        assert refused.value.hint == "choose another path"


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "acme-bh1").mkdir()
    with pytest.raises(InputError, match="exists already"):
        new_driver(tmp_path / "acme-bh1")
    assert list((tmp_path / "acme-bh1").iterdir()) == []
