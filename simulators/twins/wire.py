"""The wire of a twin: bytes in, whole frames to the instrument, its replies out."""

from __future__ import annotations

from collections.abc import Callable

Split = Callable[[bytes], tuple[bytes | None, bytes]]
"""Takes what has arrived; gives the first whole frame (None: not yet) and what is left."""


class FramedWire:
    """A wire over an instrument's `reply(frame)`. `greeting` is sent to whoever connects (TCP).

    `unprompted` gives what the instrument says once a second by itself.
    """

    def __init__(
        self,
        split: Split,
        reply: Callable[[bytes], bytes],
        *,
        greeting: bytes = b"",
        unprompted: Callable[[], bytes] | None = None,
    ) -> None:
        self._split, self._reply = split, reply
        self.greeting = greeting
        self._unprompted = unprompted
        self._pending = b""

    async def receive(self, data: bytes) -> bytes:
        """Takes what the client wrote, in any portions; gives all replies that are due."""
        self._pending += data
        replies = b""
        while True:
            frame, self._pending = self._split(self._pending)
            if frame is None:
                return replies
            replies += self._reply(frame)

    def unprompted(self) -> bytes:
        """What the instrument says by itself now."""
        return self._unprompted() if self._unprompted else b""

    def forget(self) -> None:
        """Drops half a frame, as an instrument does after a while."""
        self._pending = b""

    def fresh(self) -> FramedWire:
        """Another wire to the same instrument (a second TCP connection)."""
        return FramedWire(
            self._split, self._reply, greeting=self.greeting, unprompted=self._unprompted
        )


def lines(end: bytes) -> Split:
    """Splits at a terminator, which is taken off."""

    def split(data: bytes) -> tuple[bytes | None, bytes]:
        line, found, rest = data.partition(end)
        return (line, rest) if found else (None, data)

    return split
