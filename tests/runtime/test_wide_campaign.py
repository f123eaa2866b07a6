"""A campaign with everything that a file may say of its space: run, shown, and started from."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.terminal import print_state, print_trials
from orchestrator.engine.history import before
from orchestrator.errors import Exit
from orchestrator.model.points import faults_of
from orchestrator.model.state import State
from orchestrator.reports.export import write_csv
from orchestrator.reports.figures import write_figures
from orchestrator.reports.page import report_html
from orchestrator.runtime.load import load
from orchestrator.runtime.rehearse import rehearse
from orchestrator.runtime.result_units import result_units
from orchestrator.runtime.run import Finish, run_campaign

SPACE = """\
space:
  oxygen:   {real: [0.1, 2], unit: Pa, noise: 20 mPa}
  argon:    {real: [0.1, 2], unit: Pa, scale: log, noise: 5 %}
  grade:    {ordinal: [coarse, fine, finest]}
  speed:    {ordinal: [1, 2, 5, 10], unit: mm/s, scale: log}
  solvent:
    choice: {water: {polarity: 10.2, boiling: 100}, ethanol: {polarity: 5.2, boiling: 78}}
    units: {boiling: degC}
  alloy: {mixture: {Cu: [0, 50], Ni: [10, 100], Zn: [0, 100]}, total: 100, unit: at.%,
          present: [2, 3], least: 5}
  anneal:   {choice: [none, short, long]}
  heat:     {real: [200, 500], unit: degC, when: {anneal: [short, long]}, otherwise: 25 degC}
  ramps:    {integer: [1, 5], when: {anneal: long}}
  level:    {fidelity: {rough: 1, exact: 10}}
  humidity: {context: [20, 80], unit: percent, value: =weigh.value / 1 g * 10 percent}
constraints: [oxygen + argon <= 3 Pa, Ni >= 2 * Cu]
"""
WIDE = f"""\
name: wide
goal: everything at once
{SPACE}
roles: {{balance: BackRoomWeighing}}
recipe:
  - weigh: {{do: balance.weigh}}
metrics:
  mass: {{value: "=weigh.value * (1 + oxygen / 1 Pa)", unit: g}}
  speed_of_it: {{value: =speed * argon / 1 Pa, unit: mm/s, scale: log}}
objective: {{minimise: mass, maximise: speed_of_it, subject_to: [mass <= 8 g with 95 %],
             cost: "=20 min + abs(heat - previous.heat) / '5 K/min'"}}
controls: {{every: 4, point: {{oxygen: 1, argon: 1, grade: fine, speed: 2, solvent: water, Cu: 0,
            Ni: 90, Zn: 10, anneal: none, level: exact}}}}
planner: {{kind: sobol}}
budget: {{trials: 8}}
"""


@pytest.fixture
def wide(back_room: Path) -> Path:
    (back_room / "wide.yaml").write_text(WIDE)
    return back_room


def run(folder: Path, name: str = "wide.yaml") -> Finish:
    finish = run_campaign(folder / name, folder / "lab.yaml", store=folder / "s.sqlite")
    assert finish.ending.exit_code is Exit.FINISHED, finish.ending.sentence
    return finish


def test_a_wide_campaign_runs_within_everything_that_is_known(wide: Path) -> None:
    finish = run(wide)
    space = finish.loaded.campaign.space
    for trial in finish.state.trials.values():
        assert list(faults_of(space, trial.proposal.point)) == []
    assert [t.proposal.source for t in finish.state.trials.values()].count("control") == 2
    assert {t.proposal.point["humidity"] for t in finish.state.trials.values()} == {25.0, 50.0}


def test_a_wide_campaign_is_shown_everywhere(wide: Path, tmp_path: Path) -> None:
    finish = run(wide)
    campaign, state = finish.loaded.campaign, finish.state
    assert "the best in mass and speed_of_it" in report_html(campaign, state)
    console = Console(file=io.StringIO(), width=400)
    print_trials(campaign, state, console)
    print_state(campaign, state, console)
    assert write_figures(campaign, state, tmp_path / "figures", formats=("svg",))
    empty = State()
    assert "No trial has given a value" in report_html(campaign, empty)


def test_what_it_exported_is_what_another_one_starts_from(wide: Path) -> None:
    finish = run(wide)
    campaign = finish.loaded.campaign
    write_csv(campaign, finish.state, wide / "old.csv", result_units(campaign))
    second = WIDE.replace("name: wide", "name: second") + "start: {table: old.csv}\n"
    (wide / "second.yaml").write_text(second)
    campaign = load(wide / "second.yaml", wide / "lab.yaml").campaign
    assert len(campaign.start) == 8
    known = [e.model_copy(update={"trial": e.trial + 9}) for e in before(State(), campaign)]
    for told, trial in zip(known, finish.state.trials.values(), strict=True):
        assert told.trial == trial.number
        assert told.point == pytest.approx({**trial.proposal.point, "humidity": 25.0})
        seen = trial.observed("mass")
        assert seen is not None
        assert told.outcomes["mass"].value == pytest.approx(seen.event.value)
    third = WIDE.replace("name: wide", "name: third") + "start: {campaign: wide}\n"
    (wide / "third.yaml").write_text(third)
    opened = run(wide, "third.yaml").state.opened
    assert opened is not None
    assert [t.point for t in opened.start] == [
        {**t.proposal.point, "humidity": 25.0} for t in finish.state.trials.values()
    ]


def test_a_wide_campaign_can_be_rehearsed(wide: Path) -> None:
    played = rehearse(wide / "wide.yaml", wide / "lab.yaml", trials=3)
    assert len(played.finish.state.trials) == 3
