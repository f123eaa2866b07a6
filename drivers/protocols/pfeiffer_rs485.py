"""Pfeiffer Vacuum's telegrams on RS-485: turbo drives TC and TM, HiScroll pumps, gauges.

Source: operating instructions of the TC 400, page 25, and of the TC 110 PB (PT 0245 BEN/J), page
32, which print the telegrams of a query and of a command. A telegram is address (3), action (`00`
query, `10` command and every answer), parameter (3), length (2), data, the sum of all characters
modulo 256 (3), CR. A query's data are `=?`; a command that is understood is echoed; an answer whose
data are `NO_DEF`, `_RANGE` or `_LOGIC` is a refusal. Units with another address, and all to a
group's address, stay silent.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until, whole

CR = b"\r"
ON, OFF = "111111", "000000"
"""The old boolean, six digits."""
_QUERY, _COMMAND = "00", "10"
_REFUSALS = {
    "NO_DEF": "there is no such parameter",
    "_RANGE": "the value is out of range",
    "_LOGIC": "it may not be set now, or not by this interface",
}
_SHORTEST = 13


def telegram(address: int, action: str, parameter: int, data: str) -> bytes:
    """A whole telegram; `action` is `00` for a query, `10` for a command or an answer."""
    body = f"{address:03d}{action}{parameter:03d}{len(data):02d}{data}"
    return f"{body}{_checksum(body):03d}".encode("ascii") + CR


def decode(reply: bytes, address: int, parameter: int) -> str:
    """The data of an answer.

    Raises:
        Refused: the unit says that it will not.
        Garbled: it is no telegram, fails its checksum, or answers something else.
    """
    line = text(reply)
    body, check = line[:-3], line[-3:]
    if len(line) < _SHORTEST or whole(line[8:10]) != len(line) - _SHORTEST:
        raise Garbled(f"'{line}' is not a telegram")
    if whole(check) != _checksum(body):
        raise Garbled(f"the telegram '{line}' fails its checksum")
    if body[:8] != f"{address:03d}{_COMMAND}{parameter:03d}":
        raise Garbled(f"the telegram '{line}' does not answer parameter {parameter} of {address}")
    data = body[10:]
    if data in _REFUSALS:
        raise Refused(f"parameter {parameter:03d}: {_REFUSALS[data]}")
    return data


def query(address: int, parameter: int) -> Dialogue[str]:
    """Asks for a parameter's data. Raises Refused, Garbled."""
    sent = telegram(address, _QUERY, parameter, "=?")
    return decode((yield Ask(sent, until(CR))), address, parameter)


def command(address: int, parameter: int, data: str) -> Dialogue[None]:
    """Sets a parameter. Raises Refused, and Garbled when the answer is not its echo."""
    sent = telegram(address, _COMMAND, parameter, data)
    echo = decode((yield Ask(sent, until(CR))), address, parameter)
    if echo != data:
        raise Garbled(f"'{echo}' does not echo '{data}'")


def query_flag(address: int, parameter: int) -> Dialogue[bool]:
    """Asks for an old boolean. Raises Refused, Garbled."""
    data = yield from query(address, parameter)
    if data not in (ON, OFF):
        raise Garbled(f"'{data}' is neither {ON} nor {OFF}")
    return data == ON


def _checksum(body: str) -> int:
    return sum(body.encode("ascii")) % 256
