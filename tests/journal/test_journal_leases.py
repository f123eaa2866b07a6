"""Who may write a campaign when processes die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from journal_samples import PostgresServer, done, start_child

from orchestrator.errors import LeaseHeld, LeaseLost
from orchestrator.journal import Store, open_store

HOLD = """
import sys
from orchestrator.journal import open_store
journal = open_store(sys.argv[1]).lease(sys.argv[2], "child", ttl_s=3600)
print(journal.token, flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, sqlite_path: Path) -> str:
    if request.param == "sqlite":
        return str(sqlite_path)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    store = open_store(where)
    yield store
    store.close()


def test_a_campaign_is_taken_over_from_a_killed_engine_and_not_from_a_living_one(
    where: str, store: Store
) -> None:
    campaign = store.create("films", "a").id
    child = start_child(HOLD, where, campaign)
    try:
        assert child.stdout is not None
        token = int(child.stdout.readline())
        with pytest.raises(LeaseHeld, match=f"child.*{child.pid}"):
            store.lease(campaign, "me")
    finally:
        child.kill()
        child.communicate()
    assert store.holder(campaign) is None
    journal = store.lease(campaign, "me")
    assert journal.token > token


def test_a_killed_engine_that_nobody_has_waited_for_is_dead(where: str, store: Store) -> None:
    campaign = store.create("films", "a").id
    child = start_child(HOLD, where, campaign)
    assert child.stdout is not None
    child.stdout.readline()
    os.kill(child.pid, 9)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    try:
        store.lease(campaign, "me")
    finally:
        child.communicate()


@contextlib.contextmanager
def held_by_a_child(path: Path, campaign: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a campaign's lease; it is killed at the end."""
    child = start_child(HOLD, str(path), campaign)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
    finally:
        child.kill()
        child.communicate()


def test_a_clock_that_is_set_ahead_takes_no_lease_from_a_living_engine(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    campaign = sqlite_store.create("films", "a").id
    with held_by_a_child(sqlite_path, campaign) as child:
        edit_lease(sqlite_path, "expires_at = expires_at - 3 * 3600")
        with pytest.raises(LeaseHeld, match=f"child.*{child.pid}") as held:
            sqlite_store.lease(campaign, "me")
        assert held.value.hint is not None
        assert f"if it hangs, `kill -9 {child.pid}`" in held.value.hint
        assert sqlite_store.holder(campaign) is not None
        [row] = sqlite_store.campaigns()
        assert str(child.pid) in row.holder
    sqlite_store.lease(campaign, "me")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_an_engine_that_is_stopped_by_ctrl_z_is_said_to_be(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    campaign = sqlite_store.create("films", "a").id
    with held_by_a_child(sqlite_path, campaign) as child:
        assert not sqlite_store.campaigns()[0].is_stopped
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        assert sqlite_store.campaigns()[0].is_stopped
        with pytest.raises(LeaseHeld, match=f"child.*{child.pid}") as held:
            sqlite_store.lease(campaign, "me")
        assert f"it is stopped (Ctrl-Z): `kill -CONT {child.pid}`" in held.value.hint


def edit_lease(path: Path, change: str) -> None:
    with closing(sqlite3.connect(path)) as outside, outside:
        outside.execute(f"UPDATE leases SET {change}")
    outside.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_a_process_id_that_was_used_again_does_not_look_alive(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    campaign = sqlite_store.create("films", "a").id
    sqlite_store.lease(campaign, "before", ttl_s=3600)
    with pytest.raises(LeaseHeld):
        sqlite_store.lease(campaign, "me")
    edit_lease(sqlite_path, "started = '1'")
    sqlite_store.lease(campaign, "me")


@pytest.mark.parametrize("change", ["host = 'elsewhere'", "boot = 'another boot'", "boot = ''"])
def test_an_engine_on_another_host_counts_as_alive_until_its_lease_runs_out(
    sqlite_store: Store, sqlite_path: Path, change: str
) -> None:
    campaign = sqlite_store.create("films", "a").id
    sqlite_store.lease(campaign, "far", ttl_s=3600)
    edit_lease(sqlite_path, f"{change}, pid = 4194304")
    with pytest.raises(LeaseHeld, match=r"far .*4194304"):
        sqlite_store.lease(campaign, "me")
    edit_lease(sqlite_path, "expires_at = expires_at - 3601")
    sqlite_store.lease(campaign, "me")


def test_a_renewed_lease_is_not_taken_over(sqlite_store: Store, sqlite_path: Path) -> None:
    async def run() -> None:
        campaign = sqlite_store.create("films", "a").id
        journal = sqlite_store.lease(campaign, "first", ttl_s=3600)
        edit_lease(sqlite_path, "expires_at = 0")
        assert sqlite_store.holder(campaign) is None
        await journal.renew()
        with pytest.raises(LeaseHeld):
            sqlite_store.lease(campaign, "second")

    asyncio.run(run())


def test_what_was_queued_when_the_lease_went_is_refused_as_a_whole(
    where: str, store: Store
) -> None:
    async def run() -> None:
        campaign = store.create("films", "a").id
        old = store.lease(campaign, "old", ttl_s=0.0)
        await old.append([done(1)], at=0.0)
        beside = open_store(where)
        beside.lease(campaign, "new")
        results = await asyncio.gather(
            *(old.append([done(n)], at=0.0) for n in range(20)), return_exceptions=True
        )
        assert {type(result) for result in results} == {LeaseLost}
        assert "new" in str(results[0])
        assert store.verify(campaign) == 1
        beside.close()

    asyncio.run(run())
