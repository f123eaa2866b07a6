"""The process of one element of a batch, or of all of a batch on this machine:
`element BATCH THREADS [NUMBER | --all WORKERS]`, with PYTHONPATH as the children are to have it."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrator.executor.batches import directory_of, is_claimed_by_us
from orchestrator.executor.remote import attempted


def run(batch: Path, threads: int, element: int, *, is_tied: bool) -> int:
    """Runs one element, unless it was run or begun before; its exit code."""
    directory = directory_of(batch, element)
    if not is_claimed_by_us(directory):
        print(f"{directory} was begun before: nothing to do")
        return 0
    path = os.environ.get("PYTHONPATH", "")
    return attempted(str(directory), path, threads, is_tied=is_tied)


def _detach() -> None:
    """Goes on in a process that nobody is the parent of, and says which; this one ends."""
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def main(batch: Path, threads: int, *rest: str) -> int:
    """The exit code of the one, or 0 for all."""
    if rest[0] != "--all":
        code = run(batch, threads, int(rest[0]), is_tied=True)
        return code if code >= 0 else 128 - code  # as a shell has it
    _detach()
    n = len(batch.read_text().split())
    with ThreadPoolExecutor(int(rest[1])) as pool:
        list(pool.map(lambda k: run(batch, threads, k, is_tied=False), range(1, n + 1)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
