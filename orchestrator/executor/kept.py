"""The near end of a keeper (`orchestrator.executor.keeper`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError
from orchestrator.ports.compute import Before

IS_POSSIBLE = hasattr(os, "pidfd_open")


class Kept:
    """One keeper, and the calculations that it runs. Made within a running event loop."""

    def __init__(self, before: Before, environment: Mapping[str, str], output: Path) -> None:
        """Starts the process; `output` takes what it prints."""
        with output.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "orchestrator.executor.keeper", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=dict(environment),
                start_new_session=True,
            )
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._ends: dict[str, asyncio.Future[int]] = {}
        self._pids: dict[str, int] = {}
        self._unwanted: set[str] = set()
        self._rest = b""
        self._write({"function": before.function, "arguments": dict(before.arguments)})
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._loop.add_reader(self._process.stdout.fileno(), self._read)

    @property
    def is_up(self) -> bool:
        """Whether it takes calculations."""
        return self._process.poll() is None

    @property
    def was_ready(self) -> bool:
        """Whether it had loaded what is needed."""
        return self._ready.done() and self._ready.exception() is None

    async def run(self, directory: Path) -> int:
        """Runs the request of a directory; the child's exit code.

        Raises:
            ExecutionError: the keeper could not load what is needed, or died.
        """
        await asyncio.shield(self._ready)
        name = str(directory)
        self._ends[name] = self._loop.create_future()
        try:
            self._write({"directory": name})
            return await self._ends[name]
        except asyncio.CancelledError:
            self._unwanted.add(name)
            self._kill_unwanted()
            raise
        finally:
            self._ends.pop(name, None)

    def close(self) -> None:
        """Ends it, and with it the calculations that still run."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._loop.is_closed():
            self._loop.remove_reader(self._process.stdout.fileno())
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()
        self._fail("it was closed")

    def _write(self, what: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._died(str(error)) from error

    def _read(self) -> None:
        assert self._process.stdout is not None
        found = self._process.stdout.read(65_536)
        if found is None:
            return
        if not found:
            self._loop.remove_reader(self._process.stdout.fileno())
            self._process.wait()
            self._fail(f"it ended with code {self._process.returncode}")
            return
        *lines, self._rest = (self._rest + found).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, said: Mapping[str, Any]) -> None:
        if "ready" in said:
            self._ready.set_result(None)
        elif "fault" in said:
            self._fail(str(said["fault"]))
        elif "pid" in said:
            self._pids[said["directory"]] = said["pid"]
            self._kill_unwanted()
        else:
            name = said["directory"]
            self._pids.pop(name, None)
            self._unwanted.discard(name)
            if name in self._ends and not self._ends[name].done():
                self._ends[name].set_result(said["code"])

    def _kill_unwanted(self) -> None:
        """Those that were cancelled, also before it was known which process they are."""
        for name in self._unwanted & self._pids.keys():
            # it may not be the leader of its group yet
            for kill in (os.kill, os.killpg):
                with contextlib.suppress(ProcessLookupError):
                    kill(self._pids[name], signal.SIGKILL)

    def _fail(self, why: str) -> None:
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._ends.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(self._died(why))
                future.exception()  # nobody may be waiting for it

    def _died(self, why: str) -> ExecutionError:
        return ExecutionError(
            f"the process that keeps what calculations need failed: {why}",
            hint=f"see {self._output}",
        )
