"""Devices in memory, answering the printed bytes; and ways to spoil an answer."""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.protocols import modbus, sqm160
from orchestrator.clock import WallClock
from orchestrator.ports.resource import Bench, Wire
from orchestrator.ports.traffic import Record

Spoil = Callable[[bytes], bytes]


def silent(reply: bytes) -> bytes:
    return b""


def cut_short(reply: bytes) -> bytes:
    return reply[: len(reply) // 2]


def twice(reply: bytes) -> bytes:
    return reply + reply


def noise(reply: bytes) -> bytes:
    return bytes(b ^ 0xA5 for b in reply)


class Fake:
    """Takes bytes as they come, answers whole requests. `spoils` are used up one per answer."""

    end = b"\r"

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.spoils: deque[Spoil] = deque()
        self.is_gone = False
        self._buffer = b""

    async def receive(self, data: bytes) -> bytes:
        if self.is_gone:
            raise ConnectionError("unplugged")
        return self.answer(data)

    def answer(self, data: bytes) -> bytes:
        self._buffer += data
        out = b""
        while n := self.request_length(self._buffer):
            request, self._buffer = self._buffer[:n], self._buffer[n:]
            self.received.append(request)
            reply = self.reply(request)
            if reply and self.spoils:
                reply = self.spoils.popleft()(reply)
            out += reply
        return out

    def request_length(self, buffer: bytes) -> int:
        return buffer.find(self.end) + len(self.end) if self.end in buffer else 0

    def reply(self, request: bytes) -> bytes:
        raise NotImplementedError


class FakeAlicat(Fake):
    """Two units on one line."""

    def __init__(self) -> None:
        super().__init__()
        self.setpoints = {"A": 0.0, "B": 0.0}
        self.gases = {"A": "Ar", "B": "O2"}

    def reply(self, request: bytes) -> bytes:
        line = request.decode().strip()
        unit = line[:1]
        if unit not in self.setpoints:
            return b""
        if match := re.fullmatch(r"S(\d+\.\d+)", line[1:]):
            self.setpoints[unit] = float(match[1])
        elif line[1:]:
            return b"?\r"
        flow = f"{self.setpoints[unit]:+08.3f}"
        return f"{unit} +014.70 +025.00 {flow} {flow} {flow} {self.gases[unit]}\r".encode()


class FakeGauge(Fake):
    """A TPG; mbar unless told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = b"0,+1.2300E-06"
        self.unit = b"0"
        self._pending = b""

    def request_length(self, buffer: bytes) -> int:
        return 1 if buffer[:1] in (b"\x03", b"\x05") else super().request_length(buffer)

    def reply(self, request: bytes) -> bytes:
        if request == b"\x03":
            return b""
        if request == b"\x05":
            return self._pending + b"\r\n"
        answers = {b"PR1": self.reading, b"UNI": self.unit, b"TID": b"PCR,noSen", b"PNR": b"010100"}
        self._pending = answers.get(request.strip(), b"0001")
        return (b"\x06" if request.strip() in answers else b"\x15") + b"\r\n"


class FakeSupply(Fake):
    """A DCXS that stays as it is told: no time passes in it."""

    def __init__(self) -> None:
        super().__init__()
        self.values = {
            "?": "DCXS750-4", "z": "01.02", "a": "0", "b": "0000", "c": "1", "d": "0000",
            "e": "0000", "f": "0000", "h": "00", "i": "000", "j": "00", "k": "000", "l": "00",
            "o": "0", "p": "\x00",
        }  # fmt: skip
        self.n_strikes = 0
        self.ignores: set[str] = set()

    def request_length(self, buffer: bytes) -> int:
        match = re.match(rb"C\d{4}|D\d|[FH]\d\d|G\d{3}|[?a-zAB]", buffer)
        return match.end() if match else 0

    def reply(self, request: bytes) -> bytes:
        word = request.decode()
        if word[0] in self.values:
            return self.values[word[0]].encode("latin-1")
        if word[0] in self.ignores:
            return b""
        if word in ("A", "B"):
            self.values["a"] = "1" if word == "A" else "0"
            self.n_strikes += word == "A"
        else:
            self.values[{"C": "b", "D": "c", "F": "h", "G": "i", "H": "j"}[word[0]]] = word[1:]
        return b""


class FakeMonitor(Fake):
    """An SQM-160."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = {"@": "MON Ver 4.13", "L1?": " 1.00 ", "N1": " 1234.5 ", "S": ""}

    def request_length(self, buffer: bytes) -> int:
        return buffer[1] - 34 + 4 if len(buffer) > 1 and len(buffer) >= buffer[1] - 30 else 0

    def reply(self, request: bytes) -> bytes:
        message = request[2:-2].decode()
        if sqm160.crc14(request[1:-2]) != request[-2:]:
            return sqm160.reply("", status="D")
        if message not in self.answers:
            return sqm160.reply("", status="C")
        return sqm160.reply(self.answers[message])


@dataclass
class ModbusUnit:
    registers: dict[int, int] = field(default_factory=dict)
    coils: dict[int, bool] = field(default_factory=dict)

    def answer(self, pdu: bytes) -> bytes:
        function, first, n = struct.unpack(">BHH", pdu[:5])
        if (function in (1, 5) and first not in self.coils) or (
            function in (3, 6, 16) and first not in self.registers
        ):
            return bytes((function | 0x80, 2))
        if function == 1:
            bits = sum(self.coils[first + i] << i for i in range(n))
            return bytes((1, (n + 7) // 8)) + bits.to_bytes((n + 7) // 8, "little")
        if function == 3:
            return struct.pack(f">BB{n}H", 3, 2 * n, *(self.registers[first + i] for i in range(n)))
        if function == 5:
            self.coils[first] = n == 0xFF00
        elif function == 6:
            self.registers[first] = n
        else:
            values = struct.unpack(f">{n}H", pdu[6:])
            self.registers.update({first + i: v for i, v in enumerate(values)})
        return pdu[:5]


class FakeModbusLine(Fake):
    """A serial line with a heater (1) and valves (2)."""

    def __init__(self) -> None:
        super().__init__()
        self.units = {
            1: ModbusUnit(registers={0: 250, 1: 0, 2: 0, 3: 0}),
            2: ModbusUnit(coils={0: False, 1: False}),
        }

    def request_length(self, buffer: bytes) -> int:
        return 8 if len(buffer) >= 8 else 0

    def reply(self, request: bytes) -> bytes:
        assert modbus.crc16(request[:-2]) == request[-2:]
        unit = self.units.get(request[0])
        return modbus.rtu(request[0], unit.answer(request[1:-2])) if unit else b""


class FakeMeter(Fake):
    """A 2400 with a resistance (V/I, ohm) between its probes; None is an open contact."""

    end = b"\n"

    def __init__(self) -> None:
        super().__init__()
        self.ohm: float | None = 100.0
        self.is_on = False
        self.current = 0.0
        self.compliance = 21.0
        self.thermal_volt = 0.0
        self.n_readings = 0

    def reply(self, request: bytes) -> bytes:
        line = request.decode().strip()
        if line == "*IDN?":
            return b"KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C30   Mar 17 2006 09:29:29/A02\n"
        if line == ":SYST:ERR?":
            return b'0,"No error"\n'
        if line == ":OUTP?":
            return b"1\n" if self.is_on else b"0\n"
        if line == ":READ?":
            return self._read()
        command, _, argument = line.partition(" ")
        if command == ":OUTP":
            self.is_on = argument == "ON"
        elif command == ":SOUR:CURR:LEV":
            self.current = float(argument)
        elif command == ":SENS:VOLT:PROT":
            self.compliance = float(argument)
        return b""

    def _read(self) -> bytes:
        assert self.is_on
        self.n_readings += 1
        if self.ohm is None:
            volt, status = 0.3 * self.compliance * (-1) ** self.n_readings, 8
        else:
            volt = self.current * self.ohm + self.thermal_volt
            status = 8 if abs(volt) >= self.compliance else 0
            volt = max(-self.compliance, min(volt, self.compliance))
        return f"{volt:+.6E},{self.current:+.6E},+9.910000E+37,+1.0E+00,{status:+.6E}\n".encode()


class FakePowerMeter(Fake):
    """A PM100 that reads half of a milliwatt."""

    end = b"\n"

    def __init__(self) -> None:
        super().__init__()
        self.power, self.sensor, self.wavelength = "5.000000E-04", "S120C", 635.0
        self.unit, self.units = "DBM", ("W", "DBM")
        self.error = b'+0,"No error"\n'

    def reply(self, request: bytes) -> bytes:
        line = request.decode().strip()
        said = {
            "*IDN?": "Thorlabs,PM100D,P0012345,2.4.0",
            "MEAS:POW?": self.power if self.unit == "W" else "-3.010300E+00",
            "SYST:SENS:IDN?": f"{self.sensor},1234567,12-Jan-2022,1,18,33",
            "SENS:CORR:WAV?": f"{self.wavelength:.6E}",
            "SENS:POW:UNIT?": self.unit,
        }
        return f"{said[line]}\n".encode() if line in said else self._told(line)

    def _told(self, line: str) -> bytes:
        if line == ":SYST:ERR?":
            said, self.error = self.error, b'+0,"No error"\n'
            return said
        if line.startswith("SENS:POW:UNIT "):
            wanted = line.removeprefix("SENS:POW:UNIT ")
            self.unit = wanted if wanted in self.units else self.unit
            return b""
        nanometres = float(line.removeprefix("SENS:CORR:WAV "))
        if 400 <= nanometres <= 1100:
            self.wavelength = nanometres
        else:
            self.error = b'-222,"Data out of range"\n'
        return b""


class FakeStage(Fake):
    """Two axes with checksums that are at once where they are sent to. Device 2 was not homed."""

    end = b"\n"

    def __init__(self) -> None:
        super().__init__()
        self.steps = {1: 0, 2: 500}
        self.flags = {1: [], 2: ["WH", "WR"]}
        self.before = b""

    def reply(self, request: bytes) -> bytes:
        body, _, check = request.decode().strip("/\n").partition(":")
        if (sum(body.encode()) + int(check, 16)) % 256:
            return b""
        device, axis, number, *words = body.split()
        said = self._answer(int(device), words)
        flag = (self.flags[int(device)] or ["--"])[0]
        line = f"0{device} {axis} {number} {said.replace('FLAG', flag)}"
        return self.before + b"@" + f"{line}:{-sum(line.encode()) % 256:02X}\r\n".encode()

    def _answer(self, device: int, words: list[str]) -> str:
        flags = self.flags[device]
        settings = {"deviceid": "50081", "system.serial": f"7300{device}", "version": "7.38"}
        match words:
            case ["move", "abs", steps]:
                if int(steps) > 3_149_606:
                    return "RJ IDLE FLAG BADDATA"
                self.steps[device] = int(steps)
            case ["home"]:
                self.steps[device] = 0
                flags.clear()
            case ["get", "pos"]:
                return f"OK IDLE FLAG {self.steps[device]}"
            case ["get", setting]:
                return f"OK IDLE FLAG {settings[setting]}"
            case ["warnings"]:
                return " ".join(["OK IDLE FLAG", f"{len(flags):02d}", *flags])
        return "OK IDLE FLAG 0"


def bench(name: str = "device", *, record: Record | None = None, **wires: Wire) -> Bench:
    return Bench(name=name, clock=WallClock(), wires=wires, record=record)
