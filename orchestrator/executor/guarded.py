"""Runs a command in a session of its own, and ends all of that session with it: `guarded COMMAND`.

Parsl's worker pool is run like this: killed, it would leave its server of shared values behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType

from orchestrator.executor.guard import Guard, end_session


def main(command: list[str]) -> int:
    """The command's exit code; a request to end is passed on."""
    guard = Guard()
    child = subprocess.Popen(command, start_new_session=True)
    guard.watch(child.pid)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    code = child.wait()
    end_session(child.pid)
    guard.release(child.pid)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
