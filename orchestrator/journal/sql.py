"""A store in a database: an SQLite file or a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from orchestrator.holders import this_process
from orchestrator.journal import artifacts, chain, inbox, leases
from orchestrator.journal import rows as stored
from orchestrator.journal.opening import Database
from orchestrator.journal.picking import new_campaign, pick
from orchestrator.journal.schema import ARTIFACTS, CAMPAIGNS, INBOX, LEASES
from orchestrator.journal.singlefile import Excerpt, write_single_file
from orchestrator.journal.writer import SqlJournal
from orchestrator.model.events import Recorded
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import CampaignRow, Request


class SqlStore:
    """See `orchestrator.journal.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journals: list[SqlJournal] = []

    def campaigns(self) -> list[CampaignRow]:
        with self._database.reading() as connection:
            rows = connection.execute(select(CAMPAIGNS).order_by(CAMPAIGNS.c.created_at)).all()
            moment = leases.now(connection)
            held = {row.campaign: row for row in connection.execute(select(LEASES))}
        found = []
        for row in rows:
            live = leases.live_row(held[row.id], moment) if row.id in held else None
            found.append(
                CampaignRow(
                    id=row.id,
                    name=row.name,
                    file_hash=row.file_hash,
                    created_at=row.created_at,
                    n_events=row.n_events,
                    last_event_at=row.last_event_at,
                    holder=str(live.holder) if live else "",
                    is_stopped=live is not None and live.holder.is_known_stopped(),
                )
            )
        return found

    def find(self, name: str, file_hash: str | None = None) -> CampaignRow | None:
        return pick(self.campaigns(), name, file_hash)

    def create(self, name: str, file_hash: str) -> CampaignRow:
        with self._database.writing() as connection:
            known = connection.execute(select(CAMPAIGNS.c.id, CAMPAIGNS.c.created_at)).all()
            newest = max((row.created_at for row in known), default=0.0)
            row = new_campaign(name, file_hash, {row.id for row in known}, newest)
            connection.execute(
                insert(CAMPAIGNS).values(
                    id=row.id,
                    name=name,
                    file_hash=file_hash,
                    created_at=row.created_at,
                    n_events=0,
                    head=chain.start(row.id).hash,
                    last_event_at=row.last_event_at,
                    token=0,
                )
            )
        return row

    def lease(
        self,
        campaign_id: str,
        holder: str,
        *,
        stop_socket: str = "",
        ttl_s: float = 30.0,
        clock: Clock | None = None,
    ) -> SqlJournal:
        process = this_process(holder)
        with self._database.writing() as connection:
            token, head = leases.take(connection, campaign_id, process, stop_socket, ttl_s)
        journal = SqlJournal(
            self._database,
            campaign_id,
            token=token,
            head=head,
            ttl_s=ttl_s,
            clock=clock,
        )
        self._journals.append(journal)
        return journal

    def holder(self, campaign_id: str) -> tuple[str, str] | None:
        with self._database.reading() as connection:
            stored.campaign_row(connection, campaign_id)
            live = leases.live(connection, campaign_id)
        return (str(live.holder), live.stop_socket) if live else None

    def read(self, campaign_id: str, after: int = 0) -> Iterator[Recorded]:
        return stored.read(self._database, campaign_id, after)

    def verify(self, campaign_id: str) -> int:
        return sum(1 for _ in self.read(campaign_id))

    def request(self, campaign_id: str, kind: str, payload: Mapping[str, Any], by: str) -> int:
        with self._database.writing() as connection:
            stored.campaign_row(connection, campaign_id)
            return inbox.put(connection, campaign_id, kind, payload, by)

    def answer(self, request_id: int) -> str | None:
        with self._database.reading() as connection:
            return inbox.answer_to(connection, request_id)

    def pending_requests(self, campaign_id: str) -> list[Request]:
        with self._database.reading() as connection:
            stored.campaign_row(connection, campaign_id)
            return inbox.pending(connection, campaign_id)

    def put_artifact(self, campaign_id: str, data: bytes, name: str) -> str:
        sha256 = chain.digest(data)
        beside = artifacts.goes_beside(self._database, data)
        with self._database.reading() as connection:
            stored.campaign_row(connection, campaign_id)
        if beside:
            artifacts.write_beside(self._database, sha256, data)
        with self._database.writing() as connection:
            artifacts.record(connection, campaign_id, sha256, name, data, beside=beside)
        return sha256

    def get_artifact(self, sha256: str) -> bytes:
        with self._database.reading() as connection:
            return artifacts.load(connection, self._database, sha256)

    def artifacts(self, campaign_id: str) -> Sequence[tuple[str, str]]:
        columns = ARTIFACTS.c
        query = select(columns.sha256, columns.name).where(columns.campaign == campaign_id)
        with self._database.reading() as connection:
            stored.campaign_row(connection, campaign_id)
            rows = connection.execute(query.order_by(columns.stored_at, columns.sha256))
            return [(sha256, name) for sha256, name in rows]

    def export(self, campaign_id: str, destination: Path, artifacts: bool = True) -> None:
        columns = INBOX.c
        with self._database.reading() as connection:
            campaign = stored.campaign_row(connection, campaign_id)._asdict()
            asked = select(INBOX).where(columns.campaign == campaign_id).order_by(columns.id)
            requests = [row._asdict() for row in connection.execute(asked)]
        excerpt = Excerpt(
            campaign=campaign,
            requests=requests,
            fetch=lambda first, limit: stored.fetch(self._database, campaign_id, first, limit),
            artifacts=self.artifacts(campaign_id) if artifacts else (),
            load=self.get_artifact,
        )
        write_single_file(excerpt, destination)

    def close(self) -> None:
        for journal in self._journals:
            journal.stop()
        self._journals.clear()
        self._database.engine.dispose()
