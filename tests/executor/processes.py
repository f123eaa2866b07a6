"""Watching processes that a test did not start itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil


def is_running(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(is_so: Callable[[], bool], seconds: float = 240.0) -> bool:
    """Waits for it; whether it came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def marked(mark: str) -> set[int]:
    """The processes that have a word in their environment, whoever is their parent by now."""
    found = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if mark in process.environ().values() and is_running(process.pid):
                found.add(process.pid)
    return found
