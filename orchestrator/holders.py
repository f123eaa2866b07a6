"""Which process holds something (a lease, a claim), and whether it is known to be dead or alive.

A process is told from a later one with the same id by the start time that the system gives it, and
a host from its next life, or from a container on it, by boot id and process-id namespace.
"""

from __future__ import annotations

import functools
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """A process that holds something. `name` is in words, for people."""

    name: str
    host: str
    boot: str
    pid: int
    started: str

    def __str__(self) -> str:
        if self.host in self.name and str(self.pid) in self.name:
            return self.name
        return f"{self.name} (pid {self.pid} on {self.host})"

    def is_known_dead(self) -> bool:
        """True only when this very host can say that the process has ended."""
        if not self._is_of_this_host():
            return False
        started = _started(self.pid)
        return started is None or (started != self.started and bool(self.started))

    def is_known_alive(self) -> bool:
        """True only when this very host can say that another process is still there."""
        if not self.started or self.pid == os.getpid() or not self._is_of_this_host():
            return False
        return _started(self.pid) == self.started

    def is_known_stopped(self) -> bool:
        """True only when this very host can say that it is stopped (Ctrl-Z, a debugger)."""
        fields = _stat(self.pid) if self.is_known_alive() else None
        return fields is not None and fields[0] in "Tt"

    def _is_of_this_host(self) -> bool:
        return bool(self.boot) and (self.host, self.boot) == (socket.gethostname(), _boot())


def this_process(name: str) -> Holder:
    """The calling process as a holder."""
    pid = os.getpid()
    return Holder(name, socket.gethostname(), _boot(), pid, _started(pid) or "")


@functools.cache
def _boot() -> str:
    """Identifies this run of the operating system, as far as process ids are shared."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return _said_by("sysctl", "-n", "kern.boottime")


def _started(pid: int) -> str | None:
    """When a process started, in the system's words; None when there is none (or a zombie)."""
    if Path("/proc/self/stat").exists():
        fields = _stat(pid)
        return None if fields is None or fields[0] in "ZX" else fields[19]
    return _said_by("ps", "-o", "lstart=", "-p", str(pid)) or None


def _stat(pid: int) -> list[str] | None:
    """What Linux says of a process, from its state on; None when there is none."""
    try:
        # the name in brackets may hold blanks and brackets itself: proc(5)
        said = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return said.rpartition(")")[2].split()


def _said_by(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip()
