"""What all protocols share: an ask, a dialogue made of asks, and how a reply's end is found."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from orchestrator.errors import HaganeError

T = TypeVar("T")

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
    """A reply as ASCII without surrounding white space.

    Raises:
        Garbled: a byte is not ASCII.
    """
    try:
        return reply.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Garbled(f"the reply {reply!r} is not ASCII") from error


def number(word: str) -> float:
    """A decimal number of a reply. Raises Garbled."""
    try:
        return float(word)
    except ValueError as error:
        raise Garbled(f"'{word}' of the reply is not a number") from error


def whole(word: str) -> int:
    """A whole number of a reply, in digits. Raises Garbled."""
    stripped = word.strip()
    if not (stripped.isascii() and stripped.isdigit()):
        raise Garbled(f"'{word}' of the reply is not a whole number")
    return int(stripped)
