"""A connection to a process of drivers (`orchestrator.executor.driver_process`), from outside."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import DriverLost
from orchestrator.executor.frames import next_frame, packed, retold

Hear = Callable[[Mapping[str, Any]], None]
"""Is given a frame that answers nothing: what passed on a wire, the figures of the wires."""


@dataclass(frozen=True)
class Started:
    """A process of drivers that was started, and the socket at which it listens."""

    child: subprocess.Popen[bytes]
    path: Path


def start_process(path: Path, log: Path, environment: Mapping[str, str]) -> Started:
    """A process of drivers that listens at `path`; `log` takes what it prints. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listening, log.open("ab") as said:
        listening.bind(str(path))
        listening.listen()
        child = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "orchestrator.executor.driver_process",
                str(listening.fileno()),
            ],
            pass_fds=(listening.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=dict(environment),
            start_new_session=True,
        )
    return Started(child, path)


class DriverLine:
    """Calls to a process of drivers. Made within a running event loop, by `connect`.

    `heard_at` is the loop's time of the last word. `on_end` is called once, when the other end is
    gone by itself.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Hear
    ) -> None:
        self.on_end: Callable[[], None] = _nothing
        self._reader, self._writer, self._hear = reader, writer, hear
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self.is_broken = False
        self.heard_at = asyncio.get_running_loop().time()
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(cls, path: Path, hear: Hear = lambda frame: None) -> DriverLine:
        """Connects to the socket at `path`. Raises OSError: nobody listens."""
        reader, writer = await asyncio.open_unix_connection(path)
        return cls(reader, writer, hear)

    def say(self, what: Mapping[str, Any]) -> None:
        """Sends a frame that nobody answers."""
        if not self.is_broken:
            self._writer.write(packed(what))

    async def call(self, do: str, resource: str = "", **facts: Any) -> Any:
        """What came of a call. Cancelled, it is given up at the other end, and that is waited for.

        Raises:
            DriverLost: the other end is gone, or goes before it answers.
            Exception: whatever the driver raised.
        """
        if self.is_broken:
            raise DriverLost(resource, "the process of its driver is gone")
        self.on_end = self.on_end if do != "end" else _nothing
        number = next(self._numbers)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = resource, future
        self.say({"id": number, "do": do, "resource": resource, **facts})
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self.say({"cancel": number})
            return await future
        finally:
            del self._waiting[number]

    async def call_within(self, seconds: float, do: str, resource: str = "", **facts: Any) -> Any:
        """As `call`, of a process that may hang: without an answer by then, none is waited for.

        Raises:
            DriverLost: there was none; the connection is of no more use.
        """
        calling = asyncio.ensure_future(self.call(do, resource, **facts))
        done, _ = await asyncio.wait({calling}, timeout=seconds)
        if not done:
            self.lose(f"the process of its driver did not answer within {seconds:g} s")
            self.close()
        return await calling

    def lose(self, sentence: str, hint: str = "") -> None:
        """All that wait for an answer are told that none will come."""
        for resource, future in self._waiting.values():
            if not future.done():
                future.set_exception(DriverLost(resource, sentence, hint=hint))
                future.exception()  # nobody may be waiting for it

    def close(self) -> None:
        """Breaks the connection; `on_end` is not called."""
        self.on_end = _nothing
        self.is_broken = True
        self._reading.cancel()
        self._writer.close()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while (frame := await next_frame(self._reader)) is not None:
            self.heard_at = loop.time()
            if "id" not in frame:
                self._hear(frame)
            elif frame["id"] in self._waiting:
                _settle(self._waiting[frame["id"]][1], frame)
        self.is_broken = True
        self._writer.close()
        self.on_end()


def _settle(future: asyncio.Future[Any], frame: Mapping[str, Any]) -> None:
    if future.done():
        return
    if "failed" in frame:
        future.set_exception(retold(frame["failed"]))
        future.exception()  # it may have been given up meanwhile
    elif "cancelled" in frame:
        future.cancel()
    else:
        future.set_result(frame["gave"])


def _nothing() -> None:
    pass


def how_it_ended(code: int) -> str:
    """A child's exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by signal {-code} ({signal.Signals(-code).name})"
    return f"was ended by signal {-code}"


def kill(pid: int) -> None:
    """SIGKILL; a process that is gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
