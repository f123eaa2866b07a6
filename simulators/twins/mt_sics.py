"""A balance with MT-SICS, 220 g by 0.1 mg.

Read from the MT-SICS reference manual: commands and responses are lines ended by CR LF; `S` waits
for a weight at rest (`S S`), `SI` does not wait (`S S` or `S D`), `T` and `Z` wait, and `S I` says
that it did not come to rest in time; `SC` gives up waiting after its milliseconds. `TI` and `ZI`
say whether it was at rest. `+` and `-` are over and under the range. Weights have ten characters
and a unit. `@` is answered as `I4`, and forgets the tare; switching on does so too, and sets zero
with what lies on the pan (manual, at `@`). After `SIR` it sends its weight again and again (here
once a second) until `S`, `SI` or `@`. `I` also stands for not executable now. `D`, `DW` and `M21`
(grams only) are taken and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from simulators.lab.liquids import WetBench
from simulators.twins.wire import FramedWire, Manners, lines

CAPACITY_G, READABILITY_G = 220.0, 1e-4
UNDER_G, ZERO_RANGE_G = -20.0, 0.02 * CAPACITY_G
MOST_S = 10.0
_FACTS = {
    "I1": '"0123" "2.30" "2.22" "2.33" "2.20"',
    "I2": '"XS205DU Excellence 220.0090 g"',
    "I3": '"2.10 10.28.0.493.142"',
    "I4": '"B021002593"',
    "I5": '"12121306C"',
    "I10": '"twin"',
    "I11": '"XS205DU"',
}
_LEVELS = {
    0: ("@", "I0", "I1", "I2", "I3", "I4", "I5", "S", "SI", "SIR", "Z", "ZI"),
    1: ("D", "DW", "SC", "T", "TA", "TAC", "TI"),
    2: ("M21",),
}


class BalanceTwin:
    """The balance under the vessel of a bench; it was zeroed with the vessel on it."""

    def __init__(self, bench: WetBench) -> None:
        self._bench = bench
        self._zero = bench.load()
        self._tare = 0.0
        self._is_repeating = False
        self.on_top = 0.0
        """Grams that somebody has put on the pan beside the vessel."""

    def wire(self) -> FramedWire:
        """The balance's port."""
        manners = Manners(_refusal, None, _skewed, self._unheeded, self._restart)
        return _PatientWire(self._bench, self._reply, self._repeat, manners)

    def _repeat(self) -> bytes:
        return f"{self._at_once('SI')}\r\n".encode("ascii") if self._is_repeating else b""

    def _restart(self) -> None:
        self._tare, self._is_repeating = 0.0, False
        self._zero += self._gross()

    def _unheeded(self, frame: bytes) -> bytes | None:
        word = frame.strip().decode("ascii", "replace")
        if word == "Z":
            return b"Z A\r\n"
        return f"T S {_weight(self._gross())}\r\n".encode("ascii") if word == "T" else None

    def _gross(self) -> float:
        return self._bench.weigh() + self.on_top - self._zero

    def _reply(self, frame: bytes) -> bytes:
        command, _, argument = frame.decode("ascii", "replace").strip().partition(" ")
        return (self._answer(command, argument) + "\r\n").encode("ascii")

    def _answer(self, command: str, argument: str) -> str:
        if command in ("S", "SI", "SIR", "@"):
            self._is_repeating = command == "SIR"
        if command in _FACTS:
            return f"{command} A {_FACTS[command]}"
        if command == "I0":
            rows = [f'I0 B {level} "{name}"' for level, names in _LEVELS.items() for name in names]
            return "\r\n".join([*rows[:-1], rows[-1].replace("B", "A", 1)])
        if command == "@":
            self._tare = 0.0
            return f"I4 A {_FACTS['I4']}"
        if command in ("S", "T", "Z"):
            # what has waited in vain says so
            return f"{command} I" if self._bench.settles_in() > 0 else self._act(command, "S")
        if command in ("SI", "SIR", "TI", "ZI"):
            return self._at_once(command.removesuffix("R"))
        return self._more(command, argument)

    def _at_once(self, command: str) -> str:
        status = "D" if self._bench.settles_in() > 0 else "S"
        if command == "SI":
            return self._act("S", status)
        said = self._act(command[0], status).replace(command[0], command, 1)
        return f"ZI {status}" if said == "ZI A" else said

    def _act(self, command: str, status: str) -> str:
        gross = self._gross()
        if gross > CAPACITY_G or gross < UNDER_G:
            return f"{command} {'+' if gross > 0 else '-'}"
        if command == "S":
            return f"S {status} {_weight(gross - self._tare)}"
        if command == "T":
            self._tare = gross
            return f"T {status} {_weight(gross)}"
        if abs(gross) > ZERO_RANGE_G:
            return f"Z {'+' if gross > 0 else '-'}"
        self._zero += gross
        self._tare = 0.0
        return "Z A"

    def _more(self, command: str, argument: str) -> str:
        """Tare values, the display, the unit (grams only), and a weight after some time."""
        words = argument.split()
        if command in ("TA", "TAC"):
            return self._preset(command, argument)
        if command not in ("D", "DW", "M21", "SC"):
            return "ES"
        if command == "SC":
            return self._at_once("SI") if re.fullmatch("[0-9]+", argument) else "S L"
        if command == "M21":
            if not words:
                return "M21 B 0 0\r\nM21 A 1 0"
            is_known = words in (["0", "0"], ["1", "0"])
        else:
            is_known = bool(re.fullmatch('".*"' if command == "D" else "", argument))
        return f"{command} {'A' if is_known else 'L'}"

    def _preset(self, command: str, argument: str) -> str:
        if command == "TAC":
            self._tare = 0.0
            return "TAC A"
        if argument:
            found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?) g", argument)
            if found is None or float(found[1]) > CAPACITY_G:
                return "TA L"
            self._tare = float(found[1])
        return f"TA A {_weight(self._tare)}"


