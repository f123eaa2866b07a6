"""A record of all that passes on a lab's wires: JSON lines, a file for each port of a device.

    DIR/2026-11-26T21-24-51/argon.jsonl, .../arm.jsonl, .../arm-2.jsonl (a second port)

A file that has grown goes on in the next (`argon.part2.jsonl`); the oldest parts are let go, so
that no device takes more than `MOST_PARTS` of `PART_BYTES`. Lines are written by a thread of their
own: no exchange waits for the disk. What a full disk refuses is lost, counted in the record, and
said once; the run goes on.
"""

from __future__ import annotations

import functools
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from orchestrator.errors import InputError
from orchestrator.ports.traffic import Figures, Passage, Record

PART_BYTES = 32 * 2**20
MOST_PARTS = 8
MOST_WAITING = 20_000
"""Lines that wait for a disk that is slow; beyond them they are lost."""
AGAIN_S = 10.0
"""Wall time after which a disk that refused is tried again."""
_FLUSH_S = 1.0


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


class Traffic:
    """What passes on the wires of a lab's resources: their figures, and a record where one is kept.

    With a `folder` a record is begun in it. Raises InputError: the folder cannot be made.
    """

    def __init__(self, folder: str | Path = "", complain: Callable[[str], None] = _say) -> None:
        self.figures: dict[str, Figures] = {}
        self.record = TrafficRecord(Path(folder), complain) if folder else None

    def record_of(self, resource: str) -> Record | None:
        """What takes the passages of a resource."""
        return self.record.of(resource) if self.record else None

    def figures_of(self, resource: str) -> Figures:
        """The figures of a resource, kept from now on."""
        return self.figures.setdefault(resource, Figures())

    def used(self) -> dict[str, Figures]:
        """The figures of those whose wires were used."""
        return {name: found for name, found in self.figures.items() if found.n_exchanges}

    def close(self) -> None:
        """Ends the record; may be repeated."""
        if self.record is not None:
            self.record.close()


class TrafficRecord:
    """Takes the passages of every device of a lab until it is closed; never raises.

    Its folder is made at once.

    Raises:
        InputError: it cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        complain: Callable[[str], None] = _say,
        *,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self.folder = _new_folder(folder)
        self._part_bytes = part_bytes
        self._complain = complain
        self._waiting: queue.Queue[tuple[str, Passage] | None] = queue.Queue(MOST_WAITING)
        self._files: dict[tuple[str, str], _Parts] = {}
        self._names: dict[str, list[str]] = {}
        self._n_lost = 0
        self._refused_at: float | None = None
        self._thread = threading.Thread(target=self._work, name="traffic record", daemon=True)
        self._thread.start()

    def of(self, device: str) -> Record:
        """What takes the passages of a device."""

        def record(passage: Passage) -> None:
            try:
                self._waiting.put_nowait((device, passage))
            except queue.Full:
                self._lose("the disk is too slow")

        return record

    def close(self) -> None:
        """Writes what waits, for a few seconds at most; may be repeated."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=2.0)
            except queue.Full:
                return
            self._thread.join(5.0)

    def _work(self) -> None:
        while True:
            try:
                item = self._waiting.get(timeout=_FLUSH_S)
            except queue.Empty:
                self._try(self._flush)
                continue
            if item is None:
                self._try(self._end)
                return
            device, passage = item
            if not self._is_refused():
                self._try(functools.partial(self._write, device, passage))
            else:
                self._n_lost += 1

    def _is_refused(self) -> bool:
        at = self._refused_at
        return at is not None and time.monotonic() - at < AGAIN_S

    def _try(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except OSError as error:
            self._refused_at = time.monotonic()
            self._lose(error.strerror or str(error))

    def _lose(self, why: str) -> None:
        self._n_lost += 1
        if self._n_lost == 1:
            self._complain(
                f"the record of the traffic in {self.folder} loses lines: {why}; the run goes on"
            )

    def _write(self, device: str, passage: Passage) -> None:
        parts = self._parts(device, passage.port)
        parts.write(passage.line(device))
        if self._refused_at is not None:
            self._refused_at = None
            why = f"{self._n_lost} lines of all devices were lost before this one"
            lost = Passage("mark", at=passage.at, port=passage.port, said="lost", why=why)
            parts.write(lost.line(device))

    def _parts(self, device: str, port: str) -> _Parts:
        key = (device, port)
        if key not in self._files:
            ports = self._names.setdefault(device, [])
            if port not in ports:
                ports.append(port)
            number = ports.index(port) + 1
            stem = device if number == 1 else f"{device}-{number}"
            self._files[key] = _Parts(self.folder, stem, self._part_bytes)
        return self._files[key]

    def _flush(self) -> None:
        for parts in self._files.values():
            parts.flush()

    def _end(self) -> None:
        for parts in self._files.values():
            parts.close()


class _Parts:
    """The file of one port of a device, in parts."""

    def __init__(self, folder: Path, stem: str, part_bytes: int) -> None:
        self._folder, self._stem, self._part_bytes = folder, stem, part_bytes
        self._number = 0
        self._n_bytes = 0
        self._file: TextIO | None = None

    def write(self, line: str) -> None:
        """Raises OSError."""
        if self._file is None or self._n_bytes > self._part_bytes:
            self._next()
        assert self._file is not None
        self._file.write(f"{line}\n")
        self._n_bytes += len(line) + 1

    def flush(self) -> None:
        """Raises OSError."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Raises OSError."""
        if self._file is not None:
            self._file.close()

    def _next(self) -> None:
        self.close()
        self._file, self._n_bytes = None, 0
        self._file = self._path(self._number + 1).open("a", encoding="utf-8")
        self._number += 1
        if self._number > MOST_PARTS:
            self._path(self._number - MOST_PARTS).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        part = f".part{number}" if number > 1 else ""
        return self._folder / f"{self._stem}{part}.jsonl"


def _new_folder(folder: Path) -> Path:
    stamp = datetime.now(UTC).astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    try:
        for number in range(1, 1000):
            found = folder / (stamp if number == 1 else f"{stamp}-{number}")
            try:
                found.mkdir(parents=True)
            except FileExistsError:
                continue
            return found
    except OSError as error:
        raise InputError(
            f"traffic cannot be recorded in {folder}: {error.strerror or error}",
            hint="name a folder that can be made, after --record or in the lab file's `record`",
        ) from error
    raise InputError(f"{folder} is full of records of this second")
