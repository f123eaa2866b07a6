"""A protocol alone: its dialogues, played with given replies."""

from __future__ import annotations

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
