"""Events of a database as rows of a chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from orchestrator.errors import UnknownName
from orchestrator.journal import chain
from orchestrator.journal.opening import Database
from orchestrator.journal.schema import CAMPAIGNS, EVENTS
from orchestrator.model.events import Recorded

_ROWS = select(EVENTS.c.seq, EVENTS.c.at, EVENTS.c.wall, EVENTS.c.event, EVENTS.c.hash)


def read(database: Database, campaign: str, after: int = 0) -> Iterator[Recorded]:
    """See `orchestrator.journal.store.Store.read`."""

    def batch(first: int, limit: int) -> tuple[chain.Head, Sequence[chain.Row]]:
        return fetch(database, campaign, first, limit)

    return chain.unroll(campaign, batch, after)


def fetch(
    database: Database, campaign: str, first: int, limit: int
) -> tuple[chain.Head, Sequence[chain.Row]]:
    """The head and at most `limit` rows from seq `first` on. Raises UnknownName."""
    query = (
        _ROWS.where(EVENTS.c.campaign == campaign, EVENTS.c.seq >= first)
        .order_by(EVENTS.c.seq)
        .limit(limit)
    )
    with database.reading() as connection:
        row = campaign_row(connection, campaign)
        # the driver's own tuples: every type here is one that it gives as it is
        cursor = connection.execute(query).cursor
        assert cursor is not None
        rows = [chain.Row._make(stored) for stored in cursor.fetchall()]
    return chain.Head(row.n_events, row.head), rows


def campaign_row(connection: Connection, campaign: str, *, locked: bool = False) -> Row[Any]:
    """The campaign's row of the table; `locked` against others until the transaction ends.

    Raises:
        UnknownName: there is no such campaign.
    """
    query = select(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign)
    row = connection.execute(query.with_for_update() if locked else query).one_or_none()
    if row is None:
        raise UnknownName("campaign", campaign, connection.scalars(select(CAMPAIGNS.c.id)))
    return row


def as_columns(campaign: str, rows: Sequence[chain.Row]) -> list[dict[str, Any]]:
    """Rows as EVENTS has them; the campaign's row must be moved on in the same transaction."""
    return [
        {
            "campaign": campaign,
            "seq": row.seq,
            "at": row.at,
            "wall": row.wall,
            "event": row.text,
            "hash": row.hash,
        }
        for row in rows
    ]
