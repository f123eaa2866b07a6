"""What cannot be chosen: settings are compared as they would be today."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Context, KnownConstraint, Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import History, MetricScale, PlanningTask

SHIFT = 5.0


def task(*constraints: KnownConstraint) -> PlanningTask:
    a, b = (Real(name=n, low=0.0, high=1.0) for n in "ab")
    humid = Context(name="h", low=0.0, high=1.0, assumed=0.5)
    return PlanningTask(
        space=SearchSpace(parameters=(a, b, humid), constraints=constraints),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
        planner=PlannerChoice(initial=6),
        seed=1,
    )


def lost(point: Point) -> float:
    """By how much a point is worse than the best one in its context."""
    a, b, h = (float(point[n]) for n in "abh")
    return 4.0 * (a - 0.3 - 0.4 * h) ** 2 + 3.0 * (b - 0.6) ** 2


def truth(point: Point) -> dict[str, float]:
    return {"y": SHIFT * float(point["h"]) - lost(point)}


def play(n: int) -> list[Point]:
    planner, points = BayesianPlanner(task()), list[Point]()
    for h in np.random.default_rng(3).random(n):
        ended = samples.evaluated(points, truth)
        history = History(evaluated=ended, n_proposed=len(points), context={"h": float(h)})
        points.append(planner.propose(history, 1)[0].point)
    return points


def test_a_context_that_shifts_all_outcomes_does_not_keep_the_best_settings_from_being_found() -> (
    None
):
    late = [lost(point) for point in play(24)[-6:]]
    assert float(np.mean(late)) < 0.1


def test_the_trial_that_is_recommended_is_the_one_that_would_be_best_today() -> None:
    grid: list[Point] = [{"a": i / 8, "b": 0.6, "h": j / 2} for i in range(9) for j in range(3)]
    history = History(evaluated=samples.evaluated(grid, truth), n_proposed=27, context={"h": 0.0})
    chosen = BayesianPlanner(task()).recommend(history)
    assert chosen is not None
    assert float(grid[chosen - 1]["a"]) == pytest.approx(0.3, abs=0.13)


def test_settings_that_are_not_possible_today_are_not_to_be_beaten() -> None:
    rule = KnownConstraint(text="a + h <= 1", expression="a + h - 1")
    points: list[Point] = [{"a": i / 10, "b": 0.5, "h": 0.0} for i in range(11)]
    ended = samples.evaluated(points, lambda p: {"y": float(p["a"])})
    history = History(evaluated=ended, n_proposed=11, context={"h": 0.75})
    proposal = BayesianPlanner(task(rule)).propose(history, 1)[0]
    assert 0.2 < float(proposal.point["a"]) <= 0.25 + 1e-9
