"""Waiting for what must be known: it is not interrupted, and its result is not lost."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any


class CertainFuture(asyncio.Future[Any]):
    """A future whose end is waited for whatever happens: a task that is cancelled meanwhile is
    told so when the future is done, and not before.

    As cheap to await as any other, which `asyncio.wait` and `asyncio.shield` are not.
    """

    def cancel(self, msg: Any = None) -> bool:
        """Cancels nothing; the task that awaits it gets its cancellation afterwards."""
        return False


async def wait_uncancelled(future: CertainFuture) -> None:
    """Waits for the future whatever happens; a cancellation is put off to the next await.

    What came of it, a result or an error, is asked of the future afterwards.
    """
    task = asyncio.current_task()
    try:
        with contextlib.suppress(Exception):
            await future
    except asyncio.CancelledError:
        if task is not None:
            task.uncancel()
            task.cancel()
