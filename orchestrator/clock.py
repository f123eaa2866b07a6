"""Campaign time: wall, scaled or virtual.

Ramps, holds and step deadlines run on campaign time (`now`, `sleep`); wire time-outs and watchdogs
run on wall time (plain asyncio time-outs). A virtual clock stands still while real work is
outstanding (`with clock.work(): ...`) and jumps to the next sleeper when everything waits.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def _even_seconds() -> float:
    """Seconds that nobody sets, with those in which the computer slept where the system counts them
    apart (Linux)."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class WallClock:
    """Campaign time is wall time: seconds since the epoch, as they were when it was made.

    It goes on evenly when somebody sets the computer's clock: a ramp that is walked by it would
    else leap, or go backwards. While the computer sleeps it goes on too: a film cools meanwhile.
    """

    speed: float = 1.0

    def __init__(self, since_epoch: float | None = None) -> None:
        """`since_epoch` is that of a clock in another process of this computer, to go with it."""
        self.since_epoch = time.time() - _even_seconds() if since_epoch is None else since_epoch

    def now(self) -> float:
        """Campaign time in seconds."""
        return self.since_epoch + _even_seconds()

    def start_at(self, seconds: float) -> None:
        """Goes on by itself, but never from before `seconds` (a resumed campaign's last event): the
        computer's clock may have been set back since then."""
        self.since_epoch += max(0.0, seconds - self.now())

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds` of campaign time."""
        await asyncio.sleep(max(0.0, seconds))

    @contextmanager
    def work(self) -> Iterator[None]:
        """Marks real work during which a virtual clock stands still; no effect here."""
        yield

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Runs `main` to its end on an event loop that fits this clock."""
        return asyncio.run(main)


class ScaledClock(WallClock):
    """Campaign time runs `speed` times faster than wall time, from `start` seconds on."""

    def __init__(self, speed: float, start: float = 0.0) -> None:
        self.speed = speed
        self.start_at(start)

    def start_at(self, seconds: float) -> None:
        """Lets campaign time go on from `seconds` (a resumed campaign's last event)."""
        self._start = seconds
        self._origin = time.monotonic()

    def now(self) -> float:
        return self._start + (time.monotonic() - self._origin) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


class VirtualClock:
    """Campaign time that jumps: all sleepers wait in a heap, and time moves when all is waiting.

    Who only looks in now and then (`doze`) is woken in passing, but does not make time move: when
    nobody else sleeps, nothing will ever happen by itself, and time stands still.

    Only works on the event loop made by `run`: that loop knows when nothing is left to do.
    """

    speed: float = float("inf")

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._outstanding = 0
        self._count = 0
        self._asleep = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def start_at(self, seconds: float) -> None:
        """Lets campaign time go on from `seconds`; before anyone sleeps."""
        self._now = seconds

    def now(self) -> float:
        """Campaign time in seconds."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds` of campaign time; zero yields once to the others."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._asleep += 1
        try:
            await self.doze(seconds)
        finally:
            self._asleep -= 1

    async def doze(self, seconds: float) -> None:
        """Waits until others have let `seconds` of campaign time pass."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, future))
        await future

    @contextmanager
    def work(self) -> Iterator[None]:
        """Real work is outstanding (a commit, a fit, a child process): time stands still."""
        self._outstanding += 1
        try:
            yield
        finally:
            self._outstanding -= 1

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Runs `main` on a loop whose idle moments move this clock; time goes on from before."""
        self._sleepers.clear()
        self._asleep = self._outstanding = 0
        with asyncio.Runner(loop_factory=lambda: _jumping_loop(self.jump)) as runner:
            return runner.run(main)

    def jump(self) -> bool:
        """Moves to the next sleeper and wakes it; false when it must not or cannot."""
        if self._outstanding or not self._asleep:
            return False
        while self._sleepers:
            due, _, future = heapq.heappop(self._sleepers)
            if future.done():
                continue
            self._now = max(self._now, due)
            future.set_result(None)
            return True
        return False


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that moves a virtual clock in the moment in which the loop would block."""

    def __init__(self, jump: Callable[[], bool]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._jump():
            return []
        return super().select(timeout)


def _jumping_loop(jump: Callable[[], bool]) -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(_JumpingSelector(jump))
