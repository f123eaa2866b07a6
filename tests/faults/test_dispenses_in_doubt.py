"""A line breaks while liquid is given into a vessel: it is given at most once."""

from __future__ import annotations

from pathlib import Path

import pytest
from wet_night import wet_night

from orchestrator.errors import Exit


def test_a_campaign_on_the_wet_bench_weighs_what_it_mixes(tmp_path: Path) -> None:
    night = wet_night(tmp_path)
    ending = night.run()
    assert ending.exit_code is Exit.FINISHED, ending
    state = night.state()
    assert [t.status for t in state.trials.values()] == ["done"] * 3
    for trial in state.trials.values():
        cyan, water = (
            state.dispatches[trial.attempts[step][-1]].results for step in ("add_cyan", "add_water")
        )
        assert cyan["mass"] == pytest.approx(1.012e-3 * cyan["volume"], rel=0.02, abs=0.002)
        assert water["mass"] == pytest.approx(0.998e-3 * water["volume"], rel=0.02, abs=0.002)
    counts = night.world.counts()
    assert counts["initialisations"] == 2 + 3
    n_strokes = sum(d.event.action == "dispense" and bool(d.event.parent) for d in _all(state))
    assert counts["dispenses"] == n_strokes


def _all(state):  # type: ignore[no-untyped-def]
    return state.dispatches.values()
