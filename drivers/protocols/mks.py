"""MKS vacuum controllers and transducers: `@aaaCMD?;FF` and `@aaaCMD!value;FF`.

Source: MKS 937B operation manual (100016467), section 9.1, page 86, which prints
`@003PR1?;FF` and `@003ACK7.602E+2;FF`. `aaa` is the address, 1 to 254; 254 speaks to all, and each
answers with its own, so it is not used here. A refusal is `@aaaNAKnnn;FF`. There is no checksum.
The numbers of refusals are those of the 900 series and of pymeasure's driver; others are told as
they are.
"""

from __future__ import annotations

import re

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until

END = b";FF"
PASCAL_PER_UNIT = {
    "TORR": 133.322368,
    "MBAR": 100.0,
    "PASCAL": 1.0,
    "MICRON": 0.133322368,
}
"""Pressure units as U? answers them, in capitals (the 937B says `mBAR`)."""
_NAK = {
    "152": "no ion gauge on this channel",
    "160": "unknown command",
    "169": "invalid argument",
    "172": "value out of range",
    "175": "neither query nor setting",
    "180": "the setting is locked",
}
_NUMBER = re.compile(r"[0-9]+\.[0-9]+E[+-]?[0-9]+", re.IGNORECASE)
_STATE = re.compile(r"[A-Z<>][A-Z<>_ ]*[A-Z0-9<>+ -]*", re.IGNORECASE)


def request(address: int, command: str) -> bytes:
    """A request: `PR1?`, `U!TORR`."""
    return f"@{address:03d}{command}".encode("ascii") + END


def decode(reply: bytes, address: int) -> str:
    """What the unit answers.

    Raises:
        Refused: it answers NAK.
        Garbled: it is no answer, or another unit's.
    """
    line = text(reply)
    body = line.removesuffix(END.decode())
    if body == line or not body.startswith("@") or body[4:7] not in ("ACK", "NAK"):
        raise Garbled(f"'{line}' is not an answer")
    if body[1:4] != f"{address:03d}":
        raise Garbled(f"unit '{body[1:4]}' answered instead of {address:03d}")
    if body[4:7] == "NAK":
        code = body[7:]
        raise Refused(f"NAK{code}: {_NAK.get(code, 'refused')}")
    return body[7:]


def ask(address: int, command: str) -> Dialogue[str]:
    """Sends a request and gives its answer. Raises Refused, Garbled."""
    return decode((yield Ask(request(address, command), until(END))), address)


def pressure(answer: str) -> float | str:
    """The number of a pressure reading, or what the unit says instead (`OFF`, `ATM`, `LO<E-11`).

    Raises:
        Garbled: it is neither.
    """
    if _NUMBER.fullmatch(answer):
        return float(answer)
    if _STATE.fullmatch(answer):
        return answer
    raise Garbled(f"'{answer}' is neither a pressure nor a state")
