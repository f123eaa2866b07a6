"""A process that serves twins, as seen by who tries drivers on them."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.record import ROOT


class Child:
    """`serving` in a process of its own; orders may overlap."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, folder: Path) -> Child:
        """Starts it; its serial lines lie in the folder."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.drivers.serving", str(folder)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        return cls(process)

    async def ask(self, do: str, bench: str, **facts: Any) -> dict[str, Any]:
        """One order and its answer."""
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        assert self._process.stdin is not None
        line = json.dumps({"do": do, "bench": bench, "n": number, **facts})
        self._process.stdin.write(f"{line}\n".encode())
        return await future

    async def end(self) -> None:
        """Ends it."""
        self._process.terminate()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            self._waiting.pop(answer["n"]).set_result(answer)
        for future in self._waiting.values():
            future.set_exception(RuntimeError("the twins' process ended"))
