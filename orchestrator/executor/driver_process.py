"""The process in which drivers run alone: `driver_process FD`, of a Unix socket that listens.

Whoever connects says `{"hello": ...}` first: the engine with the drivers to be made, the guardian
with `{"guardian": true}`. Then come calls `{"id": 1, "do": "act", "resource": ..., ...}`, answered
by `{"id": 1, "gave": ...}`, `{"id": 1, "failed": ...}` or `{"id": 1, "cancelled": true}`, and
`{"cancel": 1}`. The engine is sent `{"figures": ...}` twice a second, what was counted on the wires
since the last one, which is the heartbeat; and `{"passed": [NAME, LINE]}` where they are recorded:
without an engine that goes into the folder of the record (`last_traffic`).

When the engine is gone, what it wanted is given up, and the guardian has its say. If that is gone
too, the process makes its devices safe by itself, which is the last that it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import importlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from orchestrator.clock import ScaledClock, WallClock
from orchestrator.errors import DeviceError, DriverLost, HaganeError
from orchestrator.executor.faults import fault_of
from orchestrator.executor.frames import next_frame, packed, told, written
from orchestrator.executor.guardian_record import Record
from orchestrator.executor.last_traffic import LastTraffic
from orchestrator.executor.safing import insist, insist_on, let_go
from orchestrator.ports.action import ActionSpec, actions_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Bench
from orchestrator.ports.results import named_results
from orchestrator.ports.traffic import Figures, Passage

BEAT_S = 0.5
ORPHAN_S = 2.0
"""Wall time without a word of the guardian after which a process without an engine acts alone."""
FIRST_WORD_S = 20.0
SAFE_WITHIN_S = 15.0
LET_GO_WITHIN_S = 2.0
TAKEN = 3
"""The exit code when the guardian had taken it over."""


class Drivers:
    """The drivers of one process, and what is being asked of them."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.ended = asyncio.Event()
        self.is_taken = False
        self._is_alone = False
        self._hello: Mapping[str, Any] = {}
        self._open: set[str] = set()
        self._figures: dict[str, Figures] = {}
        self._actions: dict[str, Mapping[str, ActionSpec]] = {}
        self._engine: asyncio.StreamWriter | None = None
        self._calls: dict[tuple[asyncio.StreamWriter, int], asyncio.Task[None]] = {}
        self._heard_at = time.monotonic()
        self._watching: set[asyncio.Task[None]] = set()
        self._last: LastTraffic | None = None
        self._keeping = threading.Lock()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        said = await next_frame(reader) or {}
        if "hello" in said:
            self._engine, self._hello = writer, said["hello"]
            self._make(said["id"])
            self._watch(self._beat(writer))
        while not self.ended.is_set():
            try:
                frame = await next_frame(reader)
            except asyncio.CancelledError:  # the process ends
                return
            if frame is None:
                break
            self._heard_at = time.monotonic()
            self._take(frame, writer)
        for (asker, _), task in self._calls.items():
            if asker is writer:
                task.cancel()
        is_over = writer is self._engine or self.is_taken
        if is_over and not self.ended.is_set() and not self._is_alone:
            self._is_alone = True
            self._watch(self._alone())
        writer.close()

    def _watch(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    def _make(self, number: int) -> None:
        """The drivers that the engine wants; nothing is opened."""
        assert self._engine is not None
        clock = _clock(self._hello["clock"])
        try:
            for spec in self._hello["drivers"]:
                self.resources[spec["name"]] = self._made(spec, clock)
        except Exception as error:  # noqa: BLE001 - whatever it was, the engine is told
            traceback.print_exc()
            self._send(self._engine, {"id": number, "failed": told(error)})
            return
        self._send(self._engine, {"id": number, "gave": None})

    def _made(self, spec: Mapping[str, Any], clock: Clock) -> Any:
        name, loop = spec["name"], asyncio.get_running_loop()
        self._figures[name] = Figures()

        def record(passage: Passage) -> None:
            if self._has_no_engine:
                self._keep(name, passage)
                return
            said = {"passed": [name, passage.line(name)]}
            with contextlib.suppress(RuntimeError):  # the process ends
                loop.call_soon_threadsafe(self._tell, said)

        bench = Bench(
            name=name,
            clock=clock,
            record=record if spec["is_recorded"] else None,
            figures=self._figures[name],
        )
        module, _, path = spec["target"].partition(":")
        found: Any = importlib.import_module(module)
        for word in path.split("."):
            found = getattr(found, word)
        if spec["declaration"]:
            found = found.declared(spec["declaration"])
        self._actions[name] = actions_of(found)
        return found(bench=bench, **spec["options"])

    @property
    def _has_no_engine(self) -> bool:
        return self.is_taken or self._is_alone or "by_guardian" in self._hello

    def _keep(self, name: str, passage: Passage) -> None:
        """What no engine takes any more. Called from any thread."""
        if not self._hello["traffic"]:
            return
        with self._keeping:
            self._last = self._last or LastTraffic(Path(self._hello["traffic"]))
        self._last.take(name, passage)

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            self._tell({"figures": self._counted()})
            await asyncio.sleep(BEAT_S)

    def _tell(self, said: Mapping[str, Any]) -> None:
        if self._engine is not None:
            self._send(self._engine, said)

    def _counted(self) -> dict[str, Any]:
        """What the figures of the wires came to since this was last asked."""
        counted = {}
        for name, figures in self._figures.items():
            now = {f.name: getattr(figures, f.name) for f in fields(figures)}
            counted[name] = {**now, "latencies_s": list(figures.latencies_s)}
            figures.latencies_s.clear()
            for number in now.keys() - {"latencies_s"}:
                setattr(figures, number, 0)
        return counted

    def _take(self, frame: Mapping[str, Any], writer: asyncio.StreamWriter) -> None:
        if "cancel" in frame:
            task = self._calls.get((writer, frame["cancel"]))
            if task is not None:
                task.cancel()
        elif "id" in frame:
            self._calls[writer, frame["id"]] = call = asyncio.ensure_future(
                self._answer(frame, writer)
            )
            call.add_done_callback(lambda done: self._over(frame, writer, done))

    def _over(
        self, frame: Mapping[str, Any], writer: asyncio.StreamWriter, call: asyncio.Task[None]
    ) -> None:
        self._calls.pop((writer, frame["id"]), None)
        if call.cancelled():  # before it had begun, so that `_answer` told nobody
            self._send(writer, {"id": frame["id"], **self._why_cancelled(frame, writer)})
        elif (error := call.exception()) is not None:
            fault = _fault(frame, error)
            self._send(writer, {"id": frame["id"], "failed": told(fault)})

    async def _answer(self, frame: Mapping[str, Any], writer: asyncio.StreamWriter) -> None:
        answer: dict[str, Any] = {"id": frame["id"]}
        try:
            answer["gave"] = await self._done(frame, writer)
        except asyncio.CancelledError:
            answer |= self._why_cancelled(frame, writer)
        except BaseException as error:  # noqa: BLE001 - whatever it was, somebody waits for it
            if not isinstance(error, HaganeError):
                traceback.print_exc()
            answer["failed"] = told(error if isinstance(error, Exception) else _fault(frame, error))
        self._send(writer, answer)

    def _why_cancelled(
        self, frame: Mapping[str, Any], writer: asyncio.StreamWriter
    ) -> dict[str, Any]:
        if self.is_taken and writer is self._engine:
            return {"failed": told(self._lost(frame))}
        return {"cancelled": True}

    def _lost(self, frame: Mapping[str, Any]) -> DriverLost:
        return DriverLost(frame.get("resource", ""), "the guardian has taken it over")

    async def _done(self, frame: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        if self.is_taken and writer is self._engine:
            raise self._lost(frame)
        do = frame["do"]
        if do == "take":
            return self._give_to_guardian()
        if do == "end":
            self._tell({"figures": self._counted()})
            self.ended.set()
            return None
        if do == "act":
            return await self._act(frame["resource"], frame["action"], frame["arguments"])
        if do == "ask":
            verdict = await self.resources[frame["resource"]].ask(frame["ticket"])
            return {**asdict(verdict), "results": written(verdict.results)}
        if do == "results_of":
            facts = (frame["action"], frame["arguments"], frame["ticket"])
            return written(await self.resources[frame["resource"]].results_of(*facts))
        return await self._ordinary(do, frame["resource"])

    async def _ordinary(self, do: str, name: str) -> Any:
        """What every resource can do."""
        resource = self.resources[name]
        if do == "insist":
            return await insist(resource)
        if do == "close":
            self._open.discard(name)
        gave = await getattr(resource, do)()
        if do == "open":
            self._open.add(name)
        return asdict(gave) if do in ("identify", "health") else None

    async def _act(self, name: str, action: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        returned = await getattr(self.resources[name], action)(**arguments)
        return written(named_results(name, self._actions[name][action], returned))

    def _give_to_guardian(self) -> list[str]:
        """From now on nothing is done for the engine any more; gives what is open."""
        self.is_taken = True
        for (asker, _), task in self._calls.items():
            if asker is self._engine:
                task.cancel()
        return sorted(self._open)

    async def _alone(self) -> None:
        """The engine is gone: waits for the guardian, or acts in its place."""
        self._heard_at = time.monotonic()
        while time.monotonic() - self._heard_at < ORPHAN_S:
            await asyncio.sleep(BEAT_S / 5)
        if self.ended.is_set() or not self._open:
            self.ended.set()
            return
        with Record(self._hello["record"], self._hello["engine"]) as record:
            record.begin("the engine and its guardian were gone")
            order = [name for name in self._hello["order"] if name in self._open]
            await asyncio.gather(*(self._safe(name, record) for name in order))
        self.ended.set()

    async def _safe(self, name: str, record: Record) -> None:
        try:
            async with asyncio.timeout(SAFE_WITHIN_S):
                await insist_on(name, self.resources[name])
            record.made(name, "")
        except Exception as error:  # noqa: BLE001 - the others are made safe all the same
            record.made(name, str(error) or f"no answer in {SAFE_WITHIN_S:g} s")

    def _send(self, writer: asyncio.StreamWriter, said: Mapping[str, Any]) -> None:
        frame = packed(said)
        with contextlib.suppress(RuntimeError, OSError):  # it has gone meanwhile
            if not writer.is_closing():
                writer.write(frame)

    async def close(self) -> None:
        """Lets go of every port."""
        closing = [let_go(name, self.resources[name]) for name in self._open]
        if closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LET_GO_WITHIN_S):
                    await asyncio.gather(*closing, return_exceptions=True)
        if self._last is not None:
            await asyncio.to_thread(self._last.close)

    async def wait(self) -> None:
        """Until it is told to end, or nobody has come."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), FIRST_WORD_S)
        if self.resources:
            await self.ended.wait()


def _fault(frame: Mapping[str, Any], error: BaseException) -> DeviceError:
    return fault_of(frame.get("resource", ""), frame.get("action", frame["do"]), error)


def _clock(said: Mapping[str, Any]) -> WallClock:
    """The engine's campaign time: both have the system's monotonic clock, and what the computer's
    clock was set to meanwhile counts on neither side."""
    if said["speed"] is None:
        return WallClock(said.get("since_epoch"))
    passed_s = time.monotonic() - said["at"]
    return ScaledClock(said["speed"], said["now"] + passed_s * said["speed"])


async def _serve(listening: socket.socket) -> int:
    drivers = Drivers()
    server = await asyncio.start_unix_server(drivers.serve, sock=listening)
    await drivers.wait()
    server.close()
    await drivers.close()
    await asyncio.sleep(0)  # the answer to `end` is written
    return TAKEN if drivers.is_taken else 0


def main(number: int) -> int:
    """Serves the listening socket of that number, until it is told to end."""
    faulthandler.enable()
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # they are meant for the engine, which tells us
    listening = socket.socket(fileno=number)
    code = asyncio.run(_serve(listening))
    sys.stdout.flush()
    os._exit(code)  # a driver's thread may hang


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
