"""Vacuum instruments in memory that stay as they are told: no time passes in them."""

from __future__ import annotations

import struct

from driver_fakes import Fake

from drivers.protocols import cxn
from drivers.protocols import pfeiffer_rs485 as pfeiffer


class FakeTurbos(Fake):
    """Two drive units on one line; a pump is at its speed as soon as it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.units = {
            address: {10: "000000", 23: "000000", 303: "000000", 312: "010300", 349: "TC 110"}
            for address in (1, 42)
        }
        self.ignores: set[int] = set()
        self.is_slow = False

    def reply(self, request: bytes) -> bytes:
        line = request.decode().strip()
        assert sum(line[:-3].encode()) % 256 == int(line[-3:])
        address, action, parameter, data = int(line[:3]), line[3:5], int(line[5:8]), line[10:-3]
        unit = self.units.get(address)
        if unit is None:
            return b""
        if action == "10" and parameter not in self.ignores:
            unit[parameter] = data
        runs = unit[10] == unit[23] == pfeiffer.ON and not unit[303].startswith("Err")
        unit[306] = pfeiffer.ON if runs and not self.is_slow else pfeiffer.OFF
        unit[309] = f"{750 if self.is_slow else 1500 * runs:06d}"
        answer = data if action == "10" else unit.get(parameter, "NO_DEF")
        return pfeiffer.telegram(address, "10", parameter, answer)


class FakeMks(Fake):
    """A 937B at address 253."""

    end = b";FF"

    def __init__(self) -> None:
        super().__init__()
        self.answers = {"PR1?": "ACK1.23E-6", "U?": "ACKTORR", "SN?": "ACK0123456"}

    def reply(self, request: bytes) -> bytes:
        line = request.decode()
        if not line.startswith("@253"):
            return b""
        return f"@253{self.answers.get(line[4:-3], 'NAK160')};FF".encode()


class FakeRf(Fake):
    """A CXN whose watchdog sleeps; `status` has what keeps it off."""

    def __init__(self) -> None:
        super().__init__()
        self.status = cxn.Status(0)
        self.watts = 0
        self.is_controlled = False
        self.gives_control = True
        self.is_deaf_to_on = False

    @property
    def commands(self) -> list[str]:
        return [request[2:4].decode() for request in self.received]

    def drop(self) -> None:
        """What the real one does after two seconds of silence."""
        self.is_controlled, self.watts = False, 0
        self.status &= ~cxn.Status.RF_ON

    def request_length(self, buffer: bytes) -> int:
        return 10 if len(buffer) >= 10 else 0

    def reply(self, request: bytes) -> bytes:
        assert struct.unpack(">H", request[8:])[0] == sum(request[:8])
        command, first = request[2:4].decode(), struct.unpack(">H", request[4:6])[0]
        if command in ("SA", "BR"):
            return self._set(command, first)
        if command == "BC":
            self.is_controlled = self.gives_control and first == 0x5555
            self.watts = self.watts if self.is_controlled else 0
        watts = 10 * self.watts if self.status & cxn.Status.RF_ON else 0
        data = {
            "BC": struct.pack(">H", self.is_controlled),
            "GS": struct.pack(">HHHH", self.status, 221, 1, 3),
            "GL": struct.pack(">H", 10 * self.watts),
            "GP": struct.pack(">HHH", watts, watts // 50, watts - watts // 50),
            "GT": struct.pack(">5H", 0, 425, 630, 120, 0),
            "Gf": bytes((1, 23, 2, 7)),
            "Gi": struct.pack(">H", first) + b"AG 0313 GTC  \x00",
        }[command]
        return b"*" + cxn.answer(data)

    def _set(self, command: str, first: int) -> bytes:
        if not self.is_controlled:
            return b"?"
        if command == "SA":
            self.watts = first
        elif first != 0x5555:
            self.status &= ~cxn.Status.RF_ON
        elif not self.is_deaf_to_on:
            self.status |= cxn.Status.RF_ON
        return b"*"


class FakeGenesys(Fake):
    """Supplies 6 and 7 on one line, of 40 V and 38 A."""

    def __init__(self) -> None:
        super().__init__()
        fresh = {"PV": "0.000", "PC": "0.000", "OUT": "OFF", "AST": "ON", "RMT": "LOC",
                 "FLT": "40", "IDN": "LAMBDA,GEN40-38", "REV": "REV:1U:4.3", "MV": "00.000",
                 "MC": "00.000"}  # fmt: skip
        self.units = {n: {**fresh, "SN": f"12A{n:03d}"} for n in (6, 7)}
        self.refuses: dict[str, str] = {}
        self.listens = 0

    def reply(self, request: bytes) -> bytes:
        command, _, argument = request.decode().strip().partition(" ")
        if command == "ADR":
            self.listens = int(argument)
            return b"OK\r" if self.listens in self.units else b""
        unit = self.units.get(self.listens)
        if unit is None:
            return b""
        if command in self.refuses:
            return f"{self.refuses[command]}\r".encode()
        if command.endswith("?"):
            return f"{unit.get(command[:-1], 'C01')}\r".encode()
        unit[command] = argument
        return b"OK\r"
