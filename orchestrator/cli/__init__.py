"""The command line. At module level only the standard library and typer."""

from __future__ import annotations

import gc
import io
import sys

INTERRUPTED = 130
COLLECT_EVERY = 200_000
"""New objects between two passes of the garbage collector, 700 where nobody says otherwise. A start
makes 140,000, nearly all of which stay: passes over them took an eighth of it."""


def main() -> None:
    """The command `hagane`."""
    gc.set_threshold(COLLECT_EVERY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal in latin-1 has no superscripts
            stream.reconfigure(errors="replace")
    try:
        from orchestrator.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command began, or after it
        sys.exit(INTERRUPTED)
