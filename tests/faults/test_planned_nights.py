"""A night that fails as its lab file has it: in a rehearsal, and on twins of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faults_night import new_night, write_campaign

from orchestrator.errors import Exit, FileProblems
from orchestrator.runtime.load import load
from orchestrator.runtime.run import run_in_memory

SEED = "seed: 7}"


def _lab(faults: str) -> dict[str, str]:
    return {SEED: f"seed: 7, faults: {faults}}}"}


def _rehearsed(tmp_path: Path, faults: str) -> tuple[Exit, str, list[str]]:
    folder = tmp_path / "campaign"
    write_campaign(folder, trials=2, lab=_lab(faults))
    finish = run_in_memory(load(folder))
    statuses = [trial.status for trial in finish.state.trials.values()]
    return finish.ending.exit_code, finish.ending.sentence, statuses


def test_single_faults_cost_nothing(tmp_path: Path) -> None:
    faults = "[{wire: gas, how: drop, at: 9}, {wire: monitor, how: flip, at: 5}]"
    code, _, statuses = _rehearsed(tmp_path, faults)
    assert (code, statuses) == (Exit.FINISHED, ["done", "done"])


def test_a_cable_that_is_torn_out_is_named(tmp_path: Path) -> None:
    code, said, _ = _rehearsed(tmp_path, "[{wire: monitor, how: unplug, at: 5}]")
    assert code is Exit.PERSON
    assert "monitor" in said


def test_the_same_bad_luck_comes_again(tmp_path: Path) -> None:
    faults = "[{how: [drop, flip, truncate, twice], share: 0.02, seed: 5}]"
    assert _rehearsed(tmp_path / "one", faults) == _rehearsed(tmp_path / "two", faults)


def test_a_fault_that_a_port_cannot_have_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    write_campaign(folder, trials=2, lab=_lab("[{wire: gauge, how: address, at: 9}]"))
    with pytest.raises(FileProblems) as refused:
        load(folder)
    (problem,) = refused.value.problems
    assert "no instrument at 'gauge' has a way to fail by address" in problem.message
    assert problem.line == 3


def test_twins_in_a_process_of_their_own_fail_as_planned_and_it_is_recorded(
    tmp_path: Path,
) -> None:
    lab = _lab("[{wire: monitor, how: unplug, at: 5}]")
    with new_night(tmp_path, trials=1, lab=lab) as night:
        traffic = tmp_path / "traffic"
        done = night.command("run", str(night.folder), "--record", str(traffic))
        assert done.returncode == Exit.PERSON, done.stderr
        assert "monitor" in done.stdout + done.stderr
        (folder,) = traffic.iterdir()
        names = {file.stem for file in folder.iterdir()}
        assert {"argon", "oxygen", "gauge", "monitor", "heater", "arm", "arm-2"} <= names
        lines = (folder / "monitor.jsonl").read_text().splitlines()
        assert "gone" in [json.loads(line).get("said") for line in lines]
        (row,) = [line for line in done.stdout.splitlines() if line.startswith("monitor ")]
        assert int(row.split()[1]) > 0
        said = night.twins()
        assert said is not None
        assert said["faults"] == json.loads(json.dumps(load(night.folder).lab.twins.plan()))  # type: ignore[union-attr]
