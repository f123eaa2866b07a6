"""The guardian of a lab's isolated devices: `guardian FD`, of a socket to the engine.

It waits. When the engine is gone without a farewell (kill -9), or gives no sign of life for
`ENGINE_SILENT_S`, it takes the drivers' processes over, which keep their ports meanwhile, and has
each device made safe in the lab's order. A process that does not answer is ended and another one
started in its place, where nobody else has taken the port. Then it ends them, and itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.errors import DriverLost, PortTaken
from orchestrator.executor.driver_line import DriverLine, kill, start_process
from orchestrator.executor.frames import next_frame, packed
from orchestrator.executor.guardian_record import Record

BEAT_S = 0.5
ENGINE_SILENT_S = 10.0
TAKE_WITHIN_S = 1.0
NEXT_AFTER_S = 1.0
"""Wall time after which the next device is begun with, though the one before has not answered."""
ALL_BEGUN_S = 3.0
"""Wall time after which all are begun with that are left."""
GIVE_UP_S = 15.0
END_WITHIN_S = 3.0
OPEN_WITHIN_S = 2.0


@dataclass
class Group:
    """The drivers of one process, where it is, and who answered on its port."""

    specs: list[dict[str, Any]]
    at: Mapping[str, Any] | None = None
    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None


class Guardian:
    """What the engine told, and what is done when it tells nothing any more."""

    def __init__(self, said: Mapping[str, Any], record: Record) -> None:
        self._hello = said["hello"]
        self._sockets, self._logs = Path(said["sockets"]), Path(said["logs"])
        self._groups = {specs[0]["name"]: Group(specs) for specs in said["drivers"]}
        self._of = {spec["name"]: group for group in self._groups.values() for spec in group.specs}
        self._record = record
        self.engine = said["hello"]["engine"]
        self.heard_at = time.monotonic()
        self.is_farewell = False

    def take(self, frame: Mapping[str, Any]) -> None:
        """A word of the engine."""
        self.heard_at = time.monotonic()
        if "driver" in frame:
            self._groups[frame["driver"]].at = frame["at"]
        elif "known" in frame:
            self._of[frame["known"]].known[frame["known"]] = frame["identity"]
        self.is_farewell = self.is_farewell or "farewell" in frame

    async def act(self, why: str) -> None:
        """Makes the devices safe that the engine had opened, one after the other; one that takes
        its time is not waited for long."""
        groups = [g for g in self._groups.values() if g.at is not None and g.known]
        if not groups:
            return
        all_begun_at = time.monotonic() + ALL_BEGUN_S
        taking = {id(g): asyncio.ensure_future(self._taken(g)) for g in groups}
        self._record.begin(why)
        names = [n for n in self._hello["order"] if n in self._of and n in self._of[n].known]
        making = []
        for name in (n for n in names if id(self._of[n]) in taking):
            making.append(asyncio.ensure_future(self._safe(name, taking[id(self._of[name])])))
            left_s = all_begun_at - time.monotonic()
            await asyncio.wait(making[-1:], timeout=max(0.0, min(NEXT_AFTER_S, left_s)))
        await asyncio.gather(*making)
        await asyncio.gather(*(self._end(g, taking[id(g)]) for g in groups))
        shutil.rmtree(self._sockets, ignore_errors=True)

    async def _taken(self, group: Group) -> DriverLine:
        """The group's process, which does nothing more for the engine; or another one."""
        assert group.at is not None
        with contextlib.suppress(OSError, DriverLost):
            line = await DriverLine.connect(Path(group.at["path"]))
            line.say({"guardian": True})
            asyncio.ensure_future(_give_signs(line))  # noqa: RUF006 - ends with the line
            opened = await line.call_within(TAKE_WITHIN_S, "take")
            group.known = {name: group.known[name] for name in opened if name in group.known}
            return line
        kill(group.at["pid"])
        return await self._replaced(group)

    async def _replaced(self, group: Group) -> DriverLine:
        path = self._sockets / f"guardian-{group.specs[0]['name']}.sock"
        log = self._logs / f"guardian-{group.specs[0]['name']}.txt"
        started = start_process(path, log, os.environ)
        group.at = {"pid": started.child.pid, "path": str(path)}
        group.child = started.child
        line = await DriverLine.connect(path)
        hello = {"drivers": group.specs, "by_guardian": True}
        await line.call_within(GIVE_UP_S, "hello", hello={**self._hello, **hello})
        return line

    async def _reopened(self, line: DriverLine, name: str) -> None:
        """Raises what keeps the device from being made safe: another one, another process."""
        end = time.monotonic() + OPEN_WITHIN_S
        while True:
            try:
                await line.call_within(OPEN_WITHIN_S, "open", name)
                break
            except PortTaken:  # the process that was killed may not have let go yet
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)
        identity, found = (
            self._of[name].known[name],
            await line.call_within(GIVE_UP_S, "identify", name),
        )
        if (found["model"], found["serial"]) != (identity["model"], identity["serial"]):
            raise DriverLost(name, "another device answers than before, so nothing was sent to it")

    async def _safe(self, name: str, taking: asyncio.Future[DriverLine]) -> None:
        try:
            line = await asyncio.shield(taking)
            if name not in self._of[name].known:
                return  # it had been closed
            if self._of[name].child is not None:
                await self._reopened(line, name)
            await line.call_within(GIVE_UP_S, "insist", name)
            self._record.made(name, "")
        except Exception as error:  # noqa: BLE001 - the others are made safe all the same
            self._record.made(name, str(error) or type(error).__name__)

    async def _end(self, group: Group, taking: asyncio.Future[DriverLine]) -> None:
        has_ended = False
        with contextlib.suppress(Exception):  # it could not be reached, or does not answer
            line = await asyncio.shield(taking)
            await line.call_within(END_WITHIN_S, "end")
            async with asyncio.timeout(END_WITHIN_S):
                while not line.is_broken:
                    await asyncio.sleep(0.01)
            has_ended = True
        assert group.at is not None
        if not has_ended:
            kill(group.at["pid"])
        if group.child is not None:
            await asyncio.to_thread(group.child.wait)


