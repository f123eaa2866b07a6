"""Cavro pumps with distribution valves on one line, DT and OEM protocol.

Read from the XP 3000 operators manual (725730C), chapter 3: `/`, address, commands, CR; the answer
is `/0`, a status byte (0 1 X 0, four bits of error; X when ready), data, ETX, CR LF. The OEM
protocol has STX, address, number of the message, commands, ETX and the XOR of all, and so has its
answer. A string of commands is done in its order after `R`. What is no command is refused at once
(2) and nothing of the string is done; a number out of range ends the string where it stands, and
`Q` tells (3). Moves and valves before an initialisation are refused (7), those after an overload as
well (9), and anything but reports, `T` and `V` while busy (15); `a`, `p` and `d` move without being
busy. A report that there is not is refused (2). Backlash `K` and zero gap `k` are kept and change
nothing (their ranges are those of other people's clients, as are the speeds of `S`). `Q` clears the
error that it told. A report that bears the `R` that it does not need is taken as one without (so
some clients ask; the manual is silent). Address `_` is all pumps; nobody answers. Ramps are left
out: a plunger moves at its top speed at once.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulators.lab.liquids import WASTE, WetBench
from simulators.lab.plunger import Plunger
from simulators.twins.wire import FramedWire, Manners

STX, ETX, REPEATED = 0x02, 0x03, 0x08
PULSES_A_STROKE = 6000
VALVE_S, INITIALISING_S = 0.25, 2.0
_COMMAND = re.compile(r"([A-Za-z])(\d*(?:,\d*)*)")
_ALL, _LAST_PORT = "_", 3
_MOST_STEPS = 100_000
"""Of a string with its loops unrolled; a limit of the twin."""
_READY = 0x20
_RANGES = {"V": (5, 5800), "v": (50, 1000), "c": (50, 2700), "L": (1, 20), "K": (0, 255),
           "k": (0, 6400)}  # fmt: skip
_SPEED_CODES = (6000, 5600, 5000, 4400, 3800, 3200, 2600, 2200, 2000, 1800, 1600, 1400, 1200, 1000,
                800, 600, 400, 200, 190, 180, 170, 160, 150, 140, 130, 120, 110, 100, 90, 80, 70,
                60, 50, 40, 30, 20, 18, 16, 14, 12, 10)  # fmt: skip
_DEFAULTS = {"V": 1400, "v": 900, "c": 900, "L": 14, "N": 0, "K": 12, "k": 12}


class _Wrong(Exception):
    """A number out of its range."""


@dataclass(frozen=True)
class _Step:
    """One thing that takes time: `kind` is valve, plunger, initialise or wait."""

    kind: str
    value: float = 0.0
    seconds: float = 0.0


class CavroTwin:
    """One pump. `ports` says where each port of its valve leads.

    `blocks` lets the next move stop half-way with an overload, as a blocked tube does.
    """

    def __init__(
        self, bench: WetBench, plunger: Plunger, ports: Mapping[int, str], steps: int = 3000
    ) -> None:
        self._bench, self.plunger, self._ports, self._steps = bench, plunger, ports, steps
        self.blocks = False
        self.n_initialised = 0
        bench.moving.append(self.advance)
        self.power_up()

    def power_up(self) -> None:
        """As it is after it was switched on: nothing is set, and the zero is not known."""
        now = self._bench.clock.now()
        self.plunger.stop(now)
        self._settings = dict(_DEFAULTS)
        self._is_initialised = self._is_overloaded = False
        self._error, self._valve, self._offset = 0, 1, self.plunger.at(now)
        self._program: list[_Step] = []
        self._buffer = ""
        self._step_ends: float | None = None
        self._blocked_at: float | None = None
        self._is_silent = False
        self._n_moves = {"plunger": 0, "valve": 0}

    @property
    def due(self) -> float | None:
        """When something happens next by itself."""
        return self._step_ends

    def reply(self, commands: str) -> bytes:
        """The answer to a command string."""
        now = self._bench.advance()
        if re.fullmatch(r"(?:[QF&]|\?\d*)R", commands):
            commands = commands[:-1]
        if commands in ("Q", "?29"):
            answer = self._answer("")
            self._error = 0
            return answer
        report = self._reports(now).get(commands)
        if report is not None:
            return self._answer(report)
        if commands in ("T", "TR"):
            self._terminate()
            return self._answer("")
        return self._take(commands, now)

    def advance(self, now: float) -> None:
        """Goes through the program as far as it has come by now."""
        while self._step_ends is not None and self._step_ends <= now:
            ended = self._step_ends
            self._step_ends = None
            self.plunger.flow(ended)
            self._end(self._program.pop(0), ended)
            self._begin(ended)
        self.plunger.flow(now)

    def _reports(self, now: float) -> dict[str, str]:
        return {
            "?": str(round(self._where(now))),
            "?1": str(self._settings["v"]),
            "?2": str(self._settings["V"]),
            "?3": str(self._settings["c"]),
            "?4": str(round(self._where(now))),
            "?6": str(self._valve),
            "?12": str(self._settings["K"]),
            "?16": str(self._n_moves["plunger"]),
            "?17": str(self._n_moves["valve"]),
            "?24": str(self._settings["k"]),
            "?10": str(int(bool(self._buffer))),
            "F": str(int(bool(self._buffer))),
            "?15": str(self.n_initialised),
            "?25": str(self._settings["L"]),
            "?28": str(self._settings["N"]),
            "&": "XP3000 V2.1 TWIN",
            "?23": "XP3000 V2.1 TWIN",
        }

    def _take(self, commands: str, now: float) -> bytes:
        if commands.startswith("?"):
            return self._answer("", 2)
        if not commands.endswith("R"):
            self._buffer = commands
            return self._answer("")
        string, self._buffer = (commands[:-1] or self._buffer), ""
        found = _COMMAND.findall(string)
        known = all(letter in "ZYNAPDapdIOBMVvcLKkSgG" for letter, _ in found)
        if not known or "".join(a + b for a, b in found) != string:
            return self._answer("", 2)
        if self._program and any(letter != "V" for letter, _ in found):
            return self._answer("", 15)
        if error := self._forbidden(found):
            self._error = error
            return self._answer("")
        if not self._program:
            self._is_silent = any(letter in "apd" for letter, _ in found)
        self._compile(found, now)
        self._begin(now)
        return self._answer("", 0)

    def _forbidden(self, found: list[tuple[str, str]]) -> int:
        letters = {letter for letter, _ in found}
        if letters & set("ZY") or not letters & set("APDapdIOB"):
            return 0
        if self._is_overloaded:
            return 9
        return 0 if self._is_initialised else 7

    def _compile(self, found: list[tuple[str, str]], now: float) -> None:
        position = self._where(now)
        try:
            for letter, text in _unrolled(found):
                numbers = [int(word) if word else 0 for word in text.split(",")]
                for step in self._steps_of(letter, numbers, position):
                    position = step.value if step.kind == "plunger" else position
                    position = 0 if step.kind == "initialise" else position
                    self._program.append(step)
        except _Wrong:
            self._program.append(_Step("wrong"))

    def _steps_of(self, letter: str, numbers: list[int], position: float) -> Iterator[_Step]:
        n = numbers[0]
        if letter in "ZY":
            outlet = numbers[2] if len(numbers) > 2 and numbers[2] else _LAST_PORT
            inlet = numbers[1] if len(numbers) > 1 and numbers[1] else 1
            yield self._turn(outlet)
            yield _Step("initialise", 0.0, INITIALISING_S)
            yield self._turn(inlet)
        elif letter in "IOB":
            yield self._turn(n or (1 if letter == "I" else _LAST_PORT))
        elif letter in "APDapd":
            target = {"A": n, "P": position + n, "D": position - n}[letter.upper()]
            yield self._shift(target, position)
        elif letter == "S":
            if n >= len(_SPEED_CODES):
                raise _Wrong
            self._set("V", min(_SPEED_CODES[n], _RANGES["V"][1]))
        elif letter == "M":
            yield _Step("wait", 0.0, n / 1000.0)
        else:
            self._set(letter, n)

    def _set(self, letter: str, n: int) -> None:
        low, high = _RANGES.get(letter, (0, 2))
        if not low <= n <= high:
            raise _Wrong
        self._settings[letter] = n

    def _turn(self, port: int) -> _Step:
        if port not in self._ports:
            raise _Wrong
        return _Step("valve", port, VALVE_S)

    def _shift(self, target: float, position: float) -> _Step:
        stroke = self._increments(self.plunger.size)
        if not 0 <= target <= stroke:
            raise _Wrong
        pulses = abs(target - position) / stroke * PULSES_A_STROKE
        return _Step("plunger", target, pulses / self._settings["V"])

    def _begin(self, now: float) -> None:
        """Starts the next step that takes time."""
        while self._program and self._step_ends is None:
            step = self._program[0]
            if step.kind == "wrong":
                self._program.clear()
                self._error = 3
                return
            seconds = step.seconds
            if step.kind in ("plunger", "initialise"):
                seconds = self._push(step, now)
            self._step_ends = now + seconds
            self.advance(now)

    def _push(self, step: _Step, now: float) -> float:
        place = self._ports.get(self._valve, WASTE)
        seconds = step.seconds
        target = self._offset + step.value / self._increments(1.0)
        if step.kind == "initialise":
            target = 0.0
        elif self.blocks:
            self.blocks, self._blocked_at = False, now
            target, seconds = (self.plunger.at(now) + target) / 2, seconds / 2
        self.plunger.move(target, seconds, place, now)
        return seconds

    def _end(self, step: _Step, now: float) -> None:
        if step.kind in self._n_moves:
            self._n_moves[step.kind] += 1
        if step.kind == "valve":
            self._valve = int(step.value)
        elif step.kind == "initialise":
            with self._bench.effects.happening("initialisations", now):
                self._is_initialised, self._is_overloaded = True, False
                self._offset, self._error = 0.0, 0
                self.n_initialised += 1
        elif step.kind == "plunger" and self._blocked_at is not None:
            self._blocked_at = None
            self._is_overloaded, self._error = True, 9
            self._program.clear()

    def _terminate(self) -> None:
        now = self._bench.clock.now()
        turning = self._program[:1] if self._program and self._program[0].kind == "valve" else []
        self._program = turning
        if not turning:
            self.plunger.stop(now)
            self._step_ends = None

    def _where(self, now: float) -> float:
        """The plunger's position as the pump counts it."""
        return self._increments(self.plunger.at(now) - self._offset)

    def _increments(self, volume: float) -> float:
        stroke = self._steps * (8 if self._settings["N"] in (1, 2) else 1)
        return volume / self.plunger.size * stroke

    def _answer(self, data: str, error: int | None = None) -> bytes:
        is_busy = bool(self._program) and not self._is_silent
        status = (0 if is_busy else _READY) | (self._error if error is None else error)
        return _told(status, data)


