"""Trials in flight of which some outcomes are known."""

from __future__ import annotations

import numpy as np
import planner_samples as samples
import pytest

from orchestrator.errors import PoolExhausted
from orchestrator.model.space import Point, Real
from orchestrator.planner.bayesian import BayesianPlanner
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.flying import awaited, points_in_flight, to_come
from orchestrator.planner.measured import Evidence, evidence
from orchestrator.ports.planner import Evaluated, History

NAMES = ("resistivity", "thickness")


def with_begun(
    history: History, *known: str, seed: int = 9, n: int = 3, n_more: int = 0
) -> History:
    """The history beside trials in flight that gave the `known` metrics, and others that gave
    nothing yet."""
    found = samples.measured(samples.task(), samples.film, n + n_more, seed=seed).evaluated
    first = len(history.evaluated) + 1
    begun = tuple(
        one.model_copy(
            update={
                "trial": first + i,
                "outcomes": {name: one.outcomes[name] for name in known},
            }
        )
        for i, one in enumerate(found[:n])
    )
    update = {
        "pending": tuple(one.point for one in found),
        "begun": begun,
        "n_proposed": history.n_proposed + len(found),
    }
    return history.model_copy(update=update)


def whole(n: int = 8) -> History:
    return samples.measured(samples.task(), samples.film, n)


def seen_of(history: History) -> Evidence:
    task = samples.task()
    return evidence(task, Encoding(task.space), history)


@pytest.mark.parametrize(("known", "lacking"), [NAMES, NAMES[::-1]])
def test_the_known_outcomes_of_a_trial_in_flight_train_their_model(
    known: str, lacking: str
) -> None:
    belief = BayesianPlanner(samples.task()).belief(with_begun(whole(), known))
    assert belief is not None
    trials = {m.metric: m.leave_one_out.trials for m in belief.metrics if m.leave_one_out}
    assert trials[known] == tuple(range(1, 12))
    assert trials[lacking] == tuple(range(1, 9))


def test_a_trial_in_flight_has_neither_failed_nor_given_its_data() -> None:
    history = whole()
    failed = history.evaluated[0].model_copy(update={"failed": True, "blames_parameters": True})
    history = history.model_copy(update={"evaluated": (failed, *history.evaluated[1:])})
    seen = seen_of(with_begun(history, "thickness"))
    assert {seen.trials[row] for row in seen.blamed} == {1}
    assert {seen.trials[row] for row in seen.survived} == set(range(2, 9))
    assert {seen.trials[row] for row in seen.waiting} == {9, 10, 11}


def test_a_trial_in_flight_is_not_held_for_the_best_one() -> None:
    history = whole()
    best: Point = {"oxygen": 0.5, "temperature": 350.0, "power": 130.0}
    begun = Evaluated(trial=9, point=best, outcomes={"resistivity": samples.Outcome(value=1e-5)})
    history = history.model_copy(update={"begun": (begun,), "pending": (best,)})
    planner = BayesianPlanner(samples.task())
    belief = planner.belief(history)
    assert belief is not None
    assert belief.at in [e.point for e in history.evaluated]
    assert planner.recommend(history) in range(1, 9)


def test_the_order_in_which_trials_in_flight_are_told_changes_nothing() -> None:
    planner, history = BayesianPlanner(samples.task()), with_begun(whole(), "thickness", n_more=2)
    backward = history.model_copy(
        update={"begun": history.begun[::-1], "pending": history.pending[::-1]}
    )
    (first,) = planner.propose(history, 1)
    assert planner.propose(backward, 1) == [first]
    assert planner.propose(history.model_copy(update={"begun": ()}), 1) != [first]


def test_no_model_chooses_while_only_trials_in_flight_gave_something() -> None:
    history = with_begun(whole(1), "resistivity", n=7)
    (proposal,) = BayesianPlanner(samples.task()).propose(history, 1)
    assert proposal.source == "initial"


@pytest.mark.parametrize("sd", [0.0, 20.0])
def test_what_is_known_of_a_trial_in_flight_is_not_expected_once_more(sd: float) -> None:
    space = [
        p.model_copy(update={"setting_sd": sd}) if p.name == "power" else p for p in samples.FILM
    ]
    task = samples.task(space)
    history = with_begun(whole(), "thickness", n_more=2)
    # one that has begun at the point of another, and a row of a table that lacks the goal
    twin = history.begun[0].point
    row = history.evaluated[0]
    row = row.model_copy(update={"outcomes": {"thickness": row.outcomes["thickness"]}})
    history = history.model_copy(
        update={"pending": (*history.pending, twin), "evaluated": (row, *history.evaluated[1:])}
    )
    encoding = Encoding(task.space)
    seen = evidence(task, encoding, history)
    flying = points_in_flight(seen, "resistivity")
    expected = to_come(seen, NAMES, flying)
    assert expected[:, 0].all()
    assert expected[:, 1].sum() == 3  # two that gave nothing, and the twin
    at_twin = (flying == encoding.encode([twin])).all(axis=1)
    assert (at_twin.sum(), expected[at_twin, 1].sum()) == (2, 1)
    assert np.array_equal(awaited(seen, "resistivity", flying), flying)
    assert BayesianPlanner(task).propose(history, 1)


