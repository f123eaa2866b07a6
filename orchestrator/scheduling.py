"""Polling behind one door: APScheduler with its memory store, or the virtual clock itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from orchestrator.clock import VirtualClock

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

SHORTEST_WALL_S = 0.05
"""No poll is repeated faster than this, however fast campaign time runs."""


class WallSchedule:
    """Polls on wall time; campaign seconds are divided by the clock's speed."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._scheduler: AsyncIOScheduler | None = None

    def every(self, seconds: float, name: str, poll: Callable[[], Awaitable[None]]) -> None:
        """See `ports.schedule`."""
        if self._scheduler is None:
            from apscheduler.schedulers.asyncio import AsyncIOScheduler

            # that a late poll is skipped is no news, and would spoil the progress display
            logging.getLogger("apscheduler").setLevel(logging.ERROR)
            self._scheduler = AsyncIOScheduler(timezone="UTC")
            self._scheduler.start()

        async def until_closed() -> None:
            # a poll that is cut off by `close` is no error
            with contextlib.suppress(asyncio.CancelledError):
                await poll()

        self._scheduler.add_job(
            until_closed,
            "interval",
            seconds=max(SHORTEST_WALL_S, seconds / self._speed),
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=1,
        )

    def close(self) -> None:
        """See `ports.schedule`."""
        if self._scheduler is not None:
            # one that is cut off before its first step would be reported with its traceback
            logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
            self._scheduler.shutdown(wait=False)
            self._scheduler = None


class VirtualSchedule:
    """Polls in passing, as a virtual clock jumps."""

    def __init__(self, clock: VirtualClock, shortest_s: float = 30.0) -> None:
        self._clock = clock
        self._shortest_s = shortest_s
        self._running: list[asyncio.Task[None]] = []

    def every(self, seconds: float, name: str, poll: Callable[[], Awaitable[None]]) -> None:
        """See `ports.schedule`; at most every `shortest_s`, since each poll stops a jump."""

        async def repeat() -> None:
            while True:
                await self._clock.doze(max(seconds, self._shortest_s))
                await poll()

        self._running.append(asyncio.get_running_loop().create_task(repeat(), name=name))

    def close(self) -> None:
        """See `ports.schedule`."""
        for running in self._running:
            running.cancel()
        self._running.clear()
