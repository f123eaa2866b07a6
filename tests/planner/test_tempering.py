"""Outcomes far worse than the others count as bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.planner.tempering import tempered
from orchestrator.ports.planner import History, MetricScale, PlanningTask

AXES = tuple(Real(name=n, low=0.0, high=1.0) for n in "abc")
BEST = 0.3, 0.6, 0.4
UP, DOWN = (Goal(metric="y", direction=d) for d in ("maximise", "minimise"))


def task(*goals: Goal, initial: int = 8, **objective: Any) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=AXES),
        metrics=tuple(MetricScale(name=n, unit="") for n in "yz"),
        objective=Objective(goals=goals, **objective),
        planner=PlannerChoice(initial=initial),
        seed=1,
    )


def read(question: PlanningTask, values: list[float]) -> tuple[Evidence, Evidence]:
    """What a history says, and the same tempered."""
    points: list[Point] = [{"a": i / 20, "b": 0.5, "c": 0.5} for i in range(len(values))]
    ended = samples.evaluated(points, lambda p: {"y": values[round(20 * float(p["a"]))], "z": 1.0})
    seen = evidence(question, Encoding(question.space), History(evaluated=ended))
    return seen, tempered(question, seen)


@pytest.mark.parametrize("goal", [UP, DOWN])
def test_a_far_worse_outcome_is_a_bound_and_the_others_keep_their_values(goal: Goal) -> None:
    sign = 1.0 if goal.direction == "maximise" else -1.0
    values = [sign * v for v in (1.0, 1.2, 0.7, 1.4, 0.9, -50.0, 1.1, 0.8)]
    seen, found = read(task(goal), values)
    y, before = found.measured["y"], seen.measured["y"]
    is_far = np.array([sign * before.in_unit(float(v)) < -10.0 for v in before.y])
    assert y.n_far == is_far.sum() == 1
    assert y.n_censored == 0
    assert y.sides.tolist() == (-sign * is_far).tolist()
    back = sign * np.array([y.in_unit(float(v)) for v in y.y])
    assert sorted(back[~is_far]) == pytest.approx(sorted(sign * v for v in values)[1:])
    assert -2.0 < float(back[is_far][0]) < 0.7
    assert float(y.y.std(ddof=1)) == pytest.approx(1.0)


def test_far_better_outcomes_stay_what_they_are_and_so_do_ordinary_ones() -> None:
    for values in ([1.0, 1.2, 0.7, 1.4, 0.9, 50.0, 1.1, 0.8], list(np.linspace(0.0, 1.0, 15))):
        seen, found = read(task(UP), values)
        assert found.measured["y"] is seen.measured["y"] or not found.measured["y"].n_far


def test_where_it_matters_how_bad_an_outcome_is_it_stays() -> None:
    values = [1.0, 1.2, 0.7, 1.4, 0.9, -50.0, 1.1, 0.8]
    limit = OutcomeConstraint(metric="y", sense=">=", bound=0.5)
    both = (UP, Goal(metric="z", direction="maximise"))
    target = Goal(metric="y", direction="match", low=1.0, high=1.0)
    for question in (task(UP, constraints=(limit,)), task(*both), task(target)):
        seen, found = read(question, values)
        assert found is seen


def test_one_spoilt_measurement_does_not_end_the_search() -> None:
    spoilt = 5

    def truth(point: Point) -> float:
        return -4.0 * sum((float(point[n]) - v) ** 2 for n, v in zip("abc", BEST, strict=True))

    def measured(point: Point) -> dict[str, float]:
        return {"y": -80.0 if point in points[spoilt : spoilt + 1] else truth(point)}

    planner, points, history = BayesianPlanner(task(UP)), list[Point](), History()
    for _ in range(24):
        points.append(planner.propose(history, 1)[0].point)
        ended = samples.evaluated(points, measured)
        history = History(evaluated=ended, n_proposed=len(points))
    assert max(truth(p) for p in points) > -0.02
    chosen = planner.recommend(history)
    belief = planner.belief(history)
    assert chosen is not None
    assert belief is not None
    assert belief.recommended == chosen
    assert truth(points[chosen - 1]) > -0.05
    assert "far_worse" in planner.propose(history, 1)[0].notes
