"""What a trial under way had set, and a stop has made safe."""

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
) -> tuple[list[DispatchState], list[DispatchState]]:
    """The settings of a trial whose device was made safe since, in the order of the steps: those
    after which something was done that cannot be done once more, and those which can be made again.

    `holds` are a resource's own name and those of its parts; `will_be_safe` are resources that are
    about to be made safe.
    """
    last = [state.dispatches[tickets[-1]] for tickets in trial.attempts.values()]
    done = [d for d in last if d.outcome == "done" and d.ended_at is not None]
    acted = max((d.seq for d in done if d.event.effect in ACTS or d.event.target), default=0)
    lost = [
        d
        for d in done
        if d.event.effect == "idempotent"
        and not d.event.target
        and not {*_safe_since(state, d.ended_at or 0.0), *will_be_safe}.isdisjoint(
            holds.get(d.event.resource, ())
        )
    ]
    return [d for d in lost if d.seq < acted], [d for d in lost if d.seq > acted]


def _safe_since(state: State, at: float) -> set[str]:
    later = takewhile(lambda entry: entry[0] > at, reversed(state.made_safe))
    return {made.resource for _, made in later}
