"""What follows from a failed step: another attempt, a failed trial, or a pause."""

from __future__ import annotations

from orchestrator import errors
from orchestrator.engine.study import BoundStep
from orchestrator.model.events import ActionFailed
from orchestrator.model.recipe import OnFailure
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.model.trial import FailureCause

DEFAULT_RETRIES = 2
"""Repetitions of a step whose failure may be repeated, where the file does not say."""


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


def may_retry(bound: BoundStep, state: State, trial: TrialState) -> bool:
    """Whether the last failure of a step is one that is tried again by itself.

    That is so when its type allows it, or the device itself said that nothing was done; and not
    oftener than the file says, counted from when the campaign was last resumed.
    """
    tickets = trial.attempts.get(bound.step.name, [])
    failed = [d for t in tickets if has_failed(d := state.dispatches[t])]
    if not failed or failed[-1].failure is None:
        return False
    if not (failed[-1].failure.may_retry or failed[-1].outcome == "not_done"):
        return False
    recent = [
        d
        for d in failed
        if d.failed_seq > state.resumed_seq and d.failure is not None and not is_stop(d.failure)
    ]
    most = DEFAULT_RETRIES if bound.step.retries is None else bound.step.retries
    return len(recent) <= most


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
