"""Processes of this machine that go on without whoever started them (`batches.Scheduler`)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import ExecutionError
from orchestrator.executor.batches import Standing
from orchestrator.executor.local import environment


class Background:
    """A process for each batch, which runs so many of its elements at a time."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def owns(self, array: str) -> bool:
        """See `batches.Scheduler`."""
        return "-" in array

    def submit(self, name: str, batch: Path, n: int) -> str:
        """See `batches.Scheduler`; the id is the process and when it began."""
        command = [sys.executable, "-P", "-m", "orchestrator.executor.element"]
        said = subprocess.run(
            [*command, str(batch), "1", "--all", str(self._workers)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**environment(), "HAGANE_BATCH": name},
            cwd=batch.parent.parent,
            check=False,
        )
        if said.returncode or not said.stdout.strip().isdigit():
            why = said.stderr.strip()[-200:] or f"it ended with code {said.returncode}"
            raise ExecutionError(f"no process can be started: {why}")
        pid = int(said.stdout)
        return f"{pid}-{_began(pid) or 'gone'}"

    def look(self, prefix: str) -> Mapping[str, str]:
        """See `batches.Scheduler`: by what a process has in its environment."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                lines = (entry / "environ").read_bytes().split(b"\0")
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            names = [line for line in lines if line.startswith(f"HAGANE_BATCH={prefix}".encode())]
            if names and b"orchestrator.executor.element" in command:
                name = names[0].decode().partition("=")[2]
                found[name] = f"{entry.name}-{_began(int(entry.name))}"
        return found

    def standing(self, array: str, element: int) -> Standing:
        """See `batches.Scheduler`."""
        pid, _, began = array.partition("-")
        if pid.isdigit() and began and began == _began(int(pid)):
            return Standing(is_alive=True, is_running=True)
        return Standing(is_alive=False)

    def why(self, array: str, element: int) -> str:
        """See `batches.Scheduler`."""
        return "was lost: its process is gone"

    def fault(self, array: str, element: int) -> str:
        """See `batches.Scheduler`; nobody kept how it ended."""
        return ""


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did (proc(5)); '' for none, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
