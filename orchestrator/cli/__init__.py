"""The command line. At module level only the standard library and typer."""

from __future__ import annotations

import gc
import io
import os
import sys
import threading
import time
from typing import Literal

INTERRUPTED = 130
COLLECT_EVERY = 200_000
"""New objects between two passes of the garbage collector, 700 where nobody says otherwise. A start
makes 140,000, nearly all of which stay: passes over them took an eighth of it."""

_STREAMS = ("stdin", "stdout", "stderr")
THREADS_END_WITHIN_S = 5.0
"""Wall time that threads have for their end once everything is closed: a driver's may have none."""


def main() -> None:
    """The command `hagane`."""
    gc.set_threshold(COLLECT_EVERY)
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal in latin-1 has no superscripts
            stream.reconfigure(errors="replace")
    try:
        from orchestrator.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command began, or after it
        sys.exit(INTERRUPTED)
    except SystemExit as ending:
        _end_without(_lasting(), ending.code)
        raise


def _open_streams() -> None:
    """Puts nothing in the place of streams that the caller has closed: else the next thing that is
    opened, which may be a port, has such a number, and what is printed goes there. That holds for
    children, too."""
    while (number := os.open(os.devnull, os.O_RDWR)) < len(_STREAMS):
        os.set_inheritable(number, True)
        mode: Literal["r", "w"] = "w" if number else "r"
        setattr(sys, _STREAMS[number], os.fdopen(number, mode, closefd=False))
    os.close(number)


def _lasting() -> list[threading.Thread]:
    """The threads that Python would wait for."""
    others = set(threading.enumerate()) - {threading.main_thread(), threading.current_thread()}
    return [thread for thread in others if not thread.daemon]


def _end_without(threads: list[threading.Thread], code: object) -> None:
    """Has the process end with its code all the same, where one of them never does."""
    if not threads:
        return
    number = code if isinstance(code, int) else int(code is not None)
    watch = threading.Thread(target=_watch, args=(threads, number), daemon=True)
    watch.start()


def _watch(threads: list[threading.Thread], code: int) -> None:
    time.sleep(THREADS_END_WITHIN_S)
    names = ", ".join(sorted(thread.name for thread in threads if thread.is_alive()))
    told = f"all is closed, and a driver's threads are still running: {names}; ended without them"
    try:
        print(told, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
