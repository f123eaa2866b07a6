"""Inficon SQM-160 rate and thickness monitor with one quartz sensor.

Request: `!`, length + 34, message, CRC; reply: `!`, length + 35, status (A done, C no such command,
D wrong data) and message, CRC (SQM-160 operating manual, section 5.3; two NULs instead of the CRC
are taken; a `!` starts a packet anew). The CRC covers the length character too, as the packets
printed in the manual of the SQC-310, which speaks the same, show. Rates are in angstrom/s,
thicknesses in angstrom, as pymeasure has them.
"""

from __future__ import annotations

from simulators.lab.chamber import Chamber
from simulators.twins.wire import FramedWire, Manners

SYNC = b"!"
_NO_CRC = b"\x00\x00"
_FRESH_CRYSTAL_HZ, _WORN_CRYSTAL_HZ, _HZ_PER_NM = 5.99e6, 5.0e6, 23.0


def crc(body: bytes) -> bytes:
    """14 bits from 3FFF by polynomial 2001, in two characters of 7 bits raised by 34."""
    register = 0x3FFF
    for byte in body:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0x2001
    register &= 0x3FFF
    return bytes((34 + (register & 0x7F), 34 + (register >> 7)))


class Monitor:
    """The monitor; sensor 1 is installed."""

    def __init__(self, chamber: Chamber) -> None:
        self._chamber = chamber
        self._was_reset = True

    def wire(self) -> FramedWire:
        """The monitor's port."""
        manners = Manners(_refusal, skewed=_skewed, restart=self._restart)
        return FramedWire(_split, self._reply, manners=manners)

    def _restart(self) -> None:
        """After a power cut; thicknesses are kept."""
        self._was_reset = True

    def _reply(self, frame: bytes) -> bytes:
        body, check = frame[1:-2], frame[-2:]
        if check not in (crc(body), _NO_CRC):
            return b""
        answer = self._answer(body[1:].decode("ascii", "replace"))
        return _packed(answer)

    def _answer(self, message: str) -> str:
        """Status and data."""
        letter, sensor = message[:1], message[1:].removesuffix("?")
        if letter in tuple("LNPR"):
            return self._measure(letter) if sensor == "1" else "D"
        if letter in tuple("MO") and not sensor:
            return self._measure("L" if letter == "M" else "N")
        if letter in tuple("STY") and not sensor:
            return self._act(letter)
        if letter == "W" and not sensor:
            thickness, rate = self._chamber.monitored()
            return f"A00.00 {rate / 6:.2f} {thickness * 10:.1f} {self._frequency():.1f}"
        return {"@": "AMON Ver 4.13", "J": "A1"}.get(message, "C")

    def _act(self, letter: str) -> str:
        if letter == "S":
            self._chamber.zero_monitor()
        if letter == "Y":
            flag, self._was_reset = int(self._was_reset), False
            return f"A{flag}"
        return "A"

    def _measure(self, letter: str) -> str:
        thickness, rate = self._chamber.monitored()
        if letter == "L":
            return f"A{rate / 6: .2f}"
        if letter == "N":
            return f"A{thickness * 10: .1f}"
        if letter == "P":
            return f"A{self._frequency():.1f}"
        used = (_FRESH_CRYSTAL_HZ - self._frequency()) / (_FRESH_CRYSTAL_HZ - _WORN_CRYSTAL_HZ)
        return f"A{100 * (1 - used):.1f}"

    def _frequency(self) -> float:
        return _FRESH_CRYSTAL_HZ - _HZ_PER_NM * self._chamber.crystal_load()


def _packed(answer: str) -> bytes:
    message = answer.encode("ascii")
    reply = bytes((35 + len(message),)) + message
    return SYNC + reply + crc(reply)


def _refusal(frame: bytes) -> bytes:
    return _packed("C")


def _skewed(frame: bytes, reply: bytes, share: float) -> bytes | None:
    letter, said = frame[2:3], reply[3:-2].decode("ascii")
    if letter not in (b"L", b"N", b"P"):
        return None
    return _packed(f"A{float(said) * (1 + share): .2f}")


def _split(data: bytes) -> tuple[bytes | None, bytes]:
    """From the last `!` of what may be one packet, as long as its length character says."""
    start = data.find(SYNC)
    if start < 0:
        return None, b""
    data = data[start:]
    if len(data) < 2:
        return None, data
    length = data[1] - 34 + 4
    again = data.find(SYNC, 1)
    if 0 < again < length:
        return _split(data[again:])
    if length <= 4:
        return _split(data[1:])
    return (data[:length], data[length:]) if len(data) >= length else (None, data)
