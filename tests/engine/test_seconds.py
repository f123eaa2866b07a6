"""What a trial took: by its own word, or by the clock of the campaign."""

from __future__ import annotations

import pytest

from orchestrator.engine.seconds import seconds_of
from orchestrator.model import events as ev
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.model.trial import Proposal


def trial_of(**steps: DispatchState) -> tuple[State, TrialState]:
    proposal = Proposal(point={}, source="initial", why="")
    trial = TrialState(1, proposal, 0.0, attempts={name: [name] for name in steps})
    return State(dispatches=dict(steps)), trial


def done(took_s: float, outcome: str = "done", **results: float) -> DispatchState:
    event = ev.ActionDispatched(ticket="t", trial=1, resource="r", action="a", effect="none")
    return DispatchState(1, event, 10.0, 10.0 + took_s, outcome, dict(results))


def test_a_calculation_that_was_found_in_the_cache_took_what_it_would_have_taken() -> None:
    state, trial = trial_of(relax=done(0.01, seconds=340.0, reused=1))
    assert seconds_of(state, trial) == 340.0


def test_steps_that_do_not_say_are_taken_by_the_campaigns_clock() -> None:
    state, trial = trial_of(deposit=done(1200.0), measure=done(60.0), relax=done(1, seconds=5.0))
    assert seconds_of(state, trial) == pytest.approx(1265.0)


def failed(took_s: float, *, blames: bool, seconds: float | None = None) -> DispatchState:
    dispatch = done(took_s, outcome="failed")
    dispatch.failure = ev.ActionFailed(
        ticket="t", error="E", sentence="no", blames_parameters=blames, seconds=seconds
    )
    return dispatch


def test_what_a_failed_calculation_took_counts_and_what_a_machine_failed_does_not() -> None:
    assert seconds_of(*trial_of(relax=failed(9.0, blames=True, seconds=7200.0))) == 7200.0
    assert seconds_of(*trial_of(relax=failed(9.0, blames=True))) == 9.0
    assert seconds_of(*trial_of(relax=failed(9.0, blames=False, seconds=7200.0))) is None
    state, trial = trial_of(a=failed(9.0, blames=True, seconds=50.0), b=done(1.0, seconds=5.0))
    trial.attempts = {"relax": ["a", "b"]}
    assert seconds_of(state, trial) == 55.0


def test_of_a_trial_without_a_finished_step_nothing_is_known() -> None:
    state, trial = trial_of(deposit=done(5.0, outcome="failed"))
    assert seconds_of(state, trial) is None
