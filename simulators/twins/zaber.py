"""Zaber linear stages on a chain, each a device with one axis.

Messages as in Zaber's ASCII Protocol Manual, version 3: `/device axis id command:checksum`, of
which all but the slash may be missing, ended by CR, LF or both; reply `@01 1 07 OK IDLE -- data CR
LF`, with the id and the checksum where asked for. Every device answers to address 0; an address
that is nobody's is met with silence. A wrong checksum is not answered. Written against
`zaber-motion` and `zaber.serial`. Whether `comm.checksum` outlasts a power cut was found nowhere:
the twin forgets it, as it forgets where it is, which is the harder case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.ports.clock import Clock
from simulators.lab.axis import Axis
from simulators.twins.rack import Rack
from simulators.twins.wire import FramedWire, Manners, either_lines

MICROSTEP_MM = 0.000047625
_MESSAGE = re.compile(r"/\s*(\d+)?(?:\s+(\d+))?(?:\s+(\d+))?\s*(.*)$")
_REPLY = re.compile(r"(?P<start>@)(?P<address>\d\d)(?P<body>[^:]*)(?P<check>:..)?\r\n")
_ORDERS = {"home", "stop", "estop", "move", "set"}


@dataclass(frozen=True)
class _Asked:
    axis: int
    number: str
    words: tuple[str, ...]


class Stage:
    """A device (`serial` is its number) whose only axis is `axis`; `sets_out` is told of moves."""

    def __init__(
        self,
        axis: Axis,
        clock: Clock,
        serial: int,
        sets_out: Callable[[], None] = lambda: None,
    ) -> None:
        self.axis, self._clock, self._sets_out = axis, clock, sets_out
        self.checksums = False
        self._settings = {
            "deviceid": "50081",
            "system.serial": str(serial),
            "version": "7.38",
            "system.axiscount": "1",
            "resolution": "64",
            "limit.min": "0",
            "limit.max": str(round(axis.travel_mm / MICROSTEP_MM)),
            "comm.alert": "0",
        }

    def lose_power(self) -> None:
        """Is switched off and on: it has no reference, and is set as it was delivered."""
        self.axis.lose_power(self._clock.now())
        self.checksums = False

    def reply(self, address: int, asked: _Asked) -> bytes:
        """Obeys, and says what came of it."""
        return self.say(address, asked, *self._obey(asked))

    def say(self, address: int, asked: _Asked, ok: bool, data: str) -> bytes:
        """A reply with the axis' state as it is now, and the checksum where it is asked for."""
        now = self._clock.now()
        status = "BUSY" if self.axis.is_moving(now) else "IDLE"
        flag = next(iter(self._flags()), "--")
        head = f"@{address:02d} {asked.axis}{asked.number}"
        return _line(f"{head} {'OK' if ok else 'RJ'} {status} {flag} {data}", self.checksums)

    def _obey(self, asked: _Asked) -> tuple[bool, str]:
        """Whether it is accepted, and the data or the reason."""
        if asked.axis > 1:
            return False, "BADAXIS"
        match asked.words:
            case () | ("home",) | ("stop",) | ("estop",):
                self._drive("".join(asked.words))
                return True, "0"
            case ("move", kind, number):
                return self._move(kind, number)
            case ("warnings", *clear):
                return self._warnings(clear)
            case ("get", setting):
                return self._get(setting)
            case ("set", setting, value):
                return self._set(setting, value)
            case _:
                return False, "BADCOMMAND"

    def _drive(self, word: str) -> None:
        if word == "home":
            self._sets_out()
            self.axis.home(self._clock.now())
        elif word:
            self.axis.stop(self._clock.now())

    def _warnings(self, clear: list[str]) -> tuple[bool, str]:
        flags = self._flags()
        if clear not in ([], ["clear"]):
            return False, "BADCOMMAND"
        if clear:
            self.axis.has_stalled = self.axis.is_interrupted = False
        return True, " ".join((f"{len(flags):02d}", *flags))

    def _move(self, kind: str, number: str) -> tuple[bool, str]:
        now = self._clock.now()
        if not re.fullmatch(r"-?\d+", number) or kind not in ("abs", "rel"):
            return False, "BADDATA"
        target = int(number) * MICROSTEP_MM + (self.axis.counted(now) if kind == "rel" else 0.0)
        if not 0.0 <= target <= self.axis.travel_mm + MICROSTEP_MM:
            return False, "BADDATA"
        if abs(target - self.axis.counted(now)) > MICROSTEP_MM:
            self._sets_out()
        self.axis.move(target, now)
        return True, "0"

    def _get(self, setting: str) -> tuple[bool, str]:
        if setting == "pos":
            return True, str(round(self.axis.counted(self._clock.now()) / MICROSTEP_MM))
        if setting == "comm.checksum":
            return True, str(int(self.checksums))
        found = self._settings.get(setting)
        return found is not None, found or "BADCOMMAND"

    def _set(self, setting: str, value: str) -> tuple[bool, str]:
        if setting != "comm.checksum":
            return False, "BADCOMMAND"
        if value not in ("0", "1"):
            return False, "BADDATA"
        self.checksums = value == "1"
        return True, "0"

    def _flags(self) -> tuple[str, ...]:
        """The most severe first."""
        self.axis.settle(self._clock.now())
        found = (
            ("FS", self.axis.has_stalled),
            ("WH", not self.axis.is_homed),
            ("WR", not self.axis.is_homed),
            ("NI", self.axis.is_interrupted),
        )
        return tuple(flag for flag, holds in found if holds)


