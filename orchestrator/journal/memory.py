"""A store that ends with the process: for rehearsals, replays and tests.

It keeps the same promises towards its callers as a database, durability aside.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.errors import LeaseHeld, LeaseLost, UnknownName
from orchestrator.holders import Holder, this_process
from orchestrator.journal import chain
from orchestrator.journal.chain import Head, Row
from orchestrator.journal.picking import new_campaign, pick, unknown_artifact, unknown_request
from orchestrator.model.events import Event, Recorded
from orchestrator.model.said import all_writable
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import CampaignRow, Request
from orchestrator.waiting import CertainFuture, wait_uncancelled


@dataclass
class _Lease:
    holder: Holder
    stop_socket: str
    expires_at: float


@dataclass
class _Campaign:
    row: CampaignRow
    head: Head
    rows: list[Row] = field(default_factory=list)
    token: int = 0
    lease: _Lease | None = None
    artifacts: dict[tuple[str, str], None] = field(default_factory=dict)

    def live(self) -> _Lease | None:
        """The lease, unless it has run out."""
        return self.lease if self.lease and time.monotonic() < self.lease.expires_at else None


@dataclass
class _Asked:
    campaign: str
    request: Request
    asked_at: float
    answer: str | None = None
    answered_at: float | None = None


class MemoryStore:
    """See `orchestrator.journal.store.Store`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._campaigns: dict[str, _Campaign] = {}
        self._inbox: list[_Asked] = []
        self._contents: dict[str, bytes] = {}

    def campaigns(self) -> list[CampaignRow]:
        with self._lock:
            return [_shown(campaign) for campaign in self._campaigns.values()]

    def find(self, name: str, file_hash: str | None = None) -> CampaignRow | None:
        return pick(self.campaigns(), name, file_hash)

    def create(self, name: str, file_hash: str) -> CampaignRow:
        with self._lock:
            row = new_campaign(name, file_hash, self._campaigns)
            self._campaigns[row.id] = _Campaign(row, chain.start(row.id))
        return row

    def lease(
        self,
        campaign_id: str,
        holder: str,
        *,
        stop_socket: str = "",
        ttl_s: float = 30.0,
        clock: Clock | None = None,
    ) -> MemoryJournal:
        del clock  # nothing here is waited for
        with self._lock:
            campaign = self._campaign(campaign_id)
            live = campaign.live()
            if live is not None:
                raise LeaseHeld(campaign_id, str(live.holder))
            campaign.token += 1
            campaign.lease = _Lease(this_process(holder), stop_socket, time.monotonic() + ttl_s)
            return MemoryJournal(self, campaign_id, campaign.token, ttl_s)

    def holder(self, campaign_id: str) -> tuple[str, str] | None:
        with self._lock:
            live = self._campaign(campaign_id).live()
        return (str(live.holder), live.stop_socket) if live else None

    def read(self, campaign_id: str, after: int = 0) -> Iterator[Recorded]:
        return chain.unroll(campaign_id, self._fetch_of(campaign_id), after)

    def verify(self, campaign_id: str) -> int:
        return sum(1 for _ in self.read(campaign_id))

    def request(self, campaign_id: str, kind: str, payload: Mapping[str, Any], by: str) -> int:
        copy = all_writable(json.loads(json.dumps(dict(payload))))
        with self._lock:
            self._campaign(campaign_id)
            request = Request(len(self._inbox) + 1, kind, copy, by)
            self._inbox.append(_Asked(campaign_id, request, time.time()))
        return request.id

    def answer(self, request_id: int) -> str | None:
        with self._lock:
            if not 1 <= request_id <= len(self._inbox):
                raise unknown_request(request_id)
            return self._inbox[request_id - 1].answer

    def pending_requests(self, campaign_id: str) -> list[Request]:
        with self._lock:
            self._campaign(campaign_id)
            return [
                asked.request
                for asked in self._inbox
                if asked.campaign == campaign_id and asked.answer is None
            ]

    def put_artifact(self, campaign_id: str, data: bytes, name: str) -> str:
        sha256 = chain.digest(data)
        with self._lock:
            self._campaign(campaign_id).artifacts[sha256, name] = None
            self._contents[sha256] = bytes(data)
        return sha256

    def get_artifact(self, sha256: str) -> bytes:
        with self._lock:
            if sha256 not in self._contents:
                raise unknown_artifact(sha256)
            return self._contents[sha256]

    def artifacts(self, campaign_id: str) -> Sequence[tuple[str, str]]:
        with self._lock:
            return list(self._campaign(campaign_id).artifacts)

    def export(self, campaign_id: str, destination: Path, artifacts: bool = True) -> None:
        from orchestrator.journal.singlefile import Excerpt, write_single_file

        with self._lock:
            campaign = self._campaign(campaign_id)
            columns = asdict(campaign.row)
            del columns["holder"]
            columns |= {"head": campaign.head.hash, "token": campaign.token}
            requests = [
                {
                    "id": asked.request.id,
                    "campaign": campaign_id,
                    "kind": asked.request.kind,
                    "payload": json.dumps(asked.request.payload),
                    "asked_by": asked.request.by,
                    "asked_at": asked.asked_at,
                    "answer": asked.answer,
                    "answered_at": asked.answered_at,
                }
                for asked in self._inbox
                if asked.campaign == campaign_id
            ]
        excerpt = Excerpt(
            campaign=columns,
            requests=requests,
            fetch=self._fetch_of(campaign_id),
            artifacts=self.artifacts(campaign_id) if artifacts else (),
            load=self.get_artifact,
        )
        write_single_file(excerpt, destination)

    def close(self) -> None:
        with self._lock:
            for campaign in self._campaigns.values():
                campaign.token += 1
                campaign.lease = None

    def _campaign(self, campaign_id: str) -> _Campaign:
        campaign = self._campaigns.get(campaign_id)
        if campaign is None:
            raise UnknownName("campaign", campaign_id, self._campaigns)
        return campaign

    def _fetch_of(self, campaign_id: str) -> chain.Fetch:
        def fetch(first: int, limit: int) -> tuple[Head, Sequence[Row]]:
            with self._lock:
                campaign = self._campaign(campaign_id)
                return campaign.head, campaign.rows[first - 1 : first - 1 + limit]

        return fetch

    def _append(
        self, campaign_id: str, token: int, lines: Sequence[tuple[float, float, str]]
    ) -> list[Row]:
        with self._lock:
            campaign = self._fenced(campaign_id, token)
            before = len(campaign.rows)
            for at, wall, text in lines:
                row = chain.link(campaign.head, at, wall, text)
                campaign.rows.append(row)
                campaign.head = Head(row.seq, row.hash)
            campaign.row = replace(
                campaign.row, n_events=campaign.head.seq, last_event_at=lines[-1][1]
            )
            return campaign.rows[before:]

    def _settle(self, request: Request, answer: str) -> None:
        with self._lock:
            asked = self._inbox[request.id - 1]
            if asked.answer is None:
                asked.answer, asked.answered_at = answer, time.time()

    def _renew(self, campaign_id: str, token: int, ttl_s: float) -> None:
        with self._lock:
            lease = self._fenced(campaign_id, token).lease
            if lease is not None:
                lease.expires_at = time.monotonic() + ttl_s

    def _give_back(self, campaign_id: str, token: int) -> None:
        with self._lock:
            campaign = self._campaign(campaign_id)
            if campaign.token == token:
                campaign.lease = None

    def _fenced(self, campaign_id: str, token: int) -> _Campaign:
        campaign = self._campaign(campaign_id)
        if campaign.token != token:
            holder = str(campaign.lease.holder) if campaign.lease else ""
            raise LeaseLost(f"the lease on campaign '{campaign_id}' was taken over", holder=holder)
        return campaign


