"""Measurements that arrive as files: a person or another program makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from orchestrator.ports.action import Cancel, Effect, SampleArg, action


@dataclass(frozen=True)
class CollectedFile:
    """A file of an instrument, kept with the campaign as it is. `sha256` is of its bytes."""

    file: str
    sha256: str


class FileMeasurement:
    """Something that measures by itself, or by a person's hand, and leaves a file."""

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def collect(self, sample: Annotated[str, SampleArg()] = "") -> CollectedFile:
        """Waits until the file of a sample is there and complete, and keeps it."""
        raise NotImplementedError
