"""A device is asked what became of an action; and whether its answer can be believed."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.errors import HaganeError, WrongDevice
from orchestrator.executor.faults import faults_of_the_driver
from orchestrator.executor.results import plain
from orchestrator.model.events import ActionDispatched, ResourceFound
from orchestrator.model.lab import ResourceBinding
from orchestrator.ports.action import Ticket
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Queryable, Resource, Verdict

ASK_AGAIN_S = (1.0, 5.0)
"""Campaign time before a device that could not be asked after a ticket is asked again: a doubt
costs more than a wire that comes back."""


async def asked(device: Resource, name: str, ticket: str, clock: Clock) -> Verdict:
    """What a device knows of a ticket; waits while it says `running`."""
    if not isinstance(device, Queryable):
        return Verdict("unknown", "the device cannot be asked")
    pauses_s = iter(ASK_AGAIN_S)
    while True:
        try:
            with faults_of_the_driver(name, "ask"):
                verdict = await device.ask(Ticket(ticket))
        except HaganeError as error:
            pause_s = next(pauses_s, None)
            if pause_s is None or isinstance(error, WrongDevice):
                return Verdict("unknown", f"it was asked, but {error}")
            await clock.sleep(pause_s)
            continue
        if verdict.outcome != "running":
            return replace(verdict, results=plain(verdict.results))
        pauses_s = iter(ASK_AGAIN_S)
        await clock.sleep(1.0)


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
