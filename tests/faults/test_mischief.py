"""Driver processes killed, cables pulled and devices power-cycled at random moments of a campaign:
every trial is complete or failed with its reason, and none is silently wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults_night import new_night
from isolated_night import ISOLATED, processes_of
from mischief_night import KINDS, Mischief, check, failures, suffer, write_seed

SHORT, LONG = 11, (1, 2, 3)
"""Seeds of the twins, of the campaign, and of what is done to them."""


def test_a_short_campaign_through_all_of_it_has_no_trial_that_is_silently_wrong(
    tmp_path: Path,
) -> None:
    with new_night(tmp_path, trials=4, lab=ISOLATED) as night:
        write_seed(night.folder, SHORT)
        mischief = Mischief(SHORT, effects_between=8)
        state = suffer(night, mischief)
        check(night, state)
        assert {deed.split()[0] for deed in mischief.done} == set(KINDS), mischief.done
        assert len(state.trials) == 4
        assert processes_of(night) == {}


@pytest.mark.soak
@pytest.mark.parametrize("seed", LONG)
def test_the_whole_campaign_through_all_of_it_has_no_trial_that_is_silently_wrong(
    tmp_path: Path, seed: int
) -> None:
    model = "{kind: bayesian, initial: 8}"
    time = {"time: 3 d": "time: 300 d"}  # at the nights' speed every restart takes hours
    with new_night(tmp_path, trials=40, planner=model, campaign=time, lab=ISOLATED) as night:
        write_seed(night.folder, seed)
        mischief = Mischief(seed, effects_between=12)
        state = suffer(night, mischief)
        check(night, state)
        assert len(state.trials) == 40
        found = failures(state)
        assert found["done"] >= 10, (found, mischief.done)
        assert sum(n for how, n in found.items() if how.startswith("failed")) >= 3, found
        assert processes_of(night) == {}
