"""The campaign of composition spreads, on its twins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.model import events as ev
from orchestrator.runtime.load import load
from orchestrator.runtime.run import run_in_memory, stage_of

CAMPAIGN = Path(__file__).parents[2] / "campaigns" / "composition_spread"


def test_a_trial_is_a_wafer_with_a_hundred_readings_and_one_outcome() -> None:
    loaded = load(CAMPAIGN, None)
    few = loaded.campaign.budget.model_copy(update={"trials": 1})
    loaded = replace(loaded, campaign=loaded.campaign.model_copy(update={"budget": few}))
    stage = stage_of(loaded)
    finish = run_in_memory(loaded, stage=stage)
    events = [recorded.event for recorded in stage.store.read(stage.campaign_id)]
    readings = [
        e
        for e in events
        if isinstance(e, ev.ActionDispatched) and e.action == "sheet_resistance" and e.trial == 1
    ]
    assert len(readings) == 100
    assert len({e.sample for e in readings}) == 1
    assert all(e.parent for e in readings)
    observed = [e for e in events if isinstance(e, ev.Observed) and e.trial == 1]
    assert sorted(e.metric for e in observed) == ["niobium", "resistivity", "thickness"]
    strikes = [e for e in events if isinstance(e, ev.ActionDispatched) and e.action == "on"]
    assert [e.resource for e in strikes if e.trial == 1] == ["supply", "second"]
    whole = next(e for e in events if isinstance(e, ev.ActionDone) and "fraction" in e.results)
    assert len(whole.results["fraction"]) + whole.results["n_over"] == 100
    assert 0.0 < min(whole.results["fraction"]) < max(whole.results["fraction"]) < 0.3
    assert [kept.name for kept in finish.state.kept] == ["process.csv", "map.csv"]


@pytest.mark.parametrize("lab", ["twins.yaml", "hardware.yaml"])
def test_both_labs_fit_the_campaign(lab: str) -> None:
    loaded = load(CAMPAIGN, CAMPAIGN / lab)
    assert loaded.kinds["mapper"].name == "wafer-map"
