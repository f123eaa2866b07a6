"""The child process of one calculation: reads request.json, writes result.json, and ends.

It dies with the process that started it, and what it started dies with it, so that no orphan
survives.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError, HaganeError
from orchestrator.executor.guard import Guard

PR_SET_PDEATHSIG = 1
FULL_BELOW = 1 << 16
"""Bytes: with less than this left, a disk is full."""
DISK_FULL = 28
"""The exit code of a child that could not write its result (errno ENOSPC)."""


def die_with(parent: int) -> None:
    """Asks Linux for SIGKILL when the parent dies; elsewhere the parent must see to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that wanted this is gone")


def answer(request: Mapping[str, Any]) -> str:
    """The JSON of `result`; of `error`, when the calculation failed, and of the `seconds` of CPU
    time that it took; or of `fault`, when the program or the machine did, whatever its input."""
    module, _, name = request["function"].partition(":")
    begun = sum(os.times()[:4])
    key = "fault"
    try:
        function = getattr(importlib.import_module(module), name)
        key = "error"
        result = function(**request["arguments"])
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent is told
        with contextlib.suppress(OSError):  # a full disk takes no complaint either
            traceback.print_exc()
            sys.stderr.flush()
        if isinstance(error, ImportError | MemoryError | ExecutionError):
            key = "fault"
        said = _said(error)
        if _is_disk_full(error):
            key, said = "fault", f"the disk of {Path.cwd()} is full ({said})"
        return json.dumps({key: said, "seconds": round(sum(os.times()[:4]) - begun, 3)})
    try:
        return json.dumps({"result": result})
    except (TypeError, ValueError) as error:
        return json.dumps({"fault": f"its result cannot be written as JSON: {error}"})


def _said(error: Exception) -> str:
    """What is a sentence by itself stands without the name of its class."""
    is_whole = isinstance(error, HaganeError) or getattr(error, "is_sentence", False)
    return str(error) if is_whole else f"{type(error).__name__}: {error}"


def _is_disk_full(error: Exception) -> bool:
    """A program that was started says nothing of use when it could not write: look at the disk."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    left = os.statvfs(".")
    return left.f_blocks > 0 and left.f_bavail * left.f_frsize < FULL_BELOW


def main(directory: Path, parent: int) -> None:
    """Runs the request of a directory for the process `parent`."""
    die_with(parent)
    own = os.getpid()
    guard = Guard() if os.getsid(0) == own else None
    if guard is not None:
        guard.watch(own)
    answer_into(directory)
    if guard is not None:
        guard.release(own)


def answer_into(directory: Path) -> None:
    """Runs the request of a directory; its result appears whole or not at all.

    A full disk ends the process with the code `DISK_FULL`.
    """
    text = answer(json.loads((directory / "request.json").read_text()))
    part = directory / "result.part"
    try:
        with part.open("w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        part.unlink(missing_ok=True)
        os._exit(DISK_FULL)  # without a last try to print
    part.rename(directory / "result.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
