"""Samples, runs and blocks are levels of noise of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.kernel import Floats
from orchestrator.planner.replication import Parts
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

QUESTION = PlanningTask(
    space=SearchSpace(parameters=(Real(name="a", low=0.0, high=1.0),)),
    metrics=(MetricScale(name="y", unit=""),),
    objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
    planner=PlannerChoice(initial=4),
    seed=1,
)


def history(at: Sequence[float], outcomes: Sequence[Outcome], blocks: Sequence[str]) -> History:
    together = enumerate(zip(at, outcomes, blocks, strict=True), start=1)
    ended = [
        Evaluated(trial=n, point={"a": float(a)}, outcomes={"y": y}, block=block)
        for n, (a, y, block) in together
    ]
    return History(evaluated=tuple(ended), n_proposed=len(ended))


def believed(past: History) -> tuple[Floats, Floats, Floats]:
    """Values of the parameter, and what is expected there, with its standard deviation."""
    found = BayesianPlanner(QUESTION).belief(past)
    assert found is not None
    slice_ = found.metrics[0].slices[0]
    return np.array(slice_.values, dtype=float), np.array(slice_.mean), np.array(slice_.sd)


@pytest.mark.parametrize("seed", range(4))
def test_of_trials_at_one_point_the_first_is_recommended(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 1, 9)
    at = np.concatenate([at, np.repeat(at[np.argmin(abs(at - 0.35))], 4)])
    y = [Outcome(value=-8 * (a - 0.35) ** 2 + rng.normal(0, 0.01)) for a in at]
    chosen = BayesianPlanner(QUESTION).recommend(history(at, y, [""] * len(at)))
    assert chosen is not None
    assert chosen == 1 + list(at).index(at[chosen - 1])
    known = history(at, y, [""] * len(at))
    older = [e.model_copy(update={"trial": e.trial - 11}) for e in known.evaluated]
    own = 1 if at[chosen - 1] == at[-1] else chosen - 11
    assert BayesianPlanner(QUESTION).recommend(History(evaluated=tuple(older))) == own


# blocks


def two_days(*, told: bool) -> History:
    """A peak of zero at 0.35, the left half tried on one day, the right one on another, of which
    all outcomes are higher by 3; in the middle both."""
    at = [0.05, 0.2, 0.35, 0.45, 0.5, 0.5, 0.55, 0.7, 0.85, 0.95]
    late = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    y = [Outcome(value=-8 * (a - 0.35) ** 2 + 3 * day) for a, day in zip(at, late, strict=True)]
    return history(at, y, [f"day {day}" if told else "" for day in late])


def test_of_two_blocks_with_an_offset_the_best_trial_is_not_that_of_the_higher_block() -> None:
    planner = BayesianPlanner(QUESTION)
    assert planner.recommend(two_days(told=True)) == 3
    assert planner.recommend(two_days(told=False)) >= 6  # of the second day


def test_what_two_blocks_with_an_offset_say_together_is_within_its_uncertainty() -> None:
    def misses(*, told: bool) -> tuple[float, float]:
        """Of the shape, its level left out: the error, and the least standard deviation."""
        at, mean, sd = believed(two_days(told=told))
        off = mean + 8 * (at - 0.35) ** 2
        return float(np.abs(off - off.mean()).max()), float(sd.min())

    error, sd = misses(told=True)
    assert error < 0.2 < sd  # nothing tells which of the days is the usual one
    error, sd = misses(told=False)
    assert error > 1.0 > sd


def test_a_trial_of_which_the_block_is_not_known_has_a_shift_too() -> None:
    at = np.linspace(0, 1, 8)
    shift = np.array([2.0, 2.0, 2.0, -2.0, -2.0, -2.0, 0.0, 6.0])
    blocks = ["p", "p", "p", "q", "q", "q", "r", ""]
    order = np.argsort(np.random.default_rng(0).random(8))
    y = [Outcome(value=float(s)) for s in shift[order]]
    past = history(at, y, [blocks[i] for i in order])
    values, mean, _ = believed(past)
    lonely = float(at[list(order).index(7)])
    there = mean[int(np.abs(values - lonely).argmin())]
    assert there < 3.0


# samples and runs


def scattered_runs(level: str, n_samples: int = 3) -> History:
    """Six points, twice each: runs scatter by 0.5, and the samples of one by next to nothing."""
    at = np.tile(np.linspace(0, 1, 6), 2)
    y = -4 * (at - 0.5) ** 2 + 0.5 * np.random.default_rng(0).normal(size=12)
    told = {"sd": 0.01, "n_samples": n_samples, "level": level}
    outcomes = [Outcome.model_validate({"value": float(v), **told}) for v in y]
    return history(at.tolist(), outcomes, [""] * 12)


def test_samples_of_one_run_that_agree_say_nothing_of_how_runs_scatter() -> None:
    _, _, sd = believed(scattered_runs("sample"))
    assert sd.min() > 0.1
    _, _, sd = believed(scattered_runs("run"))
    assert sd.min() < 0.02  # a mean over runs whose deviation is known


def test_many_samples_of_one_run_weigh_as_a_run_and_many_runs_more() -> None:
    """A point tried as four single runs, and once as a mean of thirty that lies far from these."""

    def between(level: str) -> float:
        single = [Outcome(value=v) for v in (0.0, 0.6, -0.5, 0.3)]
        rest = [Outcome(value=v) for v in (-2.0, -2.5, -1.7, -2.4, -2.0, -2.2)]
        mean = Outcome.model_validate({"value": 2.0, "n_samples": 30, "level": level})
        at = [0.5] * 5 + [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
        values, found, _ = believed(history(at, [*single, mean, *rest], [""] * 11))
        return float(found[int(np.abs(values - 0.5).argmin())])

    assert between("sample") < 0.9 < 1.2 < between("run")


@pytest.mark.parametrize(
    ("said", "sd", "parts"),
    [
        ({}, None, (1, 1, 1)),
        ({}, 0.1, (0, 0, 1)),
        ({"n_samples": 4}, None, (1, 0.25, 1)),
        ({"n_samples": 4}, 0.1, (1, 0, 1)),
        ({"n_samples": 4, "level": "run"}, None, (0.25, 0.25, 1)),
        ({"n_samples": 4, "level": "run"}, 0.1, (0, 0, 1)),
        ({"n_samples": 4, "level": "block"}, None, (0.25, 0.25, 0.25)),
        ({"n_samples": 4, "level": "block"}, 0.1, (0, 0, 0)),
    ],
)
def test_what_was_replicated_says_which_variances_an_outcome_has(
    said: dict[str, object], sd: float | None, parts: tuple[float, float, float]
) -> None:
    outcome = Outcome.model_validate({"value": 1.0, **said})
    found = Parts.of([outcome], [sd])
    assert (found.run[0], found.sample[0], found.block[0]) == parts


def test_the_mean_over_blocks_shares_the_shift_of_none() -> None:
    over = Outcome(value=1.0, n_samples=2, level="block")
    parts = Parts.of([Outcome(value=1.0), Outcome(value=1.0), over], [None] * 3)
    wanted = [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.5]]
    assert parts.blocks(["lot 1"] * 3).tolist() == wanted


def test_a_variance_between_samples_is_only_learnt_where_something_tells_it() -> None:
    one, three = Outcome(value=1.0), Outcome(value=1.0, n_samples=3)
    apart = [([one, one], False), ([three, three], False), ([one, three], True)]
    for outcomes, wanted in apart:
        assert Parts.of(outcomes, [None, None]).tells_samples_apart is wanted
