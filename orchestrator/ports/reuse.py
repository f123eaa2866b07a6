"""Results of the same crystal in another cell, which an exact key does not find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Match:
    """A known result of a structure that is the same, under its key."""

    key: str
    result: Mapping[str, Any]


class Matches(Protocol):
    """Finds known results by what crystal they are of, whatever cell it was written in."""

    def find(self, kind: str, structure: str, key: str) -> Match | None:
        """A known result among those of a `kind` (all else that a key is made of, and the formula)
        whose structure is the same crystal; None where there is none, or where that of the exact
        `key` is known."""
        ...

    def note(self, kind: str, key: str) -> None:
        """Remembers that the result of a key is of this kind."""
        ...
