"""What was left in a lab: by the campaign before, and by the run before of one that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.engine.undone import ACTS, undone
from orchestrator.model.lab import Lab
from orchestrator.model.state import State, fold
from orchestrator.model.trial import TrialStatus
from orchestrator.ports.journal import CampaignRow
from orchestrator.ports.resource import ResourceKind

if TYPE_CHECKING:
    from orchestrator.journal.store import Store

_RUNNING = TrialStatus.RUNNING


def left_behind(
    store: Store, row: CampaignRow, lab: Lab, kinds: Mapping[str, ResourceKind]
) -> tuple[str, ...]:
    """Of a campaign that begins, what the last other one of the store on the same lab left there:
    samples where there is room for one alone, and what it sent and had no answer to. `kinds` are
    those of the lab's resources by name.

    Twins are another lab for each campaign, and nothing is said of a campaign that an engine runs.
    """
    devices = {name for name, kind in kinds.items() if not _is_alone(kind)}
    if row.n_events or lab.twins is not None or not devices:
        return ()
    others = [o for o in store.campaigns() if o.id != row.id and o.n_events]
    for other in sorted(others, key=lambda o: o.last_event_at, reverse=True):
        state = fold(store.read(other.id))
        if state.engine is not None and state.engine.lab_name == lab.name:
            return () if other.holder else tuple(_words(state, other.id, lab, devices))
    return ()


def _is_alone(kind: ResourceKind) -> bool:
    """Whether it computes, or waits for files: nothing of it lies about."""
    return bool(getattr(kind.cls, "computes", False) or getattr(kind.cls, "waits_alone", False))


def _words(state: State, campaign: str, lab: Lab, devices: set[str]) -> Iterator[str]:
    single = {p.name for p in lab.positions if p.slots == 1 and not p.stores_new}
    for sample in state.samples.values():
        if sample.position in single:
            yield (
                f"campaign {campaign} left sample {sample.name} at '{sample.position}', which this "
                "one takes for free: see that it is"
            )
    for ticket in state.open_tickets:
        event = state.dispatches[ticket].event
        if event.parent is None and event.effect in ACTS and event.resource in devices:
            yield (
                f"campaign {campaign} left {event.resource}.{event.action} of trial {event.trial} "
                f"without a result (`hagane doubts {campaign}`): see what became of it"
            )


def lost_since(state: State, lab: Lab) -> Iterator[str]:
    """Of a campaign that goes on, what a trial under way had set before something was done that
    cannot be done once more, and what was made safe since, or will be before the trial goes on.
    What was set afterwards is set again."""
    holds = {b.name: {b.name, *b.parts.values()} for b in lab.resources}
    bound = lab.resources if state.engine_is_up else ()
    will_be = {b.name for b in bound if b.on_restart == "make_safe"}
    for trial in state.live_trials():
        lost = undone(state, trial, holds, will_be)[0] if trial.status is _RUNNING else []
        for order in (dispatch.event for dispatch in lost):
            yield (
                f"trial {trial.number} goes on after its step '{order.step}', and {order.resource} "
                "is made safe meanwhile: if what was set there is lost, what it gives is wrong "
                f"(`hagane invalidate {trial.number}` then)"
            )
