"""Inficon SQM-160 thickness monitor: sync character, length, message, 14-bit CRC.

Source: the operating manual's examples, as pymeasure's tests print them: `#@` has the checksum
`O7`, `$C?` has `g/`; `!#@O7` is answered by `!0AMON Ver 4.13Uw`. A request is `!`, length + 34,
message, CRC; a reply is `!`, length + 35, status (A well, C unknown command, D wrong data; counted
in the length), message, CRC. The CRC starts at 0x3FFF, polynomial 0x2001, over all after the `!`,
sent as two 7-bit bytes each raised by 34 so that no `!` can occur.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text

SYNC = 0x21
_REFUSALS = {"C": "the monitor does not know the command", "D": "the monitor refuses the data"}


def crc14(body: bytes) -> bytes:
    """The two checksum bytes of everything between `!` and the checksum."""
    crc = 0x3FFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x2001 if crc & 1 else 0)
        crc &= 0x3FFF
    return bytes(((crc & 0x7F) + 34, ((crc >> 7) & 0x7F) + 34))


def request(message: str) -> bytes:
    """A request packet."""
    return _packet(message.encode("ascii"), 34)


def reply(message: str, status: str = "A") -> bytes:
    """A reply packet, as the monitor sends it."""
    return _packet((status + message).encode("ascii"), 35)


def _packet(message: bytes, raised: int) -> bytes:
    body = bytes((len(message) + raised,)) + message
    return bytes((SYNC,)) + body + crc14(body)


def packet_length(data: bytes) -> int:
    """Length of the reply packet at the start of `data`, 0 while it cannot be told."""
    if data and data[0] != SYNC:
        raise Garbled(f"the reply {data!r} does not start with '!'")
    if len(data) < 2:
        return 0
    if data[1] <= 35:
        raise Garbled(f"the reply {data!r} has no length")
    return data[1] - 35 + 4


def decode(packet: bytes) -> str:
    """The message of a reply packet.

    Raises:
        Refused: the monitor's status is C or D.
        Garbled: the checksum is wrong, or the status unknown.
    """
    body = packet[1:-2]
    if crc14(body) != packet[-2:]:
        raise Garbled(f"the reply {packet!r} fails its checksum")
    status = chr(body[1])
    if status in _REFUSALS:
        raise Refused(_REFUSALS[status])
    if status != "A":
        raise Garbled(f"the reply {packet!r} has an unknown status")
    return text(body[2:])


def ask(message: str) -> Dialogue[str]:
    """Sends a message and reads the reply's message."""
    return decode((yield Ask(request(message), packet_length)))
