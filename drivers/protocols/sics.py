"""MT-SICS, the command set of Mettler Toledo balances: lines in ASCII, each ended by CR LF.

Source: the extract of the MT-SICS reference manual (11780711) in the balances' operating
instructions, where the responses to `S` are printed, `S S 100.00 g` among them; for the columns of
a weight and the other commands, `labmcp-mettler-toledo`, which was written from that manual. A
response repeats the command, then one character: S or D a weight that has come to rest or not, A
done, I not executable now (or not at rest in time), L a wrong parameter, + and - over or under the
range. `SI` is answered as `S`, `@` as `I4`. `ES`, `ET` and `EL` stand for a syntax, a transmission
and a logical error. Before it answers `S`, `T` or `Z` the balance waits until the weight is at
rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, number, text, until

END = b"\r\n"
GRAMS = {
    "g": 1.0, "kg": 1e3, "mg": 1e-3, "ug": 1e-6, "ct": 0.2, "t": 1e6,
    "lb": 453.59237, "oz": 28.349523125, "ozt": 31.1034768, "dwt": 1.55517384, "GN": 0.06479891,
}  # fmt: skip
"""Grams in each unit that a balance may be set to."""
_ERRORS = {
    "ES": "the balance does not know the command",
    "ET": "the balance received a faulty line",
    "EL": "the balance cannot do this",
}
_FENCE = "I4"
"""Of level 0, which all balances know; nothing is done by it."""
_ANSWERED_AS = {"SI": "S", "@": "I4"}


@dataclass(frozen=True)
class Response:
    """A response without its command: the status character, and what follows it."""

    status: str
    rest: str


def request(command: str) -> bytes:
    """A request."""
    return command.encode("ascii") + END


def decode(reply: bytes, command: str) -> Response:
    """Reads the response to a command.

    Raises:
        Refused: the balance reports an error.
        Garbled: it is no response, or one to another command.
    """
    line = text(reply)
    if line in _ERRORS:
        raise Refused(_ERRORS[line])
    word = command.split()[0]
    match = re.fullmatch(r"(\S+) +([A-Z+-])(?: +(.*))?", line)
    if match is None or match[1] != _ANSWERED_AS.get(word, word):
        raise Garbled(f"'{line}' is no response to {command}")
    return Response(match[2], match[3] or "")


def ask(command: str) -> Dialogue[Response]:
    """Sends a command and reads its response, whatever its status."""
    return decode((yield Ask(request(command), until(END))), command)


def ask_in_turn(command: str) -> Dialogue[Response]:
    """As `ask`, and asks for the serial number after it: of a balance that answers one reply
    behind, one of the two replies belongs to another command, whatever was asked before."""
    response = yield from ask(command)
    yield from ask(_FENCE)
    return response


def ask_text(command: str) -> Dialogue[str]:
    """Sends a command whose response has words in quotes; gives the first of them."""
    response = yield from ask(command)
    match = re.match(r'"([^"]*)"', response.rest)
    if response.status != "A" or match is None:
        raise Garbled(f"the response to {command} has no word in quotes")
    return match[1].strip()


def grams(response: Response) -> float:
    """The weight of a response, in g.

    Raises:
        Refused: its unit is none of mass.
        Garbled: it has none.
    """
    words = response.rest.split()
    if len(words) != 2:
        raise Garbled(f"'{response.rest}' is no weight with its unit")
    if words[1] not in GRAMS:
        raise Refused(f"the balance is set to '{words[1]}', which is no unit of mass")
    return number(words[0]) * GRAMS[words[1]]
