"""Keithley 2400 source meter, wired to the four-point probe (4-wire), SCPI over a serial line.

The common subset of the 2400 user's manual (2400S-900-01): source current or voltage, measure
voltage, current, resistance, compliance, ranges, data elements, error queue. A quantity that is not
measured reads +9.91E37, an overflow +9.9E37. A line may end with CR, LF or both, and its answer
ends as it does (the terminator of a real one is chosen in its menu). `:FETCh?` gives what was taken
last and takes nothing; `:READ?` is `:INITiate` and `:FETCh?`. `:CONFigure` and `:MEASure?` set
their function as after `*RST`, its protection too (so did a real one: SiLab-Bonn/basil, issue 121).
Status bits (manual, section on data elements): 0 overflow, 1 filter, 2 front terminals, 3
compliance, 11/12/13 voltage, current, resistance measured, 14/15 voltage, current sourced, 22 four
wires.

How to tell three things apart, all of them in compliance (bit 3):

- a film that insulates: the voltage stands at the compliance value, every time the same;
- no contact (bad contact, or no sample): no current flows and the floating sense leads read
  anything below 0.9 of the compliance value, its sign alternating from reading to reading;
- a film that conducts is not in compliance: V/I is the resistance.

Readings are numbered from the last `:OUTP ON`; a measurement that is repeated from there on the
same placement of the same sample gives the same readings again, so that a campaign that was
interrupted in between can be repeated bit for bit. (On a real film it would not.)
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable

from simulators.lab.chamber import Chamber
from simulators.lab.noise import uniform
from simulators.twins.keithley_settings import (
    DATA_TYPE,
    ILLEGAL,
    RefusedError,
    Settings,
)
from simulators.twins.scpi import commands
from simulators.twins.wire import FramedWire, Manners

NOT_A_NUMBER, OVERFLOW = 9.91e37, 9.9e37
OVER_BIT, COMPLIANCE_BIT = 1, 8
UNDEFINED = '-113,"Undefined header"'
_END = re.compile(rb"(?:\r\n|\n\r|\r|\n)$")
_MEASURED_BIT = {"VOLT": 1 << 11, "CURR": 1 << 12, "RES": 1 << 13}
_ELEMENTS: tuple[str, ...] = ("VOLT", "CURR", "RES", "TIME", "STAT")
_NOISE_FLOOR_A = 1e-11
_THERMAL_V = 2e-5
"""What the inner tips read without a current: one of them is warmer."""
_MOST_OHM = 2.11e8


class SourceMeter:
    """The instrument and its settings."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber
        self._errors: deque[str] = deque(maxlen=10)
        self._begin()
        self._is_on = False
        self._n_readings = 0
        self._settings = Settings()
        self._reset()
        self._queries: dict[str, Callable[[], str]] = {
            "*IDN?": lambda: "KEITHLEY INSTRUMENTS INC.,MODEL 2400,1207461,C30   Mar 17 2006",
            "*OPC?": lambda: "1",
            "*ESR?": lambda: "0",
            "*STB?": lambda: "0",
            "*TST?": lambda: "0",
            "SYST:ERR?": self._error,
            "SYST:VERS?": lambda: "1996.0",
            "STAT:MEAS?": lambda: "0",
            "STAT:OPER:COND?": lambda: "1024",
            "STAT:MEAS:COND?": lambda: "0",
            "STAT:QUES:COND?": lambda: "0",
            "OUTP?": lambda: str(int(self._is_on)),
            "READ?": self._read,
            "MEAS?": self._read,
            "FETC?": self._fetch,
            "SENS:FUNC?": self._sensed,
            "CONF?": self._sensed,
            "FORM:ELEM?": lambda: ",".join(self._elements),
            "SENS:VOLT:PROT:TRIP?": lambda: str(int(self._has_tripped() == "VOLT")),
            "SENS:CURR:PROT:TRIP?": lambda: str(int(self._has_tripped() == "CURR")),
        }
        self._orders: dict[str, Callable[[str], None]] = {
            "*RST": lambda _: self._reset(),
            "*CLS": lambda _: self._errors.clear(),
            "*OPC": lambda _: None,
            "*WAI": lambda _: None,
            "SYST:PRES": lambda _: self._reset(),
            "SYST:CLE": lambda _: self._errors.clear(),
            "STAT:PRES": lambda _: None,
            "STAT:QUE:CLE": lambda _: self._errors.clear(),
            "TRAC:CLE": lambda _: None,
            "SYST:TIME:RES": lambda _: self._begin(),
            "ABOR": lambda _: None,
            "INIT": lambda _: self._take(),
            "SYST:LOC": lambda _: None,
            "SYST:REM": lambda _: None,
            "OUTP": self._switch,
            "SENS:FUNC": self._measure_also,
            "SENS:FUNC:ALL": lambda _: self._functions.update(_MEASURED_BIT),
            "SENS:FUNC:OFF": self._measure_no_more,
            "SENS:FUNC:OFF:ALL": lambda _: self._functions.clear(),
            "FORM:ELEM": self._choose_elements,
        }

    def wire(self) -> FramedWire:
        """The meter's port."""
        manners = Manners(self._refusal, None, _skewed, _unheeded, self._restart)
        return FramedWire(_split, self._reply, manners=manners)

    def _refusal(self, frame: bytes) -> bytes:
        """A refused command is in the error queue; a refused query is not answered."""
        self._errors.append('-102,"Syntax error"')
        return b""

    def _restart(self) -> None:
        self._reset()
        self._errors.clear()
        self._n_readings = 0

    def _reply(self, frame: bytes) -> bytes:
        answers = []
        for path, argument in commands(frame.decode("ascii", "replace").strip("\r\n \x00")):
            answer = self._obey(path, argument)
            if answer is not None:
                answers.append(answer)
        end = _END.search(frame)
        return ";".join(answers).encode("ascii") + (end[0] if end else b"\n") if answers else b""

    def _obey(self, spelling: str, argument: str) -> str | None:
        """Does one command; gives its answer, if it has one."""
        path = _rooted(spelling)
        try:
            if path.endswith("?"):
                return self._tell(path, argument)
            if path in self._orders:
                self._orders[path](argument)
            elif path in self._settings:
                self._settings.set(path, argument)
            elif path.startswith("CONF:"):
                self._configure(path[5:])
            else:
                raise RefusedError(UNDEFINED)
        except RefusedError as refusal:
            self._errors.append(str(refusal))
        return None

    def _tell(self, query: str, argument: str) -> str:
        path = query[:-1]
        if query in self._queries:
            return self._queries[query]()
        if path in self._settings:
            return self._settings.tell(path, argument)
        if path.startswith("MEAS:"):
            self._configure(path[5:])
            self._switch("ON")
            return self._read()
        raise RefusedError(UNDEFINED)

    def _begin(self) -> None:
        """The time of readings counts from now."""
        self._since = self._chamber.clock.now()

    def _reset(self) -> None:
        self._settings.reset()
        self._functions = {"CURR"}
        self._elements = _ELEMENTS
        self._is_on = False
        self._taken = ""

    def _switch(self, argument: str) -> None:
        word = argument.upper()
        if word not in ("1", "ON", "0", "OFF"):
            raise RefusedError(ILLEGAL)
        self._is_on = word in ("1", "ON")
        self._n_readings = 0

    def _error(self) -> str:
        return self._errors.popleft() if self._errors else '0,"No error"'

    def _measure_also(self, argument: str) -> None:
        if not self._settings.flag("SENS:FUNC:CONC"):
            self._functions.clear()
        self._functions.update(_functions(argument))

    def _measure_no_more(self, argument: str) -> None:
        self._functions.difference_update(_functions(argument))

    def _choose_elements(self, argument: str) -> None:
        chosen = [word.strip().upper()[:4].removesuffix("I") for word in argument.split(",")]
        names = tuple(e for e in _ELEMENTS if e in chosen)
        if len(names) == len(chosen):
            self._elements = names
        else:
            raise RefusedError('-102,"Syntax error"')

    def _configure(self, function: str) -> None:
        """One-shot measurements of a function; what is sensed is then set as after `*RST`."""
        if function not in _MEASURED_BIT:
            raise RefusedError(UNDEFINED)
        self._settings.default((f"SENS:{function}:", "TRIG:", "ARM:"))
        self._functions = {function}

    def _sensed(self) -> str:
        names = [f for f in _MEASURED_BIT if f in self._functions]
        return ",".join(f'"{name}"' if name == "RES" else f'"{name}:DC"' for name in names)

    def _read(self) -> str:
        self._take()
        return self._fetch()

    def _fetch(self) -> str:
        """The readings that were taken last, as often as they are asked for."""
        if not self._taken:
            raise RefusedError('-230,"Data corrupt or stale"')
        return self._taken

    def _take(self) -> None:
        if not self._is_on and not self._settings.flag("SOUR:CLE:AUTO"):
            raise RefusedError('+803,"Not permitted with OUTPUT off"')
        rounds = int(self._settings["TRIG:COUN"]) * int(self._settings["ARM:COUN"])
        values = [v for _ in range(min(rounds, 100)) for v in self._reading()]
        if self._settings.flag("SOUR:CLE:AUTO"):
            self._is_on = False
        self._taken = ",".join(f"{value:+.6E}" for value in values)

    def _reading(self) -> list[float]:
        k = self._n_readings
        self._n_readings += 1
        volt, ampere, compliance = self._solve(k)
        resistance = volt / ampere if ampere else OVERFLOW
        status = (COMPLIANCE_BIT if compliance else 0) | self._measured_bits()
        if "VOLT" in self._functions and abs(volt) > self._voltage_range():
            volt, status = OVERFLOW, status | OVER_BIT
        if abs(resistance) > _MOST_OHM:
            resistance = OVERFLOW
            status |= OVER_BIT if "RES" in self._functions else 0
        sources_current = self._sources_current
        values = {
            "VOLT": volt if "VOLT" in self._functions or not sources_current else NOT_A_NUMBER,
            "CURR": ampere if "CURR" in self._functions else self._programmed_current(),
            "RES": resistance if "RES" in self._functions else NOT_A_NUMBER,
            "TIME": self._chamber.clock.now() - self._since,
            "STAT": float(status),
        }
        return [values[element] for element in self._elements]

    def _voltage_range(self) -> float:
        if self._settings.flag("SENS:VOLT:RANG:AUTO"):
            return 211.0
        return 1.05 * abs(self._settings.number("SENS:VOLT:RANG"))

    @property
    def _sources_current(self) -> bool:
        return self._settings["SOUR:FUNC"] == "CURR" or self._is_auto_ohms

    @property
    def _is_auto_ohms(self) -> bool:
        return "RES" in self._functions and self._settings["SENS:RES:MODE"] == "AUTO"

    def _programmed_current(self) -> float:
        return self._settings.number("SOUR:CURR") if self._sources_current else NOT_A_NUMBER

    def _solve(self, k: int) -> tuple[float, float, bool]:
        """Voltage at the inner probes, current through the outer, whether in compliance."""
        resistance = self._chamber.probed_resistance(k)
        if not self._sources_current:
            level = self._settings.number("SOUR:VOLT")
            limit = abs(self._settings.number("SENS:CURR:PROT"))
            ampere = level / resistance if resistance else 0.0
            in_limit = abs(ampere) > limit
            return level, math.copysign(min(abs(ampere), limit), level), in_limit
        level = self._current_for(resistance)
        limit = abs(self._settings.number("SENS:VOLT:PROT"))
        if resistance is None:
            share = 0.05 + 0.85 * uniform(self._chamber.seed, "floating", k)
            return limit * share * (-1) ** k, _NOISE_FLOOR_A, True
        if abs(level) * resistance <= limit:
            return level * resistance + _THERMAL_V, level, False
        return math.copysign(limit, level), max(limit / resistance, _NOISE_FLOOR_A), True

    def _current_for(self, resistance: float | None) -> float:
        """The set current, or the one that auto ohms chooses: about 2 V, at most 100 mA."""
        if not self._is_auto_ohms:
            return self._settings.number("SOUR:CURR")
        if resistance is None or math.isinf(resistance):
            return 1e-7
        decade = math.ceil(math.log10(max(resistance, 1e-3) / 2.1))
        return float(min(0.1, max(1e-7, 10.0 ** -max(decade, 1))))

    def _has_tripped(self) -> str:
        """Which protection limits the source now; '' when none does."""
        if not self._is_on or not self._solve(self._n_readings)[2]:
            return ""
        return "VOLT" if self._sources_current else "CURR"

    def _measured_bits(self) -> int:
        bits = sum(_MEASURED_BIT[f] for f in self._functions)
        bits |= 2 * self._settings.flag("SENS:AVER") | 4 * (self._settings["ROUT:TERM"] == "FRON")
        bits |= self._settings.flag("SYST:RSEN") << 22
        return bits | (1 << 15 if self._sources_current else 1 << 14)


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """A line with what ends it."""
    line = data.lstrip(b"\r\n")
    match = re.match(rb"[^\r\n]+(?:\r\n|\n\r|\r|\n)", line)
    return (match[0], line[match.end() :]) if match else (None, line)