async def _give_signs(line: DriverLine) -> None:
    while not line.is_broken:
        line.say({"beat": True})
        await asyncio.sleep(BEAT_S)


async def _listen(reader: asyncio.StreamReader, guardian: Guardian) -> None:
    while not guardian.is_farewell and (frame := await next_frame(reader)) is not None:
        guardian.take(frame)


async def _wait(
    listening: asyncio.Task[None], guardian: Guardian, say: asyncio.StreamWriter
) -> str:
    """Waits as long as the engine lives; gives why not any more, '' after a farewell."""
    engine = guardian.engine
    while not listening.done():
        before = time.monotonic()
        with contextlib.suppress(OSError):
            say.write(packed({"beat": True}))
        await asyncio.wait({listening}, timeout=BEAT_S)
        if time.monotonic() - before > 3 * BEAT_S:  # this process was asleep itself
            guardian.heard_at = time.monotonic()
        silent_s = time.monotonic() - guardian.heard_at
        if not listening.done() and silent_s > ENGINE_SILENT_S:
            return f"the engine (process {engine}) gave no sign of life for {ENGINE_SILENT_S:g} s"
    return "" if guardian.is_farewell else f"the engine (process {engine}) was gone"


async def _guard(number: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=number))
    said = await next_frame(reader)
    if said is None:
        return
    try:
        record = Record(said["hello"]["record"], said["hello"]["engine"])
    except OSError as error:
        writer.write(packed({"failed": str(error)}))
        await writer.drain()
        return
    with record:
        writer.write(packed({"ready": str(record.path)}))
        guardian = Guardian(said, record)
        listening = asyncio.ensure_future(_listen(reader, guardian))
        why = await _wait(listening, guardian, writer)
        if why:
            await guardian.act(why)
        listening.cancel()
    writer.close()


def main(number: int) -> None:
    """Guards for the engine at the other end of that socket, until one of them has done."""
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # it ends with the engine, and never before
    asyncio.run(_guard(number))


if __name__ == "__main__":
    main(int(sys.argv[1]))
