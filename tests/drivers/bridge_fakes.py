"""What answers declared instruments: a supply, a furnace, an oven, and how they are declared."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from driver_fakes import Fake

from drivers.protocols import modbus
from orchestrator import plugins
from orchestrator.files.declared import read_declaration
from orchestrator.files.document import read_document
from orchestrator.ports.resource import ResourceKind

DECLARATIONS = Path(__file__).parent / "declarations"


def declared(kind: str, file: str) -> ResourceKind:
    """The kind that a file declares, as a lab file would have it."""
    text = read_declaration(DECLARATIONS / file, plugins.resource_kind(kind))
    return plugins.resource_kind(kind, text)


def content(file: str) -> dict[str, Any]:
    """What a declaration says."""
    said: dict[str, Any] = read_document(DECLARATIONS / file).root.plain()
    return said


class FakeDeclaredSupply(Fake):
    """Answers the queries and orders of `supply.yaml`."""

    end = b"\n"

    def __init__(self) -> None:
        super().__init__()
        self.volt, self.is_on, self.mode = "0.000", "0", "CV"
        self.errors: list[str] = []
        self.n_pulses = 0
        self.states = ["BUSY", "READY"]
        self.who = "Acme,PS-3,0017,1.2"

    def reply(self, request: bytes) -> bytes:
        line = request.decode().strip()
        if line.endswith("?"):
            return f"{self._answer(line)}\n".encode()
        self._obey(*line.partition(" ")[::2])
        return b""

    def _answer(self, query: str) -> str:
        if query == ":SYST:ERR?":
            return self.errors.pop(0) if self.errors else '+0,"No error"'
        if query == "PULS:STAT?":
            return self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {
            "*IDN?": self.who,
            "VOLT?": self.volt,
            "OUTP?": self.is_on,
            "MODE?": self.mode,
            "MEAS:VOLT?": self.volt,
            "MEAS:CURR?": "0.5",
            "MEAS?": f"{self.volt},0.25,1",
            "TEMP?": "T=31.5 C",
            "STAT:QUES?": "0",
            "PULS:CHAR?": "0.75",
        }[query]

    def _obey(self, order: str, value: str) -> None:
        match order:
            case "VOLT":
                self.volt = value
            case "OUTP":
                self.is_on = "1" if value == "ON" else "0"
            case "MODE":
                self.mode = value
            case "*RST":
                self.volt, self.is_on, self.mode = "0.000", "0", "CV"
            case "PULS":
                self.n_pulses += 1
            case _:
                self.errors.append('-113,"Undefined header"')


class FakeFurnace(Fake):
    """Unit 1 of a serial line, with the registers of `furnace.yaml`."""

    def __init__(self) -> None:
        super().__init__()
        hours = struct.unpack(">2H", struct.pack(">f", 123.5))
        self.inputs = {0: 0xFFF6, 1: hours[1], 2: hours[0]}
        self.holding = dict.fromkeys((1, 3, 10, 11), 0) | {90: 4711, 91: 1, 92: 2}
        self.coils, self.discretes = {0: False}, {0: True}

    def request_length(self, buffer: bytes) -> int:
        if len(buffer) < 8:
            return 0
        return 9 + buffer[6] if buffer[1] == modbus.WRITE_REGISTERS else 8

    def reply(self, request: bytes) -> bytes:
        assert modbus.crc16(request[:-2]) == request[-2:]
        return modbus.rtu(request[0], self._answer(request[1:-2]))

    def _answer(self, pdu: bytes) -> bytes:
        function, first, n = struct.unpack(">BHH", pdu[:5])
        tables: dict[int, dict[int, Any]] = {
            1: self.coils,
            2: self.discretes,
            3: self.holding,
            4: self.inputs,
        }
        if function in (1, 2):
            return bytes((function, 1, tables[function][first]))
        if function in (3, 4):
            words = [tables[function][first + i] for i in range(n)]
            return struct.pack(f">BB{n}H", function, 2 * n, *words)
        if function == modbus.WRITE_COIL:
            self.coils[first] = n == 0xFF00
        elif function == modbus.WRITE_REGISTER:
            self.holding[first] = n
        else:
            self.holding |= dict(enumerate(struct.unpack(f">{n}H", pdu[6:]), first))
        return pdu[:5]


class FakeOven(Fake):
    """A server that answers the requests of `oven.yaml`."""

    def __init__(self) -> None:
        super().__init__()
        self.about = {"model": "OV-1", "serial": "0042"}
        self.state: dict[str, Any] = {
            "temperature": 21.5,
            "setpoint": 20.0,
            "heating": False,
            "fault": "none",
        }
        self.runs: dict[str, dict[str, Any]] = {}
        self.states = ["running", "finished"]
        self.n_stamps = 0
        self.status = 200
        self.content_type = "application/json"
        self.refusals: list[str] = []
        self.requests: list[str] = []

    def request_length(self, buffer: bytes) -> int:
        head, end, _ = buffer.partition(b"\r\n\r\n")
        if not end:
            return 0
        length = 0
        for line in head.decode().split("\r\n")[1:]:
            if line.lower().startswith("content-length:"):
                length = int(line.partition(":")[2])
        whole = len(head) + 4 + length
        return whole if len(buffer) >= whole else 0

    def reply(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        method, path, _ = head.decode().split("\r\n")[0].split(" ")
        self.requests.append(f"{method} {path}")
        if self.refusals:
            return f"HTTP/1.1 {self.refusals.pop(0)}\r\nContent-Length: 0\r\n\r\n".encode()
        status, content = self.respond(method, path, json.loads(body or b"null"))
        data = json.dumps(content).encode()
        told = f"Content-Type: {self.content_type}\r\n" if self.content_type else ""
        start = f"HTTP/1.1 {status} Said\r\n{told}"
        return f"{start}Content-Length: {len(data)}\r\n\r\n".encode() + data

    def respond(self, method: str, path: str, content: Any) -> tuple[int, Any]:
        """Status and content; `status` is what orders are answered with, done or not."""
        if method == "GET":
            return self._found(path)
        if 400 <= self.status < 500:
            return self.status, {"detail": "it says no"}
        if path == "/setpoint":
            self.state |= {"setpoint": content["celsius"], "heating": True}
        elif path == "/heating":
            self.state["heating"] = content["is_on"]
        elif path == "/runs":
            self.runs[content["id"]] = {"state": "queued", "peak": 180.5}
        else:
            self.n_stamps += 1
        return self.status, {}

    def _found(self, path: str) -> tuple[int, Any]:
        run = self.runs.get(path.removeprefix("/runs/"))
        if run is not None:
            run["state"] = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return 200, run
        found = {"/about": self.about, "/state": self.state}.get(path)
        return (404, {}) if found is None else (200, found)
