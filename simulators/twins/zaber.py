"""Zaber linear stages on a chain, each a device with one axis.

Messages as in Zaber's ASCII Protocol Manual, version 3: `/device axis id command:checksum LF`, of
which all but the slash may be missing; reply `@01 1 07 OK IDLE -- data CR LF`, with the id and the
checksum where asked for. Every device answers to address 0; an address that is nobody's is met with
silence. A wrong checksum is not answered. Written against `zaber-motion` and `zaber.serial`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.ports.clock import Clock
from simulators.lab.axis import Axis
from simulators.twins.rack import Rack
from simulators.twins.wire import FramedWire, lines

MICROSTEP_MM = 0.000047625
_MESSAGE = re.compile(r"/\s*(\d+)?(?:\s+(\d+))?(?:\s+(\d+))?\s*(.*)$")


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

    def reply(self, address: int, asked: _Asked) -> str:
        """The reply without checksum, from the `@` on."""
        ok, data = self._obey(asked)
        now = self._clock.now()
        status = "BUSY" if self.axis.is_moving(now) else "IDLE"
        flag = next(iter(self._flags()), "--")
        head = f"@{address:02d} {asked.axis}{asked.number}"
        return f"{head} {'OK' if ok else 'RJ'} {status} {flag} {data}"

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
        return FramedWire(lines(b"\n"), self._reply)

    def _reply(self, frame: bytes) -> bytes:
        line = frame.decode("ascii", "replace").strip()
        if not line.startswith("/"):
            return b""
        line, colon, check = line.partition(":")
        if colon and check != _lrc(line[1:]):
            return b""
        match = _MESSAGE.match(line)
        assert match is not None, "everything that begins with a slash is a message"
        device, axis, number, words = match.groups()
        asked = _Asked(
            int(axis or 0), f" {int(number):02d}" if number else "", tuple(words.split())
        )
        address = int(device or 0)
        reached = self._stages if address == 0 else [address] if address in self._stages else []
        return b"".join(self._answer(a, asked) for a in reached)

    def _answer(self, address: int, asked: _Asked) -> bytes:
        stage = self._stages[address]
        line = stage.reply(address, asked)
        end = f":{_lrc(line[1:])}" if stage.checksums else ""
        return f"{line}{end}\r\n".encode("ascii")


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
