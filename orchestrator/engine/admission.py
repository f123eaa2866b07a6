"""Which step may start now: resources that are busy, positions that are taken, no deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

from orchestrator.engine.study import BoundStep, Study
from orchestrator.model.state import State, TrialState


def n_free(study: Study, state: State, resource: str) -> int:
    """How many steps more a resource takes now: none while it, or one of its parts, is in the
    middle of as many as it can."""
    wanted = study.holds[resource]
    for other, n_open in state.open_at.items():
        if n_open and other != resource and study.holds.get(other, frozenset()) & wanted:
            return 0
    return max(0, study.capacity[resource] - state.open_at.get(resource, 0))


def resource_is_free(study: Study, state: State, resource: str) -> bool:
    """Whether the resource takes another step now."""
    return n_free(study, state, resource) > 0


def room_at(study: Study, state: State, position: str) -> int:
    """Free slots of a position, moves on their way there counted as arrived."""
    slots = next((p.slots for p in study.lab.positions if p.name == position), 1)
    taken = len(state.at_position(position))
    for ticket in state.open_tickets:
        event = state.dispatches[ticket].event
        if event.parent is None and event.target == position:
            taken += 1
    return slots - taken


def blanks_left(study: Study, state: State) -> int:
    """New samples that the lab's stores still hold."""
    stores = sum(p.slots for p in study.lab.positions if p.stores_new)
    return stores - len(state.samples)


def next_store(study: Study, state: State) -> str:
    """The store that the next new sample is taken from: each is used up before the one after it."""
    n_before = 0
    stores = [p for p in study.lab.positions if p.stores_new]
    for store in stores:
        n_before += store.slots
        if len(state.samples) < n_before:
            return store.name
    return stores[-1].name


def sample_of(state: State, trial: TrialState) -> str | None:
    """The trial's sample."""
    return trial.samples[-1] if trial.samples else None


def position_of(state: State, trial: TrialState) -> str:
    """Where the trial's sample is believed to be; '' when it has none yet."""
    sample = sample_of(state, trial)
    return state.samples[sample].position if sample else ""


def may_start(
    study: Study,
    state: State,
    bound: BoundStep,
    trial: TrialState | None,
    remaining: Mapping[int, Sequence[str]],
) -> bool:
    """Whether a step of a trial (None: the next one to be proposed) can start at once.

    `remaining` are the positions that each trial in flight still has to visit, in order, this
    step's included.
    """
    at = {bound.resource} if trial else bound.resources
    if not any(resource_is_free(study, state, resource) for resource in at):
        return False
    if not bound.moves_sample:
        return True
    if room_at(study, state, bound.target) < 1:
        return False
    if bound.makes_sample and blanks_left(study, state) < 1:
        return False
    number = trial.number if trial else state.last_number + 1
    return _stays_solvable(study, state, number, bound.target, remaining)


def _stays_solvable(
    study: Study, state: State, mover: int, target: str, remaining: Mapping[int, Sequence[str]]
) -> bool:
    """The banker's question: after this move, can all trials still finish one after another?

    It must hold whether the other moves under way arrive or fail. Samples of trials that have ended
    do not count: they are carried off, or a person has to.
    """
    slots = {p.name: p.slots for p in study.lab.positions}
    here = {n: position_of(state, state.trials[n]) for n in remaining if n in state.trials}
    under_way = {
        event.trial: event.target
        for t in state.open_tickets
        if (event := state.dispatches[t].event).parent is None
        and event.target
        and event.trial in here
    }
    others = [n for n in under_way if n is not None and n != mover]
    for arrives in product((False, True), repeat=len(others)):
        arrived = {n: under_way[n] for n, does in zip(others, arrives, strict=True) if does}
        arrived[mover] = target
        ways = {n: list(way)[1 if n in arrived else 0 :] for n, way in remaining.items()}
        if not _can_all_finish(slots, here | arrived, ways):
            return False
    return True


def _can_all_finish(
    slots: Mapping[str, int], places: dict[int, str], ways: Mapping[int, Sequence[str]]
) -> bool:
    while places:
        held = Counter(places.values())
        ready = [
            n
            for n, place in places.items()
            if all(held[p] - (p == place) < slots.get(p, 1) for p in ways.get(n, ()))
        ]
        if not ready:
            return False
        places = {n: place for n, place in places.items() if n not in ready}
    return True
