"""Whether outcomes are better modelled by their decades."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective
from orchestrator.model.space import Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.kernel import Floats
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

NAMES = ("a", "b", "c")
TO_BE_MET = Goal(metric="y", direction="match", low=30.0, high=30.0)
TO_BE_SMALL = Goal(metric="y", direction="minimise")


def gain(
    made: Callable[[Floats, np.random.Generator], float],
    *,
    n: int = 30,
    scale: Literal["linear", "log"] = "linear",
    bound: bool = False,
    goal: Goal = TO_BE_MET,
) -> float | None:
    """What the belief says of all n outcomes of a function."""
    rng = np.random.default_rng(1)
    task = PlanningTask(
        space=SearchSpace(parameters=tuple(Real(name=k, low=0.0, high=1.0) for k in NAMES)),
        metrics=(MetricScale(name="y", unit="", scale=scale),),
        objective=Objective(goals=(goal,)),
        planner=PlannerChoice(kind="bayesian"),
        seed=0,
    )
    ended = []
    for trial in range(1, n + 1):
        x = rng.random(3)
        censored: Literal["above"] | None = "above" if bound and trial == 3 else None
        outcome = Outcome(value=made(x, rng), censored=censored)
        point = dict(zip(NAMES, x.tolist(), strict=True))
        ended.append(Evaluated(trial=trial, point=point, outcomes={"y": outcome}))
    history = History(evaluated=tuple(ended), n_proposed=n)
    known = BayesianPlanner(task).belief(history).metrics[0].leave_one_out
    assert known is not None
    return None if known.decades_gain is None else n * known.decades_gain


def exponential(x: Floats, rng: np.random.Generator) -> float:
    return float(np.exp(3.0 * x.sum() + 0.2 * rng.normal()))


def bowl(x: Floats, rng: np.random.Generator) -> float:
    return float(5.0 + ((x - 0.4) ** 2).sum() + 0.1 * rng.normal())


def test_what_goes_by_decades_is_told_from_what_does_not() -> None:
    found, plain = gain(exponential), gain(bowl)
    assert found is not None
    assert plain is not None
    assert found > 20.0
    assert plain < 3.0


def test_of_a_goal_to_be_small_decades_count_without_a_log_scale() -> None:
    told, bent = gain(exponential), gain(exponential, goal=TO_BE_SMALL)
    assert told is not None
    assert bent is not None
    assert bent < 0.5 * told


@pytest.mark.parametrize("why", ["few", "log", "negative", "bound"])
def test_nothing_is_said_where_it_cannot_be(why: str) -> None:
    shift = 10.0 if why == "negative" else 0.0
    found = gain(
        lambda x, rng: exponential(x, rng) - shift,
        n=11 if why == "few" else 15,
        scale="log" if why == "log" else "linear",
        bound=why == "bound",
    )
    assert found is None
