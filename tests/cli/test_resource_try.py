"""`hagane resource try`, as a person at the bench meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drivers.transports.locks import PortLock
from orchestrator.cli.app import app
from simulators.twins.control import Control
from tests.docs.private_lab import private_runtime

ROOT = Path(__file__).parents[2]
LAB = ROOT / "campaigns" / "niobium_titania" / "twins.yaml"


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    with private_runtime() as folder:
        yield folder


@pytest.fixture(autouse=True)
def _own_folders(runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


def attempt(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["resource", "try", str(LAB), *words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def ports(runtime: Path) -> dict[str, Any]:
    (file,) = runtime.glob("hagane-*/twins/*/ports.json")
    said: dict[str, Any] = json.loads(file.read_text())
    return said


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        ("guage pressure", 2, "'guage' is not a role or resource", "did you mean 'gauge'?"),
        ("gauge presure", 2, "'presure' is not an action of 'gauge'", "did you mean 'pressure'?"),
        ("supply set_power powr=50W", 2, "'powr' is not an argument", "did you mean 'power'?"),
        ("supply set_power power=50nm", 2, "'nm', which cannot be converted to 'W'", "in 'W'"),
        ("supply set_power power=50", 2, "'power' needs a unit", "write '50 W'"),
        ("supply set_power power=yes", 2, "'yes'", "number"),
        ("supply set_power power", 2, "'power' is not NAME=VALUE", "120 degC"),
        ("supply set_power power=50W power=60W", 2, "'power' is given twice", "leave one"),
        ("supply set_power", 2, "needs its argument 'power'", "power='NUMBER W'"),
        ("supply set_power power=300W", 4, "power = 300 W is outside its limits", "limit"),
        ("arm place at=chambr source=blanks", 2, "'chambr' is not a position", "'chamber'?"),
        ("arm place at=chamber", 2, "needs its argument 'source'", "source=WORD"),
        ("arm place at=chamber source=blanks", 2, "it cannot be undone", "--yes"),
        ("gauge pressure --hold 3nm", 2, "cannot be converted to 's'", "'s'"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, code: int, said: str, hint: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    told = attempt(*words.split())
    assert told[0] == code, told
    assert said in told[2]
    assert hint in told[2].rpartition("hint: ")[2]
    assert list(tmp_path.rglob("ports.json")) == []


def test_a_reading_is_printed_with_its_unit() -> None:
    code, out, err = attempt("gauge", "pressure")
    assert code == 0, err
    assert "gauge: Pfeiffer Vacuum TPG" in out
    assert "effect: none" in out
    assert out.splitlines()[-2].endswith(" Pa")
    code, out, err = attempt("heater", "temperature", "--json")
    assert json.loads(out)["results"]["value"]["unit"] == "degC"


def test_a_state_is_reached_in_the_unit_that_was_typed_and_left_safe() -> None:
    code, out, err = attempt("heater", "set_temperature", "temperature=373.15 K", "--json")
    assert code == 0, err
    said = json.loads(out)
    assert said["arguments"]["temperature"] == {"value": pytest.approx(100.0), "unit": "degC"}
    assert said["made_safe"]


def test_an_interlock_of_the_lab_holds() -> None:
    code, _, err = attempt("supply", "on", "--yes")
    assert code == 4
    assert "interlock 'never supply.on while gauge.pressure > 5 Pa'" in err


def test_what_cannot_be_undone_is_done_once_when_it_is_said_to_be(runtime: Path) -> None:
    before = _moves(runtime)
    code, out, err = attempt("arm", "place", "at=chamber", "source=blanks", "--yes")
    assert code == 0, err + out
    assert _moves(runtime) == before + 1


def test_a_port_that_a_campaign_holds_is_refused(runtime: Path) -> None:
    attempt("gauge", "pressure")
    lock = PortLock(os.path.realpath(ports(runtime)["ports"]["gauge"]))
    try:
        code, _, err = attempt("gauge", "pressure")
    finally:
        lock.release()
    assert code == 5
    assert f"gauge: process {os.getpid()} holds" in err
    assert "see `hagane list`, and pause or stop that one first" in err
    assert attempt("gauge", "pressure")[0] == 0


def test_a_person_who_says_no_has_nothing_done(runtime: Path) -> None:
    before = _moves(runtime)
    ours, theirs = os.openpty()
    words = ["resource", "try", str(LAB), "arm", "place", "at=chamber", "source=blanks"]
    asked = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli", *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, b"n\n")
    out, err = asked.communicate(timeout=120)
    os.close(ours)
    os.close(theirs)
    assert "arm: Universal Robots arm" in out
    assert "This cannot be undone. Is it to be done? [y/N]" in out
    assert "nothing was done" in err
    assert asked.returncode == 130
    assert _moves(runtime) == before


def _moves(runtime: Path) -> int:
    attempt("gauge", "pressure")
    with Control(ports(runtime)["control"]) as control:
        return control.counts()["sample_moves"]
