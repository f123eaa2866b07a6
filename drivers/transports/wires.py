"""What every wire has in common: its settings, its faults, and taking a reply from its bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.protocols.framing import Ask, Dialogue, Frame, Garbled
from orchestrator.errors import HaganeError
from orchestrator.ports.traffic import Way

_LINE_ENDS = (b"\r", b"\n")


@dataclass(frozen=True)
class Settings:
    """How a port is opened; all who share a port must agree.

    `gap_s` is the silence that the protocol wants before each request.
    """

    baudrate: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    gap_s: float = 0.0

    def __str__(self) -> str:
        """As it stands on devices: `9600 baud 8N1`, and the silence where there is one."""
        line = f"{self.baudrate} baud {self.bytesize}{self.parity}{self.stopbits:g}"
        return f"{line} with {self.gap_s * 1e3:g} ms of silence" if self.gap_s else line


@dataclass(frozen=True)
class Terms:
    """On what terms a dialogue is played.

    `connection` is the one it is meant for, `timeout_s` the wall time for each reply. `is_void`
    says whether a stop has gone ahead of it meanwhile. `note` takes what passes, `ended` is told,
    in the thread that played it, that it is over, and why where it failed.
    """

    connection: int
    timeout_s: float
    is_urgent: bool
    is_void: Callable[[], bool]
    note: Callable[[Way, bytes], None] = lambda way, data: None
    ended: Callable[[HaganeError | None], None] = lambda fault: None


class Absent(HaganeError):
    """The port cannot be opened."""


class Lost(HaganeError):
    """The connection broke, or is another than the one meant."""


class Silent(HaganeError):
    """No reply came in time."""


class Taken(HaganeError):
    """Another process holds the port."""


def whole_reply(buffer: bytes, frame: Frame | None) -> int | None:
    """Length of the reply at the start of the buffer, or None while it is not all there.

    Raises:
        Garbled: it cannot be a reply.
    """
    if frame is None:
        return 0
    if not buffer:
        return None
    n = frame(buffer)
    return n if 0 < n <= len(buffer) else None


def next_ask(dialogue: Dialogue[Any], reply: bytes) -> Ask:
    """What a dialogue asks next, having been given a reply.

    A driver that trips over what a device said (`int` of letters, a field that is missing) has got
    a garbled reply, also where it was written without that in mind: else nobody would drain the
    line, ask again, or read back whether a write took effect.

    Raises:
        StopIteration: it is over.
        Garbled, Refused.
    """
    try:
        return dialogue.send(reply)
    except (ValueError, LookupError, struct.error) as error:
        if not reply:
            raise
        what = f"{type(error).__name__}: {error}"
        raise Garbled(f"the driver cannot read the reply {reply!r} ({what})") from error


def refuse_surplus(reply: bytes, rest: bytes, late_s: float = 0.0) -> None:
    """Accepts what came after a reply when it is nothing, or more copies of the reply, or, behind
    a line, another end of the line (LF after the CR that was waited for). `late_s` is the time-out,
    where no answer came within it before.

    Raises:
        Garbled: it is something else, and nobody can tell which of the two is the answer.
    """
    is_copies = bool(reply) and rest == reply * (len(rest) // len(reply))
    is_line_end = reply.endswith(_LINE_ENDS) and not rest.strip(b"\r\n")
    if rest and not (is_copies or is_line_end):
        what = f"{rest!r} came behind the reply {reply!r}"
        if late_s:
            raise Garbled(
                f"{what}: answers come later than the time-out of {late_s:g} s (give a longer "
                "`timeout`), or the device sends by itself"
            )
        raise Garbled(f"{what}: more than one answer, or a device that sends by itself")


def superseded() -> HaganeError:
    """That a stop went ahead of a dialogue that was still waiting for its turn."""
    return Silent("it was not sent: a stop went ahead of it")


def missing(buffer: bytes, timeout_s: float) -> HaganeError:
    """What it means that no whole reply came: nothing at all, or a part of one."""
    if buffer:
        return Garbled(f"only {buffer!r} came, which is no whole reply")
    return Silent(f"no reply within {timeout_s:g} s")
