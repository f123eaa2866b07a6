"""Zaber ASCII protocol, version 3: lines, a message id, a checksum on request.

`/1 1 07 move abs 1234:LRC LF` is answered by `@01 1 07 OK BUSY WR 0:LRC CR LF`: address, axis, id,
OK or RJ, BUSY or IDLE, the most severe warning (`--`: none), data, or the reason of a rejection.
The checksum is the two's complement of the sum of all characters between the first one and the
colon, in two hexadecimal digits. A device checks one that is there, and answers with one when
`comm.checksum` is 1. Lines that begin with `!` (alerts) or `#` (remarks) answer nothing.

Source: Zaber's "ASCII Protocol Manual" (firmware 6 and 7): message format, warning flags, reject
reasons; known here through Zaber's own libraries, with which the twin was tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until, whole

LF = b"\n"
N_IDS = 100
MOST_REMARKS = 20
"""So many lines that answer nothing are passed over before the line counts as garbled."""

FAULT = "F"
WARNINGS = {
    "FF": "critical system error",
    "FN": "peripheral not supported",
    "FZ": "peripheral inactive",
    "FH": "hardware emergency stop",
    "FV": "supply voltage out of range, driver disabled",
    "FO": "driver disabled by command or at start",
    "FC": "current inrush error",
    "FM": "motor temperature error",
    "FD": "driver disabled",
    "FQ": "encoder error",
    "FI": "index error",
    "FA": "analog encoder sync error",
    "FR": "overdrive limit exceeded",
    "FS": "stalled and stopped",
    "FB": "stream bounds error",
    "FP": "interpolated path deviation",
    "FE": "limit error",
    "FT": "excessive twist",
    "WL": "unexpected limit trigger",
    "WV": "voltage out of range",
    "WT": "controller temperature high",
    "WS": "stalled with recovery",
    "WM": "displaced when stationary",
    "WP": "invalid calibration type",
    "WR": "no reference position",
    "WH": "not homed",
    "NC": "manual control",
    "NI": "movement interrupted",
    "ND": "stream discontinuity",
    "NR": "value rounded",
    "NT": "value truncated",
    "NU": "setting update pending",
    "NJ": "joystick calibrating",
}
"""Those that begin with F are faults, for which an axis does not go on; W warns, N notes."""


class Unchecked(Garbled):
    """A line without a checksum, where there should be one."""


NO_REFERENCE = frozenset({"WH", "WR"})


@dataclass(frozen=True)
class Answer:
    """What a device answered to a command that it accepted."""

    is_busy: bool
    warning: str
    data: str


@dataclass(frozen=True)
class Address:
    """A device on the chain (1 to 99) and its axis; axis 0 is the device as a whole."""

    device: int
    axis: int = 0


def named(warning: str) -> str:
    """A flag with what it means: `FS (stalled and stopped)`."""
    return f"{warning} ({WARNINGS[warning]})" if warning in WARNINGS else warning


def checksum(body: str) -> str:
    """Two hexadecimal digits; `body` is without the first character of the message."""
    return f"{-sum(body.encode('ascii')) & 0xFF:02X}"


def command(to: Address, number: int, words: str, *, with_checksum: bool) -> bytes:
    """A command as it is sent; `number` is its message id."""
    body = f"{to.device} {to.axis} {number:02d} {words}".rstrip()
    end = f":{checksum(body)}" if with_checksum else ""
    return f"/{body}{end}".encode("ascii") + LF


def decode(line: str, to: Address, number: int, *, with_checksum: bool) -> Answer | None:
    """Reads a line; None when it answers nothing, or another command.

    Raises:
        Refused: the device rejects the command.
        Garbled: it is no line of this protocol, or its checksum is wrong or missing.
    """
    body = _checked(line, with_checksum)
    if line[:1] in "!#":
        return None
    fields = body.split(" ", 6)
    if len(fields) < 6 or fields[3] not in ("OK", "RJ") or fields[4] not in ("BUSY", "IDLE"):
        raise Garbled(f"'{line}' is not a reply with a message id")
    device, axis, found, verdict, status, warning, *data = fields
    if (whole(device), whole(axis), whole(found)) != (to.device, to.axis, number):
        return None
    answer = Answer(status == "BUSY", warning, " ".join(data))
    if verdict == "RJ":
        raise Refused(f"the device rejects it: {answer.data} (warning {named(warning)})")
    return answer


def _checked(line: str, must_be_there: bool) -> str:
    if line[:1] not in ("@", "!", "#"):
        raise Garbled(f"'{line}' does not begin as a message does")
    body, colon, found = line[1:].rpartition(":")
    if colon and len(found) == 2:
        if found != checksum(body):
            raise Garbled(f"'{line}' should have the checksum {checksum(body)}")
        return body
    if must_be_there:
        raise Unchecked(f"'{line}' has no checksum: the device's comm.checksum is not 1")
    return line[1:]


def ask(to: Address, number: int, words: str, *, with_checksum: bool) -> Dialogue[Answer]:
    """Sends a command and reads the line that answers it.

    Raises:
        Refused: the device rejects the command.
        Garbled: what comes is no answer.
    """
    sent = command(to, number, words, with_checksum=with_checksum)
    return (yield from _answer(sent, to, number, with_checksum))


def bear_checksums(device: Address, number: int) -> Dialogue[Answer]:
    """Has a device end its replies by checksums; that to this may be without. Raises as `ask`."""
    sent = command(device, number, "set comm.checksum 1", with_checksum=True)
    return (yield from _answer(sent, device, number, False))


def _answer(sent: bytes, to: Address, number: int, with_checksum: bool) -> Dialogue[Answer]:
    line = text((yield Ask(sent, until(LF))))
    for _ in range(MOST_REMARKS):
        answer = decode(line, to, number, with_checksum=with_checksum)
        if answer is not None:
            return answer
        line = text((yield Ask(b"", until(LF))))
    raise Garbled(f"{MOST_REMARKS} lines came and none answers the command {number:02d}")


def warnings(answer: Answer) -> tuple[str, ...]:
    """All flags of the answer to `warnings`: their number, then the flags. Raises Garbled."""
    words = answer.data.split()
    if not words or whole(words[0]) != len(words) - 1:
        raise Garbled(f"'{answer.data}' is not a list of warnings")
    return tuple(words[1:])
