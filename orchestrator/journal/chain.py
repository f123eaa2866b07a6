"""How an event becomes text, and how each text is chained to the one before it.

The stored text is what is hashed:
`hash = sha256(previous hash, seq, campaign time, wall time, text)`, and the first previous hash is
the SHA-256 of the campaign's id. The campaign's row keeps the head of the chain, so that a missing
end shows too. The chain shows an edit; it does not prove who wrote (it has no key).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from orchestrator.errors import JournalDamaged, StoreTooNew
from orchestrator.model.events import EVENTS, Event, Recorded

_RECORDED = TypeAdapter(list[Recorded])
_BATCH = 500


class Row(NamedTuple):
    """An event as stored. `at` and `wall` in seconds."""

    seq: int
    at: float
    wall: float
    text: str
    hash: str


class Head(NamedTuple):
    """The end of a chain: the last event's seq (0: no event yet) and hash."""

    seq: int
    hash: str


Fetch = Callable[[int, int], tuple[Head, Sequence[Row]]]
"""(first seq, at most so many) -> the head and these rows in order, of one moment."""


def start(campaign_id: str) -> Head:
    """The head of a campaign without events."""
    return Head(0, hashlib.sha256(campaign_id.encode()).hexdigest())


def link(head: Head, at: float, wall: float, text: str) -> Row:
    """The next row after `head`."""
    seq = head.seq + 1
    return Row(seq, at, wall, text, _hash(head.hash, seq, at, wall, text))


def digest(data: bytes) -> str:
    """SHA-256 in hex: the name of an artifact."""
    return hashlib.sha256(data).hexdigest()


def _hash(previous: str, seq: int, at: float, wall: float, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{seq}\n{at!r}\n{wall!r}\n{text}".encode()).hexdigest()


def to_text(event: Event) -> str:
    """The event's JSON, as it is stored and hashed."""
    return event.model_dump_json()


def stored_time(seconds: float) -> float:
    """A time that every database gives back bit for bit."""
    if not math.isfinite(seconds):
        raise ValueError(f"a time must be finite, not {seconds}")
    return float(seconds) + 0.0  # no negative zero: SQLite keeps whole numbers as integers


def to_recorded(rows: Sequence[Row]) -> list[Recorded]:
    """Rows as events, all parsed in one go.

    Raises:
        StoreTooNew: an event that this version does not know.
    """
    lines = [
        f'{{"seq":{seq},"at":{at!r},"wall":{wall!r},"hash":"{digest}","event":{text}}}'
        for seq, at, wall, text, digest in rows
    ]
    try:
        return _RECORDED.validate_json(f"[{','.join(lines)}]")
    except ValidationError:
        raise _unknown_event(rows) from None


def unroll(campaign_id: str, fetch: Fetch, after: int) -> Iterator[Recorded]:
    """Events with seq > `after`, read in short transactions, each link checked.

    Raises:
        JournalDamaged: at the first event that does not fit, after those before it.
        StoreTooNew: an event that this version does not know.
    """
    if after > 0:
        head, rows = fetch(after, 1)
        if head.seq <= after:
            return
        if not rows or rows[0].seq != after:
            raise _damage(campaign_id, after, "is missing")
        known = Head(after, rows[0].hash)
    else:
        known = start(campaign_id)
    while True:
        head, rows = fetch(known.seq + 1, _BATCH)
        sound, flaw = _sound(campaign_id, known, head, rows)
        yield from to_recorded(sound)
        if flaw is not None:
            raise flaw
        if len(rows) < _BATCH:
            return
        known = Head(rows[-1].seq, rows[-1].hash)


def _sound(
    campaign_id: str, known: Head, head: Head, rows: Sequence[Row]
) -> tuple[Sequence[Row], JournalDamaged | None]:
    """The rows that continue `known`, and what is wrong with the first that does not."""
    seq, previous = known
    for i, row in enumerate(rows):
        seq += 1
        if row.seq != seq:
            return rows[:i], _damage(campaign_id, seq, "is missing")
        previous = _hash(previous, seq, row.at, row.wall, row.text)
        if row.hash != previous:
            return rows[:i], _damage(campaign_id, seq, "is not what was recorded")
        if seq == head.seq and previous != head.hash:
            return rows[:i], _damage(campaign_id, seq, "is not the last that was recorded")
        if seq > head.seq:
            return rows[:i], _damage(campaign_id, seq, "was added from outside")
    if len(rows) < _BATCH and seq < head.seq:
        return rows, _damage(campaign_id, seq + 1, "is missing")
    return rows, None


def _damage(campaign_id: str, seq: int, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"event {seq} of campaign '{campaign_id}' {what}",
        hint="the events before it are sound; restore the store from a copy",
        seq=seq,
    )


def _unknown_event(rows: Sequence[Row]) -> StoreTooNew:
    for row in rows:
        try:
            EVENTS.validate_json(row.text)
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            return StoreTooNew(
                f"event {row.seq} is not known to this version of Hagane ({what})",
                hint="install the version that wrote it, or a newer one",
            )
    raise AssertionError("a batch of sound events could not be read")
