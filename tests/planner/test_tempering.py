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
from orchestrator.ports.planner import Evaluated, History, MetricScale, PlanningTask

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
    return seen, tempered(question, Encoding(question.space), seen)


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


def test_a_far_better_outcome_stays_what_it_is_and_so_do_ordinary_ones() -> None:
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


def twice(second: float) -> tuple[Evidence, Evidence]:
    """What is read of a far better outcome whose point was measured a second time."""
    question = task(UP)
    points: list[Point] = [{"a": i / 20, "b": 0.5, "c": 0.5} for i in range(9)]
    values = iter([1.0, 1.2, 0.7, 1.4, 0.9, 50.0, 1.1, 0.8, 1.3, second])
    ended = samples.evaluated([*points, points[5]], lambda _: {"y": next(values), "z": 1.0})
    seen = evidence(question, Encoding(question.space), History(evaluated=ended))
    return seen, tempered(question, Encoding(question.space), seen)


def test_a_far_better_outcome_that_is_not_found_again_says_nothing_and_one_that_is_stays() -> None:
    _, found = twice(1.0)
    y = found.measured["y"]
    assert y.n_not_found == np.count_nonzero(y.known > 100.0) == 1
    assert y.in_unit(float(y.y.max())) == pytest.approx(1.4)
    seen, found = twice(45.0)
    assert found.measured["y"] is seen.measured["y"]


def test_what_is_far_better_is_measured_once_more_but_not_twice_nor_while_it_is_in_flight() -> None:
    question = task(UP)
    points = [p.point for p in BayesianPlanner(question).propose(History(), 8)]
    points.append({"a": 0.9, "b": 0.1, "c": 0.9})
    ended = samples.evaluated(points, lambda p: {"y": 80.0 if p == points[-1] else float(p["a"])})
    history = History(evaluated=ended, n_proposed=9)
    first, second = BayesianPlanner(question).propose(history, 2)
    assert first.point == points[-1]
    assert first.why.startswith("far better than all others")
    assert second.point != points[-1]
    again = Evaluated(trial=10, point=first.point, failed=True)
    history = History(evaluated=(*ended, again), n_proposed=10)
    assert BayesianPlanner(question).propose(history, 1)[0].point != points[-1]


def test_what_is_far_better_outside_of_the_space_is_not_measured_at_its_edge() -> None:
    question = task(UP)
    points = [p.point for p in BayesianPlanner(question).propose(History(), 8)]
    points.append({"a": 1.5, "b": 0.1, "c": 0.9})
    ended = samples.evaluated(points, lambda p: {"y": 80.0 if p == points[-1] else float(p["a"])})
    proposal = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=9), 1)[0]
    assert "far better" not in proposal.why


def test_what_breaks_a_limit_is_not_measured_again_however_good_it_is() -> None:
    question = task(UP, constraints=(OutcomeConstraint(metric="z", sense="<=", bound=0.5),))
    points = [p.point for p in BayesianPlanner(question).propose(History(), 9)]

    def measured(point: Point) -> dict[str, float]:
        is_best = point == points[-1]
        return {"y": 80.0 if is_best else float(point["a"]), "z": float(is_best)}

    history = History(evaluated=samples.evaluated(points, measured), n_proposed=9)
    assert BayesianPlanner(question).propose(history, 1)[0].point != points[-1]


@pytest.mark.parametrize(("value", "note"), [(-80.0, "decades"), (40.0, "not_found_again")])
def test_one_spoilt_measurement_does_not_end_the_search(value: float, note: str) -> None:
    spoilt = 5

    def truth(point: Point) -> float:
        return -4.0 * sum((float(point[n]) - v) ** 2 for n, v in zip("abc", BEST, strict=True))

    def measured(point: Point) -> dict[str, float]:
        is_first = point in points[spoilt : spoilt + 1] and point not in told
        told.append(point)
        return {"y": value if is_first else truth(point)}

    planner, points, history = BayesianPlanner(task(UP)), list[Point](), History()
    for _ in range(24):
        points.append(planner.propose(history, 1)[0].point)
        told: list[Point] = []
        ended = samples.evaluated(points, measured)
        history = History(evaluated=ended, n_proposed=len(points))
    assert max(truth(p) for p in points) > -0.02
    chosen = planner.recommend(history)
    belief = planner.belief(history)
    assert chosen is not None
    assert belief is not None
    assert belief.recommended == chosen
    assert truth(points[chosen - 1]) > -0.05
    assert note in planner.propose(history, 1)[0].notes
