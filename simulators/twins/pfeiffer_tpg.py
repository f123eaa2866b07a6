"""Pfeiffer TPG 361 gauge controller, mnemonics protocol.

`MNE[,parameter]CR` is acknowledged by ACK CR LF or NAK CR LF; the data come after ENQ; ETX clears
the input; after power-up the controller sends a reading a second until it is spoken to (Pfeiffer,
"TPG 361/362 communication protocol" BG 5510). An empty line is not answered: some clients end an
ENQ like a line. The gauge reads the total pressure; that `PRX` tells of a second channel without a
sensor is assumed.
"""

from __future__ import annotations

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, Manners

ETX, ENQ, ACK, NAK = b"\x03", b"\x05", b"\x06\r\n", b"\x15\r\n"
_PASCAL_PER_UNIT = {0: 100.0, 1: 133.322, 2: 1.0, 3: 0.133322, 4: 100.0}
_HECTOPASCAL = 4
_NO_SENSOR = "5,+2.0000E-02"
_UNDER_PA, _OVER_PA = 1e-7, 1.5e5


class Gauge:
    """One channel. The factory's unit is hPa; status 1 is under range, 2 over range."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber
        self._unit = _HECTOPASCAL
        self._language = "0"
        self._answer = ""
        self._error = "0000"
        self._is_streaming = True

    def wire(self) -> FramedWire:
        """The controller's port."""
        manners = Manners(refusal=self._refusal, skewed=_skewed, restart=self._restart)
        return FramedWire(_split, self._reply, unprompted=self._stream, manners=manners)

    def _refusal(self, frame: bytes) -> bytes | None:
        """NAK to a mnemonic; ENQ then gives the error word."""
        if frame in (ETX, ENQ):
            return None
        self._is_streaming = False
        self._error, self._answer = "0001", ""
        return NAK

    def _restart(self) -> None:
        """After a power cut it sends a reading a second again; the unit is stored."""
        self._answer, self._error, self._is_streaming = "", "0000", True

    def _stream(self) -> bytes:
        return f"{self._reading()}\r\n".encode("ascii") if self._is_streaming else b""

    def _reply(self, frame: bytes) -> bytes:
        self._is_streaming = False
        if frame == ETX:
            self._answer = ""
            return b""
        if frame == ENQ:
            return f"{self._enquire()}\r\n".encode("ascii")
        if not frame.strip():
            return b""
        answer = self._command(frame.decode("ascii", "replace").strip().upper())
        if answer is None:
            self._error, self._answer = "0001", ""
            return NAK
        self._answer = answer
        return ACK

    def _enquire(self) -> str:
        """The data asked for; without a valid request the error word, which is then cleared."""
        if self._answer == "PR1":
            return self._reading()
        if self._answer == "PRX":
            return f"{self._reading()},{_NO_SENSOR}"
        if self._answer:
            return self._answer
        word, self._error = self._error, "0000"
        return word

    def _command(self, line: str) -> str | None:
        """What ENQ will give; None for what is not understood."""
        mnemonic, _, parameter = line.partition(",")
        if mnemonic == "UNI":
            return self._change_unit(parameter.strip())
        if mnemonic == "LNG" and parameter.strip() in ("", "0", "1", "2"):
            self._language = parameter.strip() or self._language
            return self._language
        if parameter:
            return None
        if mnemonic == "ERR":
            word, self._error = self._error, "0000"
            return word
        return {
            "PR1": "PR1",
            "PRX": "PRX",
            "TID": "PBR",
            "PNR": "010300",
            "SEN": "2",
            "BAU": "0",
            "AYT": "TPG361,PTG28040,44990000,010300,010100",
        }.get(mnemonic)

    def _change_unit(self, parameter: str) -> str | None:
        if parameter:
            if not parameter.isdigit() or int(parameter) not in _PASCAL_PER_UNIT:
                return None
            self._unit = int(parameter)
        return str(self._unit)

    def _reading(self) -> str:
        pascal = self._chamber.pressure()
        status = 1 if pascal < _UNDER_PA else 2 if pascal > _OVER_PA else 0
        return f"{status},{pascal / _PASCAL_PER_UNIT[self._unit]:+.4E}"


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    status, comma, value = reply.decode("ascii").strip().partition(",")
    if frame != ENQ or not comma or not value.startswith(("+", "-")):
        return None
    return f"{status},{float(value) * (1 + share):+.4E}\r\n".encode("ascii")


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """ETX and ENQ stand alone; ETX drops what came before it; the rest are lines."""
    if ETX in data:
        return ETX, data.partition(ETX)[2]
    data = data.lstrip(b"\n")
    if data[:1] == ENQ:
        return ENQ, data[1:]
    line, found, rest = data.partition(b"\r")
    return (line, rest) if found else (None, data)
