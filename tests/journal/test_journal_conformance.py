"""What every store promises, whichever way it keeps its campaigns."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_samples import done, generated_events, texts

from orchestrator.clock import VirtualClock
from orchestrator.errors import InputError, LeaseHeld, LeaseLost, UnknownName
from orchestrator.journal import LeasedJournal, Store, open_store
from orchestrator.model import events as ev


def leased(store: Store, name: str = "films") -> LeasedJournal:
    return store.lease(store.create(name, "hash").id, "the test")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(generated_events, max_size=3), max_size=4))
def test_events_are_read_back_as_they_were_recorded(
    store: Store, batches: list[list[ev.Event]]
) -> None:
    async def append_all() -> list[ev.Recorded]:
        journal = leased(store)
        recorded: list[ev.Recorded] = []
        for i, batch in enumerate(batches):
            recorded += await journal.append(batch, at=float(i))
        assert texts(journal.read()) == texts(recorded)
        return recorded

    recorded = asyncio.run(append_all())
    given_events = [event.model_dump_json() for batch in batches for event in batch]
    assert [entry.event.model_dump_json() for entry in recorded] == given_events
    assert [entry.seq for entry in recorded] == list(range(1, len(recorded) + 1))
    row = store.campaigns()[-1]
    assert store.verify(row.id) == row.n_events == len(recorded)


def test_what_append_gives_back_is_what_a_later_engine_will_read(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)
        event = ev.ActionDone(ticket="t", results={"pair": (1, 2.0), "inf": float("inf")})
        (recorded,) = await journal.append([event], at=1.5)
        assert isinstance(recorded.event, ev.ActionDone)
        assert recorded.event.results == {"pair": [1, 2.0], "inf": float("inf")}
        assert list(journal.read()) == [recorded]

    asyncio.run(run())


def test_reading_can_start_anywhere(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)
        await journal.append([done(n) for n in range(1, 4302)], at=0.0)
        for after in (0, 1, 1999, 2000, 2001, 4000, 4300, 4301, 9000):
            seqs = [entry.seq for entry in journal.read(after)]
            assert seqs == list(range(after + 1, 4302))

    asyncio.run(run())


def test_appends_at_the_same_time_form_one_chain(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)

        async def append_some(k: int) -> list[int]:
            found = []
            for n in range(20):
                recorded = await journal.append([done(k), done(n)], at=0.0)
                found += [entry.seq for entry in recorded]
                assert found[-1] == found[-2] + 1
            return found

        found = await asyncio.gather(*(append_some(k) for k in range(8)))
        assert sorted(seq for seqs in found for seq in seqs) == list(range(1, 321))
        assert store.verify(journal.campaign) == 320

    asyncio.run(run())


def test_appending_nothing_gives_nothing(store: Store) -> None:
    async def run() -> None:
        assert list(await leased(store).append([], at=0.0)) == []

    asyncio.run(run())


def test_a_time_that_is_not_finite_is_refused(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)
        with pytest.raises(ValueError, match="finite"):
            await journal.append([done(1)], at=float("nan"))
        assert list(journal.read()) == []

    asyncio.run(run())


def test_campaigns_are_found_by_name_file_and_start_of_an_id(store: Store) -> None:
    first = store.create("Nb:TiO2 films", "a")
    second = store.create("Nb:TiO2 films", "b")
    other = store.create("alloys", "c")
    assert [row.id for row in store.campaigns()] == [first.id, second.id, other.id]
    assert store.find("Nb:TiO2 films") == second
    assert store.find("Nb:TiO2 films", "a") == first
    assert store.find(first.id) == first
    assert store.find(other.id[:-2]) == other
    assert store.find("nb-tio2") == second
    assert store.find("alloys", "a") is None
    assert store.find("steels") is None
    assert store.find("") is None


def test_the_newest_campaign_is_the_last_that_was_created_whatever_the_clock_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = time.time()
    created = []
    for hours in (24, 0, -24):
        monkeypatch.setattr(time, "time", lambda now=moment + 3600.0 * hours: now)
        created.append(store.create("films", "a"))
    assert [row.id for row in store.campaigns()] == [row.id for row in created]
    assert store.find("films") == created[-1]


def test_a_start_of_an_id_that_fits_several_names_is_refused_with_the_ids(store: Store) -> None:
    rows = [store.create("film thick", "a"), store.create("film thin", "a")]
    with pytest.raises(InputError) as caught:
        store.find("film-thi")
    assert all(row.id in str(caught.value) for row in rows)


def test_a_campaign_that_does_not_exist_is_named(store: Store, tmp_path: Path) -> None:
    known = store.create("films", "a")
    for call in (
        lambda: store.lease("film", "me"),
        lambda: list(store.read("film")),
        lambda: store.verify("film"),
        lambda: store.holder("film"),
        lambda: store.request("film", "pause", {}, "me"),
        lambda: store.pending_requests("film"),
        lambda: store.put_artifact("film", b"", "n"),
        lambda: store.artifacts("film"),
        lambda: store.export("film", tmp_path / "out.sqlite"),
    ):
        with pytest.raises(UnknownName, match="'film' is not a campaign") as caught:
            call()
        assert known.id in caught.value.hint
    assert list(tmp_path.glob("out*")) == []


def test_a_second_engine_is_refused_and_told_who_runs_the_campaign(
    open_again: Callable[[], Store],
) -> None:
    store, beside = open_again(), open_again()
    campaign = store.create("films", "a").id
    assert store.holder(campaign) is None
    store.lease(campaign, "yuki", stop_socket="/run/stop.sock")
    with pytest.raises(LeaseHeld) as caught:
        beside.lease(campaign, "ken")
    for part in ("yuki", str(os.getpid()), socket.gethostname()):
        assert part in caught.value.holder
        assert part in str(caught.value)
    assert beside.holder(campaign) == (caught.value.holder, "/run/stop.sock")
    assert beside.campaigns()[0].holder == caught.value.holder


def test_two_campaigns_may_be_run_at_once(store: Store) -> None:
    async def run() -> None:
        one, two = leased(store, "one"), leased(store, "two")
        await asyncio.gather(one.append([done(1)], at=0.0), two.append([done(2)], at=0.0))
        assert [entry.seq for entry in one.read()] == [entry.seq for entry in two.read()] == [1]

    asyncio.run(run())


def test_a_lease_that_ran_out_is_taken_over_and_its_engine_fenced_out(
    open_again: Callable[[], Store],
) -> None:
    store, beside = open_again(), open_again()

    async def run() -> None:
        campaign = store.create("films", "a").id
        old = store.lease(campaign, "old", ttl_s=0.0)
        await old.append([done(1)], at=0.0)
        new = beside.lease(campaign, "new")
        assert new.token > old.token
        await new.append([done(2)], at=0.0)
        with pytest.raises(LeaseLost):
            await old.append([done(3)], at=0.0)
        with pytest.raises(LeaseLost):
            await old.renew()
        await old.close()
        await new.renew()
        holder = store.holder(campaign)
        assert holder is not None
        assert holder[0].startswith("new")
        await new.append([done(4)], at=0.0)
        numbers = [e.event.results["n"] for e in new.read() if isinstance(e.event, ev.ActionDone)]
        assert numbers == [1, 2, 4]

    asyncio.run(run())


def test_a_closed_journal_gives_its_lease_back_and_writes_no_more(store: Store) -> None:
    async def run() -> None:
        first = leased(store)
        await first.append([done(1)], at=0.0)
        await first.close()
        await first.close()
        assert store.holder(first.campaign) is None
        for use in (first.append([done(2)], at=0.0), first.renew(), first.take_requests()):
            with pytest.raises(LeaseLost):
                await use
        second = store.lease(first.campaign, "second")
        assert second.token > first.token
        assert [e.seq for e in await second.append([done(2)], at=0.0)] == [2]

    asyncio.run(run())


def test_a_closed_store_lets_go_of_its_campaigns(open_again: Callable[[], Store]) -> None:
    async def run() -> None:
        store = open_again()
        journal = leased(store)
        store.close()
        with pytest.raises(LeaseLost):
            await journal.append([done(1)], at=0.0)
        open_again().lease(journal.campaign, "next")

    asyncio.run(run())


def test_requests_wait_in_order_until_they_are_settled(open_again: Callable[[], Store]) -> None:
    store, beside = open_again(), open_again()

    async def run() -> None:
        journal, other = leased(store), leased(store, "other")
        payload = {"ticket": "t1", "value": 1e-6, "nested": [None, {"a": True}]}
        first = beside.request(journal.campaign, "resolve", payload, "yuki")
        second = beside.request(journal.campaign, "pause", {}, "ken")
        assert first < second
        taken = await journal.take_requests()
        assert [(r.id, r.kind, r.by) for r in taken] == [
            (first, "resolve", "yuki"),
            (second, "pause", "ken"),
        ]
        assert taken[0].payload == payload
        assert await other.take_requests() == []
        assert beside.answer(first) is None
        await journal.settle(taken[0], "it was done")
        await journal.settle(taken[0], "it was not done")
        assert beside.answer(first) == "it was done"
        assert [r.id for r in await journal.take_requests()] == [second]
        assert [r.id for r in beside.pending_requests(journal.campaign)] == [second]

    asyncio.run(run())


def test_a_wish_in_characters_that_nobody_can_write_does_not_end_the_engine(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)
        store.request(journal.campaign, "pause", {"why": "a\udcffb", "more": ["\x00"]}, "yuki")
        (taken,) = await journal.take_requests()
        assert taken.payload == {"why": "a\\udcffb", "more": ["\\x00"]}
        wish = ev.RequestTaken(request=taken.id, wish=taken.kind, payload=dict(taken.payload))
        await journal.append([wish], at=0.0)

    asyncio.run(run())


def test_an_answer_to_a_request_nobody_made_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="no request 7"):
        store.answer(7)


@pytest.mark.parametrize("size", [0, 10, 1_500_000])
def test_artifacts_are_given_back_by_their_hash(store: Store, size: int) -> None:
    campaign = store.create("films", "a").id
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    sha256 = store.put_artifact(campaign, data, "spectrum.dat")
    assert store.put_artifact(campaign, data, "spectrum.dat") == sha256
    assert store.get_artifact(sha256) == data
    assert list(store.artifacts(campaign)) == [(sha256, "spectrum.dat")]
    with pytest.raises(UnknownName):
        store.get_artifact("0" * 64)


def test_an_export_is_one_file_that_is_a_store_itself(store: Store, tmp_path: Path) -> None:
    destination = tmp_path / "mail.sqlite"

    async def run() -> None:
        journal = leased(store)
        leased(store, "another")
        recorded = await journal.append([done(n) for n in range(2500)], at=3.0)
        small = store.put_artifact(journal.campaign, b"small", "a.txt")
        large = store.put_artifact(journal.campaign, b"large" * 300_000, "b.bin")
        asked = store.request(journal.campaign, "pause", {"why": "tea"}, "yuki")
        store.export(journal.campaign, destination)

        assert [path.name for path in tmp_path.glob("*mail*")] == ["mail.sqlite"]
        plain = sqlite3.connect(destination)
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        plain.close()
        mailed = open_store(destination)
        assert [row.name for row in mailed.campaigns()] == ["films"]
        assert texts(mailed.read(journal.campaign)) == texts(recorded)
        assert mailed.get_artifact(small) == b"small"
        assert mailed.get_artifact(large) == b"large" * 300_000
        assert [r.id for r in mailed.pending_requests(journal.campaign)] == [asked]
        elsewhere = mailed.lease(journal.campaign, "another machine")
        assert elsewhere.token > journal.token
        assert (await elsewhere.append([done(1)], at=4.0))[0].seq == 2501
        mailed.close()

    asyncio.run(run())


def test_an_export_overwrites_nothing(store: Store, tmp_path: Path) -> None:
    campaign = store.create("films", "a").id
    destination = tmp_path / "mail.sqlite"
    destination.write_text("precious")
    with pytest.raises(InputError, match="exists already"):
        store.export(campaign, destination)
    with pytest.raises(InputError, match="no folder"):
        store.export(campaign, tmp_path / "nowhere" / "mail.sqlite")
    assert destination.read_text() == "precious"


def test_an_export_can_leave_the_artifacts_out(store: Store, tmp_path: Path) -> None:
    campaign = store.create("films", "a").id
    sha256 = store.put_artifact(campaign, b"data", "a.txt")
    store.export(campaign, tmp_path / "mail.sqlite", artifacts=False)
    mailed = open_store(tmp_path / "mail.sqlite")
    with pytest.raises(UnknownName):
        mailed.get_artifact(sha256)
    assert mailed.verify(campaign) == 0
    mailed.close()


def test_virtual_time_stands_still_while_a_commit_is_awaited(store: Store) -> None:
    clock = VirtualClock()

    async def run() -> None:
        campaign = store.create("films", "a").id
        journal = store.lease(campaign, "the test", clock=clock)
        sleeper = asyncio.ensure_future(clock.sleep(1000.0))
        await asyncio.sleep(0)
        for n in range(20):
            await journal.append([done(n)], at=clock.now())
            await journal.take_requests()
            await journal.renew()
        assert clock.now() == 0.0
        await journal.close()
        assert clock.now() == 0.0
        await sleeper
        assert clock.now() == 1000.0

    clock.run(run())


def test_a_cancelled_append_ends_and_its_caller_learns_what_was_recorded(store: Store) -> None:
    async def run() -> None:
        journal = leased(store)
        folded: list[ev.Recorded] = []
        went_on = False

        async def step() -> None:
            nonlocal went_on
            folded.extend(await journal.append([done(1)], at=0.0))
            await asyncio.sleep(0)
            went_on = True

        task = asyncio.create_task(step())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert not went_on
        assert list(journal.read()) == folded
        assert len(folded) == 1

    asyncio.run(run())
