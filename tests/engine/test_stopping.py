"""Reasons to end before the budget is used."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest
from small_works import MASS, Works

from orchestrator.engine.stopping import reason_to_end
from orchestrator.model import events as ev
from orchestrator.model.campaign import Budget, StopRules
from orchestrator.model.objective import Goal, Metric, Objective, OutcomeConstraint
from orchestrator.model.state import State
from orchestrator.model.trial import FailureCause, Proposal

SIZE = Metric(name="size", expression="", unit="mm")
BIG = Objective(
    goals=(Goal(metric="mass", direction="minimise"),),
    constraints=(OutcomeConstraint(metric="size", sense=">=", bound=10.0),),
)

Censored = Literal["above", "below"] | None


def told(*outcomes: Any) -> State:
    """A state with one ended trial per outcome: mass, (mass, size), None for a failure of a device,
    or the cause of another one."""
    state = State()

    def tell(event: ev.Event) -> None:
        n = state.n_events + 1
        state.apply(ev.Recorded(seq=n, at=float(n), wall=0.0, event=event))

    for number, outcome in enumerate(outcomes, 1):
        point = Proposal(point={"x": 1.0}, source="initial", why="")
        tell(ev.TrialProposed(trial=number, proposal=point, after=0))
        if outcome is None or isinstance(outcome, FailureCause):
            cause = outcome or FailureCause.DEVICE
            tell(ev.TrialFailed(trial=number, cause=cause, sentence=""))
            continue
        mass, size = outcome if isinstance(outcome, tuple) else (outcome, 99.0)
        for name, value in (("mass", mass), ("size", size)):
            side: Censored = None
            if isinstance(value, str):
                side, value = ("above", float(value[1:])) if value[0] == ">" else ("below", 0.0)
            tell(ev.Observed(trial=number, metric=name, value=value, censored=side))
        tell(ev.TrialDone(trial=number))
    return state


def rule(state: State, now: float | None = None, **stop: Any) -> str | None:
    budget = Budget(trials=50, time_s=stop.pop("time_s", None))
    objective = stop.pop("objective", BIG)
    works = Works(
        metrics=(MASS, SIZE),
        objective=objective,
        settings={"budget": budget, "stop": StopRules(**stop)},
    )
    reason = reason_to_end(works.study, state, state.last_at if now is None else now)
    return None if reason is None else reason.rule


def test_a_fresh_campaign_goes_on() -> None:
    assert rule(told(), target=1.0, no_progress=1, failures_in_a_row=1, time_s=10.0) is None


def test_the_budget_counts_every_trial_failed_ones_too() -> None:
    assert rule(told(*[None] * 49)) is None
    assert rule(told(*[None] * 50)) == "budget"


def test_the_time_that_an_engine_ran_is_what_a_budget_of_time_means() -> None:
    state = told(1.0)
    state.running_s, state.last_at = 90.0, 1000.0
    assert rule(state, now=1009.0, time_s=100.0) is None
    assert rule(state, now=1010.0, time_s=100.0) == "time"


@pytest.mark.parametrize(
    ("direction", "values", "reached"),
    [
        ("minimise", [5.0, 3.0], True),
        ("minimise", [5.0, 3.1], False),
        ("maximise", [1.0, 3.0], True),
        ("maximise", [1.0, 2.9], False),
    ],
)
def test_the_target_is_reached_from_the_right_side(
    direction: Literal["minimise", "maximise"], values: list[float], reached: bool
) -> None:
    objective = Objective(goals=(Goal(metric="mass", direction=direction),))
    found = rule(told(*values), target=3.0, objective=objective)
    assert found == ("target" if reached else None)


@pytest.mark.parametrize(("value", "reached"), [(1.6, True), (1.39, False), (1.7, False)])
def test_a_band_is_reached_from_both_sides(value: float, reached: bool) -> None:
    objective = Objective(goals=(Goal(metric="mass", direction="match", low=1.45, high=1.55),))
    assert rule(told(value), target=1.6, objective=objective) == ("target" if reached else None)


def test_a_bound_is_never_taken_for_a_match() -> None:
    objective = Objective(goals=(Goal(metric="mass", direction="match", low=1.0, high=1.0),))
    assert rule(told((">1", 99.0)), target=1.0, objective=objective) is None


def test_of_several_goals_progress_is_what_nothing_before_was_as_good_as() -> None:
    several = Objective(
        goals=(
            Goal(metric="mass", direction="minimise"),
            Goal(metric="size", direction="maximise"),
        )
    )
    assert rule(told((1.0, 1.0), (2.0, 2.0), (3.0, 3.0)), no_progress=1, objective=several) is None
    assert rule(told((2.0, 2.0), (1.0, 3.0), (2.0, 3.0)), no_progress=1, objective=several)


@pytest.mark.parametrize(
    ("gains", "ends"),
    [
        ([0.09, 0.05, 0.01], True),
        ([0.9, 0.09, 0.05, 0.01], True),
        ([0.09, 0.01], False),
        ([0.01, 0.01, 0.2], False),
        ([0.01, 0.2, 0.01, 0.01], False),
        ([0.01, None, 0.01, 0.01], False),
        ([0.1, 0.01, 0.01], False),
    ],
)
def test_little_to_gain_is_little_three_times_in_a_row(
    gains: list[float | None], ends: bool
) -> None:
    state = told(*[5.0] * len(gains))
    for trial, gain in zip(state.trials.values(), gains, strict=True):
        notes = {} if gain is None else {"still_to_gain": gain}
        changed = {"source": "model", "notes": notes}
        trial.proposal = trial.proposal.model_copy(update=changed)
    assert rule(state, little_to_gain=0.1) == ("little_to_gain" if ends else None)


@pytest.mark.parametrize(
    ("scale", "stop", "why"),
    [
        ("linear", {"target": 5.0}, "the target of 5 kg is reached"),
        ("linear", {"little_to_gain": 0.1}, "less than 0.1 kg was expected still to be gained"),
        ("log", {"little_to_gain": math.log10(1.05)}, "less than 5 % was expected still to be"),
    ],
)
def test_a_campaign_that_ends_early_says_why_in_the_units_of_its_file(
    scale: Literal["linear", "log"], stop: dict[str, float], why: str
) -> None:
    state = told(5.0, 5.0, 5.0)
    for trial in state.trials.values():
        changed = {"source": "model", "notes": {"still_to_gain": 0.01}}
        trial.proposal = trial.proposal.model_copy(update=changed)
    metric = Metric(name="mass", expression="", unit="kg", scale=scale)
    settings = {"budget": Budget(trials=50), "stop": StopRules(**stop)}
    objective = Objective(goals=(Goal(metric="mass", direction="minimise"),))
    works = Works(metrics=(metric,), objective=objective, settings=settings)
    reason = reason_to_end(works.study, state, state.last_at)
    assert reason is not None
    assert reason.why.startswith(why)


def test_a_target_that_breaks_a_constraint_is_not_reached() -> None:
    assert rule(told((1.0, 9.9)), target=3.0) is None
    assert rule(told((1.0, 10.0)), target=3.0) == "target"


def test_a_constraint_on_a_value_that_is_only_a_bound_must_surely_be_met() -> None:
    assert rule(told((1.0, ">12")), target=3.0) == "target"
    assert rule(told((1.0, ">8")), target=3.0) is None
    small = Objective(
        goals=(Goal(metric="mass", direction="minimise"),),
        constraints=(OutcomeConstraint(metric="size", sense="<=", bound=10.0),),
    )
    assert rule(told((1.0, ">8")), target=3.0, objective=small) is None
    assert rule(told((1.0, "<")), target=3.0, objective=small) == "target"


def test_an_over_range_objective_counts_only_on_its_good_side() -> None:
    assert rule(told((">1", 99.0)), target=3.0) is None
    assert rule(told(("<", 99.0)), target=3.0) == "target"


def test_a_failed_trial_reaches_no_target() -> None:
    state = told(5.0)
    state.apply(
        ev.Recorded(
            seq=99,
            at=99.0,
            wall=0.0,
            event=ev.TrialProposed(
                trial=2, proposal=Proposal(point={"x": 1.0}, source="initial", why=""), after=0
            ),
        )
    )
    for event in (
        ev.Observed(trial=2, metric="mass", value=1.0),
        ev.Observed(trial=2, metric="size", value=99.0),
        ev.TrialFailed(trial=2, cause=FailureCause.DEVICE, sentence="the store was full"),
    ):
        state.apply(ev.Recorded(seq=state.n_events + 1, at=99.0, wall=0.0, event=event))
    assert rule(state, target=3.0) is None


def test_no_progress_counts_the_trials_since_the_best_one() -> None:
    assert rule(told(5.0, 4.0, 4.5, 6.0), no_progress=3) is None
    assert rule(told(5.0, 4.0, 4.5, 6.0, 4.0), no_progress=3) == "no_progress"
    assert rule(told(5.0, 4.0, 4.5, 6.0, 3.9), no_progress=3) is None


def test_a_trial_that_breaks_a_constraint_is_no_progress_either() -> None:
    assert rule(told(5.0, (1.0, 0.0), (1.0, 0.0)), no_progress=2) == "no_progress"


def test_before_anything_feasible_was_found_there_is_no_progress_to_miss() -> None:
    assert rule(told((1.0, 0.0), (1.0, 0.0), (1.0, 0.0)), no_progress=2) is None


def test_failed_trials_are_not_held_against_progress() -> None:
    assert rule(told(5.0, None, None, None), no_progress=2) is None


def test_failures_in_a_row_are_of_the_last_trials() -> None:
    assert rule(told(None, None, 5.0), failures_in_a_row=2) is None
    assert rule(told(5.0, None), failures_in_a_row=2) is None
    assert rule(told(5.0, None, None), failures_in_a_row=2) == "failures"


def test_what_was_interrupted_is_no_failure_in_a_row_and_breaks_none() -> None:
    given_up = FailureCause.INTERRUPTED
    assert rule(told(5.0, given_up, given_up), failures_in_a_row=2) is None
    assert rule(told(5.0, None, given_up, given_up), failures_in_a_row=2) is None
    assert rule(told(5.0, None, given_up, None, given_up), failures_in_a_row=2) == "failures"


def test_an_invalidated_observation_reaches_nothing() -> None:
    state = told(1.0)
    seq = state.trials[1].observations[0].seq
    invalid = ev.ObservationInvalidated(observation=seq, reason="a typing error", by="u")
    state.apply(ev.Recorded(seq=50, at=50.0, wall=0.0, event=invalid))
    assert rule(state, target=3.0) is None