class PumpLine:
    """Several pumps on one wire, by address."""

    def __init__(self, pumps: Mapping[str, CavroTwin]) -> None:
        self._pumps = pumps
        self._last: dict[str, tuple[bytes, bytes]] = {}

    def wire(self) -> FramedWire:
        """The line."""
        manners = Manners(self._refusal, None, _skewed, self._unheeded, self._restart)
        return FramedWire(_split, self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        return self._packet(frame) if frame[:1] == bytes((STX,)) else self._line(frame)

    def _packet(self, frame: bytes) -> bytes:
        """OEM protocol: what is sent again with the bit for it is answered again, and not done."""
        if _xor(frame):
            return b""
        address, number, rest = chr(frame[1]), frame[2], frame[3:-2]
        known, answer = self._last.get(address, (b"", b""))
        asked = bytes((number & ~REPEATED,)) + rest
        if not number & REPEATED or asked != known:
            answer = self._line(b"/" + frame[1:2] + rest)
            self._last[address] = asked, answer
        body = bytes((STX,)) + answer[1:-2]
        return body + bytes((_xor(body),)) if answer else b""

    def _line(self, frame: bytes) -> bytes:
        address, commands = _parted(frame)
        if address == _ALL:
            for pump in self._pumps.values():
                pump.reply(commands)
            return b""
        return self._pumps[address].reply(commands) if address in self._pumps else b""

    def _refusal(self, frame: bytes) -> bytes | None:
        """No command of its own; `Q` reports whatever happens."""
        address, commands = _parted(frame)
        return None if address not in self._pumps or commands == "Q" else _told(_READY | 2)

    def _unheeded(self, frame: bytes) -> bytes | None:
        """A string that is taken over, and a stop; the answer is that of a pump that sets out."""
        address, commands = _parted(frame)
        sets = commands.endswith("R") or commands == "T"
        return _told(0) if address in self._pumps and sets else None

    def _restart(self) -> None:
        for pump in self._pumps.values():
            pump.power_up()


def _unrolled(found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Commands with what stands between `g` and `Gn` (or before a `Gn` alone) n times."""
    done: list[tuple[str, str]] = []
    starts: list[int] = []
    for letter, text in found:
        if letter == "g":
            starts.append(len(done))
        elif letter == "G":
            start = starts.pop() if starts else 0
            if not re.fullmatch("[0-9]{1,4}", text) or not 1 <= int(text) <= 1000:
                raise _Wrong
            if int(text) * (len(done) - start) > _MOST_STEPS:
                raise _Wrong
            done += (int(text) - 1) * done[start:]
        else:
            done.append((letter, text))
    yield from done


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """A packet from STX to the byte behind ETX, or a line ended by CR."""
    start, end = data.find(STX), data.find(b"\r")
    if start < 0 or 0 <= end < start:
        line, found, rest = data.partition(b"\r")
        return (line, rest) if found else (None, data)
    last = data.find(ETX, start) + 2
    return (data[start:last], data[last:]) if 2 <= last <= len(data) else (None, data[start:])


def _xor(data: bytes) -> int:
    return functools.reduce(operator.xor, data, 0)


def _parted(frame: bytes) -> tuple[str, str]:
    """Address and commands; an address that is nobody's for what is no request."""
    start = frame.rfind(b"/")
    line = frame[start + 1 :].decode("ascii", "replace") if start >= 0 else ""
    return line[:1], line[1:].strip()


def _told(status: int, data: str = "") -> bytes:
    return b"/0" + bytes((0x40 | status,)) + data.encode("ascii") + b"\x03\r\n"


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    """The plunger's position."""
    if _parted(frame)[1] != "?":
        return None
    return _told(reply[2], str(round(int(reply[3:-3]) * (1 + share))))
