"""What a trial under way had set, and what a stop or an outage has undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import takewhile

from orchestrator.model.state import DispatchState, State, TrialState

ACTS = ("queryable", "irreversible")
"""Effects of what is done to a sample, or to the lab, and cannot be done once more."""


def undone(
    state: State,
    trial: TrialState,
    holds: Mapping[str, Collection[str]],
    will_be_safe: Collection[str] = (),
    amounts: Collection[tuple[str, str, str]] = (),
) -> tuple[list[DispatchState], list[DispatchState]]:
    """The settings of a trial whose device was made safe or could not be reached since, in the
    order of the steps: those after which something was done that cannot be done once more, and
    those which can be made again.

    `holds` are a resource's own name and those of its parts; `will_be_safe` are resources that are
    about to be made safe; `amounts` as `Study.amounts`. What was set otherwise since, by another
    trial or by a later step of this one, is no longer what the trial wants.
    """
    done, acted = _done(state, trial)
    lost = [
        d
        for d in done
        if is_setting(d)
        and not {*_lost_since(state, d, holds), *will_be_safe}.isdisjoint(
            holds.get(d.event.resource, ())
        )
        and not _is_replaced(state, d, amounts)
    ]
    return [d for d in lost if d.seq < acted], [d for d in lost if d.seq > acted]


def settings_left(state: State, trial: TrialState) -> list[DispatchState]:
    """What a trial has set and can set again: nothing was done since that cannot be."""
    done, acted = _done(state, trial)
    return [d for d in done if is_setting(d) and d.seq > acted]


def is_setting(done: DispatchState) -> bool:
    """Whether an action that was done may be done once more, to the same effect."""
    return done.event.effect == "idempotent" and not done.event.target


def _done(state: State, trial: TrialState) -> tuple[list[DispatchState], int]:
    """The steps of a trial that are done, and when the last one was begun that is for good."""
    last = [state.dispatches[tickets[-1]] for tickets in trial.attempts.values()]
    done = [d for d in last if d.outcome == "done" and d.ended_at is not None]
    acted = max((d.seq for d in done if d.event.effect in ACTS or d.event.target), default=0)
    return done, acted


def _lost_since(
    state: State, setting: DispatchState, holds: Mapping[str, Collection[str]]
) -> set[str]:
    lost = [name for name, seq in state.outages.lost.items() if seq > setting.seq]
    return {part for name in lost for part in holds.get(name, ())}


def _is_replaced(
    state: State, setting: DispatchState, amounts: Collection[tuple[str, str, str]]
) -> bool:
    """Whether a trial has set the same to another number since."""
    later = takewhile(lambda d: d.seq > setting.seq, reversed(state.dispatches.values()))
    mine = setting.event
    return any(
        d.outcome == "done"
        and (d.event.resource, d.event.action) == (mine.resource, mine.action)
        and d.event.trial is not None
        and d.event.arguments != mine.arguments
        and _what(d, amounts) == _what(setting, amounts)
        for d in later
    )


def _what(
    setting: DispatchState, amounts: Collection[tuple[str, str, str]]
) -> dict[str, str | int]:
    """The arguments that say what is set, such as a channel, and not to how much."""
    order = setting.event
    return {
        name: value
        for name, value in order.arguments.items()
        if isinstance(value, str | int) and (order.resource, order.action, name) not in amounts
    }
