"""A lab of vacuum instruments on twins, as a person at the bench meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli.app import app
from tests.docs.private_lab import private_runtime

LAB = Path(__file__).with_name("vacuum_lab.yaml")


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    with private_runtime() as folder:
        yield folder


@pytest.fixture(autouse=True)
def _own_folders(runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))


def resource(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["resource", words[0], str(LAB), *words[1:]])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def test_every_instrument_of_the_lab_is_recognised_and_fit() -> None:
    code, out, err = resource("check")
    assert (code, err) == (0, "")
    lines, _, wires = out.partition("device ")
    assert [line[:3] for line in lines.splitlines()] == ["ok "] * 8
    assert len(wires.splitlines()) == 9
    for said in ("TC 110 at address 2", "937B at address 253", "AG 0313 GTC", "GEN80-65"):
        assert said in out


def test_a_spinning_pump_that_was_made_safe_keeps_the_vent_closed() -> None:
    assert resource("try", "pump", "spin_up")[0] == 0
    code, _, err = resource("try", "valves", "vent")
    assert code == 4
    assert "turbo.speed is 1500 Hz" in err
    assert resource("try", "pump", "stop")[0] == 0
    assert resource("try", "valves", "vent")[0] == 0


def test_no_plasma_is_struck_at_a_power_that_was_forgotten() -> None:
    code, _, err = resource("try", "gun", "on", "--yes")
    assert code == 5
    assert "no power is set" in err
    assert resource("try", "gun", "set_power", "power=150W")[0] == 0
    assert resource("try", "gun", "set_power", "power=220W")[0] == 4
    # made safe after each try: the supply has forgotten its power
    assert "no power is set" in resource("try", "gun", "on", "--yes")[2]
