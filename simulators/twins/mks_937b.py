"""MKS 937B vacuum gauge controller with a Pirani on channel 1, a cold cathode on 3.

`@aaaCMD?;FF` and `@aaaCMD!value;FF` are answered by `@aaaACKvalue;FF` or `@aaaNAKnnn;FF`; address
254 is everybody's, answered with the unit's own (937B operation manual 100016467, sections 6.6.3,
9.1 and 9.6). Known here: PR, PRZ, CP, T, U, SN, AD. A channel without a gauge says NOGAUGE; the
cold cathode is off above its protect set-point (5e-3 Torr) and must be switched on again (page 40).
"""

from __future__ import annotations

import re

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, Manners, lines

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
        manners = Manners(
            self._refusal, self._elsewhere, self._skewed, self._unheeded, self._restart
        )
        return FramedWire(lines(b";FF"), self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        found = self._request(frame)
        if found is None:
            return b""
        channel = int(found[3] or 0)
        value = found[5] if found[4] == "!" else None
        return self._said(self._answer(found[2], channel, value))

    def _request(self, frame: bytes) -> re.Match[str] | None:
        """A request to this controller."""
        start = frame.rfind(b"@")
        found = _REQUEST.fullmatch(frame[max(start, 0) :].decode("ascii", "replace"))
        return found if found and int(found[1]) in (self.address, 254) else None

    def _said(self, answer: str, address: int | None = None) -> bytes:
        return f"@{address or self.address:03d}{answer};FF".encode("ascii")

    def _refusal(self, frame: bytes) -> bytes | None:
        return self._said(_UNKNOWN) if self._request(frame) else None

    def _unheeded(self, frame: bytes) -> bytes | None:
        found = self._request(frame)
        return self._said(f"ACK{found[5]}") if found and found[4] == "!" else None

    def _elsewhere(self, reply: bytes) -> bytes:
        return self._said(reply[4:-3].decode("ascii"), self.address - 1)

    def _skewed(self, frame: bytes, reply: bytes, share: float) -> bytes | None:
        found, text = self._request(frame), reply[7:-3].decode("ascii")
        if found is None or found[2] != "PR" or not re.fullmatch(r"[\d.]+E[+-]\d+", text):
            return None
        return self._said(f"ACK{_shown(float(text) * (1 + share))}")

    def _restart(self) -> None:
        """After a power cut the cold cathode is off; the unit is kept (both are assumed)."""
        self._is_on[_COLD_CATHODE] = False

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
        return _shown(torr * _PER_TORR[self._unit])

    def _protect(self) -> None:
        if self._chamber.pressure() / _PASCAL_PER_TORR > _PROTECT_TORR:
            self._is_on[_COLD_CATHODE] = False


def _shown(pressure: float) -> str:
    mantissa, _, exponent = f"{pressure:.2E}".partition("E")
    return f"{mantissa}E{int(exponent):+d}"
