"""The child process of one calculation: reads request.json, writes result.json, and ends.

It dies with the process that started it, so that none survives as an orphan.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Asks Linux for SIGKILL when the parent dies; elsewhere the parent must see to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that wanted this is gone")


def answer(request: Mapping[str, Any]) -> str:
    """The JSON of `result`; of `error`, when the calculation failed; or of `fault`, when the
    program did, whatever its input."""
    module, _, name = request["function"].partition(":")
    key = "fault"
    try:
        function = getattr(importlib.import_module(module), name)
        key = "error"
        result = function(**request["arguments"])
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent is told
        traceback.print_exc()
        if isinstance(error, ImportError | MemoryError | ExecutionError):
            key = "fault"
        return json.dumps({key: f"{type(error).__name__}: {error}"})
    try:
        return json.dumps({"result": result})
    except (TypeError, ValueError) as error:
        return json.dumps({"fault": f"its result cannot be written as JSON: {error}"})


def main(directory: Path, parent: int) -> None:
    """Runs the request of a directory for the process `parent`."""
    die_with(parent)
    answer_into(directory)


def answer_into(directory: Path) -> None:
    """Runs the request of a directory; its result appears whole or not at all."""
    text = answer(json.loads((directory / "request.json").read_text()))
    part = directory / "result.part"
    with part.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    part.rename(directory / "result.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
