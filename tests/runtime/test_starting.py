"""A campaign that starts from what another one of the store found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.engine.history import before, history_of
from orchestrator.engine.study import prepare
from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.model.events import CampaignOpened
from orchestrator.runtime.load import load
from orchestrator.runtime.look import look
from orchestrator.runtime.rehearse import rehearse
from orchestrator.runtime.run import Finish, run_campaign

WRITTEN = {
    "name": "name: weighing",
    "space": "space: {x: {real: [0, 1], unit: mm}}",
    "unit": "unit: g",
    "objective": "objective: {minimise: mass}",
}


def run(folder: Path, **changes: str) -> Finish:
    text = (folder / "campaign.yaml").read_text()
    for old, new in changes.items():
        text = text.replace(WRITTEN[old], new)
    (folder / "second.yaml").write_text(text + "start: {campaign: weighing}\n")
    return run_campaign(folder / "second.yaml", folder / "lab.yaml", store=folder / "s.sqlite")


@pytest.fixture
def first(back_room: Path) -> Path:
    run_campaign(back_room / "campaign.yaml", store=back_room / "s.sqlite")
    return back_room


def test_the_trials_of_the_other_campaign_are_known_before_the_first_one(first: Path) -> None:
    finish = run(first, name="name: second", space="space: {x: {real: [0, 2000], unit: um}}")
    loaded = finish.loaded
    study = prepare(loaded.campaign, loaded.lab, "id", loaded.kinds, loaded.capabilities)
    told = history_of(study, finish.state).evaluated
    assert [e.trial for e in told] == [-2, -1, 1, 2]
    theirs = look(first / "s.sqlite", "weighing").state
    assert [e.point["x"] for e in told[:2]] == [
        pytest.approx(1000.0 * float(t.proposal.point["x"])) for t in theirs.trials.values()
    ]
    assert [e.outcomes["mass"].value for e in told[:2]] == [2.5, 2.5]


def test_what_was_known_stands_in_the_first_event_and_stays(first: Path) -> None:
    finish = run(first, name="name: second")
    assert finish.state.opened is not None
    assert [t.source.split(" trial")[1] for t in finish.state.opened.start] == [" 1", " 2"]
    again = look(first / "s.sqlite", "second")
    assert isinstance(again.state.opened, CampaignOpened)
    assert before(again.state, again.campaign) == before(finish.state, finish.loaded.campaign)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"space": "space: {y: {real: [0, 1]}}"}, UnknownName, "'y' is not a parameter of"),
        (
            {"space": "space: {x: {real: [0, 1], unit: s}}"},
            UnitMismatch,
            "'x' of the other",
        ),
        ({"space": "space: {x: {choice: [a, b]}}"}, InputError, "a word in one of the campaigns"),
        (
            {"objective": "objective: {minimise: size}", "unit": "unit: g}, size: {unit: mm"},
            UnknownName,
            "'size' is not a metric of",
        ),
    ],
)
def test_a_campaign_that_does_not_fit_is_refused_before_anything_is_opened(
    first: Path, changes: dict[str, str], error: type[InputError], said: str
) -> None:
    with pytest.raises(error, match=said):
        run(first, name="name: second", **changes)


def test_a_campaign_that_is_not_there_is_refused_and_a_rehearsal_does_without(
    back_room: Path,
) -> None:
    with pytest.raises(UnknownName, match="'weighing' is not a campaign in this store to start"):
        run(back_room, name="name: second")
    played = rehearse(back_room / "second.yaml", back_room / "lab.yaml")
    assert len(played.finish.state.trials) == 2


def test_a_table_to_start_from_in_another_unit_is_remarked_upon(back_room: Path) -> None:
    file = back_room / "campaign.yaml"
    file.write_text(file.read_text() + "start: {table: old.csv}\n")
    (back_room / "old.csv").write_text("x,mass\n0.5,1\n0.9,2\n")
    assert not any(said.startswith("start:") for said in load(file).remarks)
    (back_room / "old.csv").write_text("x,mass\n0.5,1\n9e5,2\n")
    (said,) = (said for said in load(file).remarks if said.startswith("start:"))
    assert said.startswith("start: 1 of 2 points lie outside of the space, the first with x = 900")
