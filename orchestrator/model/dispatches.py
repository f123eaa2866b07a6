"""What became of a dispatched action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.model import events as ev


@dataclass
class DispatchState:
    """A dispatched action. `is_open` until a result, a failure or a resolved doubt."""

    seq: int
    event: ev.ActionDispatched
    at: float
    ended_at: float | None = None
    outcome: str = "open"  # open | done | failed | not_done
    results: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    failure: ev.ActionFailed | None = None
    failed_seq: int = 0
    doubt: ev.Doubted | None = None
    children: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Neither its result nor its failure is known, or the failure left a doubt."""
        return self.outcome == "open"

    @property
    def closed_at(self) -> float:
        """When it came to its end; of one that is open, when it was dispatched."""
        return self.at if self.ended_at is None else self.ended_at
