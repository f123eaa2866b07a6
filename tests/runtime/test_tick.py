"""`hagane tick`: a campaign that lives from turn to turn, and no process stays between them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from orchestrator.errors import (
    ExecutionError,
    Exit,
    FileProblems,
    InputError,
    StillRunning,
    TurnUnderWay,
)
from orchestrator.journal import open_store
from orchestrator.model.events import ActionDispatched, AttemptLost, Recorded
from orchestrator.model.state import State
from orchestrator.runtime.run import Setting, run_campaign
from orchestrator.runtime.tick import Ticked, tick
from orchestrator.runtime.turn_lock import only_turn
from simulators.atomistic.calculators import StructureCalculator
from tests.runtime.counting import computed, counting_lab

WITHIN_S = 600.0


def to_the_end(campaign: Path, setting: Setting | None = None) -> Ticked:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        told = tick(campaign, setting=setting)
        if told.finish.ending.exit_code is not Exit.GOES_ON:
            return told
        time.sleep(0.1)
    raise AssertionError(f"it does not come to its end: {told.line}")


def test_turn_by_turn_a_campaign_comes_to_its_end_and_each_is_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch)
    dispatched: list[str] = []

    def watch(recorded: Recorded, _state: State) -> None:
        if isinstance(recorded.event, ActionDispatched):
            dispatched.append(recorded.event.ticket)

    first = tick(campaign, setting=Setting(watch=watch))
    assert first.finish.ending.exit_code is Exit.GOES_ON
    assert first.n_submitted == 2
    assert "2 submitted now" in first.line
    told = to_the_end(campaign, Setting(watch=watch))
    assert told.finish.ending.exit_code is Exit.FINISHED
    assert "3 trials done" in told.line
    points = [t.proposal.point["x"] for t in told.finish.state.trials.values()]
    assert sorted(computed(campaign)) == sorted(points)
    assert len(dispatched) == len(set(dispatched)) == 3
    # nothing was amiss between the turns, and so nothing of the kind is told
    assert not [m.why for _, m in told.finish.state.made_safe if "lab in order" in m.why]
    assert tick(campaign).finish.ending.exit_code is Exit.FINISHED


def test_a_calculation_that_kills_its_worker_is_an_infeasible_trial_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch, levels="[0.1, 0.95]")
    lost: list[int] = []

    def watch(recorded: Recorded, _state: State) -> None:
        if isinstance(recorded.event, AttemptLost):
            lost.append(recorded.event.attempt)

    told = to_the_end(campaign, Setting(watch=watch))
    assert told.finish.ending.exit_code is Exit.FINISHED
    trials = told.finish.state.trials.values()
    killers = [t for t in trials if t.proposal.point["x"] == 0.95]
    assert killers, "the planner tried it"
    assert [t for t in trials if t.blames_parameters] == killers
    assert all("lost its worker 3 times" in t.sentence for t in killers)
    assert sorted(lost) == sorted([1, 2, 3] * len(killers))
    assert computed(campaign).count(0.95) == 3 * len(killers)


def test_a_turn_beside_another_engine_leaves_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch)
    started = tick(campaign)
    store = open_store(None)
    try:
        held = store.lease(started.finish.campaign_id, "somebody else")
        told = tick(campaign)
        asyncio.run(held.close())
        assert told.finish.ending.exit_code is Exit.GOES_ON
        assert "is being run by somebody else" in told.line
    finally:
        store.close()


def test_a_turn_beside_another_one_is_told_before_it_reads_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch)
    with only_turn(campaign, None):
        unread = (campaign / "campaign.yaml").read_text()
        (campaign / "campaign.yaml").write_text("name: [")
        with pytest.raises(TurnUnderWay, match=r"another turn of .* is not over") as caught:
            tick(campaign)
        assert caught.value.exit_code is Exit.GOES_ON
        (campaign / "campaign.yaml").write_text(unread)
        with only_turn(tmp_path / "another", None):
            pass
    assert tick(campaign).finish.ending.exit_code is Exit.GOES_ON
    # the calculations of the turn that ended do not hold it up
    assert to_the_end(campaign).finish.ending.exit_code is Exit.FINISHED


def test_an_engine_that_stays_does_not_compute_what_a_turn_has_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch, levels="[0.5, 0.51]")
    tick(campaign)
    with pytest.raises(StillRunning, match="hagane tick"):
        run_campaign(campaign)
    (campaign / "log.go").touch()
    to_the_end(campaign)
    assert len(computed(campaign)) == 2


def test_a_pause_holds_through_the_turns_until_a_person_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = counting_lab(tmp_path, monkeypatch)
    first = tick(campaign)

    def ask(kind: str) -> None:
        store = open_store(None)
        store.request(str(first.finish.campaign_id), kind, {}, "somebody")
        store.close()

    ask("pause")
    told = to_the_end(campaign)
    assert told.finish.ending.exit_code is Exit.PERSON
    assert "hagane resume" in told.finish.ending.hint
    assert tick(campaign).finish.ending.exit_code is Exit.PERSON
    ask("resume")
    assert to_the_end(campaign).finish.ending.exit_code is Exit.FINISHED


def test_a_lab_with_a_device_is_refused(back_room: Path) -> None:
    with pytest.raises(
        InputError, match=r"'balance'.* needs an engine that stays with it"
    ) as error:
        tick(back_room)
    assert "hagane run" in error.value.hint


WAITING = """\
name: waiting
space: {x: {real: [0, 1]}}
roles: {spectrometer: FileMeasurement}
recipe: [{wait: {do: spectrometer.collect}}]
metrics: {height: {reduce: {file: wait, take: highest, of: y}}}
objective: {maximise: height}
planner: {kind: random}
budget: {trials: 2}
"""
DESK = """\
lab: a desk
resources: {spectra: {kind: file-drop, folder: HERE, pattern: "{ticket}*.csv", settle: 0.5 s}}
roles: {spectrometer: spectra}
"""


def test_a_file_is_waited_for_between_the_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    folder = tmp_path / "spectra"
    folder.mkdir()
    (tmp_path / "campaign.yaml").write_text(WAITING)
    (tmp_path / "lab.yaml").write_text(DESK.replace("HERE", str(folder)))
    waited = [tick(tmp_path), tick(tmp_path)]
    assert [w.finish.ending.exit_code for w in waited] == [Exit.GOES_ON, Exit.GOES_ON]
    assert waited[1].line.endswith("; 2 steps under way")
    for ticket in waited[1].finish.state.open_tickets:
        (folder / f"{ticket}.csv").write_text("x,y\n1,2\n2,7\n3,1\n")
    told = tick(tmp_path)
    assert told.finish.ending.exit_code is Exit.FINISHED
    trials = told.finish.state.trials.values()
    assert [t.observations[0].event.value for t in trials] == [7.0, 7.0]
    assert len(told.finish.state.dispatches) == 2


def test_twins_stand_for_devices_which_a_turn_does_not_drive(tmp_path: Path) -> None:
    lab = DESK.replace("HERE", '"twin:spectra"').replace("a desk", "a desk of twins")
    (tmp_path / "campaign.yaml").write_text(WAITING)
    (tmp_path / "lab.yaml").write_text(f"{lab}twins: {{world: dye-lab, seed: 7}}\n")
    with pytest.raises(InputError, match="has twins, which stand for devices") as refused:
        tick(tmp_path)
    assert "without 'twins:'" in refused.value.hint


METALS = """\
name: metals
space: {crystal: {pool: metals.extxyz}}
roles: {calculator: StructureCalculation}
recipe: [{form: {do: calculator.energy, structure: =crystal.structure}}]
metrics: {energy: {value: =form.energy, unit: eV}}
objective: {minimise: energy}
planner: {kind: random}
budget: {trials: 2}
"""
LAB = "lab: here\nresources: {method: {kind: KIND}}\nroles: {calculator: method}\n"


def test_a_pool_is_held_against_its_lab_in_the_first_turn_and_when_the_lab_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    looked: list[str] = []
    check = StructureCalculator.check

    def watched(self: StructureCalculator, action: str, arguments: Mapping[str, str]) -> None:
        looked.extend([action] * ("structure" in arguments))
        check(self, action, arguments)

    monkeypatch.setattr(StructureCalculator, "check", watched)
    write(tmp_path / "metals.extxyz", [bulk("Cu"), bulk("Pt")])
    (tmp_path / "campaign.yaml").write_text(METALS)
    (tmp_path / "lab.yaml").write_text(LAB.replace("KIND", "emt-structures"))
    tick(tmp_path)
    assert len(looked) == 2
    tick(tmp_path)
    assert len(looked) == 2
    (tmp_path / "lab.yaml").write_text(LAB.replace("KIND", "emt-structures, reuse: matching"))
    tick(tmp_path)
    assert len(looked) == 4
    write(tmp_path / "metals.extxyz", [bulk("Cu"), bulk("Fe")])
    with pytest.raises(FileProblems, match="metals-2"):
        tick(tmp_path, new=True)


def test_what_the_turns_of_one_campaign_compute_those_of_another_await(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "metals.extxyz", [bulk("Cu"), bulk("Pt")])
        (tmp_path / name / "campaign.yaml").write_text(
            METALS.replace("name: metals", f"name: {name}")
        )
        (tmp_path / name / "lab.yaml").write_text(LAB.replace("KIND", "emt-structures"))
    first, second = tick(tmp_path / "one"), tick(tmp_path / "two")
    assert (first.n_submitted, second.n_submitted) == (2, 0)
    assert f"2 awaited of {first.finish.campaign_id}" in second.line
    for name, reused in (("one", 0), ("two", 1)):
        state = to_the_end(tmp_path / name).finish.state
        assert [d.results["reused"] for d in state.dispatches.values()] == [reused] * 2


def test_what_the_scheduler_of_one_campaign_refuses_another_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    programs = {"squeue": "exit 0", "sbatch": "echo 'invalid partition: long' >&2; exit 1"}
    (tmp_path / "bin").mkdir()
    for name, does in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    sites = {"one": "{kind: slurm, partition: long, walltime: 1 h}", "two": "{kind: local}"}
    for name, site in sites.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name / "metals.extxyz", [bulk("Cu"), bulk("Pt")])
        (tmp_path / name / "campaign.yaml").write_text(
            METALS.replace("name: metals", f"name: {name}")
        )
        lab = LAB.replace("KIND", "emt-structures")
        (tmp_path / name / "lab.yaml").write_text(f"{lab}site: {site}\n")
    for _ in range(2):
        with pytest.raises(ExecutionError, match="invalid partition: long"):
            tick(tmp_path / "one")
    assert len(to_the_end(tmp_path / "two").finish.state.trials) == 2
