"""TDK-Lambda Genesys DC supplies with resistors at their outputs, several on one line.

Lines end with CR, capital or small. `ADR n` makes supply n listen and the others fall silent; a
setting is answered by OK, an error by Cnn or Enn; CR alone by OK; backslash repeats the last line;
backspace takes back a character; the filter and the fold-back delay are kept and change nothing
(user manual 83-507-013, sections 7.5 to 7.7, tables 7-1, 7-2, 7-8 and 7-9). Checksums are not known
here.
"""

from __future__ import annotations

from simulators.twins.wire import FramedWire, Manners, lines

_SHUT_OFF = 5
_MODES = ("LOC", "REM", "LLO")
_SETTINGS = frozenset({"PV", "PC", "OVP", "UVL", "RMT", "OUT", "AST", "FLD"})


class SupplyUnit:
    """One supply: `volts` and `amperes` are its ratings, `ohm` is at its output."""

    def __init__(self, address: int, volts: float, amperes: float, *, ohm: float = 2.0) -> None:
        self.address = address
        self._volts, self._amperes, self._ohm = volts, amperes, ohm
        self._is_shut = False
        self._reset()
        self._words["RMT"] = "LOC"
        self._filter_hz, self._delay = "18", "0"
        self._saved: tuple[dict[str, float], dict[str, str]] | None = None
        self._last = ""

    @property
    def is_on(self) -> bool:
        """Whether the output is on."""
        return self._words["OUT"] == "ON"

    @property
    def settings(self) -> dict[str, float]:
        """What is set, by its command."""
        return dict(self._set)

    def shut_off(self, is_shut: bool) -> None:
        """Somebody works the contact at the rear panel, which puts the output off."""
        self._is_shut = is_shut
        if is_shut:
            self._words["OUT"] = "OFF"

    def power_up(self) -> None:
        """As it is after its mains were away: in safe start the output is off and nothing is set;
        in auto-restart (`AST ON`) it goes on as it was, unless it is shut off. Limits are kept.
        (From memory of the manual's chapter on the power-on state, no page at hand.)"""
        if self._words["AST"] == "OFF" or self._is_shut:
            self._words["OUT"] = "OFF"
            self._set |= {"PV": 0.0, "PC": 0.0, "UVL": 0.0}

    def _reset(self) -> None:
        self._set = {"PV": 0.0, "PC": 0.0, "OVP": 1.1 * self._volts, "UVL": 0.0}
        self._words = {"RMT": "REM", "OUT": "OFF", "AST": "OFF", "FLD": "OFF"}

    def answer(self, line: str) -> str:
        """The reply to a line."""
        line = self._last if line.strip() == "\\" else line
        self._last = line
        command, _, argument = line.upper().strip().partition(" ")
        if not command:
            return "OK"
        if command.endswith("?"):
            return "C01" if argument else self._ask(command[:-1])
        return self._tell(command, argument.strip())

    def _ask(self, query: str) -> str:
        if query in self._words:
            return self._words[query]
        if query in self._set:
            return f"{self._set[query]:06.3f}"
        volts, amperes, mode = self._output()
        now = self._set
        status = {"CV": 1, "CC": 2, "OFF": 0}[mode] | (8 if self._is_shut else 4)
        status |= 0x80 if self._words["RMT"] == "LOC" else 0
        fault = self._is_shut << _SHUT_OFF | (not self.is_on) << 6
        shown = (volts, now["PV"], amperes, now["PC"], now["OVP"], now["UVL"])
        return {
            "IDN": f"LAMBDA,GEN{self._volts:g}-{self._amperes:g}",
            "SN": f"12A{self.address:03d}",
            "REV": "REV:1U:4.3",
            "DATE": "2019/02/27",
            "MDAV": "0",
            "MS": "1",
            "FILTER": self._filter_hz,
            "FBD": self._delay,
            "MV": f"{volts:06.3f}",
            "MC": f"{amperes:06.3f}",
            "MODE": mode,
            "STAT": f"{status:02X}",
            "FLT": f"{fault:02X}",
            "DVC": ",".join(f"{value:06.3f}" for value in shown),
            "STT": f"MV({volts:06.3f}),PV({now['PV']:06.3f}),MC({amperes:06.3f}),"
            f"PC({now['PC']:06.3f}),SR({status:02X}),FR({fault:02X})",
        }.get(query, "C01")

    def _tell(self, command: str, argument: str) -> str:
        if not argument and command in ("RST", "CLS", "OVM", "SAV", "RCL", "FBDRST"):
            self._act(command)
            return "OK"
        if command in ("FILTER", "FBD"):
            return self._delays(command, argument)
        if command not in self._set and command not in self._words:
            return "C01"
        if not argument:
            return "C02"
        return (
            self._number(command, argument)
            if command in self._set
            else self._word(command, argument)
        )

    def _act(self, command: str) -> None:
        """What has no argument."""
        if command == "RST":
            self._reset()
        elif command == "OVM":
            self._set["OVP"] = 1.1 * self._volts
        elif command == "SAV":
            self._saved = dict(self._set), dict(self._words)
        elif command == "RCL" and self._saved is not None:
            self._set, self._words = dict(self._saved[0]), dict(self._saved[1])
        elif command == "FBDRST":
            self._delay = "0"

    def _delays(self, command: str, argument: str) -> str:
        if not argument:
            return "C02"
        if command == "FILTER" and argument in ("18", "23", "46"):
            self._filter_hz = argument
        elif command == "FBD" and argument.isdigit() and int(argument) <= 255:
            self._delay = argument
        else:
            return "C05"
        return "OK"

    def _word(self, command: str, argument: str) -> str:
        if argument not in (_MODES if command == "RMT" else ("ON", "OFF")):
            return "C03"
        if command == "OUT" and argument == "ON" and self._is_shut:
            return "E07"
        self._words[command] = argument
        return "OK"

    def _number(self, command: str, argument: str) -> str:
        if len(argument) > 12 or not argument.replace(".", "", 1).isdigit():
            return "C03"
        value = float(argument)
        error = self._refusal(command, value)
        if not error:
            self._set[command] = value
        return error or "OK"

    def _refusal(self, command: str, value: float) -> str:
        """The error code of a value that may not be set; nothing for one that may."""
        volts, now = self._volts, self._set
        wrong = {
            "PV": [("E01", value > 1.05 * volts or value > 0.95 * now["OVP"]),
                   ("E02", value < now["UVL"])],
            "PC": [("C05", value > 1.05 * self._amperes)],
            "OVP": [("E04", value < now["PV"] + 0.05 * volts), ("C05", value > 1.1 * volts)],
            "UVL": [("E06", value > 0.95 * now["PV"])],
        }[command]  # fmt: skip
        return next((code for code, is_wrong in wrong if is_wrong), "")

    def _output(self) -> tuple[float, float, str]:
        if not self.is_on:
            return 0.0, 0.0, "OFF"
        amperes = self._set["PV"] / self._ohm
        if amperes <= self._set["PC"]:
            return self._set["PV"], amperes, "CV"
        return self._set["PC"] * self._ohm, self._set["PC"], "CC"


