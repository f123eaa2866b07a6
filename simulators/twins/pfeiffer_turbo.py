"""Pfeiffer Vacuum drive units TC 110 with turbo pumps, several on one RS-485 line.

Telegram: address (3), action and `0` (2), parameter (3), length (2), data, sum of the characters
modulo 256 (3), CR; an answer has action `10`; refusals are `NO_DEF`, `_RANGE`, `_LOGIC` (operating
instructions TC 110 PB, PT 0245 BEN/J, chapter 8). A telegram with a wrong sum, for another address
or for a group is not answered. The rotor speeds up evenly and coasts exponentially; both times are
of plausible order (a HiPace 80), not measured, and so are hours and temperatures. What is set for
gas, venting and accessories is kept and changes nothing.
"""

from __future__ import annotations

import math

from orchestrator.ports.clock import Clock
from simulators.twins.wire import FramedWire, Manners, lines

_RUN_UP_S, _COAST_S = 120.0, 240.0
_BOOLEANS = {2: "standby", 10: "station", 12: "venting", 23: "motor"}
_KEPT = {27: ("000", 0, 2), 30: ("000", 0, 2), 35: ("000", 0, 14), 50: ("000000", 0, 111111),
         700: ("000008", 1, 120), 720: ("000050", 40, 98), 721: ("003600", 6, 3600)}  # fmt: skip
"""Gas mode, venting mode, accessory A1, sealing gas, run-up time (min), venting speed (%) and time
(s): as delivered, least, most."""
_MEASURED = {311: 1234, 314: 1300, 319: 87, 326: 31, 330: 27, 342: 33, 346: 35}
"""Hours of pump and electronics, cycles; degC of electronics, pump bottom, bearing, motor."""
_ACKNOWLEDGE = 9
_DEFAULTS = {"standby": False, "station": False, "venting": False, "motor": True}


class DriveUnit:
    """One pump. Its motor runs while `station` and `motor` are on and there is no error."""

    def __init__(self, clock: Clock, address: int, *, nominal_hz: int = 1500) -> None:
        self.address, self.nominal_hz = address, nominal_hz
        self._clock = clock
        self._switches = dict(_DEFAULTS)
        self._kept = {parameter: value for parameter, (value, _, _) in _KEPT.items()}
        self._error = "000000"
        self._since, self._from_hz = clock.now(), 0.0

    def fail(self, code: str) -> None:
        """An error (`Err006`) switches the motor off, a warning (`Wrn076`) does not; `000000` ends
        either."""
        self._turn()
        self._error = code

    def power_up(self) -> None:
        """After a power cut: the rotor coasts. (That the station is off then is assumed, no page at
        hand says so; a unit that keeps it on runs up again by itself.)"""
        self._turn()
        self._switches = dict(_DEFAULTS)

    def speed(self) -> float:
        """The rotor's speed now, in Hz."""
        passed = self._clock.now() - self._since
        if self._runs():
            return min(self._target(), self._from_hz + self.nominal_hz * passed / _RUN_UP_S)
        return self._from_hz * math.exp(-passed / _COAST_S)

    def answer(self, action: str, parameter: int, data: str) -> str:
        """The data of the answer."""
        return self._read(parameter) if action == "00" else self._write(parameter, data)

    def _read(self, parameter: int) -> str:
        hertz = round(self.speed())
        flags = {
            302: hertz >= 0.8 * self.nominal_hz,
            304: False,
            305: False,
            306: self._runs() and hertz == round(self._target()),
            307: self._runs() and hertz < round(self._target()),
        }
        if parameter in _BOOLEANS:
            return _boolean(self._switches[_BOOLEANS[parameter]])
        if parameter in flags:
            return _boolean(flags[parameter])
        if parameter in self._kept:
            return self._kept[parameter]
        power = 0 if not self._runs() else 55 if flags[307] else 12
        numbers = {308: round(self._target()), 309: hertz, 315: self.nominal_hz, 316: power,
                   397: 60 * round(self._target()), 398: 60 * hertz, 399: 60 * self.nominal_hz,
                   797: self.address, **_MEASURED}  # fmt: skip
        if parameter in numbers:
            return f"{numbers[parameter]:06d}"
        return {
            303: self._error,
            310: f"{round(100 * power / 24):06d}",
            312: "010300",
            313: "002400",
            349: "TC 110",
        }.get(parameter, "NO_DEF")

    def _write(self, parameter: int, data: str) -> str:
        if parameter in self._kept:
            return self._keep(parameter, data)
        if parameter == _ACKNOWLEDGE and data == "111111":
            self.fail("000000")
            return data
        if parameter not in _BOOLEANS:
            return "_LOGIC" if self._read(parameter) != "NO_DEF" else "NO_DEF"
        if data not in ("000000", "111111"):
            return "_RANGE"
        self._turn()
        self._switches[_BOOLEANS[parameter]] = data == "111111"
        return data

    def _keep(self, parameter: int, data: str) -> str:
        shape, low, high = _KEPT[parameter]
        is_number = len(data) == len(shape) and data.isdigit()
        if not is_number or not low <= int(data) <= high:
            return "_RANGE"
        if parameter == 50 and data not in ("000000", "111111"):
            return "_RANGE"
        self._kept[parameter] = data
        return data

    def _turn(self) -> None:
        """From now on the rotor goes on from where it is."""
        self._from_hz, self._since = self.speed(), self._clock.now()

    def _target(self) -> float:
        return self.nominal_hz * (0.667 if self._switches["standby"] else 1.0)

    def _runs(self) -> bool:
        is_on = self._switches["station"] and self._switches["motor"]
        return is_on and not self._error.startswith("Err")


