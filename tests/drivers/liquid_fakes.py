"""Pumps, a balance and a hot plate in memory, answering the printed bytes."""

from __future__ import annotations

import re

from driver_fakes import Fake

from drivers.protocols.framing import Ask, Dialogue, T


def play(dialogue: Dialogue[T], *replies: bytes) -> tuple[list[bytes], T]:
    """What a dialogue writes when it is given these replies, and what it comes to."""
    written: list[bytes] = []
    waiting = list(replies)
    try:
        ask: Ask = next(dialogue)
        while True:
            written.append(ask.data)
            ask = dialogue.send(b"" if ask.frame is None else waiting.pop(0))
    except StopIteration as done:
        assert not waiting
        return written, done.value


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

    def __init__(self) -> None:
        super().__init__()
        self.load = 52.1873
        self.offset = 0.0
        self.unit, self.per_gram = "g", 1.0
        self.status = "S"

    def request_length(self, buffer: bytes) -> int:
        return buffer.find(b"\n") + 1

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
