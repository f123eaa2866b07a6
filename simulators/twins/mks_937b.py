"""MKS 937B vacuum gauge controller with a Pirani on channel 1, a cold cathode on 3.

`@aaaCMD?;FF` and `@aaaCMD!value;FF` are answered by `@aaaACKvalue;FF` or `@aaaNAKnnn;FF`; address
254 is everybody's, answered with the unit's own (937B operation manual 100016467, sections 6.6.3,
9.1 and 9.6). Known here: PR, PRZ, CP, T, U, SN, AD. A channel without a gauge says NOGAUGE; the
cold cathode is off above its protect set-point (5e-3 Torr) and must be switched on again (page 40).
"""

from __future__ import annotations

import re

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, lines

_PASCAL_PER_TORR = 133.322
_PER_TORR = {"TORR": 1.0, "mBAR": 1.33322, "PASCAL": 133.322, "MICRON": 1000.0}
_PIRANI, _COLD_CATHODE = 1, 3
_ATMOSPHERE_TORR, _PROTECT_TORR = 400.0, 5e-3
_REQUEST = re.compile(r"@(\d{3})([A-Z]+)(\d?)([?!])(.*)", re.DOTALL)
_UNKNOWN, _INVALID, _NO_ION_GAUGE = "NAK160", "NAK169", "NAK152"


class GaugeController:
    """The controller; its display shows Torr until told otherwise."""

    def __init__(self, chamber: Chamber, address: int = 253) -> None:
        self.address = address
        self._chamber = chamber
        self._unit = "TORR"
        self._is_on = {_PIRANI: True, _COLD_CATHODE: False}

    def wire(self) -> FramedWire:
        """The controller's port."""
        return FramedWire(lines(b";FF"), self._reply)

    def _reply(self, frame: bytes) -> bytes:
        start = frame.rfind(b"@")
        found = _REQUEST.fullmatch(frame[max(start, 0) :].decode("ascii", "replace"))
        if found is None or int(found[1]) not in (self.address, 254):
            return b""
        channel = int(found[3] or 0)
        value = found[5] if found[4] == "!" else None
        return f"@{self.address:03d}{self._answer(found[2], channel, value)};FF".encode("ascii")

    def _answer(self, command: str, channel: int, value: str | None) -> str:
        if command == "U" and not channel:
            return self._display(value)
        if command == "CP" and 1 <= channel <= 6:
            return self._power(channel, value)
        if value is not None:
            return _UNKNOWN
        if command == "PR" and 1 <= channel <= 6:
            return f"ACK{self._pressure(channel)}"
        if command == "T" and channel in (1, 3, 5):
            return self._status(channel)
        plain = {"PRZ": " ".join(self._pressure(n) for n in range(1, 7)), "SN": "937B0412",
                 "AD": f"{self.address:03d}"}  # fmt: skip
        return f"ACK{plain[command]}" if command in plain and not channel else _UNKNOWN

    def _display(self, value: str | None) -> str:
        if value is None:
            return f"ACK{self._unit}"
        unit = next((u for u in _PER_TORR if u.upper() == value.upper()), None)
        if unit is None:
            return _INVALID
        self._unit = unit
        return f"ACK{unit}"

    def _power(self, channel: int, value: str | None) -> str:
        if value is not None:
            if value not in ("ON", "OFF") or channel not in self._is_on:
                return _INVALID
            self._is_on[channel] = value == "ON"
        return f"ACK{'ON' if self._is_on.get(channel) else 'OFF'}"

    def _status(self, channel: int) -> str:
        if channel != _COLD_CATHODE:
            return _NO_ION_GAUGE
        self._protect()
        return "ACKG" if self._is_on[channel] else "ACKO"

    def _pressure(self, channel: int) -> str:
        self._protect()
        torr = self._chamber.pressure() / _PASCAL_PER_TORR
        if channel not in self._is_on:
            return "NOGAUGE"
        if not self._is_on[channel]:
            return "OFF"
        if channel == _PIRANI and not 5e-4 <= torr <= _ATMOSPHERE_TORR:
            return "ATM" if torr > 1 else "LO<E-04"
        mantissa, _, exponent = f"{torr * _PER_TORR[self._unit]:.2E}".partition("E")
        return f"{mantissa}E{int(exponent):+d}"

    def _protect(self) -> None:
        if self._chamber.pressure() / _PASCAL_PER_TORR > _PROTECT_TORR:
            self._is_on[_COLD_CATHODE] = False
