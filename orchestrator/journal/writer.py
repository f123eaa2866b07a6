"""The one writer of a campaign: a thread that commits everything queued in one transaction."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import JournalError, LeaseLost
from orchestrator.journal import chain, inbox, leases
from orchestrator.journal import rows as stored
from orchestrator.journal.chain import Head, Row
from orchestrator.journal.ledger import Ledger, Line
from orchestrator.journal.opening import Database
from orchestrator.model.events import Event, Recorded
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import Request
from orchestrator.waiting import CertainFuture, wait_uncancelled


@dataclass
class _Deed:
    """Something for the writer's thread: lines to append, or any other call."""

    loop: asyncio.AbstractEventLoop
    future: CertainFuture
    lines: Sequence[Line] = ()
    call: Callable[[], Any] | None = None

    def end(self, result: Any, error: Exception | None = None) -> None:
        try:
            self.loop.call_soon_threadsafe(self._end, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _end(self, result: Any, error: Exception | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class SqlJournal:
    """A leased journal in a database. See `orchestrator.ports.journal.Journal`.

    A cancellation that arrives while an append is being committed does not interrupt it: the
    caller gets its result, and the cancellation at its next await. So a fold that follows each
    append never misses an event.
    """

    def __init__(
        self,
        database: Database,
        campaign: str,
        *,
        token: int,
        head: Head,
        ttl_s: float,
        clock: Clock | None,
    ) -> None:
        self.campaign = campaign
        self.token = token
        self._database = database
        self._ttl_s = ttl_s
        self._work: Callable[[], AbstractContextManager[None]] = (
            clock.work if clock else nullcontext
        )
        self._ledger = Ledger(database, campaign, token, head)
        self._queue: queue.SimpleQueue[_Deed | None] = queue.SimpleQueue()
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, name=f"journal {campaign}", daemon=True)
        self._thread.start()

    @property
    def n_commits(self) -> int:
        """How many transactions have been committed for appends: each is one flush or more."""
        return self._ledger.n_commits

    def read(self, after: int = 0) -> Iterator[Recorded]:
        return stored.read(self._database, self.campaign, after)

    async def append(self, events: Sequence[Event], *, at: float) -> Sequence[Recorded]:
        if not events:
            return ()
        moment, wall = chain.stored_time(at), chain.stored_time(time.time())
        lines = [(moment, wall, chain.to_text(event)) for event in events]
        rows: Sequence[Row] = await self._do(lines=lines)
        # parsed anew: what the engine folds now is what a later one will read
        return chain.to_recorded(rows)

    async def take_requests(self) -> Sequence[Request]:
        def pending() -> list[Request]:
            with self._database.reading() as connection:
                return inbox.pending(connection, self.campaign)

        requests: Sequence[Request] = await self._do(pending)
        return requests

    async def settle(self, request: Request, answer: str) -> None:
        def settle() -> None:
            with self._database.writing() as connection:
                inbox.settle(connection, self.campaign, request.id, answer)

        await self._do(settle)

    async def renew(self) -> None:
        def renew() -> None:
            with self._database.writing() as connection:
                leases.renew(connection, self.campaign, self.token, self._ttl_s)

        await self._do(renew)

    async def close(self) -> None:
        with self._work():
            await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """As `close`, for a caller without an event loop. What is queued is written before."""
        if not self._is_open:
            return
        self._is_open = False
        self._queue.put(None)
        self._thread.join()

    async def _do(self, call: Callable[[], Any] | None = None, lines: Sequence[Line] = ()) -> Any:
        if not self._is_open:
            raise LeaseLost(f"the lease on campaign '{self.campaign}' was given back")
        loop = asyncio.get_running_loop()
        deed = _Deed(loop, CertainFuture(loop=loop), lines, call)
        with self._work():
            self._queue.put(deed)
            await wait_uncancelled(deed.future)
        return deed.future.result()

    def _serve(self) -> None:
        while self._serve_once(_drained(self._queue)):
            pass
        self._give_back()

    def _serve_once(self, deeds: Sequence[_Deed | None]) -> bool:
        appends: list[_Deed] = []
        for deed in deeds:
            if deed is not None and deed.call is None:
                appends.append(deed)
                continue
            self._append(appends)
            appends = []
            if deed is None:
                return False
            _perform(deed)
        self._append(appends)
        return True

    def _append(self, deeds: Sequence[_Deed]) -> None:
        if not deeds:
            return
        try:
            rows = self._ledger.write([line for deed in deeds for line in deed.lines])
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear it
            for deed in deeds:
                deed.end(None, error)
            return
        done = 0
        for deed in deeds:
            deed.end(rows[done : done + len(deed.lines)])
            done += len(deed.lines)

    def _give_back(self) -> None:
        try:
            with self._database.writing() as connection:
                leases.give_back(connection, self.campaign, self.token)
        except JournalError:
            return  # it cannot be written: then the lease runs out by itself


def _perform(deed: _Deed) -> None:
    assert deed.call is not None
    try:
        deed.end(deed.call())
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits must hear it
        deed.end(None, error)


def _drained(waiting: queue.SimpleQueue[_Deed | None]) -> list[_Deed | None]:
    """Everything queued; waits for the first."""
    deeds = [waiting.get()]
    while True:
        try:
            deeds.append(waiting.get_nowait())
        except queue.Empty:
            return deeds
