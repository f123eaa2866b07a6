"""Thorlabs PM100 power meter behind the probe station, SCPI over a line.

The commands that pymeasure's driver of the PM100USB and other people's clients use: wavelength,
unit, range, averaging, zero, one measurement, and the error queue. Range, averaging and losses are
kept and change nothing, the status registers stay at nought. The sensor's flags are those of a
power sensor whose wavelength can be set (PM100D manual, page 49: 1 power, 32 wavelength). Readings
are numbered from the last setting of the wavelength on, so that a repeated measurement of one
sample gives the same again.
"""

from __future__ import annotations

import math
import re

from simulators.lab.metal_chamber import MetalChamber
from simulators.twins.scpi import commands
from simulators.twins.wire import FramedWire, Manners, lines

_POWER_FLAG, _WAVELENGTH_FLAG = 1, 32
_NUMBERS = {
    "SENS:POW:RANG": (5e-2, 5e-8, 5e-2),
    "SENS:AVER:COUN": (1, 1, 3000),
    "SENS:CORR": (0.0, -60.0, 60.0),
    "SENS:CORR:BEAM": (9.5, 0.1, 19.0),
    "SENS:CORR:WAV": (635.0, 400.0, 1100.0),
    "DISP:BRIG": (1.0, 0.0, 1.0),
    "DISP:CONT": (0.5, 0.0, 1.0),
}
"""Default, least, most; those of the losses, the beam and the display are assumed."""
_WORDS = {
    "SENS:POW:UNIT": ("W", "DBM"),
    "SENS:POW:RANG:AUTO": ("1", "0"),
    "INP:PDI:FILT:LPAS": ("0", "1"),
    "SYST:BEEP": ("1", "0"),
    "SYST:LFR": ("50", "60"),
}
_COUNT = "SENS:AVER:COUN"
_REGISTER = re.compile(r"STAT:(QUES|OPER|MEAS|AUX):(EVEN|COND|ENAB|PTR|NTR)")
_DEEDS = frozenset({"*CLS", "ABOR", "CONF", "CONF:POW", "INIT", "SENS:CORR:COLL:ZERO",
                    "SENS:CORR:COLL:ZERO:INIT", "SENS:CORR:COLL:ZERO:ABOR"})  # fmt: skip
_FIXED = {
    "*IDN?": "Thorlabs,PM100D,P0012345,2.4.0",
    "*OPC?": "1",
    "*ESR?": "0",
    "*STB?": "0",
    "CONF?": "POW",
    "SYST:VERS?": "1999.0",
    "CAL:STR?": '"12-Jan-2022"',
    "SYST:SENS:IDN?": f"S120C,1234567,12-Jan-2022,1,18,{_POWER_FLAG + _WAVELENGTH_FLAG}",
    "SENS:CORR:COLL:ZERO?": "0",
    "SENS:CORR:COLL:ZERO:MAGN?": "0.000000E+00",
}


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
        self._n_readings, self._error = 0, '+0,"No error"'
        self._settings = {path: words[0] for path, words in _WORDS.items()}
        self._settings |= {path: _written(path, limits[0]) for path, limits in _NUMBERS.items()}

    def _refusal(self, frame: bytes) -> bytes | None:
        """The error is in its queue, of which the question for it takes it out."""
        if frame.strip().upper() == b"SYST:ERR?":
            return None
        self._error = '-200,"Execution error"'
        return b""

    def _reply(self, frame: bytes) -> bytes:
        answers = []
        for spelling, argument in commands(frame.decode("ascii", "replace").strip("\r\n \x00")):
            path = _path(spelling)
            if not path.endswith("?"):
                self._set(path, argument)
            elif (answer := self._ask(path, argument)) is not None:
                answers.append(answer)
        return (";".join(answers) + "\n").encode("ascii") if answers else b""

    def _ask(self, path: str, argument: str) -> str | None:
        setting = path.removesuffix("?")
        if path in _FIXED:
            return _FIXED[path]
        if setting in self._settings:
            return self._taken(setting, argument) if argument else self._settings[setting]
        if _REGISTER.fullmatch(setting):
            return "0"
        match path:
            case "MEAS:POW?" | "MEAS?" | "READ?":
                self._n_readings += 1
                return self._power(self._n_readings - 1)
            case "FETC?":
                return self._power(max(self._n_readings - 1, 0))
            case "SYST:ERR?":
                error, self._error = self._error, '+0,"No error"'
                return error
            case _:
                self._error = '-113,"Undefined header"'
                return None

    def _power(self, k: int) -> str:
        watt = self._chamber.transmitted_w(k)
        if self._settings["SENS:POW:UNIT"] == "DBM":
            return f"{10 * math.log10(max(watt, 1e-15) / 1e-3):.6E}"
        return f"{watt:.6E}"

    def _set(self, path: str, argument: str) -> None:
        if path == "*RST":
            self._restart()
        elif path in self._settings and argument:
            self._keep(path, argument)
        elif _REGISTER.fullmatch(path) and argument:
            return
        elif path not in _DEEDS:
            self._error = '-113,"Undefined header"'
        elif path == "*CLS":
            self._error = '+0,"No error"'
        elif path == "INIT":
            self._n_readings += 1

    def _keep(self, path: str, argument: str) -> None:
        taken = self._taken(path, argument)
        if taken is None:
            return
        self._settings[path] = taken
        if path == "SENS:CORR:WAV":
            self._n_readings = 0

    def _taken(self, path: str, argument: str) -> str | None:
        """How an argument is kept and told; None and an error for what is out of range."""
        word = argument.upper()
        if path in _WORDS:
            word = {"ON": "1", "OFF": "0"}.get(word, word)
            if word in _WORDS[path]:
                return word
        else:
            default, low, high = _NUMBERS[path]
            value = {"DEF": default, "MIN": low, "MAX": high}.get(word[:3], _number(word))
            if low <= value <= high:
                return _written(path, value)
        self._error = '-222,"Data out of range"'
        return None


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _written(path: str, value: float) -> str:
    return str(round(value)) if path == _COUNT else f"{value:.6E}"


def _path(spelling: str) -> str:
    """A path without what may be left out: SENSe in front, SCALar, LOSS:INPut:MAGNitude."""
    words = [w for w in spelling.replace("?", "").split(":") if w not in ("SCAL", "LOSS")]
    if words[:1] in (["POW"], ["CORR"], ["AVER"]):
        words.insert(0, "SENS")
    if words[:2] == ["SENS", "CORR"] and words[2:] in (["INP"], ["MAGN"], ["INP", "MAGN"]):
        del words[2:]
    return ":".join(words) + "?" * spelling.endswith("?")


def _unheeded(frame: bytes) -> bytes | None:
    """A setting, of which nothing is said."""
    text = frame.strip()
    return b"" if text and b"?" not in text else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if frame.strip().upper() not in (b"MEAS:POW?", b"READ?"):
        return None
    return f"{float(reply) * (1 + share):.6E}\n".encode("ascii")
