"""An order on its way, and what it needs of the runner that carries it out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.errors import DriverLost, HaganeError, Stopped
from orchestrator.model.events import ActionDispatched
from orchestrator.model.lab import Lab
from orchestrator.ports.action import ActionSpec, Cancel, Effect
from orchestrator.ports.clock import Clock
from orchestrator.ports.execution import Keep, Record

Actions = Mapping[str, Mapping[str, ActionSpec]]
"""The declarations of every resource, by resource and action."""


@dataclass
class Running:
    """An order on its way, and what its inner actions came to.

    `stops`: nothing more of it is to be sent, and `why`. `n_unbreakable` inner actions are under
    way that cannot be given up; `unanswered` ones were sent and cannot be taken back.
    """

    task: asyncio.Task[Any] | None
    cancel: Cancel
    is_spoiled: bool = False
    leaves_doubt: bool = False
    is_sent: bool = False
    stops: bool = False
    why: str = "the campaign is being stopped"
    n_unbreakable: int = 0
    unanswered: set[asyncio.Future[None]] = field(default_factory=set)
    uses: frozenset[str] = frozenset()
    lost: DriverLost | None = None

    def refuse_when_stopping(self) -> None:
        """Raises Stopped when nothing more is to be sent."""
        if self.stops:
            raise Stopped(f"it was not sent: {self.why}")

    def give_up(self, *, at_once: bool, why: str = "") -> None:
        """Ends the order as its `cancel` allows, but not before what is unanswered; `at_once`:
        whatever that says."""
        if self.is_sent and self.cancel is Cancel.NEVER and not at_once:
            return
        if not self.stops:
            self.stops, self.why = True, why or self.why
        if self.task is not None and (at_once or not (self.n_unbreakable or self.unanswered)):
            self.task.cancel()

    @contextmanager
    def acting(self, spec: ActionSpec, *, is_inner: bool) -> Iterator[None]:
        """While one of its actions is under way, itself or an inner one."""
        is_unbreakable = is_inner and spec.cancel is Cancel.NEVER
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acts = spec.effect is Effect.IRREVERSIBLE and not spec.is_composite
        if acts and spec.cancel is not Cancel.NEVER:
            self.unanswered.add(answer)
        self.n_unbreakable += is_unbreakable
        try:
            yield
        finally:
            self.n_unbreakable -= is_unbreakable
            self.unanswered.discard(answer)
            answer.set_result(None)

    async def end_unanswered(self, within_s: float) -> None:
        """Ends an order that was given up where an answer does not come so soon (wall time)."""
        _, late = await asyncio.wait(set(self.unanswered), timeout=within_s)
        if late and self.task is not None and not self.n_unbreakable:
            self.task.cancel()

    def reason(self, error: BaseException, *, was_sent: bool) -> HaganeError:
        """Why an action came to its end. One that is given up because a driver is lost failed by
        that, whatever of the two was seen first; one that was sent was given up, wherever in it
        that was."""
        if isinstance(error, HaganeError) and not isinstance(error, Stopped):
            return error
        if self.lost is not None:
            return self.lost
        if isinstance(error, Stopped) and not was_sent:
            return error
        why = f": {self.why}" if self.stops else ""
        return Stopped(f"it was given up on the way{why}")


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
