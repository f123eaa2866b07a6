"""T&C Power Conversion RF supply AG 0313 (AJA 0313 GTC): 300 W at 13.56 MHz, and its matching.

A command is 10 bytes: `C`, address (not looked at), two letters, two parameters and the sum of the
first eight bytes, each two bytes, high byte first. `*` acknowledges it, `?` says that it was not
understood; queries are then answered by `R`, address, number of bytes, data, sum (the packets that
pymeasure prints, and two drivers' commands; no manual was at hand). Settings need control. After
two seconds without a command control is gone, RF is off and the power is zero: these are seconds of
wall time, in whatever time the world runs. That a wrong sum and a setting without control are
answered by `?` is assumed, and so is that a power cut leaves it as its watchdog does; reflected
power and bias are of plausible order.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable

from simulators.twins.wire import FramedWire, Manners

_LIMIT_W = 300
_WATCHDOG_S = 2.0
_LENGTH = 10
_YES = 0x5555
_RF, _INTERLOCK = 1, 1 << 11


class RfGenerator:
    """The supply. `is_interlocked` opens its interlock, which puts RF off."""

    def __init__(self, wall: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._heard = wall()
        self._setpoint = 0
        self._has_control = self._is_on = False
        self.is_interlocked = False
        self.n_strikes = 0
        self.n_dropped = 0

    @property
    def is_on(self) -> bool:
        """Whether RF is on now."""
        self._watch()
        return self._is_on

    @property
    def setpoint(self) -> int:
        """The power that is set, in W."""
        self._watch()
        return self._setpoint

    def wire(self) -> FramedWire:
        """The supply's port."""
        manners = Manners(lambda _: b"?", None, _skewed, _unheeded, self._release)
        return FramedWire(_split, self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        if not _is_whole(frame):
            return b"?"
        self._watch()
        self._heard = self._wall()
        command = frame[2:4].decode("latin-1")
        data = self._answer(command, *struct.unpack(">HH", frame[4:8]))
        if data is None:
            return b"?"
        if command not in _QUERIES:
            return b"*"
        return _answered(frame, data)

    def _watch(self) -> None:
        is_late = self._wall() - self._heard > _WATCHDOG_S
        if self._has_control and is_late:
            self._release()
            self.n_dropped += 1
        self._is_on = self._is_on and not self.is_interlocked

    def _release(self) -> None:
        self._has_control = self._is_on = False
        self._setpoint = 0

    def _answer(self, command: str, first: int, second: int) -> bytes | None:
        """The data of the answer, nothing to a setting; None for what is not taken."""
        if command == "BP":
            return b""
        if command == "BC":
            return self._control(first)
        if command == "SA":
            return self._set(first)
        if command == "BR":
            return self._switch(first)
        return self._ask(command, first)

    def _control(self, wanted: int) -> bytes:
        if wanted == _YES:
            self._has_control = True
        else:
            self._release()
        return struct.pack(">H", self._has_control)

    def _set(self, watts: int) -> bytes | None:
        if not self._has_control or watts > _LIMIT_W:
            return None
        self._setpoint = watts
        return b""

    def _switch(self, wanted: int) -> bytes | None:
        if not self._has_control:
            return None
        is_on = wanted == _YES and self._setpoint > 0 and not self.is_interlocked
        self.n_strikes += is_on and not self._is_on
        self._is_on = is_on
        return b""

    def _ask(self, command: str, first: int) -> bytes | None:
        forward = 10 * self._setpoint if self._is_on else 0
        reflected = round(0.02 * forward)
        bias = round(12 * math.sqrt(forward / 10))
        status = _RF * self._is_on | _INTERLOCK * self.is_interlocked
        answers = {
            "GP": struct.pack(">HHH", forward, reflected, forward - reflected),
            "GS": struct.pack(">HHHH", status, 221, 1, 3),
            "GL": struct.pack(">H", 10 * self._setpoint),
            "GT": struct.pack(">HHHHH", 0, 425, 630, bias, 0),
            "Gf": bytes((1, 23, 2, 7)),
            "GF": struct.pack(">L", 13_560_000),
            "Gp": struct.pack(">10H", 13560, 10 * _LIMIT_W, *[0xFFFF] * 6, 13560, 700),
        }
        if command == "Gi":
            text = {1: b"AG 0313 GTC  ", 2: b"0313-1187"}.get(first)
            return struct.pack(">H", first) + text + b"\x00" if text else None
        return answers.get(command)


_QUERIES = {"BC", "Gi", "GP", "GS", "GL", "GT", "Gf", "GF", "Gp"}


def _is_whole(frame: bytes) -> bool:
    return bool(struct.unpack(">H", frame[8:])[0] == sum(frame[:8]))


def _answered(frame: bytes, data: bytes) -> bytes:
    body = b"R" + frame[1:2] + struct.pack(">H", len(data)) + data
    return b"*" + body + struct.pack(">H", sum(body))


def _unheeded(frame: bytes) -> bytes | None:
    """Acknowledged as ever; control is said to be as it was asked for."""
    if not _is_whole(frame) or frame[2:4] not in (b"SA", b"BR", b"BC"):
        return None
    wanted = struct.unpack(">H", frame[4:6])[0] == _YES
    return _answered(frame, struct.pack(">H", wanted)) if frame[2:4] == b"BC" else b"*"


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    """The forward power."""
    if frame[2:4] != b"GP" or len(reply) < 9:
        return None
    (forward,) = struct.unpack(">H", reply[5:7])
    return _answered(frame, struct.pack(">H", round(forward * (1 + share))) + reply[7:-2])


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """Ten bytes from the first `C` on."""
    start = data.find(b"C")
    if start < 0:
        return None, b""
    data = data[start:]
    return (data[:_LENGTH], data[_LENGTH:]) if len(data) >= _LENGTH else (None, data)
