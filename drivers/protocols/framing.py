"""What all protocols share: an ask, a dialogue made of asks, and how a reply's end is found."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from orchestrator.errors import HaganeError

T = TypeVar("T")

_NOTHING = " \t\r\n\v\f\0"
"""White space, and the NULs that a line makes of nothing, as when it turns round."""
_SPOKEN = "\t\x06\x15"
"""Control characters that instruments say: a tabulator, ACK and NAK."""

Frame: TypeAlias = Callable[[bytes], int]
"""Length of the whole reply at the start of some bytes, 0 while it cannot be told.

Raises Garbled as soon as the bytes cannot be the start of a reply."""


class Garbled(HaganeError):
    """A reply fails its framing, its checksum or its own grammar."""


class Refused(HaganeError):
    """The device answered, in its protocol, that it will not do it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Bytes to write and the frame of the reply (None: nothing is answered).

    With `drains`, what the device was still sending is read and thrown away after the write.
    Empty `data` goes on reading.
    """

    data: bytes
    frame: Frame | None = None
    drains: bool = False


Dialogue: TypeAlias = Generator[Ask, bytes, T]


def until(terminator: bytes) -> Frame:
    """A reply that ends with a terminator."""

    def length(data: bytes) -> int:
        return data.find(terminator) + len(terminator) if terminator in data else 0

    return length


def exactly(n: int) -> Frame:
    """A reply of `n` bytes."""
    return lambda data: n


def text(reply: bytes) -> str:
    """A reply as ASCII, without the white space and the NULs around it.

    Raises:
        Garbled: a byte is not ASCII, or is noise.
    """
    try:
        said = reply.decode("ascii").strip(_NOTHING)
    except UnicodeDecodeError as error:
        raise Garbled(f"the reply {reply!r} is not ASCII") from error
    if not all(character.isprintable() or character in _SPOKEN for character in said):
        raise Garbled(f"there is noise in the reply {reply!r}")
    return said


def number(word: str) -> float:
    """A decimal number of a reply. Raises Garbled, also for what is none (`NAN`, `INF`)."""
    try:
        value = float(word)
    except ValueError as error:
        raise Garbled(f"'{word}' of the reply is not a number") from error
    if not math.isfinite(value) or "_" in word:
        raise Garbled(f"'{word}' of the reply is not a number")
    return value


def whole(word: str) -> int:
    """A whole number of a reply, in digits. Raises Garbled."""
    stripped = word.strip()
    if not (stripped.isascii() and stripped.isdigit()):
        raise Garbled(f"'{word}' of the reply is not a whole number")
    return int(stripped)
