"""Whose turn it is where steps fail, and one wait for each device: while a trial waits for it, no
other one tries it."""

from __future__ import annotations

from orchestrator.engine.commands import TryLater
from orchestrator.engine.study import BoundStep, Study
from orchestrator.model.patience import LONGEST_WAIT_S
from orchestrator.model.state import DispatchState, State, TrialState


def in_turn(state: State) -> list[TrialState]:
    """The idle trials in the order in which they may go on: those with a step that failed, in the
    order of the failures, and then the oldest first."""
    failed = [number for number in state.outages.failed if number in state.idle]
    others = sorted(state.idle.keys() - state.outages.failed.keys())
    return [state.trials[number] for number in (*failed, *others)]


def is_set_for(study: Study, state: State, bound: BoundStep, trial: TrialState) -> bool:
    """Whether the device of a step, which takes one at a time, was just set for its trial."""
    set_by = state.outages.set_by.get(bound.resource)
    return set_by == trial.number and study.capacity[bound.resource] == 1


def kept_by(study: Study, state: State, number: int) -> frozenset[str]:
    """The device, and its parts, that a trial waits for and that no other one may use meanwhile.

    One that takes a step at a time is kept until the step that failed is done, or another trial
    would set it in between; one that takes several until it was heard of.
    """
    if number not in state.outages.failed:
        return frozenset()
    # as it is named now, whatever its name in the lab file was when it failed
    step = study.step(state.outages.failed[number])
    resource = step.at(state.trials[number].proposal.point).resource
    if study.capacity[resource] > 1 and resource not in state.outages.since:
        return frozenset()
    return study.holds[resource]


def tries_under_way(study: Study, state: State, now: float) -> tuple[list[TryLater], set[str]]:
    """The devices that trials keep which are under way: with setting again what was lost, or with
    an attempt, until it has lasted so long that the device must have been reached."""
    later, kept = list[TryLater](), set[str]()
    for number in state.outages.failed:
        under_way = _last(state, number)
        if number in state.idle or not (keeps := kept_by(study, state, number)):
            continue
        until = under_way.at + LONGEST_WAIT_S
        if not under_way.is_open:
            kept |= keeps
        elif until > now:
            kept |= keeps
            # one that takes a step at a time is busy with this one anyway, however long it lasts
            if study.capacity.get(under_way.event.resource, 1) > 1:
                later.append(TryLater(number, under_way.event.step, until))
    return later, kept


def _last(state: State, number: int) -> DispatchState:
    """The newest attempt of the step of a trial that failed."""
    return state.dispatches[state.trials[number].attempts[state.outages.failed[number]][-1]]
