"""A New Era NE-1000 syringe pump, in basic and safe mode, with a program of phases.

Read from the NE-1000 user manual (1200-01), section 10: `[address] command CR`, answered by STX,
two digits of address, prompt, data, ETX; in safe mode both are packets STX, length, text, CRC, ETX
(the CRC is 16-bit CCITT from zero; the length counts itself and what follows). Packets are taken in
either mode, since that is how the mode is changed. A pending alarm is the answer to the next valid
command, which is not obeyed (the packet that the pump sends by itself is left out). In safe mode a
pump that hears nothing for the time of `SAF` (wall time, whatever the clock of the bench) stops,
with alarm T. Volumes are in uL up to a diameter of 14 mm, in mL above, or as `VOL UL` says.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from simulators.lab.liquids import VESSEL, WetBench
from simulators.lab.plunger import Plunger
from simulators.twins.wire import FramedWire, Manners

STX, ETX = 0x02, 0x03
TO_UL_MIN = {"MM": 1000.0, "UM": 1.0, "MH": 1000.0 / 60.0, "UH": 1.0 / 60.0}
FASTEST_CM_MIN, SLOWEST_CM_H = 5.1005, 0.004205
_NUMBER = re.compile(r"(?=[\d.]{1,5}$)(?=\.?\d)\d*\.?\d{0,3}")
_SMALL_MM = 14.0
_KEPT = {"AL": ("1", "0"), "PF": ("0", "1"), "LOC": ("0", "1"), "LN": ("0", "1"),
         "TRG": ("FT", "FH", "F2", "LE", "ST", "T2", "SP", "P2")}  # fmt: skip
"""What is kept and changes nothing here, its default first."""
_SETTINGS = frozenset({"DIA", "PHN", "FUN", "RAT", "VOL", "DIR", "CLD"})


def crc(text: bytes) -> int:
    """16-bit CCITT: polynomial 1021, from zero."""
    register = 0
    for byte in text:
        register ^= byte << 8
        for _ in range(8):
            carry = register & 0x8000
            register = (register << 1) & 0xFFFF
            if carry:
                register ^= 0x1021
    return register


@dataclass
class _Phase:
    function: str = "RAT"
    rate: float = 1.0
    units: str = "MM"
    volume: float = 0.0
    direction: str = "INF"


class NewEraTwin:
    """One pump at an address, with a syringe that was filled by hand. It was just switched on."""

    def __init__(self, bench: WetBench, plunger: Plunger, address: int = 0) -> None:
        self._bench, self._plunger, self._address = bench, plunger, address
        self._phases: dict[int, _Phase] = {}
        self._selected = self._running = 1
        self._kept = {word: values[0] for word, values in _KEPT.items()}
        self._diameter, self._unit = 14.43, ""
        self._silence_s, self._heard_at, self._is_listening = 0, 0.0, False
        self._counted = {"INF": 0.0, "WDR": 0.0}
        self._started_at: float | None = None
        self._start = self._goal = plunger.at(bench.clock.now())
        self._is_paused = False
        self._alarm = "R"
        bench.moving.append(self.advance)

    @property
    def due(self) -> float | None:
        """When something happens next by itself."""
        ends = self._plunger.due
        if ends is None:
            return None
        return min(ends, self._deadline) if self._silence_s else ends

    @property
    def _deadline(self) -> float:
        """Campaign time until which it must hear something; silence is measured in wall time."""
        return self._heard_at + self._silence_s * self._bench.clock.speed

    def wire(self) -> FramedWire:
        """The pump's port."""
        manners = Manners(
            self._refusal, self._elsewhere, self._skewed, self._unheeded, self.power_cut
        )
        return FramedWire(_split, self._reply, manners=manners)

    def power_cut(self) -> None:
        """Its power is interrupted: it stops, counts from zero, and says so. Settings stay."""
        now = self._bench.advance()
        if self._started_at is not None:
            self._halt(now)
        self._counted = dict.fromkeys(self._counted, 0.0)
        self._is_listening = False
        self._is_paused, self._alarm = False, "R"

    def advance(self, now: float) -> None:
        """Lets the plunger move as far as it has come, and the program with it."""
        if self._silence_s and self._is_listening and now > self._deadline:
            # once: it counts again when it has heard something
            self._is_listening = False
            if self._started_at is not None:
                self._halt(self._deadline)
            self._alarm, self._is_paused = self._alarm or "T", False
        ends = self._plunger.due
        self._plunger.flow(now)
        if self._started_at is not None and ends is not None and ends <= now:
            self._count(ends)
            empty = self._plunger.at(now) <= 0.0 < self._missing()
            self._started_at = None
            if empty:
                self._alarm = "S"
            else:
                self._run(self._running + 1, ends)

    def _reply(self, frame: bytes) -> bytes:
        command = self._command(frame)
        if command is None:
            return b""
        now = self._bench.advance()
        self._heard_at, self._is_listening = now, True
        return self._said(self._obey(command, now))

    def _command(self, frame: bytes) -> str | None:
        """The command for this pump in a frame; None where there is none."""
        is_packet = frame[:1] == bytes((STX,))
        text = frame[2:-3] if is_packet else bytes(b for b in frame.upper() if b > 0x20)
        if is_packet and int.from_bytes(frame[-3:-1], "big") != crc(text):
            return None
        if text.startswith(b"*"):
            return text.decode("ascii", "replace")
        match = re.fullmatch(rb"(\d{0,2})(.*)", text)
        if match is None or int(match[1] or b"0") != self._address:
            return None
        return match[2].decode("ascii", "replace")

    def _said(self, answer: str) -> bytes:
        return self._framed(f"{self._address:02d}{answer}".encode("ascii"))

    def _refusal(self, frame: bytes) -> bytes | None:
        """Not to be obeyed now; the question for its state is no command."""
        return self._said(f"{self._prompt()}?NA") if self._command(frame) else None

    def _unheeded(self, frame: bytes) -> bytes | None:
        """A setting or a start that is answered by a prompt, as when it is obeyed."""
        command = self._command(frame) or ""
        if command == "RUN":
            return self._said("I")
        is_setting = len(command) > 3 and command[:3] in _SETTINGS
        return self._said(self._prompt()) if is_setting else None

    def _elsewhere(self, reply: bytes) -> bytes:
        text = reply[2:-3] if reply[1] < 0x30 else reply[1:-1]
        return self._framed(f"{self._address + 1:02d}".encode("ascii") + text[2:])

    def _skewed(self, frame: bytes, reply: bytes, share: float) -> bytes | None:
        """What it has infused."""
        text = (reply[2:-3] if reply[1] < 0x30 else reply[1:-1]).decode("ascii")
        match = re.fullmatch(r"(\d\d.I)([\d.]+)(W.*)", text)
        if self._command(frame) != "DIS" or match is None:
            return None
        said = f"{match[1]}{_shown(float(match[2]) * (1 + share))}{match[3]}"
        return self._framed(said.encode("ascii"))

    def _framed(self, text: bytes) -> bytes:
        if not self._silence_s:
            return bytes((STX,)) + text + bytes((ETX,))
        check = crc(text).to_bytes(2, "big")
        return bytes((STX, len(text) + 4)) + text + check + bytes((ETX,))

    def _obey(self, command: str, now: float) -> str:
        if self._alarm:
            alarm, self._alarm = self._alarm, ""
            return f"A?{alarm}"
        if command.startswith("*"):
            return self._prompt() + self._system(command[1:])
        kept = next((word for word in _KEPT if command.startswith(word)), "")
        if kept:
            return self._prompt() + self._keep(kept, command[len(kept) :])
        word, argument = command[:3], command[3:]
        act = getattr(self, f"_do_{word.lower()}", None) if word.isalpha() else None
        data = "" if not command else "?" if act is None else act(argument, now)
        return self._prompt() + data

    def _system(self, command: str) -> str:
        """What is obeyed whatever the address: ADR and RESET (from memory of the manual)."""
        if command == "RESET":
            self._address, self._silence_s = 0, 0
            self._phases, self._selected = {}, 1
        elif command.startswith("ADR") and command[3:].isdigit() and int(command[3:]) <= 99:
            self._address = int(command[3:])
        elif command == "ADR":
            return f"{self._address:02d}"
        else:
            return "?"
        return ""

    def _keep(self, word: str, argument: str) -> str:
        if not argument:
            return self._kept[word]
        if argument not in _KEPT[word]:
            return "?OOR"
        self._kept[word] = argument
        return ""

    def _prompt(self) -> str:
        if self._started_at is not None:
            return "I" if self._phase(self._running).direction == "INF" else "W"
        return "P" if self._is_paused else "S"

    def _phase(self, number: int) -> _Phase:
        return self._phases.setdefault(number, _Phase("RAT" if number == 1 else "STP"))

    def _do_ver(self, argument: str, now: float) -> str:
        return "NE1000V3.923"

    def _do_saf(self, argument: str, now: float) -> str:
        if not argument:
            return str(self._silence_s)
        if not argument.isdigit() or int(argument) > 255:
            return "?OOR"
        self._silence_s = int(argument)
        return ""

    def _do_dia(self, argument: str, now: float) -> str:
        if not argument:
            return _shown(self._diameter)
        if self._started_at is not None:
            return "?NA"
        if not _NUMBER.fullmatch(argument) or not 0.1 <= float(argument) <= 80.0:
            return "?OOR"
        self._diameter, self._unit = float(argument), ""
        self._counted = dict.fromkeys(self._counted, 0.0)
        return ""

    def _do_phn(self, argument: str, now: float) -> str:
        if not argument:
            return f"{self._selected:02d}"
        if self._started_at is not None:
            return "?NA"
        if not argument.isdigit() or not 1 <= int(argument) <= 41:
            return "?OOR"
        self._selected = int(argument)
        return ""

    def _do_fun(self, argument: str, now: float) -> str:
        if not argument:
            return self._phase(self._selected).function
        if argument not in ("RAT", "STP"):
            return "?"
        self._phase(self._selected).function = argument
        return ""

    def _do_rat(self, argument: str, now: float) -> str:
        phase = self._phase(self._selected)
        if not argument:
            return f"{_shown(phase.rate)}{phase.units}"
        match = re.fullmatch(r"C?([\d.]+)(MM|UM|MH|UH)?", argument)
        if match is None or not _NUMBER.fullmatch(match[1]):
            return "?OOR"
        units = match[2] or phase.units
        area = math.pi * (self._diameter / 20.0) ** 2
        slowest, fastest = area * SLOWEST_CM_H / 60.0 * 1e3, area * FASTEST_CM_MIN * 1e3
        if not slowest <= float(match[1]) * TO_UL_MIN[units] <= fastest:
            return "?OOR"
        phase.rate, phase.units = float(match[1]), units
        if self._started_at is not None and self._selected == self._running:
            self._plunger.flow(now)
            self._count(now)
            self._push(now)
        return ""

    def _do_vol(self, argument: str, now: float) -> str:
        phase = self._phase(self._selected)
        if not argument:
            return f"{_shown(phase.volume)}{self._units()}"
        if self._started_at is not None:
            return "?NA"
        if argument in ("UL", "ML"):
            self._unit = argument
            return ""
        if not _NUMBER.fullmatch(argument):
            return "?OOR"
        phase.volume = float(argument)
        return ""

    def _do_dir(self, argument: str, now: float) -> str:
        phase = self._phase(self._selected)
        if not argument:
            return phase.direction
        if argument not in ("INF", "WDR", "REV"):
            return "?"
        if self._started_at is not None:
            return "?NA"
        turned = "WDR" if phase.direction == "INF" else "INF"
        phase.direction = turned if argument == "REV" else argument
        return ""

    def _do_run(self, argument: str, now: float) -> str:
        if self._started_at is not None:
            return "?NA"
        if self._is_paused:
            self._is_paused = False
            self._push(now)
        else:
            self._run(1, now)
        return ""

    def _do_stp(self, argument: str, now: float) -> str:
        if self._started_at is not None:
            self._halt(now)
            self._is_paused = True
        elif self._is_paused:
            self._is_paused = False
        else:
            return "?NA"
        return ""

    def _do_dis(self, argument: str, now: float) -> str:
        running = self._moved(now) if self._started_at is not None else 0.0
        direction = self._phase(self._running).direction
        found = {d: v + running * (d == direction) for d, v in self._counted.items()}
        per = 1.0 if self._units() == "UL" else 1e-3
        return f"I{_shown(per * found['INF'])}W{_shown(per * found['WDR'])}{self._units()}"

    def _do_cld(self, argument: str, now: float) -> str:
        if argument not in self._counted:
            return "?"
        if self._started_at is not None:
            return "?NA"
        self._counted[argument] = 0.0
        return ""

    def _run(self, number: int, now: float) -> None:
        """Begins a phase; `STP` ends the program, which has 41 phases at most."""
        self._running = number
        phase = self._phase(number)
        if phase.function == "STP" or number > 41:
            self._running = 1
            return
        volume = phase.volume * (1.0 if self._units() == "UL" else 1e3)
        position = self._plunger.at(now)
        goes_on = volume <= 0.0
        volume = self._plunger.size if goes_on else volume
        self._goal = position - volume if phase.direction == "INF" else position + volume
        self._push(now)

    def _push(self, now: float) -> None:
        phase = self._phase(self._running)
        self._start = self._plunger.at(now)
        target = min(max(self._goal, 0.0), self._plunger.size)
        seconds = abs(target - self._start) / (phase.rate * TO_UL_MIN[phase.units]) * 60.0
        self._started_at = now
        self._plunger.move(target, seconds, VESSEL, now)
        if target == self._start:
            self._started_at, self._alarm = None, "S"

    def _halt(self, now: float) -> None:
        self._count(now)
        self._plunger.stop(now)
        self._started_at = None

    def _count(self, now: float) -> None:
        self._counted[self._phase(self._running).direction] += self._moved(now)

    def _moved(self, now: float) -> float:
        return abs(self._plunger.at(now) - self._start)

    def _missing(self) -> float:
        return abs(self._goal - self._plunger.at(self._bench.clock.now()))

    def _units(self) -> str:
        return self._unit or ("UL" if self._diameter <= _SMALL_MM else "ML")


def _shown(value: float) -> str:
    """Four digits and a point."""
    for decimals in (3, 2, 1):
        text = f"{value:.{decimals}f}"
        if len(text.replace(".", "")) <= 4:
            return text
    return f"{min(value, 9999.0):.0f}."


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """A packet by its length, or a line ended by CR."""
    if data[:1] == bytes((STX,)):
        if len(data) < 2 or len(data) < 1 + data[1]:
            return None, data
        return data[: 1 + data[1]], data[1 + data[1] :]
    line, found, rest = data.partition(b"\r")
    return (line, rest) if found else (None, data)
