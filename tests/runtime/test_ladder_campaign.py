"""A campaign whose rungs are roles: run, shown, rehearsed and replayed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.terminal import print_state, print_trials
from orchestrator.engine.history import history_of
from orchestrator.errors import Exit, InputError
from orchestrator.model import events as ev
from orchestrator.reports.page import report_html
from orchestrator.reports.summary import best_trial
from orchestrator.reports.timeline import timeline
from orchestrator.runtime.load import load
from orchestrator.runtime.rehearse import rehearse
from orchestrator.runtime.run import Finish, run_campaign

LADDER = """\
name: ladder
space:
  x: {real: [0, 1]}
  rung: {fidelity: [kitchen, analytical]}
roles: {kitchen: BackRoomWeighing, analytical: BackRoomWeighing}
recipe:
  - weigh: {do: =rung.weigh}
metrics:
  mass: {value: "=weigh.value * (1 + x)", unit: g}
objective: {minimise: mass}
planner: {initial: 4}
budget: {trials: 6}
"""
LAB = """\
lab: two balances
resources:
  old: {kind: back-room-balance}
  new: {kind: back-room-balance, seconds: 0.3 s}
roles: {kitchen: old, analytical: new}
"""


@pytest.fixture
def ladder(back_room: Path) -> Path:
    (back_room / "ladder.yaml").write_text(LADDER)
    (back_room / "two.yaml").write_text(LAB)
    return back_room


def run(folder: Path) -> Finish:
    finish = run_campaign(folder / "ladder.yaml", folder / "two.yaml", store=folder / "s.sqlite")
    assert finish.ending.exit_code is Exit.FINISHED, finish.ending.sentence
    return finish


def test_each_rung_is_sent_to_its_own_resource_and_told_what_it_took(ladder: Path) -> None:
    finish = run(ladder)
    state, campaign = finish.state, finish.loaded.campaign
    sent = {"kitchen": "old", "analytical": "new"}
    for dispatch in state.dispatches.values():
        event = dispatch.event
        assert isinstance(event, ev.ActionDispatched)
        point = state.trials[event.trial or 0].proposal.point
        assert event.resource == sent[str(point["rung"])]

    class Asked:
        def __init__(self) -> None:
            self.campaign = campaign

    told: dict[object, list[float]] = {"kitchen": [], "analytical": []}
    for known in history_of(Asked(), state).evaluated:
        assert known.seconds is not None
        told[known.point["rung"]].append(known.seconds)
    assert min(told["analytical"]) >= 0.3
    best = best_trial(campaign, state)
    assert best is not None
    assert best.proposal.point["rung"] == "analytical"  # its twin on the other rung came first
    lanes = {lane.name: lane.resource for lane in timeline(campaign, state).lanes}
    assert lanes == sent
    assert "analytical" in report_html(campaign, state)
    console = Console(file=io.StringIO(), width=200)
    print_trials(campaign, state, console)
    print_state(campaign, state, console)


def test_a_ladder_can_be_rehearsed(ladder: Path) -> None:
    played = rehearse(ladder / "ladder.yaml", ladder / "two.yaml", trials=3)
    assert len(played.finish.state.trials) == 3


def test_a_rung_without_a_resource_is_missed_before_anything_opens(ladder: Path) -> None:
    (ladder / "two.yaml").write_text(LAB.replace("kitchen: old, ", ""))
    with pytest.raises(InputError, match=r"role 'kitchen' .* is not bound to a resource"):
        load(ladder / "ladder.yaml", ladder / "two.yaml")
