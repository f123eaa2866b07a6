"""NAMUR commands as IKA's laboratory devices have them: words in ASCII, ended by blank CR LF.

Source: IKA operating instructions "RCT digital" (20014388, 11/2018) and "C-MAG HS 7 control"
(20014381a, 11/2018), chapter "Interfaces and outputs", for the commands and the watchdog; 7 data
bits, even parity and the blank before CR LF as `labmcp-ika` reads them. `IN_...` is answered by a
number and the channel it came from (`25.3 2`; the instructions do not print the form, clients by
others agree on it), a command with `@` by the number that was set. Everything else is answered by
nothing, and so is what the device does not understand. Channels: 1 is the temperature at an
external sensor, and the set-point; 2 the plate; 4 the speed.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, number, text, until

END = b" \r\n"


def request(command: str) -> bytes:
    """A command."""
    return command.encode("ascii") + END


def tell(command: str) -> Dialogue[None]:
    """Sends a command that nothing answers."""
    yield Ask(request(command))


def ask(command: str) -> Dialogue[str]:
    """Sends a command and reads its line. Raises Garbled for an empty one."""
    line = text((yield Ask(request(command), until(b"\n"))))
    if not line:
        raise Garbled(f"the reply to {command} is empty")
    return line


def ask_number(command: str) -> Dialogue[float]:
    """Sends an `IN_...` command and reads its number.

    Raises:
        Garbled: the number is another channel's, or none.
    """
    value, *channel = (yield from ask(command)).split()
    if channel and channel != [command.rpartition("_")[2]]:
        raise Garbled(f"channel {' '.join(channel)} answered to {command}")
    return number(value)


def set_echoed(command: str, value: float) -> Dialogue[None]:
    """Sends a command with `@`, whose answer repeats the number. Raises Garbled."""
    line = yield from ask(f"{command}@{value:g}")
    if number(line.split()[0]) != value:
        raise Garbled(f"{command} was set to {value:g} and answers {line}")
