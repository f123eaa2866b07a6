"""A wire from a record: it answers exactly what was recorded to exactly what was recorded.

`replay:FILE` as a port, FILE being what `--record` of `hagane run`, `resource try` or `check` wrote
for a device. Silences, half replies and lost connections come as they were. The first byte that
differs ends it: from then on everything raises TrafficDiffers, which names the line. Nothing is
waited for: a reply that took its time comes at once.
"""

from __future__ import annotations

import re
from pathlib import Path
from weakref import WeakKeyDictionary

from drivers.transports.memory import MemoryPort
from drivers.transports.wires import Absent, Settings, Taken
from orchestrator.errors import InputError, TrafficDiffers
from orchestrator.ports.resource import Bench
from orchestrator.ports.traffic import Figures, Passage, read_passage

_PART = re.compile(r"(?P<stem>.+?)(\.part(?P<number>\d+))?\.jsonl")
_PASSED_OVER = {"ahead", "stray"}
_ENDINGS = {"silent", "garbled", "refused", "unsent"}
"""Marks that follow from the bytes and are not played: the exchange comes to the same end."""


class ReplayWire:
    """The far end of a record, from its first line to its last (and those of its later parts)."""

    def __init__(self, file: Path) -> None:
        """Reads the record.

        Raises:
            InputError: it cannot be read, or is none.
        """
        self.file = file
        self._lines = _read(file)
        self._at = 0
        self._difference: str = ""

    async def receive(self, data: bytes) -> bytes:
        """What came when this was sent.

        Raises:
            ConnectionError: the connection was lost.
            TrafficDiffers: something else was sent, or nothing.
        """
        where, passage = self._next()
        if passage is not None and passage.said == "found_gone":
            self._at += 1
            raise ConnectionError(passage.why)
        if passage is None or passage.way != "sent" or passage.data != data:
            self._differ(where, passage, f"{data!r} is sent")
        self._at += 1
        reply = b""
        while self._at < len(self._lines):
            following = self._lines[self._at][1]
            if following.way == "came":
                reply += following.data
            elif following.way == "mark" and following.said == "gone":
                self._at += 1
                raise ConnectionError(following.why or "the connection broke")
            elif following.way not in _PASSED_OVER and following.said not in _ENDINGS:
                break
            self._at += 1
        return reply

    def connect(self) -> None:
        """As it was when somebody connected.

        Raises:
            Absent, Taken: nobody was there, or somebody else had it.
            TrafficDiffers: nobody connected then.
        """
        where, passage = self._next()
        if passage is not None and passage.said in ("absent", "taken"):
            self._at += 1
            raise (Taken if passage.said == "taken" else Absent)(passage.why)
        if passage is None or passage.said != "connected":
            self._differ(where, passage, "a connection is made")
        self._at += 1

    @property
    def is_broken(self) -> bool:
        """Whether what was done next was to connect."""
        if self._difference:
            return False
        passage = self._next()[1]
        return passage is not None and passage.said in ("connected", "absent", "taken")

    def finish(self) -> None:
        """Accepts that all was played. Raises TrafficDiffers: it was not."""
        if self._difference:
            raise TrafficDiffers(self._difference)
        where, passage = self._next()
        if passage is not None:
            self._differ(where, passage, "the replay ends")

    def _next(self) -> tuple[str, Passage | None]:
        """The next line that means something, and where it is."""
        if self._difference:
            raise TrafficDiffers(self._difference)
        while self._at < len(self._lines):
            where, passage = self._lines[self._at]
            if passage.way not in _PASSED_OVER and passage.said not in (*_ENDINGS, "gone"):
                return where, passage
            self._at += 1
        last = self._lines[-1][0] if self._lines else str(self.file)
        return last, None

    def _differ(self, where: str, passage: Passage | None, now: str) -> None:
        if passage is None:
            then = "is the last one of the record"
        elif passage.way == "mark":
            then = f"has '{passage.said}'"
        else:
            then = f"has {passage.data!r} {passage.way}"
        self._difference = f"{where} {then}, where now {now}"
        raise TrafficDiffers(self._difference)


def replay_of(bench: Bench, file: Path) -> ReplayWire:
    """The replay of a record for whom this bench belongs to; it goes on when the port is closed
    and opened again. Raises InputError."""
    replays = _replays.setdefault(bench.figures, {})
    if file not in replays:
        replays[file] = ReplayWire(file)
    return replays[file]


def finish_replays(bench: Bench) -> None:
    """Accepts that every record replayed on this bench was played to its end. Raises
    TrafficDiffers."""
    for replay in _replays.get(bench.figures, {}).values():
        replay.finish()


_replays: WeakKeyDictionary[Figures, dict[Path, ReplayWire]] = WeakKeyDictionary()


class ReplayPort(MemoryPort):
    """A port on a record. Connecting fails where it failed then."""

    def __init__(self, wire: ReplayWire, settings: Settings) -> None:
        self._replay, self._has_connected = wire, False
        super().__init__(wire, settings)

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands: another one on the line may have found it broken."""
        return self._has_connected and not self._replay.is_broken

    @is_connected.setter
    def is_connected(self, whether: bool) -> None:
        self._has_connected = whether

    async def connect(self, *, urgent: bool = False) -> int:
        """As `MemoryPort.connect`. Raises Absent, Taken, TrafficDiffers."""
        if not self.is_connected:
            self._replay.connect()
        return await super().connect(urgent=urgent)


def _read(file: Path) -> list[tuple[str, Passage]]:
    found: list[tuple[str, Passage]] = []
    for part in _parts(file):
        try:
            lines = part.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise InputError(f"the record {part} cannot be read: {said}") from error
        for number, line in enumerate(lines, start=1):
            try:
                found.append((f"{part} line {number}", read_passage(line)))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{part} line {number} is no line of a traffic record: {error}",
                    hint="the files are those that --record writes",
                ) from error
    return found


def _parts(file: Path) -> list[Path]:
    match = _PART.fullmatch(file.name)
    if match is None:
        return [file]
    number = int(match["number"] or 1)
    parts = [file]
    while (part := file.with_name(f"{match['stem']}.part{number + len(parts)}.jsonl")).exists():
        parts.append(part)
    return parts