class Chain:
    """Stages by address on one line."""

    def __init__(self, stages: Mapping[int, Stage]) -> None:
        self._stages = dict(stages)

    def wire(self) -> FramedWire:
        """The line."""
        manners = Manners(self._refusal, _elsewhere, _skewed, self._unheeded, self._lose_power)
        return FramedWire(either_lines, self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        asked, reached = self._reached(frame)
        return b"".join(stage.reply(address, asked) for address, stage in reached)

    def _reached(self, frame: bytes) -> tuple[_Asked, list[tuple[int, Stage]]]:
        """What a message asks, and whom."""
        asked, address = _read(frame)
        return asked, [(a, s) for a, s in self._stages.items() if address in (0, a)]

    def _refusal(self, frame: bytes) -> bytes | None:
        """Understood, and not to be done at present."""
        asked, reached = self._reached(frame)
        return b"".join(s.say(a, asked, False, "AGAIN") for a, s in reached) or None

    def _unheeded(self, frame: bytes) -> bytes | None:
        asked, reached = self._reached(frame)
        if not _ORDERS.intersection(asked.words[:1]):
            return None
        return b"".join(s.say(a, asked, True, "0") for a, s in reached) or None

    def _lose_power(self) -> None:
        for stage in self._stages.values():
            stage.lose_power()


def _read(frame: bytes) -> tuple[_Asked, int | None]:
    """A message and its address; None where nobody listens to it."""
    line = frame.decode("ascii", "replace").strip()
    line, colon, check = line.partition(":")
    match = _MESSAGE.match(line)
    if match is None or (colon and check != _lrc(line[1:])):
        return _Asked(0, "", ()), None
    device, axis, number, words = match.groups()
    number = f" {int(number):02d}" if number else ""
    return _Asked(int(axis or 0), number, tuple(words.split())), int(device or 0)


def _line(text: str, with_checksum: bool) -> bytes:
    """A whole line; `text` is from the `@` on."""
    end = f":{_lrc(text[1:])}" if with_checksum else ""
    return f"{text}{end}\r\n".encode("ascii")


def _elsewhere(reply: bytes) -> bytes:
    """The same from the next address."""

    def moved(found: re.Match[str]) -> str:
        address = int(found["address"]) % 99 + 1
        return _line(f"@{address:02d}{found['body']}", bool(found["check"])).decode("ascii")

    return _REPLY.sub(moved, reply.decode("ascii")).encode("ascii")


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    """A position that is off by a share of itself."""
    found = _REPLY.fullmatch(reply.decode("ascii"))
    if found is None or _read(frame)[0].words != ("get", "pos"):
        return None
    words, _, steps = found["body"].rpartition(" ")
    text = f"@{found['address']}{words} {round(int(steps) * (1 + share))}"
    return _line(text, bool(found["check"]))


def _lrc(body: str) -> str:
    """All characters and the checksum add up to a multiple of 256."""
    total = sum(map(ord, body)) % 256
    return f"{(256 - total) % 256:02X}"


class StageRack(Rack):
    """Two stages of 150 mm on one line, `stages`: device 1 and device 2, not homed."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        axes = {1: Axis(150.0, stands=31.0), 2: Axis(150.0, stands=57.5)}
        stages = {a: Stage(axis, clock, 73_000 + a) for a, axis in axes.items()}
        for stage in stages.values():
            stage.checksums = True
        super().__init__({"stages": Chain(stages).wire()})