class _PatientWire(FramedWire):
    """Waits, before it passes on a command that wants a weight at rest, until there is one."""

    def __init__(
        self,
        bench: WetBench,
        reply: Callable[[bytes], bytes],
        unprompted: Callable[[], bytes],
        manners: Manners,
    ) -> None:
        super().__init__(lines(b"\r\n"), reply, manners=manners, unprompted=unprompted)
        self._bench = bench

    async def patience(self, data: bytes) -> None:
        """Until the balance is at rest, or has waited in vain."""
        waited_s, most_s = 0.0, _longest_s(self._pending + data)
        while waited_s < most_s:
            wait_s = min(self._bench.settles_in(), most_s - waited_s)
            if wait_s <= 0:
                break
            await self._bench.clock.sleep(wait_s)
            waited_s += wait_s


def _longest_s(data: bytes) -> float:
    """How long the commands in some bytes wait for rest."""
    longest = 0.0
    for line in data.split(b"\r\n")[:-1]:
        if match := re.fullmatch(rb"SC ([0-9]{1,6})", line.strip()):
            longest = max(longest, int(match[1]) / 1000.0)
        elif line.strip() in (b"S", b"T", b"Z"):
            longest = max(longest, MOST_S)
    return longest


def _refusal(frame: bytes) -> bytes | None:
    """Understood, and not executable now."""
    word = frame.strip().partition(b" ")[0]
    return {b"SI": b"S", b"@": b"I4"}.get(word, word) + b" I\r\n" if word else None


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    words = reply.decode("ascii").split()
    if frame.strip() not in (b"S", b"SI") or len(words) != 4:
        return None
    return f"S {words[1]} {_weight(float(words[2]) * (1 + share))}\r\n".encode("ascii")


def _weight(grams: float) -> str:
    shown = round(grams / READABILITY_G) * READABILITY_G
    return f"{shown + 0.0:10.4f} g"
