"""`hagane resource try` and `check` on a lab with isolated devices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from isolated_night import ISOLATED
from processes import marked, until
from typer.testing import CliRunner

from orchestrator.cli.app import app
from simulators.twins.control import Control
from tests.docs.private_lab import private_runtime

TWINS = Path(__file__).parents[2] / "campaigns" / "niobium_titania" / "twins.yaml"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The lab of the twins, isolated as far as it holds the chamber, in folders of its own."""
    text = TWINS.read_text()
    for old, new in ISOLATED.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    with private_runtime() as runtime:
        monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        yield path


def command(*words: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["resource", *words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def twins() -> dict[str, Any]:
    """What the lab's twins say of where they are."""
    (file,) = Path(os.environ["XDG_RUNTIME_DIR"]).glob("hagane-*/twins/*/ports.json")
    said: dict[str, Any] = json.loads(file.read_text())
    return said


def test_every_device_is_asked_where_it_runs_and_no_process_is_left(lab: Path) -> None:
    code, out, err = command("check", str(lab))
    assert code == 0, out + err
    assert "ok  supply: AJA DCXS" in out
    assert "ok  valves: " in out
    counted = {line.split()[0]: line for line in out.splitlines() if " ms" in line}
    assert {"supply", "argon", "heater", "meter"} <= counted.keys(), "their wires are counted too"
    assert until(lambda: marked(str(lab.parent / "data")) <= {twins()["pid"]})


def test_one_action_by_hand_is_done_there_and_made_safe(lab: Path) -> None:
    words = ("heater", "set_temperature", "temperature=100 degC", "--json")
    code, out, err = command("try", str(lab), *words)
    assert code == 0, out + err
    assert json.loads(out)["made_safe"]
    code, _, err = command("try", str(lab), "supply", "on", "--yes")
    assert code == 4
    assert "interlock 'never supply.on while gauge.pressure > 5 Pa'" in err


def test_kill_minus_nine_while_a_state_is_held_by_hand_leaves_it_safe(lab: Path) -> None:
    words = ("heater", "set_temperature", "temperature=100 degC", "--hold", "1000 h")
    trying = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli", "resource", "try", str(lab), *words],
        stdout=subprocess.DEVNULL,
    )
    assert until(lambda: list((lab.parent / "data" / "guardian").rglob("*.jsonl")) != [])
    with Control(twins()["control"]) as control:
        assert until(lambda: control.state()["heater_target_c"] == 100.0)
        trying.kill()
        trying.wait()
        assert until(lambda: control.state()["heater_target_c"] is None, 5.0)
    assert until(lambda: marked(str(lab.parent / "data")) <= {twins()["pid"]})
    store = ("--store", str(lab.parent / "store.sqlite"))
    told = CliRunner().invoke(app, ["doctor", *store]).stdout
    assert (
        f"ok  guardian of try: the engine (process {trying.pid}) was gone: made safe heater" in told
    )


DECLARED = """
instrument: The source meter as an instrument that only says who it is.
source: "manual 2400S-900-01, rev. K"
maker: KEITHLEY.*
model: ".*2400.*"
readings:
  version: {says: The year of its SCPI., read: ":SYST:VERS?", kind: text}
make_safe: {do: [":OUTP OFF"], confirm: [{read: ":OUTP?", is: 0}]}
"""


def test_a_declared_instrument_runs_there_as_what_its_file_makes_of_it(lab: Path) -> None:
    (lab.parent / "meter.yaml").write_text(DECLARED)
    said = lab.read_text()
    begin, end = said.index("  meter:"), said.index("  arm:")
    meter = '  meter: {kind: scpi, declared: meter.yaml, port: "twin:meter", isolate: true}\n'
    text = said[:begin] + meter + said[end:]
    lab.write_text(text.replace("probe: meter, ", ""))
    code, out, err = command("try", str(lab), "meter", "version")
    assert code == 0, out + err
    assert "value = " in out
