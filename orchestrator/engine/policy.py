"""What follows from a failed step: another attempt, a failed trial, or a pause."""

from __future__ import annotations

import math

from orchestrator import errors
from orchestrator.engine.study import BoundStep, Study
from orchestrator.engine.undone import settings_left, undone
from orchestrator.model.events import ActionFailed
from orchestrator.model.patience import (
    failed_attempts,
    has_failed,
    next_attempt,
    patient_until,
    was_away,
)
from orchestrator.model.recipe import OnFailure
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import FailureCause, TrialStatus
from orchestrator.ports.action import Effect

DEFAULT_RETRIES = 2
"""Repetitions of a step whose failure may be repeated, where the file does not say."""


def kind_of(failure: ActionFailed) -> type[Exception]:
    """The type of error behind a failure; ExecutionError for one that only a plugin knows."""
    kind: type[Exception] = getattr(errors, failure.error, errors.ExecutionError)
    return kind


def may_retry(study: Study, bound: BoundStep, state: State, trial: TrialState) -> bool:
    """Whether the last failure of a step is one that is tried again by itself.

    That is so when its type allows it, or the device itself said that nothing was done; and not
    oftener than the file says, counted from when the campaign was last resumed. Where the file is
    silent, twice, and a device that cannot be reached does not count: it is given `PATIENCE_S` to
    come back. It is not where it did something for this trial that cannot be done again, and not
    tried again at all where it was set to something that cannot be set again. What it has lost by
    the time it is back is no failure of its own.
    """
    tickets = trial.attempts.get(bound.step.name, [])
    last = state.dispatches[tickets[-1]] if tickets else None
    if last is None or last.failure is None or not has_failed(last):
        return False
    may_repeat = last.failure.may_retry or last.outcome == "not_done"
    is_lost, is_set_again = _undone_here(study, bound, state, trial)
    was_reset = kind_of(last.failure) is errors.DeviceReset
    if not (may_repeat or (was_reset and is_set_again)):
        return False
    recent = failed_attempts(state, trial, bound.step.name)
    if recent and was_away(last) and is_lost and bound.step.retries is None:
        return False
    allowed = DEFAULT_RETRIES if bound.step.retries is None else bound.step.retries
    if len(recent) <= allowed:
        return True
    if bound.step.retries is not None or set_for_good(study, bound, state, trial):
        return False
    n_others = sum(not was_away(d) for d in recent)
    return last.closed_at < patient_until(recent) and n_others <= DEFAULT_RETRIES


def not_before(study: Study, bound: BoundStep, state: State, trial: TrialState) -> float:
    """The campaign time before which a step is not tried again."""
    if len(trial.attempts.get(bound.step.name, ())) < 2:
        return -math.inf
    recent = failed_attempts(state, trial, bound.step.name)
    if not recent or (was_away(recent[-1]) and set_for_good(study, bound, state, trial)):
        return -math.inf
    return next_attempt(recent, bound.step.retries)


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


def _undone_here(
    study: Study, bound: BoundStep, state: State, trial: TrialState
) -> tuple[bool, bool]:
    """Whether the device of a step may have lost what it was set to for a trial under way: what
    cannot be set again, and what is set again anyway."""
    if trial.status is TrialStatus.FAILED:
        return False, False
    here = study.holds[bound.resource]
    lost, again = undone(state, trial, study.holds, amounts=study.amounts)
    is_lost, is_set_again = (
        any(study.holds[d.event.resource] & here for d in settings) for settings in (lost, again)
    )
    return is_lost, is_set_again


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
