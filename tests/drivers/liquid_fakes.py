"""Pumps, a balance and a hot plate in memory, answering the printed bytes."""

from __future__ import annotations

import binascii
import re

from driver_fakes import Fake


class FakeCavro(Fake):
    """A Cavro pump at address 1 that is through with a move at once; it is initialised."""

    def __init__(self, speed: int = 600) -> None:
        super().__init__()
        self.position = 0
        self.speed = speed
        self.valve = "1"
        self.is_initialised = self.is_ready = True
        self.error = self.late_error = 0
        self.obeys = True
        self.stops_at: int | None = None
        self.given: list[tuple[str, int]] = []

    def reply(self, request: bytes) -> bytes:
        if request[:2] != b"/1":
            return b""
        commands = request[2:-1].decode()
        reports = {"&": "XP3000 V1.2", "?": str(self.position), "?2": str(self.speed)}
        if commands == "Q":
            self.error, self.late_error = self.late_error or self.error, 0
            said, self.error = self._answer(""), 0
            return said
        if commands in reports:
            return self._answer(reports[commands])
        if commands == "T":
            self.is_ready = True
            return self._answer("")
        return self._execute(commands)

    def _execute(self, commands: str) -> bytes:
        if not self.obeys:
            return b""
        for letter, number in re.findall(r"([A-Z])([0-9,]*)", commands):
            if letter in "A" and not self.is_initialised:
                self.error = 7
            elif letter == "A":
                self._move(int(number))
            elif letter == "I":
                self.valve = number
            elif letter == "V":
                self.speed = int(number)
            elif letter == "Z":
                self.is_initialised, self.valve = True, number.rpartition(",")[2]
                self._move(0)
                self.valve = "1"
        return self._answer("")

    def _move(self, target: int) -> None:
        if self.stops_at is not None:
            target, self.late_error, self.stops_at = self.stops_at, 9, None
        self.given.append((self.valve, self.position - target))
        self.position = target

    def _answer(self, data: str) -> bytes:
        status = 0x40 | 0x20 * self.is_ready | self.error
        return b"/0" + bytes((status,)) + data.encode() + b"\x03\r\n"


class FakeBalance(Fake):
    """An XS205 with a load that stays as it is; what it says to `S` can be set."""

    end = b"\n"

    def __init__(self) -> None:
        super().__init__()
        self.load = 52.1873
        self.offset = 0.0
        self.unit, self.per_gram = "g", 1.0
        self.status = "S"

    def reply(self, request: bytes) -> bytes:
        return (self._answer(request.decode().strip()) + "\r\n").encode()

    def _answer(self, command: str) -> str:
        fixed = {
            "I2": 'I2 A "XS205DU 220.0090 g"',
            "I3": 'I3 A "2.10 10.28.0.493.142"',
            "I4": 'I4 A "B021002593"',
        }
        if command in fixed:
            return fixed[command]
        if command not in ("S", "SI", "T", "Z"):
            return "ES"
        if self.status in "+-I":
            return f"{command[0]} {self.status}"
        if command in "TZ":
            self.offset = self.load
            return f"T S {self._weight(self.load)}" if command == "T" else "Z A"
        return (
            f"S {'D' if command == 'SI' else self.status} {self._weight(self.load - self.offset)}"
        )

    def _weight(self, grams: float) -> str:
        return f"{self.per_gram * grams:10.4f} {self.unit}"


