"""New Era syringe pumps (NE-1000 family): `[address] command CR`, or packets with a CRC.

Source: NE-1000 user manual (publication 1200-01, 2014), sections 10.2 and 10.3. Basic mode: the
command ended by CR, the answer between STX and ETX. Safe mode: STX, a length that counts itself and
all that follows, the same text, the 16-bit CCITT CRC of the text (polynomial 1021, from zero, high
byte first), ETX; printed there is 02 08 `SAF0` 55 43 03. The text of an answer is two digits of
address, a prompt (or `A?` and an alarm), and data; `?` begins an error. The length of a packet is
below 0x30 and an address begins with a digit, which tells the two kinds of answer apart. A command
whose answer is an alarm was not obeyed: the answer acknowledges the alarm.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused

STX, ETX = 0x02, 0x03
_DIGIT = 0x30
ALARMS = {
    "R": "it was reset: its power was interrupted",
    "S": "its motor stalled: something blocks the syringe",
    "T": "it heard nothing for so long that it stopped",
    "E": "its pumping program is wrong",
    "O": "its pumping program has no such phase",
}
ERRORS = {
    "": "it does not know the command",
    "NA": "the command cannot be obeyed now",
    "OOR": "a number is out of its range",
    "COM": "it received a faulty packet",
    "IGN": "it ignored the command, since a new phase began",
}
INFUSING, WITHDRAWING, STOPPED, PAUSED = "I", "W", "S", "P"
_MOST_DIGITS, _MOST_DECIMALS = 4, 3


@dataclass(frozen=True)
class Answer:
    """One answer: a prompt or an alarm ('' where there is none), and data."""

    prompt: str
    alarm: str
    data: str

    @property
    def complaint(self) -> str:
        """What alarm or error means; '' for none."""
        if self.alarm:
            return ALARMS.get(self.alarm, f"an alarm {self.alarm} that the manual does not name")
        if self.data.startswith("?"):
            return ERRORS.get(self.data[1:], f"an error {self.data} that the manual does not name")
        return ""


def number(value: float) -> str:
    """A number as the pump takes it: at most four digits, at most three after the point.

    Raises:
        ValueError: it has no such form.
    """
    for decimals in range(_MOST_DECIMALS, -1, -1):
        text = f"{value:.{decimals}f}"
        if value >= 0 and len(text.replace(".", "")) <= _MOST_DIGITS:
            return text
    raise ValueError(value)


def crc(text: bytes) -> bytes:
    """The two bytes of the checksum."""
    return binascii.crc_hqx(text, 0).to_bytes(2, "big")


def request(address: int, command: str, *, is_safe: bool) -> bytes:
    """A request to one pump; without a command it asks for the state."""
    text = f"{address}{command}".encode("ascii")
    if not is_safe:
        return text + b"\r"
    return bytes((STX, len(text) + 4)) + text + crc(text) + bytes((ETX,))


def answer_length(data: bytes) -> int:
    """Length of the answer at the start of `data`, 0 while it cannot be told."""
    if data and data[0] != STX:
        raise Garbled(f"the answer {data!r} does not begin with STX")
    if len(data) < 2:
        return 0
    if data[1] < _DIGIT:
        return 1 + data[1]
    return data.find(bytes((ETX,))) + 1


def decode(reply: bytes, address: int, *, is_safe: bool | None) -> Answer:
    """Reads an answer of one pump; `is_safe` None: in either mode.

    Raises:
        Garbled: it is no answer in this mode, fails its checksum, or is another pump's.
    """
    if len(reply) < 3 or reply[-1] != ETX or (is_safe is False and reply[1] < _DIGIT):
        raise Garbled(f"{reply!r} is no answer of a New Era pump")
    body = reply[1:-1]
    if reply[1] < _DIGIT:
        body, found = reply[2:-3], reply[-3:-1]
        if crc(body) != found:
            raise Garbled(f"the answer {reply!r} fails its checksum")
    elif is_safe:
        raise Garbled(f"the answer {reply!r} has no checksum: the pump is in basic mode")
    match = re.fullmatch(rb"(\d\d)(?:([IWSPTUX])|A\?([A-Z]))([ -~]*)", body)
    if match is None or int(match[1]) != address:
        raise Garbled(f"{reply!r} is no answer of pump {address}")
    prompt, alarm, data = (word.decode("ascii") if word else "" for word in match.groups()[1:])
    return Answer(prompt, alarm, data)


def ask(address: int, command: str, *, is_safe: bool, either: bool = False) -> Dialogue[Answer]:
    """Sends a command and reads the answer, whatever it complains of. `either`: the answer may
    come in either mode, as that to a change of mode does."""
    reply = yield Ask(request(address, command, is_safe=is_safe), answer_length)
    return decode(reply, address, is_safe=None if either else is_safe)


def tell(address: int, command: str, *, is_safe: bool) -> Dialogue[Answer]:
    """Sends a command. Raises Refused in words when the pump complains."""
    answer = yield from ask(address, command, is_safe=is_safe)
    if answer.complaint:
        raise Refused(f"the pump refuses {command or 'a question'}: {answer.complaint}")
    return answer
