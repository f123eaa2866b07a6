"""Waiting for a state in a test, for so long and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for a state; so many seconds of wall time without it are a failure."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.002)