class GenesysLine:
    """Supplies on one line; which one listens is a matter of the line's last `ADR`."""

    def __init__(self, *units: SupplyUnit) -> None:
        self.units = {unit.address: unit for unit in units}
        self._listens: SupplyUnit | None = None

    def wire(self) -> FramedWire:
        """The line."""
        manners = Manners(self._refusal, None, _skewed, self._unheeded, self._restart)
        return FramedWire(lines(b"\r"), self._reply, manners=manners)

    def _refusal(self, frame: bytes) -> bytes | None:
        """What it does not know; an address that is nobody's is met with silence."""
        is_address = _typed(frame).upper().startswith("ADR")
        return None if self._listens is None or is_address else b"C01\r"

    def _unheeded(self, frame: bytes) -> bytes | None:
        command, _, argument = _typed(frame).upper().strip().partition(" ")
        sets = argument and command in _SETTINGS
        return b"OK\r" if self._listens and sets else None

    def _restart(self) -> None:
        """After a power cut nobody listens until its next `ADR`."""
        self._listens = None
        for unit in self.units.values():
            unit.power_up()

    def _reply(self, frame: bytes) -> bytes:
        line = _typed(frame)
        word, _, number = line.upper().strip().partition(" ")
        if word == "ADR" and number.strip().isdigit():
            self._listens = self.units.get(int(number))
            return b"OK\r" if self._listens else b""
        return f"{self._listens.answer(line)}\r".encode("ascii") if self._listens else b""


def _typed(frame: bytes) -> str:
    """A line as it stands after its backspaces."""
    line = ""
    for character in frame.decode("ascii", "replace"):
        line = line[:-1] if character == "\b" else line + character
    return line


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    if _typed(frame).upper().strip() not in ("MV?", "MC?"):
        return None
    return f"{float(reply) * (1 + share):06.3f}\r".encode("ascii")
