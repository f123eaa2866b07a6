"""A device is asked what became of an action; and whether its answer can be believed."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from orchestrator.errors import HaganeError, WrongDevice
from orchestrator.executor.faults import faults_of_the_driver
from orchestrator.executor.results import plain
from orchestrator.model.events import ActionDispatched, ResourceFound
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.action import Ticket
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Queryable, Recounting, Resource, Verdict

T = TypeVar("T")

ASK_AGAIN_S = (1.0, 5.0)
"""Campaign time before a device that could not be asked after a ticket is asked again: a doubt
costs more than a wire that comes back."""


async def asked(device: Resource, dispatched: ActionDispatched, clock: Clock) -> Verdict:
    """What a device knows of an action and of what it gave; waits while it says `running`."""
    name, ticket = dispatched.resource, Ticket(dispatched.ticket)
    if not isinstance(device, Queryable):
        return Verdict("unknown", "the device cannot be asked")
    while True:
        try:
            verdict = await _insisting(name, clock, "ask", functools.partial(device.ask, ticket))
        except HaganeError as error:
            return Verdict("unknown", f"it was asked, but {error}")
        if verdict.outcome != "running":
            break
        await clock.sleep(1.0)
    if verdict.outcome == "done" and not verdict.results and isinstance(device, Recounting):
        what = (dispatched.action, dispatched.arguments, ticket)
        told = functools.partial(device.results_of, *what)
        try:
            results = await _insisting(name, clock, "results_of", told)
        except HaganeError as error:
            return replace(verdict, evidence=f"{verdict.evidence}, but {error}")
        verdict = replace(verdict, results=results)
    return replace(verdict, results=plain(verdict.results))


async def _insisting(name: str, clock: Clock, what: str, ask: Callable[[], Awaitable[T]]) -> T:
    for pause_s in ASK_AGAIN_S:
        try:
            with faults_of_the_driver(name, what):
                return await ask()
        except WrongDevice:
            raise
        except HaganeError:
            await clock.sleep(pause_s)
    with faults_of_the_driver(name, what):
        return await ask()


def believed(
    verdict: Verdict,
    dispatched: ActionDispatched,
    binding: ResourceBinding,
    found: ResourceFound | None,
) -> Verdict:
    """The verdict; `unknown` where a device that knows nothing of an action may not be the one that
    it was sent to: it is reached elsewhere by now, and no serial number tells."""
    is_sure = binding.places == dispatched.places or (found is not None and found.serial)
    if verdict.outcome != "not_done" or not dispatched.places or is_sure:
        return verdict
    before, now = ", ".join(dispatched.places), ", ".join(binding.places) or "nowhere"
    evidence = (
        f"it was sent to {before}, and {binding.name} is {now} by now, where a device without a "
        f"serial number answers: {verdict.evidence}"
    )
    return Verdict("unknown", evidence)
