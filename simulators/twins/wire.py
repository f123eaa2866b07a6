"""The wire of a twin: bytes in, whole frames to the instrument, its replies out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Split = Callable[[bytes], tuple[bytes | None, bytes]]
"""Takes what has arrived; gives the first whole frame (None: not yet) and what is left."""

Ledger: TypeAlias = Callable[[bytes, bytes], None]
"""Is told of every frame that reached the instrument, and of its reply as the instrument sent it,
whatever becomes of it on the way."""


@dataclass(frozen=True)
class Manners:
    """How an instrument fails in the words of its own protocol; None where it has none for it.

    refusal: what it answers to a frame that it will not obey (its NAK), None for a frame that
    cannot be refused. elsewhere: its reply as another address would send it. skewed: its reply to
    a frame with the measured value off by a share of itself, None where it holds none. unheeded:
    what it answers to a frame that sets something, when it does not do it; None for other frames.
    restart: it comes back from a power cut with its power-on defaults.
    """

    refusal: Callable[[bytes], bytes | None] | None = None
    elsewhere: Callable[[bytes], bytes] | None = None
    skewed: Callable[[bytes, bytes, float], bytes | None] | None = None
    unheeded: Callable[[bytes], bytes | None] | None = None
    restart: Callable[[], None] | None = None


class FramedWire:
    """A wire over an instrument's `reply(frame)`. `greeting` is sent to whoever connects (TCP).

    `unprompted` gives what the instrument says once a second by itself. `ledger`, where somebody
    has set it, is told of every frame. One with a `scheme` (`http`) is always on a TCP port. After
    a frame that `ends` a connection the instrument hangs up.
    """

    def __init__(
        self,
        split: Split,
        reply: Callable[[bytes], bytes],
        *,
        greeting: bytes = b"",
        unprompted: Callable[[], bytes] | None = None,
        manners: Manners | None = None,
        scheme: str = "",
        ends: Callable[[bytes], bool] = lambda frame: False,
    ) -> None:
        self._split, self._reply, self._ends = split, reply, ends
        self.greeting, self.scheme = greeting, scheme
        self.is_ended = False
        self.manners = manners or Manners()
        self.ledger: Ledger | None = None
        self._unprompted = unprompted
        self._pending = b""

    async def patience(self, data: bytes) -> None:
        """Waits, in the time of its world, for what must come before these bytes are answered."""

    async def receive(self, data: bytes) -> bytes:
        """Takes what the client wrote, in any portions; gives all replies that are due."""
        await self.patience(data)
        return b"".join(self.answer(frame) for frame, _ in self.frames(data))

    def frames(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The whole frames that are there with these bytes, and the bytes that each came as."""
        self._pending += data
        while True:
            before = self._pending
            frame, self._pending = self._split(before)
            if frame is None:
                return
            yield frame, before[: len(before) - len(self._pending)]

    def answer(self, frame: bytes) -> bytes:
        """What the instrument replies to a frame, having obeyed it."""
        reply = self._reply(frame)
        self.is_ended = self.is_ended or self._ends(frame)
        if self.ledger is not None:
            self.ledger(frame, reply)
        return reply

    def unprompted(self) -> bytes:
        """What the instrument says by itself now."""
        return self._unprompted() if self._unprompted else b""

    def forget(self) -> None:
        """Drops half a frame, as an instrument does after a while."""
        self._pending = b""

    def fresh(self) -> FramedWire:
        """Another wire to the same instrument (a second TCP connection)."""
        wire = FramedWire(
            self._split,
            self._reply,
            greeting=self.greeting,
            unprompted=self._unprompted,
            manners=self.manners,
            scheme=self.scheme,
            ends=self._ends,
        )
        wire.ledger = self.ledger
        return wire


def either_lines(data: bytes) -> tuple[bytes | None, bytes]:
    """Splits at CR, LF or both, which are taken off; there are no empty lines."""
    line = data.lstrip(b"\r\n")
    ends = [n for n in (line.find(b"\r"), line.find(b"\n")) if n >= 0]
    return (line[: min(ends)], line[min(ends) :]) if ends else (None, line)


def lines(end: bytes) -> Split:
    """Splits at a terminator, which is taken off."""

    def split(data: bytes) -> tuple[bytes | None, bytes]:
        line, found, rest = data.partition(end)
        return (line, rest) if found else (None, data)

    return split
