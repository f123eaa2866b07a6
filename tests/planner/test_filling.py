"""The start, and what follows it while nothing is told apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Objective, OutcomeConstraint
from orchestrator.model.space import Choice, Integer, Parameter, Point, Real, SearchSpace
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.initial import SobolPlanner
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

AXES = tuple(Real(name=n, low=0.0, high=1.0) for n in "abcd")
WORDS = Choice(name="w", options=("p", "q", "r"))
FEW = Integer(name="n", low=1, high=2)


def task(*parameters: Parameter, initial: int = 8, seed: int = 1, **objective: Any) -> PlanningTask:
    return PlanningTask(
        space=SearchSpace(parameters=parameters),
        metrics=tuple(MetricScale(name=n, unit="") for n in "yz"),
        objective=Objective(goals=(Goal(metric="y", direction="maximise"),), **objective),
        planner=PlannerChoice(initial=initial),
        seed=seed,
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_while_a_yield_is_zero_everywhere_the_space_is_filled_and_not_its_corners(
    seed: int,
) -> None:
    question = task(*AXES, seed=seed)
    made = samples.play(BayesianPlanner(question), lambda _: {"y": 0.0}, 20)
    filling = samples.play(SobolPlanner(question), lambda _: {"y": 0.0}, 20)
    assert [p.point for p in made] == [p.point for p in filling]
    assert "differ" in made[-1].why


def test_the_model_takes_over_at_the_first_outcome_that_differs() -> None:
    question = task(*AXES[:2])
    points: list[Point] = [{"a": i / 8, "b": 0.5} for i in range(9)]
    ended = samples.evaluated(points, lambda p: {"y": float(float(p["a"]) > 0.9)})
    proposal = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=9), 1)[0]
    assert proposal.source == "model"
    assert float(proposal.point["a"]) > 0.7


def test_while_outcomes_are_scatter_two_of_three_points_fill_the_space() -> None:
    question = task(*AXES, WORDS)
    places = [p.point for p in SobolPlanner(question).propose(History(), 8)]
    rng = np.random.default_rng(1)
    ended = samples.evaluated(places * 3, lambda _: {"y": float(rng.normal())})
    planner = BayesianPlanner(question)
    made = planner.propose(History(evaluated=ended, n_proposed=24), 6)
    assert [p.source for p in made] == ["model", "initial", "initial"] * 2
    assert "scatter" in made[1].why
    alone = planner.propose(History(evaluated=ended, n_proposed=25), 1)
    assert alone[0].source == "initial"


def test_where_outcomes_are_more_than_scatter_the_model_chooses_every_point() -> None:
    question = task(*AXES, WORDS)
    points = [p.point for p in SobolPlanner(question).propose(History(), 30)]
    rng = np.random.default_rng(2)
    ended = samples.evaluated(points, lambda p: {"y": 2.0 * float(p["a"]) + 0.3 * rng.normal()})
    made = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=31), 2)
    assert {p.source for p in made} == {"model"}


def test_about_a_hill_that_is_known_as_well_as_can_be_told_the_space_is_filled_too() -> None:
    """A word with a hill that was measured often, and two of which little is known."""
    question = task(AXES[0], WORDS)
    rng = np.random.default_rng(3)
    rest: list[Point] = [{"a": a, "w": w} for w in "qr" for a in (0.1, 0.5, 0.9)]
    hill: list[Point] = [{"a": i / 19 if i < 20 else 0.5, "w": "p"} for i in range(40)]

    def truth(point: Point) -> dict[str, float]:
        rise = 40.0 * np.exp(-(((float(point["a"]) - 0.5) / 0.2) ** 2))
        return {"y": (float(rise) if point["w"] == "p" else 0.0) + 1.5 * rng.normal()}

    ended = samples.evaluated([*rest, *hill], truth)
    made = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=30), 6)
    assert [p.source for p in made] == ["model", "initial", "initial"] * 2
    assert "told from scatter" in made[1].why
    assert all("still_to_gain" in p.notes for p in made)


def test_of_a_plateau_that_was_failed_on_too_there_is_a_model() -> None:
    points: list[Point] = [{"a": i / 9, "b": 0.5} for i in range(10)]
    ended = tuple(
        Evaluated(trial=i + 1, point=point, failed=True, blames_parameters=True)
        if float(point["a"]) > 0.5
        else Evaluated(trial=i + 1, point=point, outcomes={"y": Outcome(value=0.0)})
        for i, point in enumerate(points)
    )
    question = task(*AXES[:2])
    proposal = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=10), 1)[0]
    assert proposal.source == "model"


def test_bounds_that_differ_from_the_value_they_equal_tell_something() -> None:
    points: list[Point] = [{"a": i / 9, "b": 0.5} for i in range(10)]
    ended = tuple(
        Evaluated(
            trial=i + 1,
            point=point,
            outcomes={"y": Outcome(value=5.0, censored="above" if i > 6 else None)},
        )
        for i, point in enumerate(points)
    )
    question = task(*AXES[:2])
    proposal = BayesianPlanner(question).propose(History(evaluated=ended, n_proposed=10), 1)[0]
    assert proposal.source == "model"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", [BayesianPlanner, SobolPlanner])
def test_the_start_of_a_finite_space_tries_nothing_twice(seed: int, kind: Any) -> None:
    question = task(WORDS, FEW, seed=seed)
    made = samples.play(kind(question), lambda p: {"y": float(p["n"])}, 6)
    assert len({(p.point["w"], p.point["n"]) for p in made}) == 6
    at_once = kind(question).propose(History(), 6)
    assert len({(p.point["w"], p.point["n"]) for p in at_once}) == 6
    assert len(kind(question).propose(History(), 9)) == 9


def test_a_limit_that_no_trial_keeps_is_looked_for_within_the_space_and_not_in_its_corners() -> (
    None
):
    question = task(*AXES[:2], constraints=(OutcomeConstraint(metric="z", sense=">=", bound=0.5),))

    def truth(point: Point) -> dict[str, float]:
        return {"y": -(float(point["a"]) ** 2) - float(point["b"]) ** 2, "z": 0.0}

    made = samples.play(BayesianPlanner(question), truth, 24)[8:]
    points = [(float(p.point["a"]), float(p.point["b"])) for p in made]
    within = [p for p in points if all(0.05 < v < 0.95 for v in p)]
    assert len(within) >= 4
    assert "all outcomes are equal" in str(made[-1].notes["fit"])


def test_the_start_goes_where_it_costs_little_and_to_the_same_points() -> None:
    cost = "1 + 20 * abs(a - previous.a)"
    plain, careful = task(*AXES[:2], initial=10), task(*AXES[:2], initial=10, cost=cost)

    def started(question: PlanningTask, at_once: int) -> list[Point]:
        planner, made = BayesianPlanner(question), list[Point]()
        while len(made) < 10:
            known = samples.evaluated(made, lambda p: {"y": float(p["b"])})
            history = History(evaluated=known, n_proposed=len(made))
            made += [p.point for p in planner.propose(history, at_once)]
        return made

    def way(points: list[Point]) -> float:
        along = [float(p["a"]) for p in points]
        return sum(abs(b - a) for a, b in pairwise(along))

    ordered, other = started(careful, 1), started(plain, 1)
    assert sorted(map(str, ordered)) == sorted(map(str, other))
    assert way(ordered) <= 1.0 < 2.0 < way(other)
    assert started(careful, 5) == ordered


def test_of_a_plateau_with_a_first_rise_nobody_knows_what_is_still_to_gain() -> None:
    points: list[Point] = [{"a": i / 8, "b": (5 * i % 9) / 8} for i in range(9)]
    question = task(*AXES[:2])

    def told(truth: Callable[[Point], dict[str, float]]) -> bool:
        history = History(evaluated=samples.evaluated(points, truth), n_proposed=9)
        return "still_to_gain" in BayesianPlanner(question).propose(history, 1)[0].notes

    assert not told(lambda p: {"y": float(float(p["a"]) == 0.5)})
    assert told(lambda p: {"y": min(float(p["a"]), 0.3)})  # most of them the best there are
