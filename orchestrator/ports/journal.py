"""The append-only truth, as the engine sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.model.events import Event, Recorded


@dataclass(frozen=True)
class CampaignRow:
    """A campaign in a store. `file_hash` is of the campaign file's canonical content. `is_stopped`:
    the process of its holder is known to stand still (Ctrl-Z)."""

    id: str
    name: str
    file_hash: str
    created_at: float
    n_events: int
    last_event_at: float
    holder: str = ""
    is_stopped: bool = False


@dataclass(frozen=True)
class Request:
    """Somebody's wish in the inbox: `pause`, `resume`, `resolve`, `observe`, `stop`, ..."""

    id: int
    kind: str
    payload: Mapping[str, Any]
    by: str


class Journal(Protocol):
    """One campaign's events; this process holds its lease."""

    campaign: str

    def read(self, after: int = 0) -> Iterator[Recorded]:
        """Recorded events with seq > `after`, in order, their hash chain checked.

        Raises:
            JournalDamaged: an event was edited or is missing.
        """
        ...

    async def append(self, events: Sequence[Event], *, at: float) -> Sequence[Recorded]:
        """Commits events, in order and all or none; durable when it returns.

        `at` is campaign time; wall time is added here.

        Raises:
            JournalFull: nothing was written; the engine stops before its next action.
            LeaseLost: another engine holds the campaign.
        """
        ...

    async def take_requests(self) -> Sequence[Request]:
        """New entries of the inbox, oldest first, until they are `settle`d."""
        ...

    async def settle(self, request: Request, answer: str) -> None:
        """Marks an entry as dealt with; its event must have been appended before."""
        ...

    async def renew(self) -> None:
        """Keeps the lease alive. Raises LeaseLost."""
        ...

    async def close(self) -> None:
        """Gives the lease back."""
        ...