class TurboLine:
    """Drive units on one line."""

    def __init__(self, *units: DriveUnit) -> None:
        self.units = {unit.address: unit for unit in units}

    def wire(self) -> FramedWire:
        """The line."""
        manners = Manners(self._refusal, _elsewhere, _skewed, self._unheeded, self._restart)
        return FramedWire(lines(b"\r"), self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        body = self._taken(frame)
        if not body:
            return b""
        unit = self.units[int(body[:3])]
        return _answered(body, unit.answer(body[3:5], int(body[5:8]), body[10:]))

    def _taken(self, frame: bytes) -> str:
        """A telegram without its sum; nothing where nobody answers it."""
        telegram = frame.decode("ascii", "replace")
        body, check = telegram[:-3], telegram[-3:]
        head = body[:10]
        if not (head.isdigit() and len(head) == 10 and len(body) == 10 + int(head[8:])):
            return ""
        is_for_one = int(head[:3]) in self.units and head[3:5] in ("00", "10")
        return body if is_for_one and check == _sum(body) else ""

    def _refusal(self, frame: bytes) -> bytes | None:
        body = self._taken(frame)
        return _answered(body, "_LOGIC") if body else None

    def _unheeded(self, frame: bytes) -> bytes | None:
        """A command is answered by its own data."""
        body = self._taken(frame)
        return _answered(body, body[10:]) if body[3:5] == "10" else None

    def _restart(self) -> None:
        for unit in self.units.values():
            unit.power_up()


def _answered(body: str, data: str) -> bytes:
    answer = f"{body[:3]}10{body[5:8]}{len(data):02d}{data}"
    return f"{answer}{_sum(answer)}\r".encode("ascii")


def _elsewhere(reply: bytes) -> bytes:
    """The same from the next address but one."""
    body = reply[:-4].decode("ascii")
    return _answered(f"{int(body[:3]) + 2:03d}{body[3:]}", body[10:])


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    """Of a drive unit the speed is measured, and the power."""
    body = reply[:-4].decode("ascii")
    if int(body[5:8]) not in (309, 310, 316, 398) or not body[10:].isdigit():
        return None
    return _answered(body, f"{round(int(body[10:]) * (1 + share)):06d}")


def _sum(body: str) -> str:
    return f"{sum(ord(character) for character in body) % 256:03d}"


def _boolean(is_on: bool) -> str:
    return "111111" if is_on else "000000"
