"""Cavro syringe pumps, DT ("data terminal") protocol: `/`, address, commands, CR.

Source: XP 3000 operators manual (725730C, 1998), chapter 3, and XLP 6000 operating manual
(734237-C, 2005), chapter 3. The answer is `/0`, a status byte, data, ETX, CR LF; it does not say
which pump it comes from. Status: 0 1 X 0 and four bits of error; X is 1 when the pump is ready.
Only what `Q` answers says whether it is (XLP, 3.6.1); the error that `Q` has told is cleared. An
error of a move may show at the next `Q` only (XP 3000, table 3-8). Lines on RS-485 may begin with
bytes of synchronisation, which are passed over. There is no checksum. Errors 12 and 14, and the
addresses, are told as `labmcp-cavro` has them.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until, whole

ADDRESSES = "123456789:;<=>?"
"""Of the positions 0 to E of a pump's address switch."""
END = b"\x03\r\n"
_START = b"/0"
_READY, _ERROR = 0x20, 0x0F
NOT_INITIALISED, OVERLOADED = 7, 9
WORDS = {
    1: "it could not be initialised",
    2: "the command is not one of its own",
    3: "a number is out of its range",
    4: "the order of the commands is not one that it knows",
    5: "its fluid detector does not work",
    6: "its EEPROM has failed",
    7: "it has not been initialised",
    9: "the plunger is overloaded: something blocks the way of the liquid",
    10: "the valve is overloaded: something blocks it",
    11: "the plunger must not move while the valve is in its bypass",
    12: "an internal failure",
    14: "its A/D converter has failed",
    15: "a command came while it was busy",
}


@dataclass(frozen=True)
class Answer:
    """One answer; `error` is 0 where there is none."""

    is_ready: bool
    error: int
    data: str

    @property
    def complaint(self) -> str:
        """What the error number means; '' for none."""
        if not self.error:
            return ""
        return f"{WORDS.get(self.error, 'an error that the manual does not name')} ({self.error})"


def request(address: str, commands: str) -> bytes:
    """A request to one pump."""
    return f"/{address}{commands}\r".encode("ascii")


def decode(reply: bytes) -> Answer:
    """Reads an answer. Raises Garbled."""
    start = reply.find(_START)
    if start < 0 or not reply.endswith(END) or len(reply) < start + 3 + len(END):
        raise Garbled(f"the reply {reply!r} is no answer of a Cavro pump")
    status = reply[start + 2]
    if status & 0xD0 != 0x40:
        raise Garbled(f"the reply {reply!r} has no status byte")
    data = text(reply[start + 3 : -len(END)])
    return Answer(bool(status & _READY), status & _ERROR, data)


def ask(address: str, commands: str) -> Dialogue[Answer]:
    """Sends commands and reads the answer, whatever its error."""
    return decode((yield Ask(request(address, commands), until(END))))


def tell(address: str, commands: str) -> Dialogue[Answer]:
    """Sends commands. Raises Refused in the pump's words when its answer has an error."""
    answer = yield from ask(address, commands)
    if answer.error:
        raise Refused(f"the pump refuses: {answer.complaint}")
    return answer


def ask_number(address: str, command: str) -> Dialogue[int]:
    """Sends a report command and reads its whole number."""
    return whole((yield from ask(address, command)).data)
