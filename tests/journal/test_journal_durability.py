"""What is acknowledged is there, whatever happens; what is refused is not."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from journal_samples import PostgresServer, done, start_child
from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPICursor

from orchestrator.errors import Exit, JournalError, JournalFull, LeaseLost
from orchestrator.journal import Store, open_store
from orchestrator.journal.chain import to_text
from orchestrator.journal.ledger import Ledger
from orchestrator.journal.opening import Database, open_database
from orchestrator.journal.rows import fetch
from orchestrator.journal.sql import SqlStore
from orchestrator.model import events as ev

APPEND_FOREVER = """
import asyncio, sys
from orchestrator.journal import open_store
from orchestrator.model.events import ActionDone

async def main():
    store = open_store(sys.argv[1])
    journal = store.lease(sys.argv[2], "child")
    async def append(k):
        pair = [ActionDone(ticket=str(k), results={"by": k})] * 2
        while True:
            for entry in await journal.append(pair, at=0):
                print(entry.seq, entry.hash, flush=True)
    await asyncio.gather(*(append(k) for k in range(4)))

asyncio.run(main())
"""


@pytest.mark.parametrize("n_lines", [1, 2, 7, 40, 300])
def test_everything_a_killed_engine_was_told_is_written_is_there(
    sqlite_store: Store, sqlite_path: Path, n_lines: int
) -> None:
    campaign = sqlite_store.create("films", "a").id
    child = start_child(APPEND_FOREVER, str(sqlite_path), campaign)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(n_lines)]
    child.kill()
    lines += child.communicate()[0].splitlines()
    told = dict(line.split() for line in lines if len(line.split()) == 2 and len(line) > 64)
    stored = {str(entry.seq): entry.hash for entry in sqlite_store.read(campaign)}
    told = {seq: digest for seq, digest in told.items() if len(digest) == 64}
    assert len(told) >= n_lines
    assert told.items() <= stored.items()
    assert len(stored) % 2 == 0  # a pair is all or none

    async def go_on() -> None:
        journal = sqlite_store.lease(campaign, "me")
        (recorded,) = await journal.append([done(1)], at=0.0)
        assert recorded.seq == len(stored) + 1
        assert sqlite_store.verify(campaign) == recorded.seq

    asyncio.run(go_on())


def test_a_full_disk_refuses_and_loses_nothing(sqlite_path: Path) -> None:
    database = open_database(sqlite_path)
    limit = {"pages": 0}

    @event.listens_for(database.engine, "checkout")
    def _limit(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        # SQLite never goes below what the file has already, which it knows once it has looked
        connection.execute("SELECT count(*) FROM sqlite_master")
        connection.execute(f"PRAGMA max_page_count={limit['pages'] or 2**30}")

    store = SqlStore(database)

    async def run() -> None:
        journal = store.lease(store.create("films", "a").id, "me")
        kept = [e.seq for e in await journal.append([done(1)], at=0.0)]
        limit["pages"] = 1
        big = [journal.append([done(n, size=20_000)], at=0.0) for n in range(8)]
        refused = await asyncio.gather(*big, return_exceptions=True)
        assert {type(error) for error in refused} == {JournalFull}
        error = refused[0]
        assert isinstance(error, JournalFull)
        assert "full" in str(error)
        assert str(sqlite_path) in str(error)
        assert error.exit_code == Exit.ENVIRONMENT
        assert [e.seq for e in store.read(journal.campaign)] == kept
        limit["pages"] = 0
        assert [e.seq for e in await journal.append([done(2)], at=0.0)] == [2]
        assert store.verify(journal.campaign) == 2
        await journal.close()

    asyncio.run(run())
    store.close()


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a disk, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_an_export_onto_a_full_disk_names_its_file_and_leaves_none(tmp_path: Path) -> None:
    async def run(disk: Path) -> None:
        store = open_store(tmp_path / "store.sqlite")
        journal = store.lease(store.create("films", "a").id, "me")
        await journal.append([done(1)], at=0.0)
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 480_000)
        with pytest.raises(JournalError) as refused:
            store.export(journal.campaign, disk / "films.sqlite")
        said = f"the disk of {disk}/films.sqlite is full (database or disk is full)"
        assert str(refused.value) == said
        assert refused.value.hint == "free some space, or name a file elsewhere"
        assert list(disk.iterdir()) == [ballast]
        store.close()

    with tiny_disk(tmp_path / "disk") as disk:
        asyncio.run(run(disk))


def test_a_disk_that_fills_up_and_is_cleared_again(tmp_path: Path) -> None:
    async def run(disk: Path) -> None:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 150_000)
        store = open_store(disk / "store.sqlite")
        journal = store.lease(store.create("films", "a").id, "me")
        n_kept = 0

        async def append_until_full() -> None:
            nonlocal n_kept
            while n_kept < 1000:
                await journal.append([done(n_kept, size=5000)], at=0.0)
                n_kept += 1

        with pytest.raises(JournalFull, match="full"):
            await append_until_full()
        assert n_kept > 0
        for _ in range(3):
            with pytest.raises(JournalFull):
                await journal.append([done(0, size=100_000)], at=0.0)
        assert store.verify(journal.campaign) == n_kept
        with pytest.raises(JournalFull):
            store.put_artifact(journal.campaign, b"x" * 2_000_000, "picture.raw")
        assert not list(disk.glob("store.sqlite.artifacts/*/.*"))
        assert await journal.take_requests() == []
        ballast.unlink()
        (recorded,) = await journal.append([done(n_kept)], at=0.0)
        assert recorded.seq == n_kept + 1
        assert store.verify(journal.campaign) == n_kept + 1
        await journal.close()
        store.close()

    with tiny_disk(tmp_path / "disk") as disk:
        asyncio.run(run(disk))


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_a_store_whose_log_is_deleted_takes_no_more_events_and_keeps_those_it_has(
    tmp_path: Path, end: str
) -> None:
    path = tmp_path / "store.sqlite"

    async def run() -> str:
        store = open_store(path)
        journal = store.lease(store.create("films", "a").id, "me")
        for n in (1, 2):
            await journal.append([done(n)], at=0.0)
        path.with_name(f"store.sqlite{end}").unlink()
        for _ in range(2):
            with pytest.raises(JournalFull, match="was deleted or replaced"):
                await journal.append([done(3)], at=0.0)
        await journal.close()
        store.close()
        return journal.campaign

    campaign = asyncio.run(run())
    store = open_store(path)
    assert store.verify(campaign) == 2
    store.close()


def test_a_store_that_is_moved_away_under_the_engine_takes_no_more_events(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    async def run() -> None:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        await journal.append([done(1)], at=0.0)
        elsewhere = sqlite_path.with_name("moved.sqlite")
        sqlite_path.rename(elsewhere)
        with pytest.raises(JournalFull, match="moved, deleted or replaced"):
            await journal.append([done(2)], at=0.0)
        sqlite_path.touch()
        with pytest.raises(JournalFull, match="moved, deleted or replaced"):
            await journal.append([done(2)], at=0.0)
        elsewhere.rename(sqlite_path)
        assert [e.seq for e in await journal.append([done(2)], at=0.0)] == [2]
        assert sqlite_store.verify(journal.campaign) == 2

    asyncio.run(run())


def test_a_server_that_goes_away_refuses_and_goes_on_when_it_is_back(
    postgres_server: PostgresServer,
) -> None:
    store = open_store(postgres_server.new_database())

    async def run() -> None:
        journal = store.lease(store.create("films", "a").id, "me")
        await journal.append([done(1)], at=0.0)
        postgres_server.stop()
        try:
            for _ in range(2):
                with pytest.raises(JournalFull) as caught:
                    await journal.append([done(2)], at=0.0)
                assert "\n" not in str(caught.value)
        finally:
            postgres_server.start()
        assert [e.seq for e in await journal.append([done(3)], at=0.0)] == [2]
        assert store.verify(journal.campaign) == 2
        await journal.close()

    asyncio.run(run())
    store.close()


@dataclass(frozen=True)
class BreakingDatabase(Database):
    """Breaks the connection when told: `faults` has "before" or "after" the next commits."""

    faults: list[str] = field(default_factory=list)

    @contextmanager
    def _breaking(self, transaction: AbstractContextManager[Any]) -> Iterator[Any]:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise JournalFull("the connection broke")
        with transaction as way:
            yield way
        if fault == "after":
            raise JournalFull("the connection broke")

    def writing(self) -> AbstractContextManager[Connection]:
        return self._breaking(super().writing())

    def appending(self) -> AbstractContextManager[DBAPICursor]:
        return self._breaking(super().appending())


@pytest.fixture
def breaking(sqlite_path: Path) -> Iterator[tuple[BreakingDatabase, Ledger]]:
    store = open_store(sqlite_path)
    campaign = store.create("films", "a").id
    database = BreakingDatabase(open_database(sqlite_path).engine, str(sqlite_path), sqlite_path)
    head, _ = fetch(database, campaign, 1, 1)
    yield database, Ledger(database, campaign, 0, head)
    database.engine.dispose()
    store.close()


LINE = (0.0, 0.0, to_text(done(1)))


def test_a_commit_whose_acknowledgement_was_lost_counts(
    breaking: tuple[BreakingDatabase, Ledger],
) -> None:
    database, ledger = breaking
    database.faults[:] = ["after"]
    assert [row.seq for row in ledger.write([LINE])] == [1]
    assert [row.seq for row in ledger.write([LINE])] == [2]


def test_a_commit_that_broke_before_it_was_made_may_be_made_again(
    breaking: tuple[BreakingDatabase, Ledger],
) -> None:
    database, ledger = breaking
    database.faults[:] = ["before", "before"]
    with pytest.raises(JournalFull):
        ledger.write([LINE])
    assert [row.seq for row in ledger.write([LINE])] == [1]


def test_an_engine_that_was_told_wrongly_that_nothing_was_written_must_start_anew(
    breaking: tuple[BreakingDatabase, Ledger],
) -> None:
    database, ledger = breaking
    database.faults[:] = ["after", "before"]
    with pytest.raises(JournalFull):
        ledger.write([LINE])
    for _ in range(2):
        with pytest.raises(LeaseLost, match="reported"):
            ledger.write([LINE])


def test_what_is_queued_while_the_disk_is_busy_is_committed_at_once(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    assert isinstance(sqlite_store, SqlStore)

    async def run() -> None:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            appends = [asyncio.ensure_future(journal.append([done(n)], at=0.0)) for n in range(50)]
            await asyncio.sleep(0.05)
            assert not any(append.done() for append in appends)
            other.execute("COMMIT")
            recorded = await asyncio.gather(*appends)
        assert [entries[0].seq for entries in recorded] == list(range(1, 51))
        # the first may have been taken alone
        assert journal.n_commits <= 2
        await journal.append([done(1), done(2)], at=0.0)
        assert journal.n_commits <= 3

    asyncio.run(run())


def test_a_reader_that_stops_half_way_holds_nobody_up(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    async def run() -> None:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        await journal.append([done(n) for n in range(2500)], at=0.0)
        reader = open_store(sqlite_path)
        half_read = reader.read(journal.campaign)
        assert next(half_read).seq == 1
        for n in range(20):
            await journal.append([done(n)], at=0.0)
        with closing(sqlite3.connect(sqlite_path)) as other:
            busy, in_wal, moved = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert (busy, in_wal, moved) == (0, 0, 0)
        assert [entry.seq for entry in half_read][-1] == 2520
        reader.close()

    asyncio.run(run())


ASK_OFTEN = """
import sys
from orchestrator.journal import open_store
store = open_store(sys.argv[1])
for n in range(100):
    print(store.request(sys.argv[2], "observe", {"n": n}, "child"))
    store.campaigns()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_requests_of_other_processes_and_appends_do_not_disturb_each_other(
    request: pytest.FixtureRequest, sqlite_path: Path, kind: str
) -> None:
    where = str(sqlite_path)
    if kind == "postgresql":
        where = request.getfixturevalue("postgres_server").new_database()
    store = open_store(where)

    async def run() -> None:
        journal = store.lease(store.create("films", "a").id, "me")
        askers = [start_child(ASK_OFTEN, where, journal.campaign) for _ in range(2)]
        ends = asyncio.gather(*(asyncio.to_thread(asker.communicate) for asker in askers))
        n = 0
        while not ends.done():
            await journal.append([done(n)], at=0.0)
            n += 1
            for wish in await journal.take_requests():
                taken = ev.RequestTaken(request=wish.id, wish=wish.kind, payload={}, by=wish.by)
                await journal.append([taken], at=0.0)
                await journal.settle(wish, "noted")
        asked = [int(line) for out, _ in await ends for line in out.split()]
        for wish in await journal.take_requests():
            await journal.settle(wish, "noted")
        assert len(set(asked)) == 200
        assert [asker.returncode for asker in askers] == [0, 0]
        assert {store.answer(number) for number in asked} == {"noted"}
        assert store.verify(journal.campaign) >= n

    asyncio.run(run())
    store.close()
