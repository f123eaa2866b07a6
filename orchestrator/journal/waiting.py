"""Waiting for a commit: it is not interrupted, and its result is not lost."""

from __future__ import annotations

import asyncio
from typing import Any


async def wait_uncancelled(future: asyncio.Future[Any]) -> None:
    """Waits for the future whatever happens; a cancellation is put off to the next await."""
    task = asyncio.current_task()
    was_cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            was_cancelled = True
            if task is not None:
                task.uncancel()
    if was_cancelled and task is not None:
        task.cancel()
