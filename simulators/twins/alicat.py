"""Alicat mass-flow controllers on one RS-485 bus.

Protocol: `<ID><command>CR`, no checksum, `?` for what is not understood, silence from units with
another ID (Alicat Serial Communications Primer). Known here: poll, `S` set-point, `LS` set-point
and query (answered by five fields, as from firmware 9v00 on), `FPF` full scale, registers 46 (gas)
and 122 (control point) read and written, with or without `$$`, `VE`, `G` gas, `V`, `T` and `TP`
tare, `HC` and `HP` valve held, `C` no more, `L` and `U` display locked and not, the tables `??M*`,
`??D*` and `??G*` (lines as `alicatlib` has them from firmware 8v17), and the legacy integer
set-point (`A32000` is half of full scale), which is a trap for whoever sends it.
"""

from __future__ import annotations

import re

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, Manners, lines

_GASES = {1: "Ar", 11: "O2", 8: "N2", 0: "Air"}
_SET = re.compile(r"S ?(\d+(?:\.\d*)?|\.\d+)$")
_SET_OR_ASK = re.compile(r"LS ?(\d+(?:\.\d*)?|\.\d+)(?: (?:0|12))?$")
_UNIT = "12 SCCM"
_OF_MASS_FLOW = ("FPF 5", "FPF 37")
_REGISTER = re.compile(r"(?:\$\$)?([RW])(\d+)(?:=(\d+))?$", re.IGNORECASE)
_GAS = re.compile(r"(?:\$\$)?G ?(\d+)$", re.IGNORECASE)
_WORKS = frozenset({"HC", "HP", "C", "L", "U", "V", "T", "TP"})
_FIELDS = (
    "00 ID_ NAME______________________ TYPE_______ WIDTH NOTES___________________",
    "01 700 Unit ID                    string          1",
    "02 002 Pressure                   s decimal     7/2 010 02 PSIA",
    "03 003 Temperature                s decimal     7/2 002 02 `C",
    "04 004 Volumetric Flow            s decimal     7/3 012 03 CCM",
    "05 005 Mass Flow                  s decimal     7/3 012 03 SCCM",
    "06 037 Mass Flow Setpt            s decimal     7/3 012 03 SCCM",
    "07 703 Gas                        string          6",
    "08 702 *Status                    string          3 HLD",
    "09 702 *Status                    string          3 LCK",
)
_LEGACY_FULL_SCALE = 64000
_MASS_FLOW = 37


