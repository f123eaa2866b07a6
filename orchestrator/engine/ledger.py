"""The journal and its fold, kept together: what is recorded is at once what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestrator.model.events import Event, Recorded
from orchestrator.model.state import State, fold
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import Journal

Watch = Callable[[Recorded, State], None]
"""Told of every event after it was folded (a progress line, a page)."""


class Ledger:
    """Appends events durably and folds them, in one order.

    `changed` is set after every append.
    """

    def __init__(self, journal: Journal, clock: Clock, watch: Watch | None = None) -> None:
        self.journal = journal
        self.clock = clock
        self.state = fold(journal.read())
        self.changed = asyncio.Event()
        self._watch = watch
        self._order = asyncio.Lock()

    async def record(self, *events: Event) -> None:
        """Durable and folded when it returns. A caller that is cancelled meanwhile is told so only
        once it is known whether the events were written: what follows may depend on them.

        Raises:
            JournalError: nothing of it was written.
        """
        if not events:
            return
        recording = asyncio.ensure_future(self._record(events))
        cancelled: asyncio.CancelledError | None = None
        while not recording.done():
            try:
                await asyncio.wait([recording])
            except asyncio.CancelledError as error:
                cancelled = error
        recording.result()
        if cancelled is not None:
            raise cancelled

    async def _record(self, events: tuple[Event, ...]) -> None:
        async with self._order:
            for recorded in await self.journal.append(events, at=self.clock.now()):
                self.state.apply(recorded)
                self._tell(recorded)
        self.changed.set()

    def _tell(self, recorded: Recorded) -> None:
        if self._watch is None:
            return
        try:
            self._watch(recorded, self.state)
        except (Exception, SystemExit):  # noqa: BLE001 - rich ends the process on a closed pipe
            # who only looks on must not end the engine
            self._watch = None
