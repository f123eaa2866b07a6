"""How long a device that cannot be reached is waited for, and who waits for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.errors import Stopped
from orchestrator.model.campaign import Campaign
from orchestrator.model.events import ActionFailed
from orchestrator.model.outages import is_away
from orchestrator.model.state import DispatchState, State, TrialState

PATIENCE_S = 120.0
"""A device that cannot be reached is tried again for so long (campaign time)."""
LONGEST_WAIT_S = 60.0
"""Between two attempts; the first repetition comes at once, the next after 1, 2, 4, ... seconds."""


@dataclass(frozen=True)
class Wait:
    """A device that is waited for: the trial that tries it with which step, how many others wait
    with it, and campaign times. `until` is None where the file says how often it is tried."""

    resource: str
    trial: int
    step: str
    n_others: int
    since: float
    again: float
    until: float | None


def waits(campaign: Campaign, state: State) -> tuple[Wait, ...]:
    """The devices that an engine at work waits for, one wait for each."""
    found: dict[str, Wait] = {}
    if not state.engine_is_up or state.paused is not None or state.finished is not None:
        return ()
    retries = {step.name: step.retries for step in campaign.recipe}
    for trial in (state.trials[number] for number in state.outages.failed):
        newest = max((state.dispatches[t[-1]] for t in trial.attempts.values()), key=_seq)
        step, resource = newest.event.step, newest.event.resource
        recent = failed_attempts(state, trial, step)
        if not recent or recent[-1] is not newest or not was_away(newest) or resource in found:
            continue
        end = patient_until(recent) if retries.get(step) is None else None
        since = next(d.closed_at for d in recent if was_away(d))
        again = max(next_attempt(recent, retries.get(step)), newest.closed_at)
        sent = {d.event.step for d in state.dispatches.values() if d.event.resource == resource}
        others = (
            _next_step(campaign, state, one) for one in state.idle_trials() if one is not trial
        )
        n_others = sum(other in sent for other in others)
        found[resource] = Wait(resource, trial.number, step, n_others, since, again, end)
    return tuple(found.values())


def _seq(dispatch: DispatchState) -> int:
    return dispatch.seq


def _next_step(campaign: Campaign, state: State, trial: TrialState) -> str | None:
    """The first step of a trial that is not done."""
    for step in campaign.recipe:
        tickets = trial.attempts.get(step.name)
        if not tickets or state.dispatches[tickets[-1]].outcome != "done":
            return step.name
    return None


def failed_attempts(state: State, trial: TrialState, step: str) -> list[DispatchState]:
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


def has_failed(last: DispatchState | None) -> bool:
    """Whether an action is known to have ended badly, if need be by asking its device."""
    return last is not None and last.failure is not None and last.outcome in ("failed", "not_done")


def is_stop(failure: ActionFailed) -> bool:
    """Whether the step was merely given up because the campaign was being stopped."""
    return failure.error == Stopped.__name__ and not failure.spoils_sample


def was_away(failed: DispatchState) -> bool:
    """Whether the device could not be reached, and has not answered since that nothing was done."""
    return failed.outcome == "failed" and failed.failure is not None and is_away(failed.failure)


def patient_until(failed: Sequence[DispatchState]) -> float:
    """How long a device is waited for that could not be reached; -inf where it could."""
    return next((d.closed_at + PATIENCE_S for d in failed if was_away(d)), -math.inf)


def next_attempt(failed: Sequence[DispatchState], retries: int | None) -> float:
    """When a step whose attempts have `failed` (one at least) is tried again, if it is; `retries`
    are the file's."""
    if len(failed) < 2:
        return -math.inf
    newest = failed[-1]
    at = newest.closed_at + min(LONGEST_WAIT_S, 2.0 ** (len(failed) - 2))
    if was_away(newest) and retries is None:
        at = min(at, max(newest.closed_at, patient_until(failed)))
    return at
