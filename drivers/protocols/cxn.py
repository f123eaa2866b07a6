"""T&C Power Conversion's RF supplies (AG series, CXN; AJA's 0113 GTC and 0313 GTC): binary packets.

Source: the packets that pymeasure's tests print, and the commands as pymeasure and a driver of the
AG 0613 by a coating firm have them; the maker's own manual was not at hand. A request is `C`,
address, command (2), two parameters (2 each), and the sum of all bytes (2), most significant first.
It is acknowledged by `*`, or by `?` when it is not understood; a query is then answered by `R`,
address, length (2), data and sum (2). The address is ignored by the supply, and the two drivers do
not agree on it (0 and 1), so it is not checked in answers. Settings want control, which is asked
for; the supply takes it back, and goes off, when it hears nothing for two seconds.
"""

from __future__ import annotations

import struct
from enum import IntFlag

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, exactly

ACCEPTED, NOT_UNDERSTOOD = b"*", b"?"
_YES = 0x5555
_MOST_DATA = 255


class Status(IntFlag):
    """Bits of the status word."""

    RF_ON = 1 << 0
    EXTERNAL_SOURCE = 1 << 4
    FORWARD_LIMIT = 1 << 8
    REFLECTED_LIMIT = 1 << 9
    OVER_TEMPERATURE = 1 << 10
    INTERLOCK_OPEN = 1 << 11


WHY = {
    Status.INTERLOCK_OPEN: "the interlock is open",
    Status.OVER_TEMPERATURE: "it is too hot",
    Status.REFLECTED_LIMIT: "the reflected power is at its limit",
}
"""What keeps RF off, or its power down."""


def packet(command: str, first: int = 0, second: int = 0, *, address: int = 0) -> bytes:
    """A request with its sum."""
    body = b"C" + bytes((address,)) + command.encode("ascii") + struct.pack(">HH", first, second)
    return body + struct.pack(">H", sum(body))


def answer(data: bytes, *, address: int = 0) -> bytes:
    """An answer with its sum, as the supply sends it after its `*`."""
    body = b"R" + bytes((address,)) + struct.pack(">H", len(data)) + data
    return body + struct.pack(">H", sum(body))


def answer_length(data: bytes) -> int:
    """Length of `*` and the answer after it, or of `?`; 0 while it cannot be told."""
    if data[:1] == NOT_UNDERSTOOD:
        return 1
    if data[:1] != ACCEPTED or data[1:2] not in (b"", b"R"):
        raise Garbled(f"the reply {data.hex()} does not start with '*R'")
    if len(data) < 5:
        return 0
    length = int.from_bytes(data[3:5], "big")
    if length > _MOST_DATA:
        raise Garbled(f"the reply {data.hex()} claims {length} bytes")
    return 5 + length + 2


def decode(reply: bytes, n: int) -> bytes:
    """The data of an answer, at least `n` bytes.

    Raises:
        Refused: the supply did not understand, or did not want to.
        Garbled: the sum is wrong, or the data are too few.
    """
    if reply == NOT_UNDERSTOOD:
        raise Refused("the supply does not take the command")
    body, check = reply[1:-2], reply[-2:]
    if struct.pack(">H", sum(body) & 0xFFFF) != check:
        raise Garbled(f"the reply {reply.hex()} fails its sum")
    if len(body) - 4 < n:
        raise Garbled(f"the reply {reply.hex()} does not hold {n} bytes")
    return body[4:]


def ask(command: str, n: int, first: int = 0) -> Dialogue[bytes]:
    """Sends a query and gives its data, at least `n` bytes. Raises Refused, Garbled."""
    return decode((yield Ask(packet(command, first), answer_length)), n)


def tell(command: str, first: int = 0, second: int = 0) -> Dialogue[bool]:
    """Sends a setting; gives whether it was acknowledged, a byte without a sum. Raises Garbled."""
    reply = yield Ask(packet(command, first, second), exactly(1))
    if reply not in (ACCEPTED, NOT_UNDERSTOOD):
        raise Garbled(f"the reply {reply.hex()} is neither '*' nor '?'")
    return reply == ACCEPTED


def name(item: int) -> Dialogue[str]:
    """Item 1: the type; item 2: the serial number."""
    data = yield from ask("Gi", 3, item)
    try:
        return data[2:].rstrip(b"\x00").decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise Garbled(f"the name {data.hex()} is not ASCII") from error


def status() -> Dialogue[Status]:
    """The status word."""
    return Status(int.from_bytes((yield from ask("GS", 2))[:2], "big"))


def control(is_wanted: bool) -> Dialogue[bool]:
    """Asks for control or gives it back; gives whether it is held now."""
    data = yield from ask("BC", 2, _YES if is_wanted else 0)
    return int.from_bytes(data[:2], "big") == 1


def switch(is_on: bool) -> Dialogue[bool]:
    """Switches RF on or off; gives whether that was acknowledged."""
    return tell("BR", _YES if is_on else 0)


def tenths(command: str, n: int) -> Dialogue[tuple[float, ...]]:
    """Sends a query whose data begin with `n` numbers in tenths."""
    data = yield from ask(command, 2 * n)
    return tuple(value / 10 for value in struct.unpack(f">{n}H", data[: 2 * n]))
