"""Which execution of another side, which names it itself, belongs to which ticket."""

from __future__ import annotations

import os
from pathlib import Path


class Notes:
    """What was called under which ticket, a line each: `TICKET NAME EXECUTION`."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, tuple[str, str]] = {}

    def add(self, ticket: str, name: str, execution: str) -> None:
        """Notes an execution; in the file it is on disk when this returns. Raises OSError."""
        self._known[ticket] = (name, execution)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as notes:
                notes.write(f"{ticket} {name} {execution}\n")
                notes.flush()
                os.fsync(notes.fileno())

    def find(self, ticket: str) -> tuple[str, str] | None:
        """What was called, and its execution, of a ticket."""
        if ticket not in self._known and self._file is not None and self._file.is_file():
            for line in self._file.read_text("utf-8").splitlines():
                words = line.split()
                if len(words) == 3:
                    self._known[words[0]] = (words[1], words[2])
        return self._known.get(ticket)
