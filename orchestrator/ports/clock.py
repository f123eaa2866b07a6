"""Campaign time, as everything below the engine sees it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Clock(Protocol):
    """Passed in, never taken from the air. See `orchestrator.clock` for the three that exist."""

    speed: float

    def now(self) -> float:
        """Campaign time in seconds; only differences and order mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds` of campaign time."""
        ...

    def work(self) -> AbstractContextManager[None]:
        """Marks real work (a commit, a fit, a child process): virtual time stands still."""
        ...
