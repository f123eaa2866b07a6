"""What was dispatched and never answered for: found out, one by one, without acting again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.engine.study import Study
from orchestrator.errors import Stopped
from orchestrator.model.events import (
    ActionDone,
    ActionFailed,
    ActionNotDone,
    Doubted,
    Event,
    Paused,
    Resumed,
)
from orchestrator.model.state import DispatchState, State
from orchestrator.ports.action import ActionSpec, Cancel
from orchestrator.ports.execution import Executor, Record
from orchestrator.ports.resource import Inner


async def recover(
    study: Study, state: State, executor: Executor, record: Record, why: str
) -> tuple[str, ...]:
    """After a restart: makes the lab safe as its file says, then looks into every open ticket.
    Gives those that are to be taken up.

    A resource that is asked about an open ticket of its own is made safe only after it answered,
    so that a move under way comes to its end.
    """
    asked = frozenset(
        d.event.resource
        for t in state.open_tickets
        if (d := state.dispatches[t]).event.effect == "queryable"
    )
    left = left_at_restart(study)
    await executor.make_safe(why, skip=asked | left)
    resumable = []
    for ticket in list(state.open_tickets):
        is_whole = state.dispatches[ticket].event.parent is None
        if is_whole and await examine(ticket, state, executor, record, again=True):
            resumable.append(ticket)
    if is_settled(state):
        await record(Resumed(by="evidence"))
    if asked - left:
        others = frozenset(b.name for b in study.lab.resources) - (asked - left)
        await executor.make_safe(why, skip=others)
    return tuple(resumable)


def is_settled(state: State) -> bool:
    """Whether a pause for a doubt has outlived it, as when the action came to its end later."""
    return state.paused is not None and state.paused.about == "doubt" and not state.doubts()


def left_at_restart(study: Study) -> frozenset[str]:
    """The resources that the lab file wants left as they are after a restart."""
    return frozenset(b.name for b in study.lab.resources if b.on_restart == "leave")


def needed_until_the_end(
    study: Study, state: State, actions: Mapping[str, Mapping[str, ActionSpec]]
) -> frozenset[str]:
    """What must not be made safe while an action is under way that cannot be given up.

    These are its resource and everything after that in the lab's order: a gate that comes after
    the arm does not close on it. Empty when no such action is under way.
    """
    held: set[str] = set()
    for ticket in state.open_tickets:
        dispatch = state.dispatches[ticket]
        event = dispatch.event
        spec = actions.get(event.resource, {}).get(event.action)
        is_under_way = event.parent is None and dispatch.doubt is None
        if is_under_way and spec is not None and spec.cancel is Cancel.NEVER:
            held |= study.holds[event.resource]
    order = [*study.lab.make_safe_order, *(b.name for b in study.lab.resources)]
    first = next((n for n, name in enumerate(order) if name in held), len(order))
    return frozenset(order[first:]) - frozenset(order[:first])


async def calm(executor: Executor, why: str, busy: frozenset[str]) -> bool:
    """Makes safe what is not `busy`, when what was sent is answered. True when all answered."""
    await executor.answered()
    return await executor.make_safe(why, skip=busy)


async def doubt_given_up(state: State, record: Record) -> None:
    """Journals that actions which were given up did not come to their end: a pause."""
    unanswered = [
        d
        for t in state.open_tickets
        if (d := state.dispatches[t]).event.parent is None and d.doubt is None
    ]
    for dispatch in unanswered:
        resource = dispatch.event.resource
        known = f"it was given up, and {resource} did not answer"
        why = f"{_name(dispatch)} was given up, and {resource} does not answer"
        # in one commit: a doubt that pauses nothing would be waited for in silence
        doubted = Doubted(ticket=dispatch.event.ticket, known=known, needs_person=True)
        await record(doubted, Paused(why=why, by="engine", about="doubt"))


async def examine(
    ticket: str, state: State, executor: Executor, record: Record, *, again: bool = False
) -> bool:
    """Finds out about an open ticket: inner actions first, then the action itself. True for one
    that goes on when it is taken up.

    What evidence cannot settle becomes a doubt that waits for a person; `again` looks whether
    there is evidence by now: a device that could not be asked may be back.
    """
    dispatch = state.dispatches[ticket]
    for child in dispatch.children:
        if state.dispatches[child].is_open:
            await examine(child, state, executor, record, again=again)
    if not dispatch.is_open or (dispatch.doubt is not None and not again):
        return False
    found = await _find_out(dispatch, state, executor)
    if found is None:
        return True
    inner = _settled_with(found, dispatch, state)
    if isinstance(found, Doubted) and dispatch.doubt is not None:
        return False
    if isinstance(found, Doubted) and dispatch.event.parent is None:
        why = f"it is not known whether {_name(dispatch)} took place: {found.known}"
        # in one commit: a doubt that pauses nothing would be waited for in silence
        await record(found, Paused(why=why, by="engine", about="doubt"))
    else:
        await record(*inner, found)
    return False


async def _find_out(dispatch: DispatchState, state: State, executor: Executor) -> Event | None:
    """What became of an action; None for one that is to be taken up."""
    event = dispatch.event
    spec = executor.actions.get(event.resource, {}).get(event.action)
    if dispatch.children or (spec is not None and spec.is_composite):
        found = _from_children(dispatch, state)
        if isinstance(found, Doubted):
            return await _judged(found, dispatch, state, executor)
        return found
    if event.effect == "none":
        return ActionNotDone(ticket=event.ticket, evidence="effect", note="a reading")
    if spec is None:
        known = f"the lab has no {event.resource}.{event.action} any more that could be asked"
        return Doubted(ticket=event.ticket, known=known, needs_person=True)
    if event.effect == "idempotent":
        note = "a state to reach: it is decided anew from the state after the restart"
        return ActionNotDone(ticket=event.ticket, evidence="effect", note=note)
    if event.effect == "queryable":
        return await _asked(dispatch, executor)
    return _unaskable(dispatch, state)


def _unaskable(dispatch: DispatchState, state: State) -> Event:
    """An irreversible action without a result."""
    event = dispatch.event
    known = "it was sent, or about to be sent, and the device cannot say whether it acted"
    if dispatch.failure is not None:
        known = f"{_reason(dispatch)}; the device cannot say what it did"
    if event.parent is not None and _was_ended(dispatch, state):
        return _spoilt(dispatch, f"{known}; the guardian made {event.resource} safe")
    return Doubted(ticket=event.ticket, known=known, needs_person=True)


async def _asked(dispatch: DispatchState, executor: Executor) -> Event | None:
    event = dispatch.event
    verdict = await executor.ask(event)
    if verdict.outcome == "done":
        return ActionDone(
            ticket=event.ticket,
            results=dict(verdict.results),
            evidence="asked",
            note=verdict.evidence,
        )
    if verdict.outcome == "resumable" and dispatch.failure is None:
        return None
    if verdict.outcome in ("not_done", "resumable"):
        return ActionNotDone(ticket=event.ticket, evidence="asked", note=verdict.evidence)
    known = "; ".join(filter(None, (_reason(dispatch), verdict.evidence)))
    return Doubted(ticket=event.ticket, known=known, needs_person=True)


def _from_children(dispatch: DispatchState, state: State) -> Event:
    """A composite did nothing irreversible when none of its inner actions did."""
    children = [state.dispatches[c] for c in dispatch.children]
    acted = [
        c
        for c in children
        if c.event.effect in ("irreversible", "queryable")
        and (c.outcome in ("open", "done") or (c.failure is not None and c.failure.spoils_sample))
    ]
    if not acted:
        steps = ", ".join(f"{c.event.resource}.{c.event.action}" for c in children) or "none"
        note = f"no irreversible inner action was sent (inner actions: {steps})"
        return ActionNotDone(ticket=dispatch.event.ticket, evidence="children", note=note)
    last = children[-1]
    if dispatch.failure is None and all(_was_cut_short(c, children, state) for c in acted):
        names = " and ".join(dict.fromkeys(c.event.resource for c in acted))
        return _spoilt(
            dispatch,
            f"the engine was gone while {_name(dispatch)} was under way, and the guardian made "
            f"{names} safe (the last inner action was {_name(last)}): scrap, or partial",
        )
    sure = [f"{_name(c)} was done" for c in acted if c.outcome == "done"]
    open_ones = [f"{_name(c)} is in doubt itself" for c in acted if c.outcome == "open"]
    reasons = dict.fromkeys(filter(None, map(_reason, (dispatch, *acted))))
    known = "; ".join([*reasons, *sure, *open_ones, f"the last inner action was {_name(last)}"])
    return Doubted(ticket=dispatch.event.ticket, known=known, needs_person=True)


def _was_cut_short(
    dispatch: DispatchState, children: Sequence[DispatchState], state: State
) -> bool:
    """Whether a guardian ended what an inner action had begun, before the composite did."""
    return _was_ended(dispatch, state) and not any(
        c.seq > dispatch.seq
        and c.event.resource == dispatch.event.resource
        and (c.event.effect, c.outcome) == ("idempotent", "done")
        for c in children
    )


def _was_ended(dispatch: DispatchState, state: State) -> bool:
    """Whether a guardian brought what an action had begun to its end."""
    resource = dispatch.event.resource
    has_doubt = dispatch.doubt is not None
    return not has_doubt and any(
        seq > dispatch.seq and resource in acted.safe for seq, acted in state.guarded
    )


def _spoilt(dispatch: DispatchState, sentence: str) -> ActionFailed:
    """What was begun is known not to have come to its end, as after a stop."""
    return ActionFailed(
        ticket=dispatch.event.ticket,
        error=Stopped.__name__,
        sentence=sentence,
        spoils_sample=True,
    )


async def _judged(
    doubted: Doubted, dispatch: DispatchState, state: State, executor: Executor
) -> Event:
    """What a composite whose parts can tell makes of a doubt of its own."""
    children = [state.dispatches[ticket] for ticket in dispatch.children]
    inner = [
        Inner(c.event.resource, c.event.action, c.event.arguments, c.outcome, c.results)
        for c in children
    ]
    ticket, verdict = dispatch.event.ticket, await executor.judge(dispatch.event, inner)
    note = verdict.evidence
    if verdict.outcome == "done":
        results = dict(verdict.results)
        return ActionDone(ticket=ticket, results=results, evidence="asked", note=note)
    if verdict.outcome == "not_done":
        return ActionNotDone(ticket=ticket, evidence="asked", note=note)
    known = "; ".join(filter(None, (doubted.known, verdict.evidence)))
    return doubted.model_copy(update={"known": known})


def _settled_with(found: Event, dispatch: DispatchState, state: State) -> list[Event]:
    """What is known of the inner actions in doubt, now that it is known of the whole."""
    if not isinstance(found, ActionDone | ActionNotDone):
        return []
    doubted = [c for c in dispatch.children if state.dispatches[c].is_open]
    note = f"known of {_name(dispatch)}: {found.note}"
    if isinstance(found, ActionDone):
        return [ActionDone(ticket=c, evidence="asked", note=note) for c in doubted]
    return [ActionNotDone(ticket=c, evidence="asked", note=note) for c in doubted]


def _reason(dispatch: DispatchState) -> str:
    """Why an action that left a doubt came to its end; '' where nobody told."""
    failure = dispatch.failure
    if failure is None or not failure.leaves_doubt:
        return ""
    return failure.sentence + (f" ({failure.hint})" if failure.hint else "")


def _name(dispatch: DispatchState) -> str:
    event = dispatch.event
    where = f" of trial {event.trial}" if event.parent is None and event.trial else ""
    return f"{event.resource}.{event.action}{where}"
