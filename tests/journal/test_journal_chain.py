"""Whoever edits a journal is seen."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import done

from orchestrator.errors import Exit, JournalDamaged, StoreTooNew
from orchestrator.journal import Store, chain
from orchestrator.journal.chain import Head, Row


def chain_of(n: int) -> tuple[Head, list[Row]]:
    head, rows = chain.start("films"), []
    for k in range(n):
        rows.append(chain.link(head, float(k), 100.0 + k, chain.to_text(done(k))))
        head = Head(rows[-1].seq, rows[-1].hash)
    return head, rows


def unrolled(head: Head, rows: list[Row], after: int = 0) -> list[int]:
    def fetch(first: int, limit: int) -> tuple[Head, list[Row]]:
        return head, [row for row in rows if row.seq >= first][:limit]

    return [entry.seq for entry in chain.unroll("films", fetch, after)]


@given(n=st.integers(1, 12), data=st.data())
def test_any_edit_of_a_row_shows_at_this_row(n: int, data: st.DataObject) -> None:
    head, rows = chain_of(n)
    assert unrolled(head, rows) == list(range(1, n + 1))
    k = data.draw(st.integers(0, n - 1))
    row = rows[k]
    rows[k] = data.draw(
        st.sampled_from(
            [
                row._replace(at=row.at + 1e-9 + row.at * 1e-12),
                row._replace(wall=row.wall + 1e-9 + row.wall * 1e-12),
                row._replace(text=row.text.replace('"n":', '"n": ')),
                row._replace(text=chain.to_text(done(99))),
                row._replace(hash="0" * 64),
            ]
        )
    )
    with pytest.raises(JournalDamaged) as caught:
        unrolled(head, rows)
    assert caught.value.seq == k + 1


@given(n=st.integers(1, 12), data=st.data())
def test_a_deleted_row_shows_even_at_the_end(n: int, data: st.DataObject) -> None:
    head, rows = chain_of(n)
    k = data.draw(st.integers(0, n - 1))
    del rows[k]
    with pytest.raises(JournalDamaged, match="missing") as caught:
        unrolled(head, rows)
    assert caught.value.seq == k + 1


@given(n=st.integers(2, 12), data=st.data())
def test_swapped_rows_show(n: int, data: st.DataObject) -> None:
    head, rows = chain_of(n)
    i, k = sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=2, max_size=2)))
    rows[i], rows[k] = rows[k]._replace(seq=i + 1), rows[i]._replace(seq=k + 1)
    with pytest.raises(JournalDamaged) as caught:
        unrolled(head, rows)
    assert caught.value.seq == i + 1


def test_a_forged_end_shows() -> None:
    head, rows = chain_of(5)
    rows.append(chain.link(head, 9.0, 9.0, chain.to_text(done(9))))
    with pytest.raises(JournalDamaged, match="added from outside") as caught:
        unrolled(head, rows)
    assert caught.value.seq == 6


def test_rows_of_another_campaign_do_not_fit() -> None:
    head, rows = chain_of(3)

    def fetch(first: int, limit: int) -> tuple[Head, list[Row]]:
        return head, rows

    with pytest.raises(JournalDamaged):
        list(chain.unroll("alloys", fetch, 0))


def test_a_batch_that_ends_at_a_flaw_gives_the_sound_events_before_it() -> None:
    head, rows = chain_of(3000)
    rows[2500] = rows[2500]._replace(text=chain.to_text(done(0)))
    seen: list[int] = []
    recorded = chain.unroll(
        "films", lambda first, limit: (head, rows[first - 1 : first - 1 + limit]), 0
    )
    with pytest.raises(JournalDamaged) as caught:
        seen.extend(map(attrgetter("seq"), recorded))
    assert seen == list(range(1, 2501))
    assert caught.value.seq == 2501


EDITS: dict[str, tuple[str, int]] = {
    "an edited event": ("UPDATE events SET event = replace(event, '2', '3') WHERE seq = 3", 3),
    "an edited time": ("UPDATE events SET at = at + 1 WHERE seq = 2", 2),
    "an edited clock": ("UPDATE events SET wall = wall + 1 WHERE seq = 5", 5),
    "a deleted event": ("DELETE FROM events WHERE seq = 4", 4),
    "a deleted end": ("DELETE FROM events WHERE seq >= 4", 4),
    "no event left": ("DELETE FROM events", 1),
    "two events swapped": (
        "UPDATE events SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3);"
        " UPDATE events SET seq = -seq WHERE seq < 0",
        2,
    ),
    "an event added": (
        "INSERT INTO events SELECT campaign, 6, at, wall, event, hash FROM events WHERE seq = 5",
        6,
    ),
    "a head set back": ("UPDATE campaigns SET n_events = 4", 4),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_the_file_shows_where_it_was_made(
    sqlite_store: Store, sqlite_path: Path, edit: str
) -> None:
    async def record() -> str:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        await journal.append([done(n) for n in range(5)], at=1.0)
        await journal.close()
        return journal.campaign

    campaign = asyncio.run(record())
    statement, seq = EDITS[edit]
    with closing(sqlite3.connect(sqlite_path)) as outside, outside:
        outside.executescript(statement)
    outside.close()
    seen: list[int] = []
    with pytest.raises(JournalDamaged) as caught:
        seen.extend(entry.seq for entry in sqlite_store.read(campaign))
    assert caught.value.seq == seq
    assert f"event {seq}" in str(caught.value)
    assert caught.value.exit_code == Exit.ENVIRONMENT


def test_a_damaged_campaign_is_not_exported(sqlite_store: Store, sqlite_path: Path) -> None:
    async def record() -> str:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        await journal.append([done(n) for n in range(5)], at=1.0)
        return journal.campaign

    campaign = asyncio.run(record())
    with closing(sqlite3.connect(sqlite_path)) as outside, outside:
        outside.execute("UPDATE events SET at = 7 WHERE seq = 3")
    outside.close()
    with pytest.raises(JournalDamaged, match="event 3"):
        sqlite_store.export(campaign, sqlite_path.with_name("mail.sqlite"))
    assert not list(sqlite_path.parent.glob("*mail*"))


def test_an_engine_does_not_add_to_a_chain_that_was_changed_under_it(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    async def run() -> None:
        journal = sqlite_store.lease(sqlite_store.create("films", "a").id, "me")
        await journal.append([done(n) for n in range(5)], at=1.0)
        with closing(sqlite3.connect(sqlite_path)) as outside, outside:
            outside.execute("UPDATE campaigns SET n_events = 4")
        outside.close()
        with pytest.raises(JournalDamaged):
            await journal.append([done(6)], at=1.0)

    asyncio.run(run())


def test_an_event_that_only_a_newer_version_knows_is_not_guessed_at(
    sqlite_store: Store, sqlite_path: Path
) -> None:
    campaign = sqlite_store.create("films", "a").id
    row = chain.link(chain.start(campaign), 1.0, 2.0, '{"kind":"sample_teleported"}')
    with closing(sqlite3.connect(sqlite_path)) as newer, newer:
        newer.execute("INSERT INTO events VALUES (?,?,?,?,?,?)", (campaign, *row))
        newer.execute("UPDATE campaigns SET n_events = 1, head = ?", (row.hash,))
    newer.close()
    with pytest.raises(StoreTooNew, match=r"event 1 .*sample_teleported"):
        sqlite_store.verify(campaign)


def test_a_rotten_artifact_is_not_handed_out(sqlite_store: Store, sqlite_path: Path) -> None:
    campaign = sqlite_store.create("films", "a").id
    data = b"x" * 1_200_000
    sha256 = sqlite_store.put_artifact(campaign, data, "picture.raw")
    (file,) = sqlite_path.parent.glob(f"store.sqlite.artifacts/*/{sha256}")
    damages: list[Callable[[], object]] = [lambda: file.write_bytes(b"y" + data[1:]), file.unlink]
    for damage in damages:
        damage()
        with pytest.raises(JournalDamaged, match=sha256):
            sqlite_store.get_artifact(sha256)
    sqlite_store.put_artifact(campaign, data, "picture.raw")
    assert sqlite_store.get_artifact(sha256) == data
    small = sqlite_store.put_artifact(campaign, b"small", "note.txt")
    with closing(sqlite3.connect(sqlite_path)) as outside, outside:
        outside.execute("UPDATE artifacts SET content = 'other' WHERE sha256 = ?", (small,))
    outside.close()
    with pytest.raises(JournalDamaged, match=small):
        sqlite_store.get_artifact(small)
