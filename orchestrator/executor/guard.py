"""A process that outlives a calculation by a moment, to end what the calculation started.

A calculation that is killed takes nothing along by itself: `pw.x`, or the ranks of `mpirun`, would
go on as orphans. The guard holds the far end of a pipe; when that breaks, everything in the
sessions it watches is killed. Linux; elsewhere only the process groups of the same numbers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

ROUNDS = 100
"""Looks for what is left of a session: somebody may fork while it is being killed."""


class Guard:
    """Watches sessions on behalf of this process. Made before there are threads."""

    def __init__(self) -> None:
        reading, self._line = os.pipe()
        first = os.fork()
        if first == 0:
            code = 1
            try:
                if os.fork() == 0:
                    _serve(reading)
                code = 0
            finally:
                os._exit(code)
        os.close(reading)
        os.waitpid(first, 0)

    def watch(self, session: int) -> None:
        """From now on this session dies with this process."""
        self._say(f"+{session}\n")

    def release(self, session: int) -> None:
        """It came to its end by itself."""
        self._say(f"-{session}\n")

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # somebody killed the guard
            os.write(self._line, line.encode())


def _serve(reading: int) -> None:
    """The guard: until the pipe breaks."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.dup2(reading, 3)
    os.closerange(4, 4096)
    os.chdir("/")
    watched: set[int] = set()
    rest = b""
    while found := os.read(3, 4096):
        *lines, rest = (rest + found).split(b"\n")
        for line in lines:
            number = int(line[1:])
            watched = watched | {number} if line[:1] == b"+" else watched - {number}
    for session in watched:
        end_session(session)


def end_session(session: int) -> None:
    """Kills every process of a session, until none is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    if sys.platform != "linux":
        return
    for _ in range(ROUNDS):
        members = members_of(session) - {os.getpid()}
        if not members:
            return
        for pid in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def members_of(session: int) -> set[int]:
    """The processes of a session that live, as /proc tells (proc(5))."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            # state, parent, group, session, after a name that may hold anything
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            if int(fields[3]) == session and fields[0] not in (b"Z", b"X"):
                found.add(int(entry.name))
    return found
