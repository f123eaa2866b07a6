"""Universal Robots dashboard server: lines over TCP port 29999, each ended by LF.

Source: Universal Robots' article "Dashboard Server, port 29999" (15690), which prints `load`,
`play`, `stop`, `running`, `programState`, `robotmode` and their replies. The server greets with
`Connected: Universal Robots Dashboard Server`; where the greeting is met, it is skipped.
"""

from __future__ import annotations

from drivers.protocols.framing import Ask, Dialogue, Garbled, Refused, text, until

LF = b"\n"
GREETING = "Connected: Universal Robots Dashboard Server"
REFUSALS = (
    "Failed to execute",
    "File not found",
    "Error while loading program",
    "Cannot unlock protective stop",
)


def ask(command: str) -> Dialogue[str]:
    """Sends a command and reads its reply.

    Raises:
        Refused: the server does not understand the command.
    """
    reply = text((yield Ask(command.encode("ascii") + LF, until(LF))))
    while reply.startswith("Connected:"):
        reply = text((yield Ask(b"", until(LF))))
    if reply.lower().startswith("could not understand"):
        raise Refused(f"the dashboard does not know '{command}'")
    return reply


def ask_after(command: str, label: str) -> Dialogue[str]:
    """What follows `label` in the reply. Raises Garbled."""
    reply = yield from ask(command)
    if not reply.startswith(label):
        raise Garbled(f"'{reply}' does not answer '{command}'")
    return reply[len(label) :].strip()


def expect(command: str, start: str) -> Dialogue[str]:
    """Sends a command whose success is a reply that begins with `start`.

    Raises:
        Refused: it begins as the server's refusals do.
        Garbled: it begins otherwise; the command may have been obeyed.
    """
    reply = yield from ask(command)
    if reply.startswith(REFUSALS):
        raise Refused(f"the dashboard answered '{reply}' to '{command}'")
    if not reply.startswith(start):
        raise Garbled(f"'{reply}' does not answer '{command}'")
    return reply


def is_in_remote_control() -> Dialogue[bool | None]:
    """Whether the arm takes orders from outside; None where the server does not know the question.

    PolyScope 5 asks for it; PolyScope 3 has no such mode. Raises Garbled.
    """
    try:
        reply = yield from ask("is in remote control")
    except Refused:
        return None
    if reply.lower() not in ("true", "false"):
        raise Garbled(f"'{reply}' does not say whether it is in remote control")
    return reply.lower() == "true"


def program_state() -> Dialogue[tuple[str, str]]:
    """State (STOPPED, PLAYING, PAUSED) and name of the loaded program."""
    reply = yield from ask("programState")
    state, _, program = reply.partition(" ")
    if state not in ("STOPPED", "PLAYING", "PAUSED"):
        raise Garbled(f"'{reply}' is not a program state")
    return state, program.strip()
