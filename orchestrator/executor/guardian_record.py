"""What a guardian did, durable: a file of its own per guardian, JSON lines, locked while it lives.

The first line says for which engine it watches. A guardian that had nothing to do deletes its file;
what one has done stays until the next engine has journaled it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

ENDING = ".jsonl"


class Record:
    """A record that is being written. A disk that is slow, or takes no more, keeps nobody from
    acting: what was done is flushed in the end, before the lock is let go."""

    def __init__(self, folder: str, engine: int) -> None:
        """Begins it, in `folder`, for the engine of that process id. Raises OSError."""
        directory = Path(folder)
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"{time.time_ns()}-{os.getpid()}{ENDING}"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        _is_locked(self._file)
        self._has_begun = False
        os.write(self._file, _line({"engine": engine}))
        os.fsync(self._file)

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._has_begun:
            self._write({"ended": time.time()})
            with contextlib.suppress(OSError):
                os.fsync(self._file)
        else:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def begin(self, why: str) -> None:
        """It acts from now on."""
        self._has_begun = True
        self._write({"began": time.time(), "why": why})

    def made(self, resource: str, note: str) -> None:
        """A resource was made safe, or was not: then `note` says why."""
        self._write({"resource": resource, "note": note, "at": time.time()})

    def _write(self, said: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):
            os.write(self._file, _line(said))


@dataclass(frozen=True)
class Recorded:
    """What a record says. `made` is by resource; '' is safe, else why not."""

    path: Path
    engine: int
    why: str
    began: float
    ended: float
    made: Mapping[str, str] = field(default_factory=dict)


def recorded_in(folder: Path) -> list[Recorded]:
    """What guardians did that have come to their end, the oldest first."""
    found = []
    for path in sorted(folder.glob(f"*{ENDING}")):
        if not is_at_work(path):
            said = read_record(path)
            if said is None:
                path.unlink(missing_ok=True)  # it was killed, and had done nothing
            else:
                found.append(said)
    return found


def guardians_at_work(folder: Path) -> list[Path]:
    """The records of guardians that still live."""
    return [path for path in sorted(folder.glob(f"*{ENDING}")) if is_at_work(path)]


def is_at_work(path: Path) -> bool:
    """Whether the guardian whose record this is still lives."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _is_locked(file, shared=True)
    finally:
        os.close(file)


def read_record(path: Path) -> Recorded | None:
    """What a record says; None where its guardian has done nothing, or has deleted it."""
    if not path.exists():
        return None
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
    began = next((line for line in lines if "began" in line), None)
    if began is None:
        return None
    made = {line["resource"]: line["note"] for line in lines if "resource" in line}
    ended = max(float(line.get("at", line.get("ended", began["began"]))) for line in lines)
    return Recorded(path, lines[0]["engine"], began["why"], began["began"], ended, made)


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _is_locked(file: int, *, shared: bool = False) -> bool:
    """Takes the lock of a file without waiting; whether it was to be had."""
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
