"""SCPI lines: commands and replies in ASCII, each ended by LF.

Source: "Standard Commands for Programmable Instruments", 1999, volumes 1 and 2; the error queue's
`0,"No error"` is printed in volume 2, section 21.8.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, number, text, until

LF = b"\n"
OVERFLOW = 9.9e37
"""Numbers from here on mean overflow (9.9E37) or not-a-number (9.91E37)."""


def tell(*commands: str) -> Dialogue[None]:
    """Sends commands, one line each; nothing is answered."""
    for command in commands:
        yield Ask(command.encode("ascii") + LF)


def ask(command: str) -> Dialogue[str]:
    """Sends a query and reads its line. Raises Garbled."""
    return not_echoed(command, text((yield Ask(command.encode("ascii") + LF, until(LF)))))


def not_echoed(command: str, line: str) -> str:
    """The line, unless it is the command. Raises Garbled."""
    if line == command.strip():
        raise Garbled(f"'{line}' came back as it was sent: the line or the instrument echoes")
    return line


def ask_numbers(command: str, n: int) -> Dialogue[tuple[float, ...]]:
    """Sends a query whose reply has `n` numbers between commas. Raises Garbled."""
    line = yield from ask(command)
    numbers = tuple(number(word) for word in line.split(","))
    if len(numbers) != n:
        raise Garbled(f"'{line}' does not hold {n} numbers")
    return numbers


def check_errors() -> Dialogue[None]:
    """Reads one entry of the error queue.

    Raises:
        Refused: the queue was not empty.
    """
    line = yield from ask(":SYST:ERR?")
    code = line.partition(",")[0]
    if number(code) != 0:
        raise Refused(f"the instrument reports error {line}")
