"""In a small finite space or a pool whose outcomes scatter, what was tried is a candidate, too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.errors import PoolExhausted
from orchestrator.model.space import Choice, Integer, Ordinal, Point
from orchestrator.model.trial import Proposal
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.improvement import log_h
from orchestrator.planner.likelihood import Hyper
from orchestrator.planner.repeating import knowledge_gradient
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome

GRID = (
    Choice(name="gas", options=("argon", "neon")),
    Ordinal(name="step", levels=tuple(float(i) for i in range(12))),
)
Y = (MetricScale(name="y", unit=""),)


def truth(point: Point) -> float:
    return -0.15 * abs(float(point["step"]) - 8.0) + 0.3 * (point["gas"] == "neon")


def played(noise: float, seed: int, *, is_known: bool = False, n: int = 20) -> list[Proposal]:
    question = samples.task(GRID, Y, (), direction="maximise", initial=8, seed=seed)
    planner, rng, history = BayesianPlanner(question), np.random.default_rng(seed), History()
    made = []
    for trial in range(1, n + 1):
        made.append(planner.propose(history, 1)[0])
        point = made[-1].point
        value = truth(point) + noise * rng.normal()
        outcome = Outcome(value=value, sd=noise if is_known else None)
        ended = Evaluated(trial=trial, point=point, outcomes={"y": outcome})
        history = History(evaluated=(*history.evaluated, ended), n_proposed=trial)
    return made


def test_a_proposal_says_how_measurements_scatter_around_what_it_expects() -> None:
    expected = played(0.6, seed=1, n=30)[-1].predicted["y"]
    assert expected.sd < 0.3 < expected.scatter < 0.8


def n_distinct(made: list[Proposal]) -> int:
    return len({tuple(p.point.items()) for p in made})


def test_where_outcomes_scatter_good_points_are_repeated_while_others_are_left() -> None:
    made = played(0.6, seed=1)
    points = [p.point for p in made]
    repeated = [p for i, p in enumerate(points) if p in points[:i]]
    assert len(repeated) > 3
    assert sum("measured again, as outcomes may scatter" in p.why for p in made) == len(repeated)
    assert np.mean([truth(p) for p in repeated]) > np.mean([truth(p) for p in points[:8]])


def played_in_a_pool(
    noise: float, seed: int, n: int = 24, options: dict[str, float | int | str | bool] | None = None
) -> list[Proposal]:
    candidates = samples.pool(60, width=2)
    rows = dict(zip(candidates.names, candidates.rows, strict=True))
    question = samples.task(
        (candidates,), Y, (), direction="maximise", initial=8, seed=seed, options=options
    )
    planner, rng, history = BayesianPlanner(question), np.random.default_rng(seed), History()
    made = []
    for trial in range(1, n + 1):
        made.append(planner.propose(history, 1)[0])
        x, y = rows[str(made[-1].point["alloy"])]
        value = -4.0 * ((x - 0.3) ** 2 + (y - 0.6) ** 2) + noise * rng.normal()
        ended = Evaluated(
            trial=trial, point=made[-1].point, outcomes={"y": Outcome(value=float(value))}
        )
        history = History(evaluated=(*history.evaluated, ended), n_proposed=trial)
    return made


def test_candidates_of_a_pool_are_repeated_where_outcomes_scatter() -> None:
    made = played_in_a_pool(1.0, seed=7)
    repeated = len(made) - n_distinct(made)
    assert repeated > 2
    assert sum("measured again, as outcomes may scatter" in p.why for p in made) == repeated


def test_where_samples_are_used_up_nothing_is_repeated() -> None:
    assert n_distinct(played_in_a_pool(1.0, seed=7, options={"repeat": False})) == 24


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_candidates_of_a_pool_are_not_repeated_without_noise(seed: int) -> None:
    assert n_distinct(played_in_a_pool(0.0, seed)) == 24


def test_a_pool_ends_even_where_outcomes_scatter() -> None:
    candidates = samples.pool(8)
    question = samples.task((candidates,), Y, (), direction="maximise", initial=4)
    rng = np.random.default_rng(3)
    ended = samples.evaluated(
        [{"alloy": name} for name in candidates.names for _ in range(3)],
        lambda p: {"y": float(rng.normal())},
    )
    with pytest.raises(PoolExhausted):
        BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=24), 1)


def test_noise_that_is_known_is_enough_to_repeat() -> None:
    assert n_distinct(played(0.6, seed=2, is_known=True)) < 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_noise_no_point_is_repeated_while_others_are_left(seed: int) -> None:
    assert n_distinct(played(0.0, seed)) == 20


def test_what_was_tried_outside_of_the_space_is_not_repeated_at_its_edge() -> None:
    space = GRID[0], Integer(name="n", low=1, high=4)
    question = samples.task(space, Y, (), direction="maximise", seed=1)
    planner, rng = BayesianPlanner(question), np.random.default_rng(1)
    points: list[Point] = [
        {"gas": gas, "n": n} for n in (1, 2, 3, 4, 9) for gas in ("argon", "neon")
    ]
    ended = [
        Evaluated(
            trial=trial, point=point, outcomes={"y": Outcome(value=float(point["n"]) + noise)}
        )
        for trial, (point, noise) in enumerate(
            zip(points, 1.5 * rng.normal(size=10), strict=True), 1
        )
    ]
    history = History(evaluated=tuple(ended), n_proposed=len(points))
    (proposal,) = planner.propose(history, 1)
    assert proposal.why.startswith("measured again, as outcomes may scatter")
    assert proposal.predicted["y"].mean < 7.0  # that of the point which will be made


def test_a_repetition_is_worth_what_it_may_change_about_which_point_is_best() -> None:
    layout = Encoding(samples.task(samples.MIXED[:1], Y, ()).space).layout
    hyper = Hyper(scales=np.array([0.01]), noise=0.5, variance=1.0, mean=0.0)
    x, y = np.array([[0.1], [0.9]]), np.array([0.6, 0.3])
    process = GaussianProcess(x, y, np.full(2, 0.5), layout, "matern", hyper)
    mean, covariance = process.joint(x)
    changes = covariance[0, 0] / np.sqrt(covariance[0, 0] + 0.5)  # both are alike
    expected = changes * np.exp(log_h(np.array((mean[1] - mean[0]) / changes)))
    found = knowledge_gradient(process, x, 0, 1.0)
    assert found == pytest.approx([expected, expected], rel=0.05)
    alone = replace(process, x=x[:1], y=y[:1], noise=process.noise[:1])
    assert knowledge_gradient(alone, x[:1], 0, 1.0) == pytest.approx([0.0], abs=1e-9)


def test_once_nothing_is_left_to_learn_the_best_point_is_proposed() -> None:
    made = played(0.0, seed=1, n=32)
    assert n_distinct(made[:28]) == 24
    best = {"gas": "neon", "step": 8.0}
    assert [p.point for p in made[-4:]] == [best] * 4
