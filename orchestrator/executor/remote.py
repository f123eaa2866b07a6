"""What a worker far away does: one attempt, in its directory, in a process of its own.

The directory is on a file system that all nodes see. Who wants the attempt no more takes its
request away; a worker whose own parent is gone ends with what it runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from orchestrator.executor.guard import end_session

LOOK_EVERY_S = 0.5
SIGN_EVERY_S = 5.0
"""So often an attempt that runs touches what it prints, to show that it lives."""
WITHDRAWN = "request.withdrawn"


def attempted(directory: str, path: str, threads: int, *, is_tied: bool = True) -> int:
    """Runs the request of a directory; the child's exit code.

    Args:
        directory: of the attempt.
        path: where Python packages are found, for `PYTHONPATH`.
        threads: that the calculation may use.
        is_tied: whether all ends with this process's own parent.
    """
    folder = Path(directory)
    if not (folder / "request.json").exists():
        return -9
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, "-P", "-m", "orchestrator.executor.child"]
    with (folder / "output.txt").open("ab") as output:
        child = subprocess.Popen(
            [*command, directory, str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **limits, "PYTHONPATH": path},
            cwd=directory,
            start_new_session=True,
        )
    parent, signed_at = os.getppid(), time.monotonic()
    while True:
        try:
            return child.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            is_orphan = is_tied and os.getppid() != parent
            if is_orphan or not (folder / "request.json").exists():
                end_session(child.pid)
                code = child.wait()
                if is_orphan:
                    os._exit(1)
                return code
            if time.monotonic() - signed_at > SIGN_EVERY_S:
                os.utime(folder / "output.txt")
                signed_at = time.monotonic()


def withdraw(directory: Path) -> None:
    """Lets an attempt end, wherever it runs, within `LOOK_EVERY_S` and what the file system takes
    to tell."""
    request = directory / "request.json"
    if request.exists():
        request.rename(directory / WITHDRAWN)


def seems_to_run(directory: Path) -> bool:
    """Whether an attempt gave a sign of life of late, and has no result yet."""
    if (directory / "result.json").exists() or not (directory / "request.json").exists():
        return False
    try:
        silent_s = time.time() - (directory / "output.txt").stat().st_mtime
    except OSError:
        return False
    return silent_s < 4 * SIGN_EVERY_S
