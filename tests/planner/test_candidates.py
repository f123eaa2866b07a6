"""Candidates of a pool: ranked for people, and never proposed once people refused them."""

from __future__ import annotations

import planner_samples as samples
import pytest

from orchestrator.errors import InputError, PlanningError, PoolExhausted
from orchestrator.model.space import Point, Real
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.initial import RandomPlanner, SobolPlanner
from orchestrator.ports.planner import History, PlanningTask

POOL = samples.pool(12)
HEAT = Real(name="heat", low=0.0, high=1.0)
KINDS = {"bayesian": BayesianPlanner, "sobol": SobolPlanner, "random": RandomPlanner}


def question(*more: Real, kind: str = "bayesian") -> PlanningTask:
    metrics = samples.FILM_METRICS[1:]
    return samples.task((POOL, *more), metrics, (), direction="maximise", initial=3, kind=kind)


def truth(point: Point) -> dict[str, float]:
    heat = float(point.get("heat", 0.5))
    return {"thickness": sum(POOL.numbers(str(point["alloy"]))) - (heat - 0.7) ** 2}


def known(task: PlanningTask, *refused: str, n: int = 5) -> History:
    history = samples.measured(task, truth, n)
    return history.model_copy(update={"refused": tuple(("alloy", r) for r in refused)})


def names(points: list[Point]) -> list[str]:
    return [str(point["alloy"]) for point in points]


def test_the_best_ranked_candidate_is_the_next_proposal_and_each_is_there_once() -> None:
    task = question()
    planner, history = BayesianPlanner(task), known(task)
    ranked = planner.ranked(history, 40)
    found = names([p.point for p in ranked])
    tried = set(names([e.point for e in history.evaluated]))
    assert sorted(found) == sorted(set(POOL.names) - tried)
    assert ranked[0].point == planner.propose(history, 1)[0].point
    worths = [p.acquisition or 0.0 for p in ranked]
    assert worths == sorted(worths, reverse=True)
    assert planner.ranked(history, 2) == ranked[:2]


def test_beside_process_parameters_candidates_are_ranked_at_what_would_be_next() -> None:
    task = question(HEAT)
    ranked = BayesianPlanner(task).ranked(known(task, n=12), 40)
    assert sorted(names([p.point for p in ranked])) == sorted(POOL.names)
    assert len({p.point["heat"] for p in ranked}) == 1


def test_before_there_is_a_model_nothing_is_ranked() -> None:
    assert BayesianPlanner(question()).ranked(History(), 5) == []


def test_a_space_without_a_pool_has_no_candidates() -> None:
    task = samples.task((HEAT,), samples.FILM_METRICS[1:], (), direction="maximise")
    history = samples.measured(task, lambda p: {"thickness": float(p["heat"])}, 5)
    with pytest.raises(InputError, match="no pool"):
        BayesianPlanner(task).ranked(history, 5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [(), (HEAT,)])
@pytest.mark.parametrize("n", [0, 12])
def test_a_refused_candidate_is_not_proposed_any_more(
    kind: str, more: tuple[Real, ...], n: int
) -> None:
    task, kept = question(*more, kind=kind), POOL.names[-2:]
    history = known(task, *POOL.names[:-2], n=n)
    measured = tuple(e for e in history.evaluated if e.point["alloy"] not in kept)
    history = history.model_copy(update={"evaluated": measured})
    proposals = KINDS[kind](task).propose(history, 2)
    assert len(proposals) == 2
    assert set(names([p.point for p in proposals])) <= set(kept)


def test_a_refused_candidate_is_not_ranked() -> None:
    for task in (question(), question(HEAT)):
        first = BayesianPlanner(task).ranked(known(task), 1)[0]
        refused = str(first.point["alloy"])
        found = BayesianPlanner(task).ranked(known(task, refused), 40)
        assert refused not in names([p.point for p in found])


@pytest.mark.parametrize("kind", KINDS)
def test_a_pool_of_which_the_rest_was_refused_is_exhausted(kind: str) -> None:
    task = question(kind=kind)
    with pytest.raises(PoolExhausted):
        KINDS[kind](task).propose(known(task, *POOL.names), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_where_all_candidates_were_refused_that_is_said(kind: str) -> None:
    task = question(HEAT, kind=kind)
    with pytest.raises(PlanningError, match="what people refused"):
        KINDS[kind](task).propose(known(task, *POOL.names, n=8), 1)


def test_a_refused_candidate_that_is_not_in_the_pool_changes_nothing() -> None:
    task = question()
    planner = BayesianPlanner(task)
    assert planner.propose(known(task, "made once"), 2) == planner.propose(known(task), 2)
