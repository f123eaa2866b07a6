"""What is recorded at once goes into the journal together, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from orchestrator.clock import WallClock
from orchestrator.engine.ledger import Ledger
from orchestrator.errors import JournalError
from orchestrator.model import events as ev
from orchestrator.ports.journal import Request


class SlowJournal:
    """Takes a moment for each append; `fails_at` is the append that fails."""

    campaign, token = "c", 1

    def __init__(self, fails_at: int = 0) -> None:
        self.appended: list[list[ev.Event]] = []
        self.fails_at = fails_at
        self.n_events = 0

    def read(self, after: int = 0) -> Iterator[ev.Recorded]:
        return iter(())

    async def append(self, events: Sequence[ev.Event], *, at: float) -> Sequence[ev.Recorded]:
        self.appended.append(list(events))
        for _ in range(3):
            await asyncio.sleep(0)
        if len(self.appended) == self.fails_at:
            raise JournalError("the disk is full")
        first = self.n_events + 1
        self.n_events += len(events)
        return [
            ev.Recorded(seq=first + k, at=at, wall=0.0, event=event)
            for k, event in enumerate(events)
        ]

    async def take_requests(self) -> Sequence[Request]:
        return ()

    async def settle(self, request: Request, answer: str) -> None: ...

    async def renew(self) -> None: ...

    async def close(self) -> None: ...


def said(k: int) -> ev.Event:
    return ev.RequestTaken(request=k, wish="pause")


def test_what_comes_while_others_are_written_goes_into_one_transaction_in_its_order() -> None:
    async def main() -> None:
        journal = SlowJournal()
        ledger = Ledger(journal, WallClock())
        told: list[int] = []

        async def record(k: int) -> None:
            await ledger.record(said(k), said(100 + k))
            assert {k, 100 + k} <= ledger.state.requests_taken
            told.append(k)

        first = asyncio.ensure_future(record(0))
        while not journal.appended:
            await asyncio.sleep(0)
        await asyncio.gather(first, *(record(k) for k in range(1, 50)))
        assert told == list(range(50))
        assert [len(events) for events in journal.appended] == [2, 98]
        written = [e.request for es in journal.appended for e in es if e.kind == "request_taken"]
        assert written == [n for k in range(50) for n in (k, 100 + k)]
        assert ledger.state.n_events == 100

    asyncio.run(main())


def test_who_recorded_with_others_learns_that_nothing_was_written() -> None:
    async def main() -> None:
        journal = SlowJournal(fails_at=2)
        ledger = Ledger(journal, WallClock())
        await ledger.record(said(0))
        ends = await asyncio.gather(
            *(ledger.record(said(k)) for k in range(1, 5)), return_exceptions=True
        )
        assert [type(end) for end in ends] == [JournalError] * 4
        assert ledger.state.requests_taken == {0}
        await ledger.record(said(9))
        assert ledger.state.requests_taken == {0, 9}

    asyncio.run(main())


def test_who_is_cancelled_while_others_write_for_it_is_told_once_it_is_written() -> None:
    async def main() -> None:
        ledger = Ledger(SlowJournal(), WallClock())
        first = asyncio.ensure_future(ledger.record(said(1)))
        second = asyncio.ensure_future(ledger.record(said(2)))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert ledger.state.requests_taken == {1, 2}
        await first

    asyncio.run(main())
