"""Sources that are fetched: another campaign of the store, and this one played on twins."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.engine.history import task_of
from orchestrator.errors import InputError, UnitMismatch, UnknownName
from orchestrator.runtime.load import load
from orchestrator.runtime.look import look
from orchestrator.runtime.rehearse import rehearse
from orchestrator.runtime.run import Finish, run_campaign, run_in_memory
from orchestrator.runtime.sources import told_of_others

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"


@pytest.fixture
def first(back_room: Path) -> Path:
    run_campaign(back_room / "campaign.yaml", store=back_room / "s.sqlite")
    return back_room


def second(folder: Path, transfer: str, **changes: str) -> Finish:
    text = (folder / "campaign.yaml").read_text().replace("name: weighing", "name: second")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "second.yaml").write_text(f"{text}transfer: {transfer}\n")
    return run_campaign(folder / "second.yaml", folder / "lab.yaml", store=folder / "s.sqlite")


def test_another_campaigns_values_stand_in_the_first_event_and_reach_the_planner(
    first: Path,
) -> None:
    finish = second(first, "[{campaign: weighing}]")
    assert finish.state.opened is not None
    (source,) = finish.state.opened.sources
    assert (source.name, source.quantity, source.unit) == ("mass of weighing", "mass", "g")
    assert source.values == (2.5, 2.5)
    assert len(finish.state.trials) == 2
    task = task_of(finish.loaded.campaign, finish.state.opened.sources)
    assert task.sources == (source,)
    again = look(first / "s.sqlite", "second").state
    assert again.opened == finish.state.opened


def test_a_campaign_that_is_not_there_or_does_not_fit_is_refused(first: Path) -> None:
    with pytest.raises(UnknownName, match="'weihing' is not a campaign in this store"):
        second(first, "[{campaign: weihing}]")
    with pytest.raises(UnknownName, match="'masss' is not a metric"):
        second(first, "[{campaign: weighing, metric: masss}]")
    with pytest.raises(UnitMismatch):
        second(first, "[{campaign: weighing}]", **{"unit: mm": "unit: s"})


def test_what_another_campaign_lacks_or_varied_more_is_told_before_a_run(first: Path) -> None:
    def told(space: str, name: str = "weighing") -> tuple[str, ...]:
        text = (first / "campaign.yaml").read_text().replace("name: weighing", "name: second")
        text = text.replace("x: {real: [0, 1], unit: mm}", space)
        (first / "third.yaml").write_text(f"{text}transfer: [{{campaign: {name}}}]\n")
        campaign = load(first / "third.yaml", first / "lab.yaml").campaign
        return told_of_others(campaign, first / "s.sqlite")

    one, other = "x: {real: [0, 1], unit: mm}", "y: {real: [0, 1], unit: mm}"
    assert told(one) == ()
    (lacks,) = told(f"{one}, {other}")
    assert lacks.startswith(
        "not yet to be run: 'y' is not a parameter of the campaign 'weighing', which this one "
        "is to learn from"
    )
    text = (first / "campaign.yaml").read_text().replace("name: weighing", "name: wide")
    (first / "wide.yaml").write_text(text.replace(one, f"{one}, {other}"))
    run_campaign(first / "wide.yaml", first / "lab.yaml", store=first / "s.sqlite")
    (more,) = told(one, "wide")
    assert more.startswith("campaign 'wide' varied 'y' too, which this one does not have")


def test_a_simulator_is_played_before_the_first_trial(tmp_path: Path) -> None:
    for name in ("campaign.yaml", "twins.yaml"):
        shutil.copy(CAMPAIGNS / "niobium_titania" / name, tmp_path)
    path = tmp_path / "campaign.yaml"
    text = path.read_text().replace("trials: 40", "trials: 3")
    path.write_text(text + "transfer: [{simulator: twins.yaml, trials: 5}]\n")
    finish = run_in_memory(load(path))
    assert finish.state.opened is not None
    (source,) = finish.state.opened.sources
    assert source.name == "resistivity on twins.yaml"
    assert 2 <= len(source.values) == len(source.points) <= 5
    assert all(value > 0 for value in source.values)
    assert set(source.points[0]) == set(finish.loaded.campaign.space.names)


def test_a_lab_without_twins_is_no_simulator(tmp_path: Path) -> None:
    for name in ("campaign.yaml", "twins.yaml", "hardware.yaml"):
        shutil.copy(CAMPAIGNS / "niobium_titania" / name, tmp_path)
    path = tmp_path / "campaign.yaml"
    path.write_text(path.read_text() + "transfer: [{simulator: hardware.yaml}]\n")
    with pytest.raises(InputError, match="is no simulator"):
        rehearse(path)