class MemoryJournal:
    """A leased journal in memory. See `orchestrator.ports.journal.Journal`."""

    def __init__(self, store: MemoryStore, campaign: str, token: int, ttl_s: float) -> None:
        self.campaign = campaign
        self.token = token
        self._store = store
        self._ttl_s = ttl_s
        self._is_open = True

    def read(self, after: int = 0) -> Iterator[Recorded]:
        return self._store.read(self.campaign, after)

    async def append(self, events: Sequence[Event], *, at: float) -> Sequence[Recorded]:
        self._require_open()
        if not events:
            return ()
        moment, wall = chain.stored_time(at), chain.stored_time(time.time())
        lines = [(moment, wall, chain.to_text(event)) for event in events]
        rows = self._store._append(self.campaign, self.token, lines)
        # others get their turn here, as they do while a disk is waited for
        loop = asyncio.get_running_loop()
        turn = CertainFuture(loop=loop)
        loop.call_soon(turn.set_result, None)
        await wait_uncancelled(turn)
        return chain.to_recorded(rows)

    async def take_requests(self) -> Sequence[Request]:
        self._require_open()
        return self._store.pending_requests(self.campaign)

    async def settle(self, request: Request, answer: str) -> None:
        self._require_open()
        self._store._settle(request, answer)

    async def renew(self) -> None:
        self._require_open()
        self._store._renew(self.campaign, self.token, self._ttl_s)

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._store._give_back(self.campaign, self.token)

    def _require_open(self) -> None:
        if not self._is_open:
            raise LeaseLost(f"the lease on campaign '{self.campaign}' was given back")


def _shown(campaign: _Campaign) -> CampaignRow:
    live = campaign.live()
    return replace(campaign.row, holder=str(live.holder)) if live else campaign.row