class FlowController:
    """One unit: `full_scale` in sccm; a set-point beyond it is not understood."""

    def __init__(
        self, chamber: Chamber, gas: str, unit_id: str, full_scale: float, gas_number: int
    ) -> None:
        self._chamber, self._gas = chamber, gas
        self.unit_id, self.full_scale = unit_id, full_scale
        self._registers = {46: gas_number, 122: _MASS_FLOW}
        self._setpoint = 0.0
        self._held_sccm: float | None = None
        self._is_locked = False

    def reply(self, command: str) -> str:
        """The reply to a command without ID and CR."""
        if not command:
            return self._frame()
        if match := _SET.match(command):
            return self._set(float(match[1]))
        if match := _SET_OR_ASK.match(command):
            return "?" if self._set(float(match[1])) == "?" else self._tell("LS")
        if re.fullmatch(r"[0-9]{1,5}", command):
            return self._set(int(command) / _LEGACY_FULL_SCALE * self.full_scale)
        if match := _REGISTER.match(command):
            return self._register(match[1].upper(), int(match[2]), match[3])
        if match := _GAS.match(command):
            return self._choose_gas(int(match[1]))
        word = command.upper()
        return self._work(word) if word in _WORKS else self._tell(word)

    def _tell(self, word: str) -> str:
        """What it says of itself."""
        if word == "LS":
            return f"{self.unit_id} {self._setpoint:+08.3f} {self._setpoint:+08.3f} {_UNIT}"
        if word in _OF_MASS_FLOW:
            return f"{self.unit_id} {self.full_scale:+08.3f} {_UNIT}"
        if word == "VE":
            return f"{self.unit_id}   8v17.0-R23 Nov 27 2018,16:04:20"
        rows = {
            "??M*": self._made_by(),
            "??D*": [f"D{row}" for row in _FIELDS],
            "??G*": [f"G{number:02d}{name:>9}" for number, name in sorted(_GASES.items())],
        }.get(word, [])
        return "\r".join(f"{self.unit_id} {row}" for row in rows) or "?"

    def _choose_gas(self, number: int) -> str:
        if number not in _GASES:
            return "?"
        self._registers[46] = number
        return self._frame()

    def _work(self, word: str) -> str:
        """The valve, the display, and tare, which finds no offset."""
        if word in ("L", "U"):
            self._is_locked = word == "L"
        elif word in ("HC", "HP", "C"):
            flow = self._chamber.flow(self._gas)
            self._held_sccm = {"HC": 0.0, "HP": flow}.get(word)
            self._flow()
        return self._frame()

    def restart(self) -> None:
        """After a power cut: no flow. (A unit may also be set up to keep its set-point.)"""
        self._held_sccm, self._is_locked = None, False
        self._set(0.0)

    def unheeded(self, command: str) -> str | None:
        """The reply to a set-point that is not taken over; None for other commands."""
        if _SET_OR_ASK.match(command):
            return self._tell("LS")
        return self._frame() if _SET.match(command) else None

    def _set(self, sccm: float) -> str:
        if sccm > self.full_scale:
            return "?"
        self._setpoint = sccm
        self._flow()
        return self._frame()

    def _flow(self) -> None:
        held = self._held_sccm
        self._chamber.set_flow(self._gas, self._setpoint if held is None else held)

    def _register(self, verb: str, number: int, value: str | None) -> str:
        if number not in self._registers or (verb == "W") != (value is not None):
            return "?"
        if value is not None:
            self._registers[number] = int(value)
        return f"{self.unit_id}   {number:03d} = {self._registers[number]}"

    def _frame(self) -> str:
        flow = self._chamber.flow(self._gas)
        gas = _GASES.get(self._registers[46], "Air")
        return (
            f"{self.unit_id} +014.70 +025.00 {flow:+08.3f} {flow:+08.3f} "
            f"{self._setpoint:+08.3f} {gas:>6}"
            f"{' HLD' * (self._held_sccm is not None)}{' LCK' * self._is_locked}"
        )

    def _made_by(self) -> list[str]:
        return [
            "M00 Alicat Scientific",
            "M01 www.AlicatScientific.com",
            "M02 Ph   888-290-6060",
            "M03 info@alicat.com",
            f"M04 Model Number MC-{self.full_scale:g}SCCM-D",
            f"M05 Serial Number {210000 + ord(self.unit_id)}",
            "M06 Date Manufactured 01/02/2019",
            "M07 Date Calibrated   01/02/2019",
            "M08 Calibrated By     TWIN",
            "M09 Software Revision 8v17.0-R23",
        ]


class GasBus:
    """Several units on one wire."""

    def __init__(self, *units: FlowController) -> None:
        self._units = {unit.unit_id: unit for unit in units}

    def wire(self) -> FramedWire:
        """The bus."""
        manners = Manners(self._refusal, _elsewhere, _skewed, self._unheeded, self._restart)
        return FramedWire(lines(b"\r"), self._reply, manners=manners)

    def _reply(self, frame: bytes) -> bytes:
        unit, command = self._addressed(frame)
        return (unit.reply(command) + "\r").encode("ascii") if unit else b""

    def _addressed(self, frame: bytes) -> tuple[FlowController | None, str]:
        line = frame.decode("ascii", "replace").strip()
        return self._units.get(line[:1].upper()), line[1:].strip()

    def _refusal(self, frame: bytes) -> bytes | None:
        return b"?\r" if self._addressed(frame)[0] else None

    def _unheeded(self, frame: bytes) -> bytes | None:
        unit, command = self._addressed(frame)
        said = unit.unheeded(command) if unit else None
        return None if said is None else f"{said}\r".encode("ascii")

    def _restart(self) -> None:
        for unit in self._units.values():
            unit.restart()


def _elsewhere(reply: bytes) -> bytes:
    """The same from the unit with the letter after the next."""
    return bytes(((reply[0] - ord("A") + 2) % 26 + ord("A"),)) + reply[1:]


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    words = reply.decode("ascii").split(" ")
    if len(words) < 7:
        return None
    words[4] = f"{float(words[4]) * (1 + share):+08.3f}"
    return " ".join(words).encode("ascii")
