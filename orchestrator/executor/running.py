"""An order on its way, and what it needs of the runner that carries it out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.errors import DriverLost, Stopped
from orchestrator.model.events import ActionDispatched
from orchestrator.model.lab import Lab
from orchestrator.ports.action import ActionSpec, Cancel
from orchestrator.ports.clock import Clock
from orchestrator.ports.execution import Keep, Record

Actions = Mapping[str, Mapping[str, ActionSpec]]
"""The declarations of every resource, by resource and action."""


@dataclass
class Running:
    """An order on its way, and what its inner actions came to.

    `stops`: nothing more of it is to be sent, and `why`. `n_unbreakable` inner actions are under
    way that cannot be given up.
    """

    task: asyncio.Task[Any] | None
    cancel: Cancel
    is_spoiled: bool = False
    leaves_doubt: bool = False
    is_sent: bool = False
    stops: bool = False
    why: str = "the campaign is being stopped"
    n_unbreakable: int = 0
    uses: frozenset[str] = frozenset()
    lost: DriverLost | None = None

    def refuse_when_stopping(self) -> None:
        """Raises Stopped when nothing more is to be sent."""
        if self.stops:
            raise Stopped(f"it was not sent: {self.why}")

    def give_up(self, *, at_once: bool, why: str = "") -> None:
        """Ends the order as its `cancel` allows; `at_once`: whatever that says."""
        if self.is_sent and self.cancel is Cancel.NEVER and not at_once:
            return
        if not self.stops:
            self.stops, self.why = True, why or self.why
        if self.task is not None and (at_once or not self.n_unbreakable):
            self.task.cancel()


class Carrier(Protocol):
    """What an inner dispatch asks of the runner."""

    actions: Actions
    clock: Clock
    lab: Lab
    record: Record
    keep: Keep

    async def read(self, resource: str, reading: str) -> Mapping[str, Any]:
        """A reading as telemetry: no ticket, no event."""
        ...

    async def dispatch(self, event: ActionDispatched, running: Running) -> Mapping[str, Any]:
        """Checks, records, acts, records. Raises what went wrong."""
        ...
