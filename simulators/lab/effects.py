"""The physical effects of a lab, numbered in the order in which they happened.

Whoever wants to know whether something was done twice reads this, not the journal. `watch` is told
just before and just after each effect (tests end the engine there).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

NAMES = (
    "pumped",
    "vented",
    "strikes",
    "films_begun",
    "films_finished",
    "films_partial",
    "bare_exposures",
    "picked",
    "sample_moves",
    "protective_stops",
    "scratches",
)
"""Valve openings (2), plasma strikes, films by their fate (a film that is begun ends as finished or
partial), exposures without a sample, samples picked up, samples put down, stops of the transfer,
stages that moved under a lowered probe."""


@dataclass(frozen=True)
class Happened:
    """One effect: its number from 1, its name, campaign time, and what it was done to."""

    n: int
    name: str
    at: float
    detail: str = ""


Watch = Callable[[Literal["before", "after"], int], None]


class Effects:
    """A log of effects, each one of `names`."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self._names = names
        self.log: list[Happened] = []
        self.watch: Watch | None = None

    @contextmanager
    def happening(self, name: str, at: float, detail: str = "") -> Iterator[None]:
        """The body of the `with` is the effect."""
        if name not in self._names:
            raise ValueError(f"{name} is not an effect")
        n = len(self.log) + 1
        if self.watch is not None:
            self.watch("before", n)
        yield
        self.log.append(Happened(n, name, at, detail))
        if self.watch is not None:
            self.watch("after", n)

    def counts(self) -> dict[str, int]:
        """How often each effect happened, and `effects`, all of them."""
        found = dict.fromkeys(self._names, 0)
        for happened in self.log:
            found[happened.name] += 1
        return {**found, "effects": len(self.log)}

    def records(self) -> list[dict[str, Any]]:
        """The log as plain data."""
        return [asdict(happened) for happened in self.log]
