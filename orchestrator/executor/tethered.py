"""Runs a command that dies with whoever wanted it: `tethered PARENT COMMAND...`."""

from __future__ import annotations

import os
import sys

from orchestrator.executor.child import die_with


def main(parent: int, command: list[str]) -> None:
    """Becomes the command; the tether outlives the change (prctl(2), PR_SET_PDEATHSIG)."""
    die_with(parent)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
