"""Things that are done again and again, beside the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class Schedule(Protocol):
    """Polling of readings and heartbeats. A run that is late is skipped, never heaped up."""

    def every(self, seconds: float, name: str, poll: Callable[[], Awaitable[None]]) -> None:
        """Calls `poll` every `seconds` of campaign time (but not oftener than is sensible)."""
        ...

    def close(self) -> None:
        """Ends all polling."""
        ...