def with_withdrawn(history: History, known: str) -> History:
    """The history with nothing but the `known` metric of its last trial left."""
    *others, last = history.evaluated
    left = last.model_copy(update={"outcomes": {known: last.outcomes[known]}})
    return history.model_copy(update={"evaluated": tuple(others), "withdrawn": (left,)})


@pytest.mark.parametrize(("known", "lacking"), [NAMES, NAMES[::-1]])
def test_what_still_counts_of_a_trial_trains_its_model_and_nothing_is_expected_of_it(
    known: str, lacking: str
) -> None:
    planner, history = BayesianPlanner(samples.task()), with_withdrawn(whole(), known)
    belief = planner.belief(history)
    assert belief is not None
    trials = {m.metric: m.leave_one_out.trials for m in belief.metrics if m.leave_one_out}
    assert (trials[known], trials[lacking]) == (tuple(range(1, 9)), tuple(range(1, 8)))
    seen = seen_of(history)
    assert len(points_in_flight(seen, "resistivity")) == 0
    assert [seen.trials[row] for row in seen.withdrawn] == [8]
    assert planner.recommend(history) in range(1, 8)
    forgotten = history.model_copy(update={"withdrawn": ()})
    assert planner.propose(history, 3) != planner.propose(forgotten, 3)


def test_a_candidate_of_which_something_was_taken_back_may_be_tried_again() -> None:
    pool = samples.pool(6)
    task = samples.task([pool])
    found = [
        Evaluated(
            trial=number,
            point={pool.name: name},
            outcomes={
                "resistivity": samples.Outcome(value=10.0**-number),
                "thickness": samples.Outcome(value=100.0 + 20 * number),
            },
        )
        for number, name in enumerate(pool.names, 1)
    ]
    history = History(evaluated=tuple(found), n_proposed=6)
    with pytest.raises(PoolExhausted):
        BayesianPlanner(task).propose(history, 1)
    (proposal,) = BayesianPlanner(task).propose(with_withdrawn(history, "resistivity"), 1)
    assert proposal.point == {pool.name: pool.names[-1]}


def test_preferences_about_a_trial_hold_when_a_limit_of_it_was_taken_back() -> None:
    task = samples.task()
    goal = samples.Goal(metric="preference", direction="maximise")
    objective = task.objective.model_copy(update={"goals": (goal,)})
    task = task.model_copy(update={"objective": objective})
    pairs = tuple((better, better + 1) for better in range(1, 8))
    history = whole().model_copy(update={"preferences": pairs})
    last = history.evaluated[-1].model_copy(update={"outcomes": {}})
    history = history.model_copy(update={"evaluated": history.evaluated[:-1], "withdrawn": (last,)})
    assert len(evidence(task, Encoding(task.space), history).preferences) == 7


def test_many_goals_are_traded_by_ended_trials_while_few_have_all() -> None:
    names = [f"m{i}" for i in range(6)]
    goals = tuple(samples.Goal(metric=n, direction="minimise") for n in names)
    limit = samples.OutcomeConstraint(metric="q", sense="<=", bound=1.0)
    task = samples.task(
        [Real(name="x", low=0.0, high=1.0)], [samples.MetricScale(name="m0", unit="")], ()
    )
    scales = tuple(samples.MetricScale(name=n, unit="") for n in (*names, "q"))
    objective = samples.Objective(goals=goals, constraints=(limit,))
    task = task.model_copy(update={"metrics": scales, "objective": objective})

    def truth(point: Point) -> dict[str, float]:
        x = float(point["x"])
        return {**{n: (x - i / 5) ** 2 for i, n in enumerate(names)}, "q": x}

    all_known = samples.measured(task, truth, 12).evaluated
    ended = tuple(
        e.model_copy(update={"outcomes": {"m0": e.outcomes["m0"], "q": e.outcomes["q"]}})
        for e in all_known[:6]
    )
    begun = tuple(
        e.model_copy(update={"outcomes": {n: e.outcomes[n] for n in names}}) for e in all_known[6:]
    )
    pending = tuple(e.point for e in begun)
    history = History(evaluated=ended, begun=begun, pending=pending, n_proposed=12)
    (proposal,) = BayesianPlanner(task).propose(history, 1)
    assert proposal.point not in pending
