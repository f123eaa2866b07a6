"""What a store of campaigns offers, whichever way it keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from orchestrator.model.events import Recorded
from orchestrator.ports.clock import Clock
from orchestrator.ports.journal import CampaignRow, Journal, Request


class LeasedJournal(Journal, Protocol):
    """A journal with its fencing token: greater than that of every lease before it."""

    token: int


class Store(Protocol):
    """Campaigns, their events, their inboxes and their artifacts.

    Every method may be called from any thread and while an engine in another process writes.
    A campaign that does not exist raises UnknownName.
    """

    def campaigns(self) -> list[CampaignRow]:
        """All campaigns, oldest first."""
        ...

    def find(self, name: str, file_hash: str | None = None) -> CampaignRow | None:
        """The campaign with this id, else the newest of this name, else of this start of an id.

        With a `file_hash`, only campaigns that were started with that file.

        Raises:
            InputError: the start of an id fits campaigns of several names.
        """
        ...

    def create(self, name: str, file_hash: str) -> CampaignRow:
        """A new campaign without events."""
        ...

    def lease(
        self,
        campaign_id: str,
        holder: str,
        *,
        stop_socket: str = "",
        ttl_s: float = 30.0,
        clock: Clock | None = None,
    ) -> LeasedJournal:
        """The right to write a campaign, until `ttl_s` after it was last renewed.

        Takes over a lease whose process is known to be dead, or that has run out, unless another
        process of this host that holds it is known to be alive.

        Args:
            campaign_id: the id of a campaign.
            holder: who writes, in words; host and process id are added.
            stop_socket: where a stop request reaches the holder directly.
            ttl_s: wall seconds.
            clock: stands still (`work`) while the journal is awaited.

        Raises:
            LeaseHeld: somebody else holds it.
        """
        ...

    def holder(self, campaign_id: str) -> tuple[str, str] | None:
        """Who holds the campaign now, and its stop socket; None when nobody does."""
        ...

    def read(self, campaign_id: str, after: int = 0) -> Iterator[Recorded]:
        """Events with seq > `after`, in order, their chain checked.

        Raises:
            JournalDamaged: at the first event that does not fit, after those before it.
            StoreTooNew: an event of a kind that only a newer version knows.
        """
        ...

    def verify(self, campaign_id: str) -> int:
        """Reads and checks all events. Gives their number. Raises as `read`."""
        ...

    def request(self, campaign_id: str, kind: str, payload: Mapping[str, Any], by: str) -> int:
        """Puts a wish into the campaign's inbox. Gives its number."""
        ...

    def answer(self, request_id: int) -> str | None:
        """What the engine said to a wish; None while it has not."""
        ...

    def pending_requests(self, campaign_id: str) -> list[Request]:
        """Wishes without an answer, oldest first."""
        ...

    def put_artifact(self, campaign_id: str, data: bytes, name: str) -> str:
        """Keeps bytes (a raw file, a picture) for good. Gives their SHA-256, in hex."""
        ...

    def get_artifact(self, sha256: str) -> bytes:
        """The bytes with this SHA-256.

        Raises:
            UnknownName: none is kept.
            JournalDamaged: what is kept has another SHA-256, or is gone.
        """
        ...

    def artifacts(self, campaign_id: str) -> Sequence[tuple[str, str]]:
        """The (SHA-256, name) of everything kept for a campaign, oldest first."""
        ...

    def export(self, campaign_id: str, destination: Path, artifacts: bool = True) -> None:
        """Writes a campaign as one SQLite file that is a store itself and can be mailed.

        Raises:
            InputError: the destination exists.
            JournalError: it cannot be written, or the campaign is damaged.
        """
        ...

    def close(self) -> None:
        """Lets go of the database. Open journals stop; their leases run out."""
        ...
