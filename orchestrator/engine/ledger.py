"""The journal and its fold, kept together: what is recorded is at once what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestrator.model.events import Event, Recorded
from orchestrator.model.state import State, fold
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import Journal
from orchestrator.waiting import CertainFuture

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
        self._writing: asyncio.Task[None] | None = None
        self._waiting: list[tuple[tuple[Event, ...], CertainFuture]] = []

    async def record(self, *events: Event) -> None:
        """Durable and folded when it returns. A caller that is cancelled meanwhile is told so only
        once it is known whether the events were written: what follows may depend on them.

        Raises:
            JournalError: nothing of it was written.
        """
        if not events:
            return
        written = CertainFuture(loop=asyncio.get_running_loop())
        self._waiting.append((events, written))
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        try:
            await written
        except asyncio.CancelledError:
            written.result()
            raise

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_what_waits()
        finally:
            self._writing = None

    async def _write_what_waits(self) -> None:
        """All that came while others were being written goes into one transaction: of a thousand
        results at once, each would else wait for as many flushes."""
        waiting, self._waiting = self._waiting, []
        together = [event for events, _ in waiting for event in events]
        try:
            for recorded in await self.journal.append(together, at=self.clock.now()):
                self.state.apply(recorded)
                self._tell(recorded)
        except BaseException as error:  # noqa: BLE001 - whatever it was, who waits must hear it
            for _, written in waiting:
                written.set_exception(error)
                written.exception()  # who is gone need not be told
            return
        for _, written in waiting:
            written.set_result(None)
        self.changed.set()

    def _tell(self, recorded: Recorded) -> None:
        if self._watch is None:
            return
        try:
            self._watch(recorded, self.state)
        except (Exception, SystemExit):  # noqa: BLE001 - rich ends the process on a closed pipe
            # who only looks on must not end the engine
            self._watch = None
