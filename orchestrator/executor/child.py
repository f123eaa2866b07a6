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
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Asks Linux for SIGKILL when the parent dies; elsewhere the parent must see to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(directory: Path) -> None:
    """Runs the request of a directory."""
    die_with_parent()
    request = json.loads((directory / "request.json").read_text())
    module, _, name = request["function"].partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        answer = {"result": function(**request["arguments"])}
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent is told
        traceback.print_exc()
        answer = {"error": f"{type(error).__name__}: {error}"}
    part = directory / "result.part"
    with part.open("w") as out:
        json.dump(answer, out)
        out.flush()
        os.fsync(out.fileno())
    part.rename(directory / "result.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
