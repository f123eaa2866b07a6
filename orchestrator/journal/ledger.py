"""The end of a campaign's chain in a database, and how lines are added to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import bindparam, insert, update

from orchestrator.errors import JournalDamaged, JournalError, JournalFull, LeaseLost
from orchestrator.journal import chain, leases
from orchestrator.journal import rows as stored
from orchestrator.journal.chain import Head, Row
from orchestrator.journal.opening import Database
from orchestrator.journal.prepared import Prepared
from orchestrator.journal.schema import CAMPAIGNS, EVENTS

_NOTHING: tuple[tuple[int, int] | None, ...] = ()

Line: TypeAlias = tuple[float, float, str]
"""Campaign time, wall time, text."""

_ADVANCE = (
    update(CAMPAIGNS)
    .where(
        CAMPAIGNS.c.id == bindparam("of"),
        CAMPAIGNS.c.token == bindparam("mine"),
        CAMPAIGNS.c.n_events == bindparam("known"),
        CAMPAIGNS.c.head == bindparam("known_head"),
    )
    .values(
        n_events=bindparam("n_events"),
        head=bindparam("head"),
        last_event_at=bindparam("last_event_at"),
    )
)


class Ledger:
    """Writes lines to the end of a campaign's chain. Used by one thread only."""

    def __init__(self, database: Database, campaign: str, token: int, head: Head) -> None:
        self.n_commits = 0
        self._database = database
        self._campaign = campaign
        self._token = token
        self._head = head
        self._in_doubt: Head | None = None
        self._file = _identity(database)
        self._log = _NOTHING
        dialect = database.engine.dialect
        self._advance, self._add = Prepared(_ADVANCE, dialect), Prepared(insert(EVENTS), dialect)

    def write(self, lines: Sequence[Line]) -> list[Row]:
        """Commits lines, all or none.

        Raises:
            JournalFull: nothing was written.
            LeaseLost: another engine holds the campaign, or this one missed what was written.
        """
        self._resolve_doubt()
        self._check_file()
        head, rows = self._head, []
        for at, wall, text in lines:
            rows.append(chain.link(head, at, wall, text))
            head = Head(rows[-1].seq, rows[-1].hash)
        try:
            self._commit(rows, head)
        except JournalFull:
            self._log = _NOTHING  # with its connection SQLite may have ended its log, too
            if not self._was_committed_nevertheless(head):
                raise
        self._head = head
        self.n_commits += 1
        return rows

    def _commit(self, rows: Sequence[Row], head: Head) -> None:
        advance = {
            "of": self._campaign,
            "mine": self._token,
            "known": self._head.seq,
            "known_head": self._head.hash,
            "n_events": head.seq,
            "head": head.hash,
            "last_event_at": rows[-1].wall,
        }
        with self._database.appending() as cursor:
            is_ours = self._advance.execute(cursor, [advance]) == 1
            if is_ours:
                self._add.execute(cursor, stored.as_columns(self._campaign, rows))
        if not is_ours:
            raise self._overtaken()

    def _overtaken(self) -> JournalError:
        with self._database.reading() as connection:
            if stored.campaign_row(connection, self._campaign).token != self._token:
                return leases.lost(connection, self._campaign)
        return JournalDamaged(
            f"the end of campaign '{self._campaign}' was changed from outside",
            hint="restore the store from a copy",
            seq=self._head.seq,
        )

    def _was_committed_nevertheless(self, head: Head) -> bool:
        """Whether a commit that failed took place: the connection may have broken after it."""
        try:
            stored = self._stored_head()
        except JournalError:
            self._in_doubt = head
            return False
        return stored == head

    def _resolve_doubt(self) -> None:
        if self._in_doubt is None:
            return
        if self._stored_head() == self._in_doubt:
            raise LeaseLost(
                f"the store of campaign '{self._campaign}' has kept events that it had reported"
                " as not written",
                hint="run the campaign again: it goes on from what the store has",
            )
        self._in_doubt = None

    def _stored_head(self) -> Head:
        # locked: a commit that the server is still busy with ends before this is answered
        with self._database.writing() as connection:
            row = stored.campaign_row(connection, self._campaign, locked=True)
        return Head(row.n_events, row.head)

    def _check_file(self) -> None:
        # SQLite would go on writing into a file that has no name any more
        if _identity(self._database) != self._file:
            raise JournalFull(
                f"the store {self._database.where} was moved, deleted or replaced while in use",
                hint="put the file back, with its -wal file, and resume the campaign",
            )
        log = tuple(_identity(self._database, end) for end in ("-wal", "-shm"))
        if (0, 0) in log and self._log == _NOTHING:
            return  # no connection has opened it yet
        if self._log not in (_NOTHING, log):
            # what is written there would be gone with this process
            raise JournalFull(
                f"the log of the store {self._database.where} (-wal, -shm) was deleted or replaced "
                "while in use",
                hint="leave these files alone while an engine runs, and run the campaign again",
            )
        self._log = log


def _identity(database: Database, end: str = "") -> tuple[int, int] | None:
    if database.path is None:
        return None
    try:
        status = os.stat(f"{database.path}{end}")  # noqa: PTH116 - at every commit: it is faster
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino
