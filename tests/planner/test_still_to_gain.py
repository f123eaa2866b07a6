"""What is expected still to be gained, beside what there really is to gain."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.ports.planner import History, MetricScale, PlanningTask

A, B = (Real(name=name, low=0.0, high=1.0) for name in "ab")


def hill(point: Point) -> float:
    return math.exp(-((float(point["a"]) - 0.7) ** 2 + (float(point["b"]) - 0.3) ** 2) / 0.1)


def branin(point: Point) -> float:
    x, y = 15 * float(point["a"]) - 5, 15 * float(point["b"])
    bowl = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return -bowl - 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) - 10


def waves(point: Point) -> float:
    a = float(point["a"])
    return 0.7 * a - math.sin(12 * a - 2.4)


TOP_OF_WAVES = max(waves({"a": a}) for a in np.linspace(0.0, 1.0, 20_001).tolist())


@pytest.mark.parametrize(
    ("truth", "top", "little", "axes"),
    [
        (hill, 1.0, 0.01, (A, B)),
        (branin, -0.397887, 5.0, (A, B)),
        (waves, TOP_OF_WAVES, 0.01, (A,)),
    ],
    ids=["hill", "branin", "waves"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_said_to_be_left_is_seldom_far_less_than_what_is(
    truth: Callable[[Point], float], top: float, little: float, axes: tuple[Real, ...], seed: int
) -> None:
    question = PlanningTask(
        space=SearchSpace(parameters=axes),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
        planner=PlannerChoice(initial=4),
        seed=seed,
    )
    made = samples.play(BayesianPlanner(question), lambda p: {"y": truth(p)}, 18)
    said = np.array([float(p.notes["still_to_gain"]) for p in made[4:]])
    best = np.maximum.accumulate([truth(p.point) for p in made])
    left = top - best[3:-1]
    assert np.mean(said >= left / 4 - little / 4) >= 0.75, "not a quarter of what is left"
    quiet = np.convolve(said < little, np.ones(3), "valid") == 3
    assert quiet.any(), "the search comes to its end"
    assert left[int(np.argmax(quiet)) + 2] <= little, "when `little_to_gain` would stop it"


def test_what_a_proposal_is_surely_going_to_gain_is_still_to_gain() -> None:
    question = PlanningTask(
        space=SearchSpace(parameters=(A,)),
        metrics=(MetricScale(name="y", unit=""),),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),)),
        planner=PlannerChoice(initial=4),
        seed=1,
    )
    at = [{"a": a} for a in np.linspace(0.0, 0.5, 9).tolist()]
    history = History(evaluated=samples.evaluated(at, lambda p: {"y": float(p["a"])}), n_proposed=9)
    proposal = BayesianPlanner(question).propose(history, 1)[0]
    assert proposal.predicted["y"].mean > 0.6
    assert float(proposal.notes["still_to_gain"]) > 0.9 * (proposal.predicted["y"].mean - 0.5)
