"""One wait for each device: while a trial waits for it, no other one tries it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.engine.commands import TryLater
from orchestrator.engine.study import Study
from orchestrator.model.patience import LONGEST_WAIT_S
from orchestrator.model.state import DispatchState, State, TrialState


def first_to_try(state: State) -> list[TrialState]:
    """The idle trials in the order in which they may go on: those with a step that failed, in the
    order of the failures, and then the oldest first."""
    failed = [number for number in state.outages.failed if number in state.idle]
    others = sorted(state.idle.keys() - state.outages.failed.keys())
    return [state.trials[number] for number in (*failed, *others)]


def kept_by(study: Study, state: State, number: int) -> frozenset[str]:
    """The device, and its parts, that a trial waits for and that no other one may use meanwhile.

    One that takes a step at a time is kept until the step that failed is done, or another trial
    would set it in between; one that takes several until it was heard of.
    """
    if number not in state.outages.failed:
        return frozenset()
    resource = _last(state, number).event.resource
    if study.capacity[resource] > 1 and resource not in state.outages.since:
        return frozenset()
    return study.holds[resource]


def tries_under_way(study: Study, state: State, now: float) -> Iterator[TryLater]:
    """Attempts to reach a device that is waited for, until they have lasted so long that it must
    have been reached."""
    for number in state.outages.failed:
        if number in state.idle or not kept_by(study, state, number):
            continue
        under_way = _last(state, number)
        until = under_way.at + LONGEST_WAIT_S
        if under_way.is_open and until > now:
            yield TryLater(number, under_way.event.step, until)


def _last(state: State, number: int) -> DispatchState:
    """The newest attempt of the step of a trial that failed."""
    return state.dispatches[state.trials[number].attempts[state.outages.failed[number]][-1]]
