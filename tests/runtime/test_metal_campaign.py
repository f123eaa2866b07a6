"""The campaign on a metal target, whose films depend on the way to their oxygen flow."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from orchestrator.runtime.load import load
from orchestrator.runtime.run import run_in_memory, stage_of

CAMPAIGN = Path(__file__).parents[2] / "campaigns" / "niobium_titania_metal"


def test_each_film_begins_on_a_poisoned_target_and_says_how_clear_it_is() -> None:
    loaded = load(CAMPAIGN, None)
    few = loaded.campaign.budget.model_copy(update={"trials": 1})
    loaded = replace(loaded, campaign=loaded.campaign.model_copy(update={"budget": few}))
    stage = stage_of(loaded)
    finish = run_in_memory(loaded, stage=stage)
    for trial, kept in zip(finish.state.trials.values(), finish.state.kept, strict=True):
        clear = [o.event.value for o in trial.observations if o.event.metric == "transmittance"]
        assert len(clear) == 1
        assert 0.0 <= clear[0] < 0.9
        text = stage.store.get_artifact(kept.artifact).decode()
        rows = list(csv.DictReader(text.splitlines()))
        poisoned = [float(r["supply voltage [V]"]) for r in rows if r["phase"] == "approach"]
        assert max(poisoned) >= 317.0
