"""TDK-Lambda's Genesys supplies: lines of ASCII ended by CR, up to 31 supplies on one line.

Source: Genesys user manual 83-507-013, section 7.5 for the protocol and tables 7-1 and 7-2 for the
error codes. `ADR n` addresses a supply, which answers `OK` and then listens until another is
addressed; a setting is answered by `OK`, a query by its value. Since whoever shares the line may
have addressed another supply, every dialogue here begins with `ADR`. The manual recommends 100 ms
before another supply is addressed (7.5.2): the port's gap.
"""

from __future__ import annotations

import re

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until

CR = b"\r"
GAP_S = 0.1
ERRORS = {
    "E01": "the voltage is above the range, or within 5 % of the overvoltage limit",
    "E02": "the voltage is below the undervoltage limit",
    "E04": "the overvoltage limit is below its range",
    "E06": "the undervoltage limit is above the voltage that is set",
    "E07": "the output cannot go on during a fault",
    "C01": "illegal command",
    "C02": "missing parameter",
    "C03": "illegal parameter",
    "C04": "wrong checksum",
    "C05": "setting out of range",
}
FAULTS = {
    1: "AC fail",
    2: "over temperature",
    3: "foldback tripped",
    4: "overvoltage tripped",
    5: "shut off at the rear panel",
    7: "enable contact open",
}
"""Bits of the fault register; bit 6 only says that the output is off."""
_ERROR = re.compile(r"[CE][0-9]{2}")


def ask(command: str) -> Dialogue[str]:
    """Sends a query to the supply that listens. Raises Refused, Garbled."""
    line = text((yield Ask(command.encode("ascii") + CR, until(CR))))
    if _ERROR.fullmatch(line):
        raise Refused(f"'{command}' is answered by {line}: {ERRORS.get(line, 'an error')}")
    if not line:
        raise Garbled("the reply is empty")
    return line


def tell(command: str) -> Dialogue[None]:
    """Sends a setting, which is answered by OK. Raises Refused, Garbled."""
    line = yield from ask(command)
    if line != "OK":
        raise Garbled(f"'{line}' does not acknowledge '{command}'")


def address(number: int) -> Dialogue[None]:
    """Makes a supply listen."""
    return tell(f"ADR {number}")


def faults() -> Dialogue[tuple[str, ...]]:
    """What is wrong, from the fault register (two hexadecimal digits). Raises Garbled."""
    line = yield from ask("FLT?")
    try:
        register = int(line, 16)
    except ValueError as error:
        raise Garbled(f"'{line}' is not a register") from error
    return tuple(words for bit, words in FAULTS.items() if register >> bit & 1)
