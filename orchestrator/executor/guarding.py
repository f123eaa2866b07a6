"""The near end of a guardian (`orchestrator.executor.guardian`): what the engine tells it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.clock import ScaledClock, WallClock
from orchestrator.errors import ExecutionError
from orchestrator.executor.driver_line import Started, kill
from orchestrator.executor.frames import next_frame, packed
from orchestrator.executor.guardian_record import Recorded, read_record
from orchestrator.ports.clock import Clock

BEAT_S = 0.5
HUNG_AFTER_S = 10.0
READY_WITHIN_S = 60.0
END_WITHIN_S = 5.0


@dataclass(frozen=True)
class Place:
    """Where the processes of isolated drivers have their `sockets` (a short path), their `logs`
    and the guardian's `records`; the environment in which they are started; and the folder in
    which their `traffic` is recorded, '' for none."""

    sockets: Path
    logs: Path
    records: Path
    environment: Mapping[str, str]
    traffic: str = ""


class Guarding:
    """Keeps one guardian alive, and lets it know what it needs. Used within one event loop.

    `drivers` are those of each process as these are told of them, `order` the resources that are
    made safe when this process is gone. `on_acted` is told what a guardian did although this
    process lives: it had been stopped for a while.
    """

    def __init__(
        self,
        place: Place,
        clock: Clock,
        drivers: Sequence[Sequence[Mapping[str, Any]]],
        order: Sequence[str],
    ) -> None:
        self.place = place
        self.on_acted: Callable[[Recorded], None] = lambda recorded: None
        self._clock = clock
        self._drivers, self._order = drivers, tuple(order)
        self._said: dict[str, dict[str, Any]] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._watching: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._record: Path | None = None
        self._heard_at = 0.0

    async def start(self) -> None:
        """Starts the guardian where there is none.

        Raises:
            OSError: it cannot be started.
            ExecutionError: it cannot keep a record.
        """
        self.place.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with self._starting:
            if self._child is None:
                reader = await self._started()
                self._watching = asyncio.ensure_future(self._watch(reader))

    async def _started(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        self.place.logs.mkdir(parents=True, exist_ok=True)
        log = self.place.logs / "guardian.txt"
        with theirs, log.open("ab") as said:
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "orchestrator.executor.guardian",
                    str(theirs.fileno()),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=dict(self.place.environment),
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._say(
            {
                "drivers": self._drivers,
                "hello": self.hello([]),
                "sockets": str(self.place.sockets),
                "logs": str(self.place.logs),
            }
        )
        for said_before in self._said.values():
            self._say(said_before)
        async with asyncio.timeout(READY_WITHIN_S):
            ready = await next_frame(reader) or {"failed": f"it ended: see {log}"}
        if "failed" in ready:
            self._writer.close()
            self._child.wait()
            self._child = None
            raise ExecutionError(
                f"the guardian of the isolated devices cannot keep its record: {ready['failed']}",
                hint=f"it is kept in {self.place.records}",
            )
        self._record = Path(ready["ready"])
        self._heard_at = asyncio.get_running_loop().time()
        return reader

    def hello(self, drivers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What a process of these drivers is told first."""
        clock: dict[str, float | None] = {"speed": None}
        if isinstance(self._clock, ScaledClock):
            now, at = self._clock.now(), time.monotonic()
            clock = {"speed": self._clock.speed, "now": now, "at": at}
        elif isinstance(self._clock, WallClock):
            clock = {"speed": None, "since_epoch": self._clock.since_epoch}
        return {
            "drivers": list(drivers),
            "clock": clock,
            "order": list(self._order),
            "record": str(self.place.records),
            "traffic": self.place.traffic,
            "engine": os.getpid(),
        }

    def tell_driver(self, names: Sequence[str], started: Started | None) -> None:
        """Which process has these drivers; None: none has them any more."""
        at = {"pid": started.child.pid, "path": str(started.path)} if started else None
        self._tell(f"driver {names[0]}", {"driver": names[0], "at": at})

    def tell_known(self, resource: str, identity: Mapping[str, Any]) -> None:
        """Who answered as that resource."""
        self._tell(f"known {resource}", {"known": resource, "identity": dict(identity)})

    def _tell(self, what: str, said: dict[str, Any]) -> None:
        self._said[what] = said
        self._say(said)

    def _say(self, said: Mapping[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(packed(said))

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        """Gives signs of life, and puts another guardian in the place of one that is gone."""
        while True:
            listening = asyncio.ensure_future(self._listen(reader))
            await self._beat(listening)
            listening.cancel()
            assert self._child is not None
            kill(self._child.pid)
            await asyncio.to_thread(self._child.wait)
            acted = read_record(self._record) if self._record is not None else None
            if acted is not None:
                self.on_acted(acted)
            reader = await self._another()

    async def _another(self) -> asyncio.StreamReader:
        """A new guardian, however long it takes: without one each process of drivers makes its own
        devices safe when this process is gone, in no order among them."""
        while True:
            with contextlib.suppress(OSError, ExecutionError, TimeoutError):
                return await self._started()
            await asyncio.sleep(HUNG_AFTER_S / 10)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while await next_frame(reader) is not None:
            self._heard_at = asyncio.get_running_loop().time()

    async def _beat(self, listening: asyncio.Task[None]) -> None:
        """Until the guardian is gone, or gives no sign of life itself."""
        loop = asyncio.get_running_loop()
        while not listening.done():
            before = loop.time()
            self._say({"beat": True})
            await asyncio.wait({listening}, timeout=BEAT_S)
            if loop.time() - before > 3 * BEAT_S:  # this process was asleep
                self._heard_at = loop.time()
            elif loop.time() - self._heard_at > HUNG_AFTER_S:
                return

    async def end(self) -> None:
        """Tells the guardian that all is in order, and waits for its end."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        child, self._child = self._child, None
        if child is None:
            return
        self._say({"farewell": True})
        try:
            async with asyncio.timeout(END_WITHIN_S):
                while child.poll() is None:
                    await asyncio.sleep(0.005)
        except TimeoutError:
            kill(child.pid)
            await asyncio.to_thread(child.wait)
        assert self._writer is not None
        self._writer.close()
        for log in self.place.logs.glob("*.txt"):
            if log.stat().st_size == 0:
                log.unlink()
        for folder in (self.place.logs, self.place.sockets):
            with contextlib.suppress(OSError):  # something is left in it
                folder.rmdir()
