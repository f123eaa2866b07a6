"""The second lab that ships: liquids, a mixture, two goals, and spectra that come as files."""

from __future__ import annotations

import pytest

from orchestrator.errors import Exit
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.page import report_html
from orchestrator.runtime.load import load
from orchestrator.runtime.rehearse import rehearse


@pytest.mark.parametrize("lab", ["twins.yaml", "hardware.yaml"])
def test_it_loads_on_both_labs_and_its_target_belongs_to_it(lab: str) -> None:
    loaded = load("dye_mixing", lab)
    (mix,) = loaded.campaign.space.mixtures
    how = loaded.campaign.metric("distance").reduction
    assert how is not None
    assert (len(how.target[0]), how.over_unit, how.low, how.high) == (31, "nm", 400.0, 700.0)
    assert [g.direction for g in loaded.campaign.objective.goals] == ["minimise", "minimise"]
    assert mix.total == 1000


def test_it_is_rehearsed_to_its_end_and_reported_as_simulated() -> None:
    played = rehearse("dye_mixing", planner="random", trials=4)
    state, campaign = played.finish.state, played.finish.loaded.campaign
    assert played.finish.ending.exit_code is Exit.FINISHED
    assert [t.status for t in state.trials.values()] == [TrialStatus.DONE] * 4
    for trial in state.trials.values():
        point, dye = trial.proposal.point, trial.observed("dye")
        assert dye is not None
        wanted = sum(float(point[name]) for name in ("cyan", "magenta", "yellow"))
        assert dye.event.value == pytest.approx(1.014 * wanted, rel=0.02, abs=2.0)
        assert sum(float(point[n]) for n in ("cyan", "magenta", "yellow", "water")) == (
            pytest.approx(1000)
        )
    assert "Simulated: no hardware was involved" in report_html(campaign, state)


def test_two_rehearsals_give_the_same_spectra() -> None:
    def hashes() -> list[str]:
        state = rehearse("dye_mixing", planner="random", trials=2).finish.state
        found = [d.results for d in state.dispatches.values() if d.event.action == "collect"]
        return [results["sha256"] for results in found]

    assert hashes() == hashes()


def test_after_twenty_trials_the_planner_has_come_nearer_than_chance_in_forty() -> None:
    state = rehearse("dye_mixing", trials=20).finish.state
    best = min(
        seen.event.value
        for trial in state.trials.values()
        if (seen := trial.observed("distance")) is not None
    )
    assert best < 0.108, "the best of eight times forty random mixtures"
