"""What follows from a failed step: another attempt, a failed trial, or a pause."""

from __future__ import annotations

import math

from orchestrator import errors
from orchestrator.engine.study import BoundStep, Study
from orchestrator.engine.undone import settings_left, undone
from orchestrator.model.events import ActionFailed
from orchestrator.model.outages import is_away
from orchestrator.model.recipe import OnFailure
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.model.trial import FailureCause, TrialStatus
from orchestrator.ports.action import Effect

DEFAULT_RETRIES = 2
"""Repetitions of a step whose failure may be repeated, where the file does not say."""
PATIENCE_S = 120.0
"""Where it does not, a device that cannot be reached is tried again for so long (campaign time)."""
LONGEST_WAIT_S = 60.0
"""Between two attempts; the first repetition comes at once, the next after 1, 2, 4, ... seconds."""


def kind_of(failure: ActionFailed) -> type[Exception]:
    """The type of error behind a failure; ExecutionError for one that only a plugin knows."""
    kind: type[Exception] = getattr(errors, failure.error, errors.ExecutionError)
    return kind


def is_stop(failure: ActionFailed) -> bool:
    """Whether the step was merely given up because the campaign was being stopped."""
    return kind_of(failure) is errors.Stopped and not failure.spoils_sample


def has_failed(last: DispatchState | None) -> bool:
    """Whether an action is known to have ended badly, if need be by asking its device."""
    return last is not None and last.failure is not None and last.outcome in ("failed", "not_done")


def may_retry(study: Study, bound: BoundStep, state: State, trial: TrialState) -> bool:
    """Whether the last failure of a step is one that is tried again by itself.

    That is so when its type allows it, or the device itself said that nothing was done; and not
    oftener than the file says, counted from when the campaign was last resumed. Where the file is
    silent, twice, and a device that cannot be reached does not count: it is given `PATIENCE_S` to
    come back, unless it was set to something for this trial that cannot be set again. What it has
    lost by then is no failure of its own.
    """
    tickets = trial.attempts.get(bound.step.name, [])
    last = state.dispatches[tickets[-1]] if tickets else None
    if last is None or last.failure is None or not has_failed(last):
        return False
    may_repeat = last.failure.may_retry or last.outcome == "not_done"
    if not (may_repeat or _was_lost_meanwhile(study, bound, state, trial, last.failure)):
        return False
    recent = _recent(bound.step.name, state, trial)
    allowed = DEFAULT_RETRIES if bound.step.retries is None else bound.step.retries
    if len(recent) <= allowed:
        return True
    if bound.step.retries is not None or set_for_good(study, bound, state, trial):
        return False
    away = [d for d in recent if _is_away(d)]
    is_in_time = bool(away) and _ended(last) - _ended(away[0]) < PATIENCE_S
    return is_in_time and len(recent) - len(away) <= DEFAULT_RETRIES


def not_before(study: Study, bound: BoundStep, state: State, trial: TrialState) -> float:
    """The campaign time before which a step is not tried again."""
    if len(trial.attempts.get(bound.step.name, ())) < 2:
        return -math.inf
    recent = _recent(bound.step.name, state, trial)
    if len(recent) < 2 or (_is_away(recent[-1]) and set_for_good(study, bound, state, trial)):
        return -math.inf
    wait_s = min(LONGEST_WAIT_S, 2.0 ** (len(recent) - 2))
    if _is_away(recent[-1]) and bound.step.retries is None:
        first = next(d for d in recent if _is_away(d))
        wait_s = min(wait_s, max(0.0, _ended(first) + PATIENCE_S - _ended(recent[-1])))
    return _ended(recent[-1]) + wait_s


def set_for_good(study: Study, bound: BoundStep, state: State, trial: TrialState) -> str:
    """The earlier step of a trial under way, if any, that did something to the device of this one,
    or to a part of it, that cannot be done again should the device have lost it."""
    if trial.status is TrialStatus.FAILED:
        return ""  # nothing of it is measured any more
    again = {d.event.ticket for d in settings_left(state, trial)}
    for earlier in study.steps:
        if earlier.step.name == bound.step.name:
            break
        made = earlier.at(trial.proposal.point)
        tickets = trial.attempts.get(made.step.name, [])
        is_done = bool(tickets) and state.dispatches[tickets[-1]].outcome == "done"
        is_set = is_done and made.action.effect is not Effect.NONE and not made.moves_sample
        is_here = bool(study.holds[made.resource] & study.holds[bound.resource])
        if is_set and is_here and tickets[-1] not in again:
            return made.step.name
    return ""


def _was_lost_meanwhile(
    study: Study, bound: BoundStep, state: State, trial: TrialState, failure: ActionFailed
) -> bool:
    """Whether a device says that it lost what it was set to, and that is to be set again anyway."""
    if kind_of(failure) is not errors.DeviceReset:
        return False
    _, again = undone(state, trial, study.holds)
    return any(study.holds[d.event.resource] & study.holds[bound.resource] for d in again)


def _recent(step: str, state: State, trial: TrialState) -> list[DispatchState]:
    """The failed attempts of a step since the campaign was last resumed, not those given up."""
    known = (state.dispatches[ticket] for ticket in trial.attempts.get(step, ()))
    return [
        d
        for d in known
        if has_failed(d)
        and d.failed_seq > state.resumed_seq
        and d.failure is not None
        and not is_stop(d.failure)
    ]


def _is_away(failed: DispatchState) -> bool:
    """Whether the device could not be reached, and has not answered since that nothing was done."""
    return failed.outcome == "failed" and failed.failure is not None and is_away(failed.failure)


def _ended(failed: DispatchState) -> float:
    return failed.at if failed.ended_at is None else failed.ended_at


def policy(bound: BoundStep, failure: ActionFailed) -> OnFailure:
    """What the file says; where it is silent, it depends on what kind of failure it is."""
    if bound.step.on_failure is not None:
        return bound.step.on_failure
    kind = kind_of(failure)
    if failure.blames_parameters:
        return OnFailure.FAIL_TRIAL
    if issubclass(kind, errors.SafetyStop):
        return OnFailure.MAKE_SAFE
    if issubclass(kind, errors.ResultRefused | errors.NoReading):
        return OnFailure.FAIL_TRIAL
    return OnFailure.PAUSE


def cause(failure: ActionFailed) -> FailureCause:
    """Why the trial gave no data."""
    kind = kind_of(failure)
    if failure.blames_parameters:
        return FailureCause.PARAMETERS
    if issubclass(kind, errors.SafetyStop):
        return FailureCause.INTERLOCK
    if issubclass(kind, errors.ResultRefused | errors.NoReading):
        return FailureCause.MEASUREMENT
    if issubclass(kind, errors.Stopped):
        return FailureCause.INTERRUPTED
    return FailureCause.DEVICE
