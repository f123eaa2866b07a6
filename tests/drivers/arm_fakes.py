"""An arm in memory: its registers, and the dashboard of its controller."""

from __future__ import annotations

from driver_fakes import Fake, ModbusUnit


class FakeRegisters(Fake):
    """The arm's Modbus TCP server: registers 128 to 139."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = ModbusUnit(registers=dict.fromkeys(range(128, 140), 0))

    def request_length(self, buffer: bytes) -> int:
        if len(buffer) < 6:
            return 0
        length = 6 + int.from_bytes(buffer[4:6], "big")
        return length if len(buffer) >= length else 0

    def reply(self, request: bytes) -> bytes:
        pdu = self.unit.answer(request[7:])
        return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu

    def copy(self, to: int) -> None:
        for i in range(4):
            self.unit.registers[to + i] = self.unit.registers[128 + i]


class FakeDashboard(Fake):
    """An arm whose program takes `n_polls` looks at its state; `breaks_off` stops on the way."""

    end = b"\n"
    programs = ("blanks_to_chamber.urp", "chamber_to_probe.urp")

    def __init__(self) -> None:
        super().__init__()
        self.registers = FakeRegisters()
        self.n_polls = 2
        self.breaks_off = False
        self.safety, self.mode = "NORMAL", "RUNNING"
        self.remote = "true"
        self.plays: list[str] = []
        self._loaded = ""
        self._left = 0

    def reply(self, request: bytes) -> bytes:
        return (self._answer(request.decode().strip()) + "\n").encode()

    def _answer(self, line: str) -> str:
        fixed = {
            "get serial number": "20195501234",
            "PolyscopeVersion": "URSoftware 5.12.0",
            "robotmode": f"Robotmode: {self.mode}",
            "safetystatus": f"Safetystatus: {self.safety}",
            "is in remote control": self.remote,
        }
        if line in ("power on", "brake release", "unlock protective stop"):
            return self._by_a_person(line)
        if line in fixed:
            return fixed[line]
        if line.startswith("load "):
            self._loaded = line[5:]
            found = self._loaded in self.programs
            return (
                f"Loading program: {self._loaded}" if found else f"File not found: {self._loaded}"
            )
        if line == "play":
            self.plays.append(self._loaded)
            self._left = self.n_polls
            self.registers.copy(132)
            return "Starting program"
        if line == "stop":
            was, self._left = self._left, 0
            return "Stopped" if was else "Failed to execute: stop"
        if line == "programState":
            return self._state()
        return f"could not understand: '{line}'"

    def _by_a_person(self, line: str) -> str:
        if line == "power on":
            self.mode = "IDLE"
            return "Powering on"
        if line == "brake release":
            self.mode = "RUNNING"
            return "Brake releasing"
        if self.safety != "PROTECTIVE_STOP":
            return "Cannot unlock protective stop until 5s after occurrence."
        self.safety = "NORMAL"
        return "Protective stop releasing"

    def _state(self) -> str:
        if self._left:
            self._left -= 1
            if not self._left and not self.breaks_off:
                self.registers.copy(136)
        return f"{'PLAYING' if self._left else 'STOPPED'} {self._loaded}"
