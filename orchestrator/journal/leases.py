"""Who may write a campaign. All functions work within a transaction of the caller.

A lease is a row for people and for liveness; the fence is `campaigns.token`, which only grows.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from orchestrator.errors import LeaseHeld, LeaseLost
from orchestrator.holders import Holder
from orchestrator.journal.chain import Head
from orchestrator.journal.rows import campaign_row
from orchestrator.journal.schema import CAMPAIGNS, LEASES


class Live(NamedTuple):
    """A lease that holds now."""

    holder: Holder
    stop_socket: str
    is_overdue: bool
    """Its process is there but has not renewed it in time: the clock was set, or it hangs."""


def take(
    connection: Connection, campaign: str, holder: Holder, stop_socket: str, ttl_s: float
) -> tuple[int, Head]:
    """Takes the lease. Gives its token and the chain's head.

    Raises:
        LeaseHeld: somebody alive holds it.
        UnknownName: there is no such campaign.
    """
    # the row stays locked until the transaction ends: an append is before or after, never amid
    row = campaign_row(connection, campaign, locked=True)
    other = live(connection, campaign)
    if other is not None:
        raise LeaseHeld(campaign, str(other.holder), _way_on(other))
    token = row.token + 1
    connection.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign).values(token=token))
    connection.execute(delete(LEASES).where(LEASES.c.campaign == campaign))
    connection.execute(
        insert(LEASES).values(
            campaign=campaign,
            token=token,
            name=holder.name,
            host=holder.host,
            boot=holder.boot,
            pid=holder.pid,
            started=holder.started,
            expires_at=now(connection) + ttl_s,
            stop_socket=stop_socket,
        )
    )
    return token, Head(row.n_events, row.head)


def _way_on(other: Live) -> str:
    if other.holder.is_known_stopped():
        return f"; it is stopped (Ctrl-Z): `kill -CONT {other.holder.pid}` has it go on"
    # SIGTERM is what a loop that hangs does not hear
    hung = f"; it is overdue: if it hangs, `kill -9 {other.holder.pid}`"
    return hung if other.is_overdue else ""


def live(connection: Connection, campaign: str) -> Live | None:
    """The lease that holds now, if any."""
    row = connection.execute(select(LEASES).where(LEASES.c.campaign == campaign)).one_or_none()
    return None if row is None else live_row(row, now(connection))


def live_row(row: Row[Any], moment: float) -> Live | None:
    """A row of the leases, unless its process is known to be dead, or it has run out.

    A clock that is set ahead takes no lease from a process that this host sees running; of what
    runs elsewhere, and of a lease that this very process could not give back, only time tells.
    """
    holder = Holder(row.name, row.host, row.boot, row.pid, row.started)
    is_overdue = moment >= row.expires_at
    is_over = not holder.is_known_alive() if is_overdue else holder.is_known_dead()
    return None if is_over else Live(holder, row.stop_socket, is_overdue)


def renew(connection: Connection, campaign: str, token: int, ttl_s: float) -> None:
    """Lets the lease last for another `ttl_s` seconds. Raises LeaseLost."""
    changed = connection.execute(
        update(LEASES)
        .where(LEASES.c.campaign == campaign, LEASES.c.token == token)
        .values(expires_at=now(connection) + ttl_s)
    )
    if changed.rowcount != 1:
        raise lost(connection, campaign)


def give_back(connection: Connection, campaign: str, token: int) -> None:
    """Ends the lease if it is still this one."""
    connection.execute(delete(LEASES).where(LEASES.c.campaign == campaign, LEASES.c.token == token))


def lost(connection: Connection, campaign: str) -> LeaseLost:
    """The error that says who has the campaign now."""
    other = live(connection, campaign)
    by = f"taken over by {other.holder}" if other else "taken over by another engine"
    return LeaseLost(
        f"the lease on campaign '{campaign}' was {by}",
        hint="this engine has stopped acting; nothing it had recorded is lost",
        holder=str(other.holder) if other else "",
    )


def now(connection: Connection) -> float:
    """Wall time: the server's, which all hosts share, or this host's for a file."""
    if connection.dialect.name == "postgresql":
        epoch = func.extract("epoch", func.clock_timestamp())
        return float(connection.scalar(select(epoch)) or 0.0)
    return time.time()
