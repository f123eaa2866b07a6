"""The campaign of crystals that conduct heat, as it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.runtime.rehearse import rehearse

CAMPAIGN = Path(__file__).parents[2] / "campaigns" / "thermal_crystals"


@pytest.mark.slow
def test_diamond_is_tried_within_nine_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAGANE_DATA", str(tmp_path))
    trials = rehearse(CAMPAIGN, trials=9).finish.state.trials.values()
    found = {str(t.proposal.point["crystal"]): t.observed("thermal_conductivity") for t in trials}
    diamond = found["C"]
    assert diamond is not None
    assert diamond.event.value == pytest.approx(1380, rel=0.01)
    assert all(o is not None and o.event.value <= diamond.event.value for o in found.values())