def _unheeded(frame: bytes) -> bytes | None:
    return b"" if frame.startswith((b":SOUR:CURR:LEV", b":OUTP ON")) else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    first, comma, rest = reply.partition(b",")
    if frame.strip() != b":READ?" or not comma:
        return None
    return f"{float(first) * (1 + share):+.6E},".encode("ascii") + rest


def _functions(argument: str) -> set[str]:
    """The functions named in `"VOLT:DC","CURR"`. Raises RefusedError."""
    words = [word.strip() for word in argument.split(",")]
    if any(len(word) < 2 or word[0] not in "\"'" or word[-1] != word[0] for word in words):
        raise RefusedError(DATA_TYPE)
    names = {word[1:-1].upper().split(":")[0][:4].removesuffix("I") for word in words}
    if not names <= set(_MEASURED_BIT):
        raise RefusedError(ILLEGAL)
    return names


def _rooted(path: str) -> str:
    """A path as it is kept here: with SENSe in front, without WINDow, MODE and DATA."""
    path = path.replace("DISP:WIND1:", "DISP:").replace("DISP:WIND:", "DISP:")
    if path.split(":")[0].rstrip("?") in ("VOLT", "CURR", "RES", "FUNC", "AVER"):
        path = f"SENS:{path}"
    end = "?" * path.endswith("?")
    bare = path.removesuffix("?")
    return {"SOUR:FUNC:MODE": "SOUR:FUNC", "FORM:DATA": "FORM"}.get(bare, bare) + end
