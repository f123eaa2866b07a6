"""How the engine has a step carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.model.events import ActionDispatched, Event
from orchestrator.ports.action import ActionSpec
from orchestrator.ports.resource import Inner, Verdict

Record = Callable[..., Awaitable[None]]
"""`await record(*events)`: durable and folded when it returns."""

Keep = Callable[[str, bytes], Awaitable[str]]
"""`await keep(name, data)`: durable in the store; gives the sha256 by which it is found."""


@dataclass(frozen=True)
class Order:
    """One top-level action to be carried out. `arguments` are in the units of the declaration."""

    ticket: str
    resource: str
    action: str
    arguments: Mapping[str, Any]
    trial: int | None = None
    step: str = ""
    attempt: int = 1
    timeout_s: float | None = None
    sample: str | None = None
    source: str = ""
    target: str = ""
    before: tuple[Event, ...] = field(default=())


class Executor(Protocol):
    """Knows the opened resources of a lab."""

    actions: Mapping[str, Mapping[str, ActionSpec]]

    async def open(self) -> None:
        """Connects and identifies every resource; records who answered.

        Raises:
            DeviceError: one is absent, is another device than before, or is held by another.
        """
        ...

    async def unfit(self) -> list[str]:
        """One sentence per resource that says it is not fit for work, or does not answer."""
        ...

    async def carry_out(self, order: Order) -> None:
        """Checks limits and interlocks, records the dispatch (with `order.before`), acts, and
        records the result or the failure, unless it goes on by itself. Raises only JournalError."""
        ...

    async def take_up(self, dispatched: ActionDispatched, timeout_s: float | None) -> None:
        """Goes on with an action that an engine before this one dispatched, under its ticket, and
        records the result or the failure. Raises only JournalError."""
        ...

    async def ask(self, dispatched: ActionDispatched) -> Verdict:
        """What a resource knows of an action; waits while it says `running`. That it was not done
        counts only where it is surely the device that it was sent to."""
        ...

    async def judge(self, dispatched: ActionDispatched, inner: Sequence[Inner]) -> Verdict:
        """What a composite makes of an action of its own in doubt, by its parts; `unknown` where
        it cannot tell."""
        ...

    async def make_safe(self, why: str, *, skip: frozenset[str] = frozenset()) -> bool:
        """Brings every resource into its safe state in the lab's order; true when all answered.

        Never raises; records what it can.
        """
        ...

    def interrupt(self, *, at_once: bool, why: str = "") -> None:
        """Gives up running actions as far as they can be cancelled; `at_once`: all of them. Else
        the answers to what was sent and cannot be taken back have a few seconds to come.

        `why` goes into what is recorded of them.
        """
        ...

    async def answered(self) -> None:
        """Waits for the answers that `interrupt` waits for."""
        ...

    async def close(self) -> None:
        """Disconnects."""
        ...