class FakeNewEra(Fake):
    """An NE-1000 at address 0, in either mode, that is through with an infusion at once."""

    def __init__(self) -> None:
        super().__init__()
        self.is_safe = False
        self.alarm = ""
        self.prompt = "S"
        self.diameter, self.rate = "14.43", "1.000MM"
        self.volume = self.infused = 0.0
        self.stops_at: float | None = None
        self.runs: list[float] = []
        self.phase, self.functions, self.is_deaf_to = 1, {1: "RAT", 2: "RAT"}, ""

    def request_length(self, buffer: bytes) -> int:
        if buffer[:1] != b"\x02":
            return super().request_length(buffer)
        n = 1 + buffer[1] if len(buffer) > 1 else 0
        return n if len(buffer) >= n else 0

    def reply(self, request: bytes) -> bytes:
        if request[:1] == b"\x02":
            text = request[2:-3]
            assert request[-3:-1] == binascii.crc_hqx(text, 0).to_bytes(2, "big")
        else:
            assert not self.is_safe
            text = request[:-1]
        if text[:1] != b"0":
            return b""
        return self._framed(self._answer(text[1:].decode()))

    def _framed(self, answer: str) -> bytes:
        text = b"00" + answer.encode()
        if not self.is_safe:
            return b"\x02" + text + b"\x03"
        crc = binascii.crc_hqx(text, 0).to_bytes(2, "big")
        return bytes((2, len(text) + 4)) + text + crc + b"\x03"

    def _answer(self, command: str) -> str:
        if self.alarm:
            said, self.alarm = self.alarm, ""
            return f"A?{said}"
        reports = {
            "VER": "NE1000V3.923",
            "DIA": self.diameter,
            "RAT": self.rate,
            "VOL": f"{self.volume:.3f}"[:5] + "UL",
            "DIR": "INF",
            "PHN": f"{self.phase:02d}",
            "FUN": self.functions[self.phase],
            "DIS": f"I{self.infused:.3f}"[:6] + "W0.000UL",
        }
        if command in reports:
            return self.prompt + reports[command]
        if command != self.is_deaf_to:
            self._obey(command)
        return self.prompt

    def _set(self, word: str, value: str) -> None:
        if word == "PHN":
            self.phase = int(value)
        elif word == "FUN":
            self.functions[self.phase] = value
        elif word == "SAF":
            self.is_safe = value != "0"
        elif word == "DIA":
            self.diameter = value
        else:
            self.rate = value

    def _obey(self, command: str) -> None:
        word, value = command[:3], command[3:]
        if word in ("PHN", "FUN", "SAF", "DIA", "RAT"):
            self._set(word, value)
        elif command == "CLDINF":
            self.infused = 0.0
        elif re.fullmatch(r"VOL[\d.]+", command):
            self.volume = float(command[3:])
        elif command == "RUN":
            self.infused = self.volume if self.stops_at is None else self.stops_at
            self.runs.append(self.infused)
        elif command == "STP":
            self.prompt = "S"


class FakePlate(Fake):
    """An RCT digital that takes set-points up to `most` degC. No time passes in it: each time
    that it is told to heat it is a degree warmer, or `at_once` as warm as it was told; and what is
    told to stir turns."""

    end = b"\n"

    def __init__(self, *, at_once: bool = False) -> None:
        super().__init__()
        self.at_once = at_once
        self.setpoints = {"1": 0.0, "4": 0.0}
        self.is_on = {"1": False, "4": False}
        self.most = 310.0
        self.watchdog = ""
        self.n_starts = 0

    def reply(self, request: bytes) -> bytes:
        assert request.endswith(b" \r\n")
        answer = self._answer(request.decode().strip())
        return f"{answer} \r\n".encode() if answer else b""

    def _answer(self, command: str) -> str:
        warm = 25.3 + self.n_starts
        if self.at_once and self.is_on["1"]:
            warm = self.setpoints["1"]
        fixed = {"IN_NAME": "RCT digital", "IN_PV_1": "24.0 1", "IN_PV_2": f"{warm:.1f} 2"}
        if command in fixed:
            return fixed[command]
        if command == "IN_PV_4":
            return f"{self.setpoints['4'] * self.is_on['4']:.1f} 4"
        if command.startswith("IN_SP_"):
            return f"{self.setpoints[command[-1]]:.1f} {command[-1]}"
        if match := re.fullmatch(r"OUT_(SP_12|SP_42|WD[12])@(\d+)", command):
            self.watchdog = command if match[1].startswith("WD") else self.watchdog
            return match[2]
        if match := re.fullmatch(r"OUT_SP_([14]) ([\d.]+)", command):
            most = self.most if match[1] == "1" else 1500.0
            self.setpoints[match[1]] = min(float(match[2]), most)
        elif match := re.fullmatch(r"(START|STOP)_([14])", command):
            self.is_on[match[2]] = match[1] == "START"
            self.n_starts += command == "START_1"
        return ""
