"""A folder as it is seen from here, with nothing taken for granted about its clock."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import secrets
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.files.patterns import is_temporary, locks_of

Seen = Mapping[str, tuple[int, int]]
"""Files by name: size in bytes, and time of change in ns by the clock of whoever keeps the folder.
Times are compared with each other for being the same, never with a clock of ours."""

NOTE = ".hagane-{}.json"


@dataclass
class Note:
    """What is waited for, kept beside the files, so that it outlives whoever waits.

    `before` are the files that were there when the wait began; `tickets` those that wait for it,
    with the name and SHA-256 of what they took, or None. It `is_over` once a file was taken.
    """

    key: str
    what: str
    before: dict[str, tuple[int, int]]
    tickets: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    is_requested: bool = False
    is_over: bool = False


def look(folder: Path, names: re.Pattern[str]) -> dict[str, tuple[int, int]]:
    """The files of these names that are not temporary. Raises OSError."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if names.fullmatch(entry.name) and not is_temporary(entry.name):
                with contextlib.suppress(FileNotFoundError):  # renamed meanwhile
                    status = entry.stat()
                    if entry.is_file():
                        found[entry.name] = (status.st_size, status.st_mtime_ns)
    return found


def is_in_use(folder: Path, name: str) -> bool:
    """Whether a file is empty, locked, not to be opened, or open for writing (as far as the system
    can tell: on most shares it cannot)."""
    path = folder / name
    if any((folder / lock).exists() for lock in locks_of(name)):
        return True
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        return os.fstat(number).st_size == 0 or _is_written(number)
    finally:
        os.close(number)


def _is_written(number: int) -> bool:
    """Whether somebody has the file open for writing: then no lease to read is given (fcntl(2),
    F_SETLEASE). False too where leases are not to be had.

    Whoever opens it in this moment has the kernel signal the lease's holder: by a signal that does
    nothing, since the usual one (SIGIO) would end the process.
    """
    try:
        fcntl.fcntl(number, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EBUSY)
    with contextlib.suppress(OSError):
        fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def shown(*names: str) -> str:
    """Names of files in words: a name need not be a text."""
    return ", ".join(sorted(names)).encode("utf-8", "backslashreplace").decode()


def note_of(folder: Path, key: str) -> Note | None:
    """The note of a key; None where there is none. Raises OSError."""
    path = folder / NOTE.format(key)
    return _read(path) if path.exists() else None


def notes(folder: Path) -> list[Note]:
    """Every note of the folder. Raises OSError."""
    found = [_read(path) for path in sorted(folder.glob(NOTE.format("*")))]
    return [note for note in found if note is not None]


def _read(path: Path) -> Note | None:
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Note(
            key=said["key"],
            what=said["what"],
            before={name: (int(a), int(b)) for name, (a, b) in said["before"].items()},
            tickets={t: None if v is None else (v[0], v[1]) for t, v in said["tickets"].items()},
            is_requested=bool(said["is_requested"]),
            is_over=bool(said["is_over"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def write_note(folder: Path, note: Note) -> None:
    """Keeps a note, whole or not at all. Raises OSError."""
    write_whole(folder / NOTE.format(note.key), json.dumps(note.__dict__).encode())


def write_whole(path: Path, data: bytes) -> None:
    """A file that bears its name only once it is complete. Raises OSError."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
