"""Several goals, of which one is at its worst nearly everywhere."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.measured import evidence
from orchestrator.planner.question import question
from orchestrator.planner.rising import rising
from orchestrator.planner.survival import Survival
from orchestrator.ports.planner import History, MetricScale, PlanningTask

AXES = tuple(Real(name=n, low=0.0, high=1.0) for n in "abc")
TWO = tuple(Goal(metric=n, direction="maximise") for n in "yz")


def task(*goals: Goal, seed: int = 1) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=AXES),
        metrics=tuple(MetricScale(name=n, unit="") for n in "yz"),
        objective=Objective(goals=goals),
        planner=PlannerChoice(),
        seed=seed,
    )


def bump(point: Point) -> dict[str, float]:
    """One goal rises in a ball of a ninth of the space, where the other is neither good nor bad."""
    a, b, c = (float(point[n]) for n in "abc")
    apart = (a - 0.7) ** 2 + (b - 0.6) ** 2 + (c - 0.4) ** 2
    return {"y": 1.2 - 0.7 * a - 0.2 * b, "z": max(0.0, 1.0 - apart / 0.09)}


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_goal_that_is_zero_nearly_everywhere_is_found_and_followed(seed: int) -> None:
    made = samples.play(BayesianPlanner(task(*TWO, seed=seed)), bump, 30)
    assert sum(bump(proposal.point)["z"] > 0 for proposal in made) >= 4


def test_while_a_goal_is_flat_two_of_three_points_fill_the_space() -> None:
    planner = BayesianPlanner(task(*TWO))
    made = samples.play(planner, lambda p: {"y": float(p["a"]), "z": 0.0}, 20)
    assert [p.source for p in made[8:14]] == ["initial", "model", "initial"] * 2
    ended = samples.evaluated([p.point for p in made], lambda p: {"y": float(p["a"]), "z": 0.0})
    at_once = planner.propose(History(evaluated=ended, n_proposed=20), 6)
    assert sorted(p.source for p in at_once) == ["initial"] * 4 + ["model"] * 2
    assert max(float(p.point["a"]) for p in made) > 0.99


def classifier(goals: tuple[Goal, ...], z: list[float]) -> Survival | None:
    asked = task(*goals)
    encoding = Encoding(asked.space)
    points: list[Point] = [{"a": i / 10, "b": 0.5, "c": 0.5} for i in range(11)]
    ended = samples.evaluated(
        points, lambda p: {"y": float(p["b"]), "z": z[round(10 * float(p["a"]))]}
    )
    seen = evidence(asked, encoding, History(evaluated=ended))
    return rising(encoding, seen, question(asked, seen), "matern")


def test_a_classifier_learns_where_a_goal_rises_from_its_floor() -> None:
    found = classifier(TWO, [0.0] * 7 + [0.2, 0.9, 0.4, 0.1])
    assert found is not None
    chance = found.probability(np.array([[0.1, 0.5, 0.5], [0.85, 0.5, 0.5]]))
    assert chance[0] < 0.2 < 0.8 < chance[1]


def test_goals_without_a_floor_or_without_others_need_no_classifier() -> None:
    assert classifier(TWO, [i / 10 for i in range(11)]) is None
    assert classifier(TWO, [1.0] * 7 + [0.2, 0.9, 0.4, 0.1]) is None  # most are at the best
    assert classifier(TWO, [0.0] * 11) is None
    assert classifier(TWO[1:], [0.0] * 7 + [0.2, 0.9, 0.4, 0.1]) is None
    down = (TWO[0], Goal(metric="z", direction="minimise"))
    assert classifier(down, [1.0] * 7 + [0.2, 0.9, 0.4, 0.1]) is not None
