"""Calculations in child processes of this machine (`ports.compute.Compute`).

Each attempt has a directory of its own, `<root>/<ticket>/<attempt>`, with `request.json`, what the
child printed, and `result.json`, which appears whole or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import CalculationFailed, ExecutionError
from orchestrator.executor.kept import IS_POSSIBLE, Kept
from orchestrator.executor.known import KnownResults
from orchestrator.ports.clock import Clock
from orchestrator.ports.compute import Before


class LocalCompute:
    """At most `workers` children at a time, each with one thread. Results with a key are kept in
    `results`, if it is given, and taken from there."""

    def __init__(
        self, root: Path, clock: Clock, *, workers: int = 2, results: KnownResults | None = None
    ) -> None:
        self._root = root
        self._clock = clock
        self._results = results
        self._one_by_one: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(workers)
        self._kept: dict[str, Kept] = {}

    async def submit(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        ticket: str = "",
        key: str = "",
        before: Before | None = None,
    ) -> Mapping[str, Any]:
        """See `ports.compute`."""
        if self._results is None or not key:
            found = await self._in_a_slot(function, arguments, ticket, before)
            return {**found, "reused": 0} if key else found
        async with self._one_by_one.setdefault(key, asyncio.Lock()):
            known = self._results.get(key)
            if known is not None:
                return {**known, "reused": 1}
            found = await self._in_a_slot(function, arguments, ticket, before)
            with contextlib.suppress(OSError):  # it has its directory, and goes into the journal
                request = {"function": function, "arguments": dict(arguments)}
                self._results.put(key, request, found)
            return {**found, "reused": 0}

    async def _in_a_slot(
        self, function: str, arguments: Mapping[str, Any], ticket: str, before: Before | None
    ) -> Mapping[str, Any]:
        async with self._slots:
            with self._clock.work():
                directory = self._attempt_directory(ticket)
                request = {"function": function, "arguments": dict(arguments)}
                (directory / "request.json").write_text(json.dumps(request, indent=1))
                if before is None or not IS_POSSIBLE:
                    code = await _run(directory)
                else:
                    code = await self._keeper(before).run(directory)
                return _answer(directory, function, code)

    def _keeper(self, before: Before) -> Kept:
        name = json.dumps([before.function, dict(before.arguments)], sort_keys=True)
        if name in self._kept and not self._kept[name].is_up:
            self._kept.pop(name).close()
        if name not in self._kept:
            output = self._root / "keeper.txt"
            self._kept[name] = Kept(before, _environment(), output)
        return self._kept[name]

    def close(self) -> None:
        """Ends what was kept loaded, and what it still runs."""
        for one in self._kept.values():
            one.close()
        self._kept.clear()

    async def known(self, ticket: str) -> Mapping[str, Any] | None:
        """See `ports.compute`."""
        if not ticket:
            return None
        for path in sorted((self._root / ticket).glob("*/result.json"), reverse=True):
            answer = json.loads(path.read_text())
            if "result" in answer:
                result: Mapping[str, Any] = answer["result"]
                return result
        return None

    def _attempt_directory(self, ticket: str) -> Path:
        if not ticket:
            self._root.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(dir=self._root))
        parent = self._root / ticket
        parent.mkdir(parents=True, exist_ok=True)
        directory = parent / f"{len(list(parent.iterdir())) + 1:03d}"
        directory.mkdir()
        return directory


def _environment() -> dict[str, str]:
    """One thread; packages not from the working directory, where a folder may have the name of
    one."""
    path = os.pathsep.join(os.path.abspath(p) for p in sys.path)  # noqa: PTH100  '' too
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **threads, "PYTHONPATH": path}


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
            env=_environment(),
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


def _answer(directory: Path, function: str, code: int) -> Mapping[str, Any]:
    path = directory / "result.json"
    if not path.exists():
        raise ExecutionError(
            f"{function} ended with code {code} and without a result",
            hint=f"see {directory / 'output.txt'}",
        )
    answer: Mapping[str, Any] = json.loads(path.read_text())
    if "fault" in answer:
        raise ExecutionError(f"{function}: {answer['fault']}", hint=f"see {directory}")
    if "error" in answer:
        raise CalculationFailed(f"{function}: {answer['error']}", hint=f"see {directory}")
    result: Mapping[str, Any] = answer["result"]
    return result
