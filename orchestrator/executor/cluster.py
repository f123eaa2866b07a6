"""Calculations on the nodes of a cluster, by Parsl's pilot jobs [Babuji 2019, 10.1145/3307681].

A pilot job holds nodes for a while, and one calculation after the other runs in it. What Parsl runs
is our own child in the attempt's directory: what became of it is read there and not from Parsl, so
that a result whose worker was lost afterwards counts.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError
from orchestrator.executor.remote import withdraw
from orchestrator.executor.submissions import End, end_of
from orchestrator.model.site import Site
from orchestrator.ports.compute import Before

LOST = frozenset({"WorkerLost", "ManagerLost"})
"""Parsl's words for a worker process that died, and for a pilot that did or fell silent."""


class Pilots:
    """Pilot jobs of a site (`submissions.Place`). Parsl starts with the first calculation."""

    is_far = True

    def __init__(self, site: Site, root: Path) -> None:
        self._site = site
        self._root = root
        # Parsl's children watch the thread that made them, so this one stays until the end
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parsl")
        self._started: asyncio.Task[Any] | None = None
        self._kernel: Any = None

    async def run(self, directory: Path, before: Before | None) -> End:
        """See `submissions.Place`; what is to be loaded before is loaded by each child."""
        submit = await self._submitter()
        try:
            future: Future[int] = submit(str(directory))
            return end_of(await asyncio.wrap_future(future))
        except asyncio.CancelledError:
            withdraw(directory)
            raise
        except Exception as error:
            withdraw(directory)
            if type(error).__name__ in LOST:
                return End(_lost(error), is_lost=True)
            raise ExecutionError(
                f"the {self._site.kind} site takes no calculations: {error}",
                hint=f"see the blocks' output in {self._root / 'parsl'}",
            ) from error

    async def _submitter(self) -> Any:
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_task(self._start(loop))
        return await asyncio.shield(self._started)

    async def _start(self, loop: asyncio.AbstractEventLoop) -> Any:
        from orchestrator.executor.pilots import start

        self._root.mkdir(parents=True, exist_ok=True)
        self._kernel = await loop.run_in_executor(
            self._thread, start, self._site, self._root / "parsl"
        )
        from orchestrator.executor.pilots import submitter

        return submitter(self._kernel, self._site, _package_path())

    def close(self) -> None:
        """Ends the pilots."""
        if self._kernel is not None:
            self._thread.submit(self._kernel.cleanup).result()
            self._kernel = None
        self._thread.shutdown()


def _package_path() -> str:
    return os.pathsep.join(os.path.abspath(p) for p in sys.path)  # noqa: PTH100  '' too


def _lost(error: Exception) -> str:
    host = getattr(error, "hostname", "") or "a node"
    if type(error).__name__ == "WorkerLost":
        return f"lost its worker process on {host}"
    return f"lost its pilot job on {host}: cancelled, out of walltime, or out of reach"
