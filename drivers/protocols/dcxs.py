"""AJA DCXS-750 and -1500 DC sputter supplies: single characters, replies of fixed length.

Source: the command table as pymeasure's driver has it (MIT; its test prints `?` -> `DCXS750-4`
and `C0005`, `b` -> `0005`); the maker's own manual was not at hand. There is no terminator and no
checksum, and a write answers nothing, so every write is read back. The state `a` answers is `1` or
`0` in pymeasure's printed test; letters as in the commands `A` and `B` are understood too.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, exactly, text, whole

REPLY_LENGTH = {
    "?": 9,
    "z": 5,
    "a": 1,
    "b": 4,
    "c": 1,
    "d": 4,
    "e": 4,
    "f": 4,
    "g": 2,
    "h": 2,
    "i": 3,
    "j": 2,
    "k": 3,
    "l": 2,
    "n": 8,
    "o": 1,
    "p": 1,
    "y": 1,
}
"""Queries: type, software; on, set-point, mode; power (W), voltage (V), current (mA); ramp,
shutter delay (s), deposition time (min, s), what remains of it (min, s); material, fault,
shutters (bit mask), active gun."""


def ask(command: str) -> Dialogue[str]:
    """Sends a query and reads its reply as text."""
    return text((yield Ask(command.encode("ascii"), exactly(REPLY_LENGTH[command]))))


def ask_number(command: str) -> Dialogue[int]:
    """Sends a query and reads its reply as a whole number."""
    return whole((yield from ask(command)))


def tell(command: str) -> Dialogue[None]:
    """Sends a command; the supply answers nothing."""
    yield Ask(command.encode("ascii"))


def is_on() -> Dialogue[bool]:
    """Whether the output is on."""
    state = yield from ask("a")
    if state not in ("0", "1", "A", "B"):
        raise Garbled(f"'{state}' is not an output state")
    return state in ("1", "A")


def shutters() -> Dialogue[int]:
    """The open shutters as a bit mask, gun 1 in the lowest bit."""
    return int((yield Ask(b"p", exactly(1)))[0])


def remaining_s() -> Dialogue[int]:
    """What remains of the deposition, in seconds.

    Minutes and seconds are two queries; when the minute changed in between, both are read again.
    """
    minutes, seconds = (yield from ask_number("k")), (yield from ask_number("l"))
    while (again := (yield from ask_number("k"))) != minutes:
        minutes, seconds = again, (yield from ask_number("l"))
    return 60 * minutes + seconds
