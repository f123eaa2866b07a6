"""Thorlabs PM100 power meter behind the probe station, SCPI over a line.

The commands that pymeasure's driver of the PM100USB uses, and the error queue. The sensor's flags
are those of a power sensor whose wavelength can be set (PM100D manual, page 49: 1 power, 32
wavelength). Readings are numbered from the last setting of the wavelength on, so that a repeated
measurement of one sample gives the same again.
"""

from __future__ import annotations

from simulators.lab.metal_chamber import MetalChamber
from simulators.twins.scpi import commands
from simulators.twins.wire import FramedWire, Manners, lines

_LOW_NM, _HIGH_NM = 400.0, 1100.0
_POWER_FLAG, _WAVELENGTH_FLAG = 1, 32


class PowerMeter:
    """A meter with a silicon sensor (S120C)."""

    def __init__(self, chamber: MetalChamber) -> None:
        self._chamber = chamber
        self._restart()

    def wire(self) -> FramedWire:
        """The meter's port."""
        manners = Manners(self._refusal, None, _skewed, _unheeded, self._restart)
        return FramedWire(lines(b"\n"), self._reply, manners=manners)

    def _restart(self) -> None:
        """After a power cut; that its wavelength is 635 nm then is assumed."""
        self._wavelength, self._n_readings, self._error = 635.0, 0, '+0,"No error"'

    def _refusal(self, frame: bytes) -> bytes | None:
        """The error is in its queue, of which the question for it takes it out."""
        if frame.strip().upper() == b"SYST:ERR?":
            return None
        self._error = '-200,"Execution error"'
        return b""

    def _reply(self, frame: bytes) -> bytes:
        answers = []
        for path, argument in commands(frame.decode("ascii", "replace").strip("\r\n \x00")):
            if not path.endswith("?"):
                self._set(path, argument)
            elif (answer := self._ask(path, argument)) is not None:
                answers.append(answer)
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _ask(self, path: str, argument: str) -> str | None:
        match path:
            case "*IDN?":
                return "Thorlabs,PM100D,P0012345,2.4.0"
            case "SYST:SENS:IDN?":
                return f"S120C,1234567,12-Jan-2022,1,18,{_POWER_FLAG + _WAVELENGTH_FLAG}"
            case "SENS:CORR:WAV?":
                limits = {"MIN": _LOW_NM, "MAX": _HIGH_NM}
                return f"{limits.get(argument.upper(), self._wavelength):.6E}"
            case "MEAS:POW?" | "READ?":
                self._n_readings += 1
                return f"{self._chamber.transmitted_w(self._n_readings - 1):.6E}"
            case "SYST:ERR?":
                error, self._error = self._error, '+0,"No error"'
                return error
            case _:
                self._error = '-113,"Undefined header"'
                return None

    def _set(self, path: str, argument: str) -> None:
        if path != "SENS:CORR:WAV":
            self._error = '-113,"Undefined header"'
            return
        try:
            wanted = float(argument)
        except ValueError:
            wanted = 0.0
        if _LOW_NM <= wanted <= _HIGH_NM:
            self._wavelength, self._n_readings = wanted, 0
        else:
            self._error = '-222,"Data out of range"'


def _unheeded(frame: bytes) -> bytes | None:
    """A setting, of which nothing is said."""
    text = frame.strip()
    return b"" if text and b"?" not in text else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if frame.strip().upper() not in (b"MEAS:POW?", b"READ?"):
        return None
    return f"{float(reply) * (1 + share):.6E}\n".encode("ascii")
