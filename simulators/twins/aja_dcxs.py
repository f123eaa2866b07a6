"""AJA DCXS-750 DC sputter supply with the shutter of its gun.

Single characters without a terminator; queries have replies of fixed length, settings have
arguments of fixed length and no reply (the commands as pymeasure's driver knows them; no manual was
at hand, and the fault code 1 for a plasma that does not strike or goes out is ours).
"""

from __future__ import annotations

import math
import re

from simulators.lab.gun import Gunned
from simulators.twins.wire import FramedWire, Manners

_ARGUMENT = {"C": 4, "D": 1, "E": 2, "F": 2, "G": 3, "H": 2, "I": 8, "Z": 1}
_SETTING = {
    "C": ("setpoint", 0, 1000),
    "D": ("mode", 0, 2),
    "E": ("ramp_s", 0, 99),
    "F": ("delay_s", 0, 99),
    "G": ("minutes", 0, 999),
    "H": ("seconds", 0, 59),
}


class Supply:
    """The supply. What cannot be set (out of range, or while it is on) is silently ignored."""

    def __init__(self, chamber: Gunned, material: str = "NbTiO2") -> None:
        self._chamber = chamber
        self._material = f"{material:8}"
        self._gun = 1

    def wire(self) -> FramedWire:
        """The supply's port."""
        manners = Manners(skewed=_skewed, unheeded=_unheeded, restart=self._restart)
        return FramedWire(_split, self._reply, manners=manners)

    def _restart(self) -> None:
        """After a power cut: off, all settings at nought (which those are is ours)."""
        self._chamber.switch_off()
        self._chamber.set_gun(setpoint=0, mode=0, ramp_s=0, delay_s=0, minutes=0, seconds=0)

    def _reply(self, frame: bytes) -> bytes:
        text = frame.decode("latin-1")
        letter, argument = text[0], text[1:]
        if letter in "AB":
            (self._chamber.switch_on if letter == "A" else self._chamber.switch_off)()
            return b""
        if letter in _ARGUMENT:
            self._set(letter, argument)
            return b""
        return self._ask(letter).encode("latin-1")

    def _set(self, letter: str, argument: str) -> None:
        if letter == "I":
            self._material = argument
        elif not re.fullmatch("[0-9]+", argument):
            return
        elif letter == "Z":
            self._gun = int(argument) if 1 <= int(argument) <= 5 else self._gun
        else:
            name, low, high = _SETTING[letter]
            if low <= int(argument) <= high:
                self._chamber.set_gun(**{name: int(argument)})

    def _ask(self, letter: str) -> str:
        """The reply to a query; nothing for a character that means nothing."""
        now = self._chamber.advance()
        gun = self._chamber.gun
        power, voltage = gun.output_w(now), self._chamber.target_voltage()
        remaining = math.ceil(gun.remaining_s(now) - 1e-6)
        replies = {
            "?": "DCXS750-4",
            "z": "01.12",
            "a": f"{int(gun.is_on)}",
            "b": f"{gun.setpoint:04d}",
            "c": f"{gun.mode}",
            "d": f"{round(power):04d}",
            "e": f"{voltage:04.0f}",
            "f": f"{round(1000 * power / voltage) if voltage else 0:04d}",
            "g": f"{gun.ramp_s:02d}",
            "h": f"{gun.delay_s:02d}",
            "i": f"{gun.minutes:03d}",
            "j": f"{gun.seconds:02d}",
            "k": f"{remaining // 60:03d}",
            "l": f"{remaining % 60:02d}",
            "n": self._material,
            "o": f"{gun.fault}",
            "p": chr(int(gun.shutter_open) << (self._gun - 1)),
            "y": f"{self._gun}",
        }
        return replies.get(letter, "")


def _unheeded(frame: bytes) -> bytes | None:
    """Settings are not acknowledged: it says nothing, as always."""
    return b"" if chr(frame[0]) in _SETTING else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if frame not in (b"d", b"e", b"f") or not reply.isdigit():
        return None
    return f"{round(int(reply) * (1 + share)):04d}".encode("ascii")


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """A letter and its argument of known length."""
    if not data:
        return None, data
    length = 1 + _ARGUMENT.get(chr(data[0]), 0)
    return (data[:length], data[length:]) if len(data) >= length else (None, data)
