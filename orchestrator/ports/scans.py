"""Raw files of instruments: kept with the campaign first, read afterwards.

A parser, found by entry point `hagane.parsers` under the ending of its files (`xrdml`), is a
function `parse(data: bytes) -> Scan`. It raises InputError with one sentence that says where the
file ends or goes wrong; whoever calls it adds the file's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from orchestrator.model.scan import Scan

Parse = Callable[[bytes], Scan]


class Archive(Protocol):
    """Where raw files are kept."""

    async def keep(self, name: str, data: bytes) -> str:
        """Keeps a file; durable when it returns. Gives its SHA-256. Raises JournalFull."""
        ...


class Scans(Protocol):
    """What the files of an archive say."""

    async def scan(self, name: str, sha256: str, kind: str) -> Scan:
        """A kept file as its parser reads it; `kind` where the name's ending does not say which.

        Raises:
            InputError: there is no such parser, or it cannot read the file.
            JournalDamaged: the file is not what was kept.
        """
        ...
