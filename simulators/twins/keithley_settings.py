"""What can be set on a Keithley 2400, in which range, and how it is told again.

Ranges and forms are what clients by other people send and expect, filled up from memory of the 2400
user's manual (2400S-900-01, section 18), which was not at hand. A number comes back as
`1.000000E-06` (so a 2400 told somebody its limit: SiLab-Bonn/basil, issue 121), a count and a
switch as `1`. Only what the twin does can be set: no sweeps, no binary data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

DATA_TYPE, MISSING = '-104,"Data type error"', '-109,"Missing parameter"'
OUT_OF_RANGE, ILLEGAL = '-222,"Parameter data out of range"', '-224,"Illegal parameter value"'
READ_BACK = '+823,"Invalid with source read-back on"'

_FREE = {"DISP:TEXT:DATA": '""'}
_NUMBERS = {
    "SOUR:CURR": (0.0, -1.05, 1.05),
    "SOUR:VOLT": (0.0, -210.0, 210.0),
    "SENS:VOLT:PROT": (21.0, -210.0, 210.0),
    "SENS:CURR:PROT": (1.05e-4, -1.05, 1.05),
    "SENS:VOLT:RANG": (21.0, -210.0, 210.0),
    "SENS:CURR:RANG": (1.05e-4, -1.05, 1.05),
    "SENS:RES:RANG": (2.1e5, 0.0, 2.1e8),
    "SOUR:CURR:RANG": (1e-4, -1.05, 1.05),
    "SOUR:VOLT:RANG": (20.0, -210.0, 210.0),
    "SOUR:VOLT:PROT": (210.0, -210.0, 210.0),
    "SENS:VOLT:NPLC": (1.0, 0.01, 10.0),
    "SENS:CURR:NPLC": (1.0, 0.01, 10.0),
    "SENS:RES:NPLC": (1.0, 0.01, 10.0),
    "SOUR:DEL": (1e-3, 0.0, 9999.999),
    "TRIG:DEL": (0.0, 0.0, 999.9999),
}
_COUNTS = {
    "SENS:AVER:COUN": (10, 1, 100),
    "TRIG:COUN": (1, 1, 2500),
    "ARM:COUN": (1, 1, 2500),
    "DISP:DIG": (6, 4, 7),
    "STAT:MEAS:ENAB": (0, 0, 65535),
    "STAT:OPER:ENAB": (0, 0, 65535),
    "STAT:QUES:ENAB": (0, 0, 65535),
    "*ESE": (0, 0, 255),
    "*SRE": (0, 0, 255),
}
_SWITCHES = {
    "SENS:VOLT:RANG:AUTO": "1",
    "SENS:CURR:RANG:AUTO": "1",
    "SENS:RES:RANG:AUTO": "1",
    "SENS:RES:OCOM": "0",
    "SENS:FUNC:CONC": "1",
    "SENS:AVER": "0",
    "SOUR:CURR:RANG:AUTO": "1",
    "SOUR:VOLT:RANG:AUTO": "1",
    "SOUR:DEL:AUTO": "1",
    "SOUR:CLE:AUTO": "0",
    "SYST:RSEN": "0",
    "SYST:BEEP": "1",
    "SYST:TIME:RES:AUTO": "0",
    "DISP:ENAB": "1",
    "DISP:TEXT": "0",
}
_WORDS = {
    "SOUR:FUNC": ("VOLT", "CURR"),
    "SOUR:CURR:MODE": ("FIX",),
    "SOUR:VOLT:MODE": ("FIX",),
    "SENS:RES:MODE": ("AUTO", "MAN"),
    "SENS:AVER:TCON": ("REP", "MOV"),
    "SYST:AZER": ("1", "0", "ONCE"),
    "ROUT:TERM": ("FRON", "REAR"),
    "OUTP:SMOD": ("NORM", "HIMP", "ZERO", "GUAR"),
    "TRIG:SOUR": ("IMM",),
    "ARM:SOUR": ("IMM",),
    "TRIG:OUTP": ("NONE", "SOUR", "DEL", "SENS"),
    "FORM": ("ASC",),
}
_LONG = {"CURRENT": "CURR", "VOLTAGE": "VOLT", "ASCII": "ASC", "MANUAL": "MAN", "FIXED": "FIX",
         "REPEAT": "REP", "MOVING": "MOV", "FRONT": "FRON", "HIMPEDANCE": "HIMP",
         "NORMAL": "NORM", "GUARD": "GUAR", "IMMEDIATE": "IMM", "SOURCE": "SOUR",
         "DELAY": "DEL", "SENSE": "SENS", "ON": "1", "OFF": "0"}  # fmt: skip


class RefusedError(Exception):
    """The entry of the error queue is its text."""


class Settings:
    """The settings, by their paths in short form (`scpi.commands`)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As after `*RST`."""
        self._set = dict(_DEFAULTS)

    def default(self, paths: Iterable[str]) -> None:
        """Some of them, named by how they begin, as after `*RST`."""
        for start in paths:
            self._set |= {p: v for p, v in _DEFAULTS.items() if p.startswith(start)}

    def __contains__(self, path: str) -> bool:
        return path in self._set

    def __getitem__(self, path: str) -> str:
        """The word for a query."""
        return self._set[path]

    def number(self, path: str) -> float:
        """The value of a number."""
        return float(self._set[path])

    def flag(self, path: str) -> bool:
        """Whether a switch is on."""
        return self._set[path] == "1"

    def tell(self, path: str, argument: str) -> str:
        """The answer to a query; `? MAX` and its like tell a limit. Raises RefusedError."""
        return self._taken(path, argument) if argument else self._set[path]

    def set(self, path: str, argument: str) -> None:
        """Raises RefusedError: the setting stays as it was."""
        if not argument:
            raise RefusedError(MISSING)
        if path in ("SENS:VOLT:RANG", "SENS:CURR:RANG") and path[5:9] == self["SOUR:FUNC"]:
            raise RefusedError(READ_BACK)
        self._set[path] = self._taken(path, argument)
        if path + ":AUTO" in self._set:
            self._set[path + ":AUTO"] = "0"

    def _taken(self, path: str, argument: str) -> str:
        """How an argument is kept."""
        if path in _FREE:
            return argument
        word = _LONG.get(argument.upper(), argument.upper())
        if path in _NUMBERS:
            return f"{_within(word, _NUMBERS[path]):.6E}"
        if path in _COUNTS:
            return str(round(_within(word, _COUNTS[path])))
        words = _WORDS.get(path, ("1", "0"))
        if path in _SWITCHES and _is_number(word):
            word = str(int(float(word) != 0))
        if word not in words:
            raise RefusedError(ILLEGAL)
        return word


def _within(word: str, limits: tuple[float, float, float]) -> float:
    default, low, high = limits
    named = {"DEF": default, "DEFAULT": default, "MIN": low, "MINIMUM": low, "MAX": high,
             "MAXIMUM": high}  # fmt: skip
    if word not in named and not _is_number(word):
        raise RefusedError(DATA_TYPE)
    value = named[word] if word in named else float(word)
    if not low <= value <= high:
        raise RefusedError(OUT_OF_RANGE)
    return value


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word)) and "_" not in word
    except ValueError:
        return False


def _written(
    table: Mapping[str, tuple[float, float, float]], form: Callable[[float], str]
) -> dict[str, str]:
    return {path: form(limits[0]) for path, limits in table.items()}


_DEFAULTS = {
    **_FREE,
    **_written(_NUMBERS, lambda value: f"{value:.6E}"),
    **_written(_COUNTS, lambda value: str(round(value))),
    **_SWITCHES,
    **{path: words[0] for path, words in _WORDS.items()},
}
