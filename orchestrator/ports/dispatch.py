"""How a composite acts: every inner action has a sub-ticket, limits, interlocks, an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from orchestrator.ports.clock import Clock


class Dispatch(Protocol):
    """Given to a composite's action. Nothing physical hides inside `deposit`."""

    clock: Clock

    async def __call__(self, part: str, action: str, /, **arguments: Any) -> Mapping[str, Any]:
        """Dispatches an action of a part, in the units of its declaration, and gives its results.

        Raises:
            SafetyStop: a limit or an interlock forbids it.
            DeviceError: the part failed.
        """
        ...

    async def look(self, part: str, reading: str, /) -> Mapping[str, Any]:
        """A reading of a part as telemetry, for what is read too often to be an event each.

        Raises:
            DeviceError: the part failed.
        """
        ...

    async def keep(self, name: str, text: str, /) -> None:
        """Keeps a text with the sample, named as a file: an artifact that an event tells of.

        Raises:
            JournalError: it cannot be stored.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits campaign time; gives up when the campaign is being stopped."""
        ...

    async def until(
        self,
        part: str,
        reading: str,
        value: str,
        low: float,
        high: float,
        *,
        hold_s: float,
        timeout_s: float,
        every_s: float = 1.0,
    ) -> float:
        """Polls `part.reading` until its `value` stayed within [low, high] for `hold_s` seconds
        of campaign time. Gives the last value. These polls are telemetry, not journal events;
        one event records the outcome.

        Raises:
            StepTimeout: it did not come to rest in `timeout_s`.
        """
        ...
