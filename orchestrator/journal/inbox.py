"""Wishes to a running engine. All functions work within a transaction of the caller."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from orchestrator.journal.leases import now
from orchestrator.journal.picking import unknown_request
from orchestrator.journal.schema import INBOX
from orchestrator.model.said import all_writable
from orchestrator.ports.journal import Request

_PENDING = (
    select(INBOX.c.id, INBOX.c.kind, INBOX.c.payload, INBOX.c.asked_by)
    .where(INBOX.c.campaign == bindparam("of"), INBOX.c.answer.is_(None))
    .order_by(INBOX.c.id)
)


def put(
    connection: Connection, campaign: str, kind: str, payload: Mapping[str, Any], by: str
) -> int:
    """Adds a wish. Gives its number."""
    done = connection.execute(
        insert(INBOX).values(
            campaign=campaign,
            kind=kind,
            payload=json.dumps(dict(payload)),
            asked_by=by,
            asked_at=now(connection),
        )
    )
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def pending(connection: Connection, campaign: str) -> list[Request]:
    """Wishes without an answer, oldest first."""
    rows = connection.execute(_PENDING, {"of": campaign})
    said = ((number, kind, all_writable(json.loads(text)), by) for number, kind, text, by in rows)
    return [Request(*wish) for wish in said]


def settle(connection: Connection, campaign: str, request_id: int, answer: str) -> None:
    """Writes the answer; one that is already there stays."""
    connection.execute(
        update(INBOX)
        .where(INBOX.c.id == request_id, INBOX.c.campaign == campaign, INBOX.c.answer.is_(None))
        .values(answer=answer, answered_at=now(connection))
    )


def answer_to(connection: Connection, request_id: int) -> str | None:
    """The answer, or None while there is none. Raises InputError for an unknown number."""
    row = connection.execute(select(INBOX.c.answer).where(INBOX.c.id == request_id)).one_or_none()
    if row is None:
        raise unknown_request(request_id)
    answer: str | None = row.answer
    return answer
