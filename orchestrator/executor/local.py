"""Calculations in child processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from orchestrator.errors import ExecutionError
from orchestrator.executor.kept import IS_POSSIBLE, Kept
from orchestrator.executor.known import KnownResults
from orchestrator.executor.submissions import ATTEMPTS, End, Submissions, Tell, end_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.compute import Before


class LocalCompute(Submissions):
    """At most `workers` children at a time, each with one thread."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        *,
        workers: int = 2,
        results: KnownResults | None = None,
        attempts: int = ATTEMPTS,
        tell: Tell | None = None,
    ) -> None:
        place = Children(workers, root / "keeper.txt")
        super().__init__(root, place, clock, results=results, attempts=attempts, tell=tell)


class Children:
    """Child processes, and keepers that fork them (`submissions.Place`)."""

    is_far = False

    def __init__(self, workers: int, keepers_output: Path) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._kept: dict[str, Kept] = {}
        self._output = keepers_output

    async def run(self, directory: Path, before: Before | None) -> End:
        """See `submissions.Place`."""
        async with self._slots:
            if before is None or not IS_POSSIBLE:
                return end_of(await _run(directory))
            keeper = self._keeper(before)
            try:
                return end_of(await keeper.run(directory))
            except ExecutionError as error:
                if not keeper.was_ready:  # it cannot load what is needed
                    raise
                return End(f"was lost: {error}", is_lost=True)

    def _keeper(self, before: Before) -> Kept:
        name = json.dumps([before.function, dict(before.arguments)], sort_keys=True)
        if name in self._kept and not self._kept[name].is_up:
            self._kept.pop(name).close()
        if name not in self._kept:
            self._kept[name] = Kept(before, environment(), self._output)
        return self._kept[name]

    def close(self) -> None:
        """Ends what was kept loaded, and what it still runs."""
        for one in self._kept.values():
            one.close()
        self._kept.clear()


def environment(threads: int = 1) -> dict[str, str]:
    """So many threads; packages not from the working directory, where a folder may have the name
    of one."""
    path = os.pathsep.join(os.path.abspath(p) for p in sys.path)  # noqa: PTH100  '' too
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {**os.environ, **limits, "PYTHONPATH": path}


async def _run(directory: Path) -> int:
    """The exit code of a child that makes the result of a directory."""
    with (directory / "output.txt").open("wb") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "orchestrator.executor.child",
            str(directory),
            str(os.getpid()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
            cwd=directory,
            start_new_session=True,
        )
        try:
            return await child.wait()
        except asyncio.CancelledError:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
            raise
