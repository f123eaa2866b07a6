"""Two decisions that no other room's tests hold by name: 0007 and 0008."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.engine.history import history_of
from orchestrator.engine.study import prepare
from orchestrator.model.events import ActionDispatched, ActionFailed, Event
from orchestrator.model.state import State
from orchestrator.runtime.new import new_campaign
from orchestrator.runtime.rehearse import rehearse


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path / "data"))
    return new_campaign(tmp_path / "film")


def test_readings_of_one_film_are_not_passed_on_as_the_noise_of_films(film: Path) -> None:
    played = rehearse(film, planner="sobol", trials=1).finish
    seen = played.state.trials[1].observed("resistivity")
    assert seen is not None
    assert seen.event.n_readings == 3
    assert seen.event.sd is not None, "the noise of reading is journaled"
    loaded = played.loaded
    study = prepare(loaded.campaign, loaded.lab, "x", loaded.kinds, loaded.capabilities)
    (trial,) = history_of(study, played.state).evaluated
    assert {name: outcome.sd for name, outcome in trial.outcomes.items()} == {
        "resistivity": None,
        "thickness": None,
    }


def test_a_tool_releases_a_failed_sample_before_it_is_carried_off(film: Path) -> None:
    lab = film / "twins.yaml"
    # what the tool asks of its argon is known to itself alone, and not beforehand
    argon = "limits:\n  argon.set_flow: {flow: {max: 10 sccm}}\n"
    lab.write_text(lab.read_text().replace("limits:\n", argon))
    events: list[Event] = []

    def watch(recorded: Any, state: State) -> None:
        events.append(recorded.event)

    rehearse(film, planner="sobol", trials=1, watch=watch)
    failed = next(
        index
        for index, event in enumerate(events)
        if isinstance(event, ActionFailed) and "outside its limits" in event.sentence
    )
    acts = [
        (event.resource, event.action)
        for event in events[failed:]
        if isinstance(event, ActionDispatched) and event.parent is None
    ]
    assert acts == [("tool", "release"), ("arm", "move")]
    inside = [
        event.action
        for event in events[failed:]
        if isinstance(event, ActionDispatched) and event.parent is not None
    ]
    assert inside[-1] == "vent", "the chamber is open when the arm reaches into it"
