"""Resources whose drivers run alone: the near end of a process, and what stands for a resource.

A driver that crashes or hangs takes nothing along but the others on its port. Its process is then
ended and the engine told; whoever uses the resource next, be it to make it safe, has it started
anew, as after a plug was pulled: the device is identified, and compared with the one before.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.errors import DeviceAbsent, DriverLost, WrongDevice
from orchestrator.executor.driver_line import (
    DriverLine,
    Started,
    how_it_ended,
    kill,
    start_process,
)
from orchestrator.executor.driver_process import TAKEN
from orchestrator.executor.frames import read
from orchestrator.executor.guarding import Guarding
from orchestrator.ports.action import ActionSpec, Ticket
from orchestrator.ports.resource import Health, Identity, ResourceKind, Verdict
from orchestrator.ports.traffic import Figures, Record, read_passage

HUNG_AFTER_S = 5.0
"""Wall time without a heartbeat after which a driver's process counts as hung."""
LOOK_S = 0.5
END_WITHIN_S = 5.0
LONG_STEP = 3
"""So many times later than it should come, a look says nothing: this process itself was asleep."""


@dataclass(frozen=True)
class Spec:
    """A driver, as its process makes it, of the class at `target` ("module:class").

    `options` are those of its constructor; `record` takes what passes on its wires, and `figures`
    are those of its wires, as of any driver. A `declaration` (JSON) makes of the class another.
    """

    name: str
    kind: ResourceKind
    target: str
    options: Mapping[str, Any]
    record: Record | None = None
    figures: Figures = field(default_factory=Figures)
    declaration: str = ""

    def told(self) -> dict[str, Any]:
        """As the process is told of it."""
        return {
            "name": self.name,
            "target": self.target,
            "options": dict(self.options),
            "declaration": self.declaration,
            "is_recorded": self.record is not None,
        }


@dataclass(frozen=True)
class Lost:
    """A process that ended or hung, and the resources behind it."""

    resources: tuple[str, ...]
    why: str
    hint: str


class DriverProcess:
    """The process of the drivers on one port, started when it is needed.

    `generation` counts how often it was started.
    """

    def __init__(
        self, specs: Sequence[Spec], guarding: Guarding, on_lost: Callable[[Lost], None]
    ) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.generation = 0
        self.guarding = guarding
        self._on_lost = on_lost
        self._line: DriverLine | None = None
        self._started: Started | None = None
        self._starting = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._mourning: set[asyncio.Task[None]] = set()
        self._hung = ""

    @property
    def is_up(self) -> bool:
        """Whether there is a process, as far as is known."""
        return self._line is not None and not self._line.is_broken

    @property
    def log(self) -> Path:
        """Where what the drivers print is kept."""
        return self.guarding.place.logs / f"{'-'.join(self.specs)}.txt"

    async def line(self) -> DriverLine:
        """The connection to the process, which is started where there is none.

        Raises:
            DriverLost: it cannot be started.
            Exception: a driver cannot be made.
        """
        async with self._starting:
            if self._line is None or self._line.is_broken:
                await self._end_child()
                self._line = await self._connected()
            return self._line

    async def _connected(self) -> DriverLine:
        self.generation += 1
        guarding = self.guarding
        try:
            await guarding.start()
            path = guarding.place.sockets / f"{next(_numbers)}.sock"
            started = start_process(path, self.log, guarding.place.environment)
            self._started = started
            guarding.tell_driver(tuple(self.specs), started)
            line = await DriverLine.connect(path, self._heard)
            line.on_end = lambda: self._ended(line, started)
        except OSError as error:
            raise DriverLost(
                next(iter(self.specs)), f"the process of its driver cannot be started: {error}"
            ) from error
        try:
            hello = guarding.hello([spec.told() for spec in self.specs.values()])
            await line.call("hello", next(iter(self.specs)), hello=hello)
        except BaseException:
            line.close()
            raise
        self._watching = asyncio.ensure_future(self._watch(line, started))
        return line

    def _heard(self, frame: Mapping[str, Any]) -> None:
        """What passed on a wire, or how wires behaved since they were last told of."""
        if "passed" in frame:
            resource, line = frame["passed"]
            record = self.specs[resource].record
            if record is not None:
                record(read_passage(line))
        for resource, since in frame.get("figures", {}).items():
            figures = self.specs[resource].figures
            figures.latencies_s.extend(since.pop("latencies_s"))
            for name, number in since.items():
                setattr(figures, name, getattr(figures, name) + number)

    async def _watch(self, line: DriverLine, started: Started) -> None:
        """Ends a process that gives no sign of life; the rest follows from its end."""
        loop = asyncio.get_running_loop()
        while not line.is_broken:
            before = loop.time()
            await asyncio.sleep(LOOK_S)
            if loop.time() - before > LONG_STEP * LOOK_S:
                line.heard_at = loop.time()
            elif loop.time() - line.heard_at > HUNG_AFTER_S:
                self._hung = f"gave no sign of life for {HUNG_AFTER_S:g} s and was ended"
                kill(started.child.pid)
                return

    def _ended(self, line: DriverLine, started: Started) -> None:
        mourning = asyncio.ensure_future(self._mourn(line, started))
        self._mourning.add(mourning)
        mourning.add_done_callback(self._mourning.discard)

    async def _mourn(self, line: DriverLine, started: Started) -> None:
        kill(started.child.pid)  # it may have closed its line only
        code = await asyncio.to_thread(started.child.wait)
        how = self._hung or how_it_ended(code)
        self._hung = ""
        if code == TAKEN:
            how = "was ended by the guardian, which had made it safe"
        sentence, hint = f"the process of its driver {how}", f"what it printed is in {self.log}"
        line.lose(sentence, hint)
        self._on_lost(Lost(tuple(self.specs), sentence, hint))

    async def end(self) -> None:
        """Lets it come to its end, in which it lets go of its ports."""
        async with self._starting:
            line, self._line = self._line, None
            if line is not None and not line.is_broken:
                with contextlib.suppress(DriverLost):
                    await line.call_within(END_WITHIN_S, "end")
            if line is not None:
                line.close()
            await self._end_child()

    async def _end_child(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        started, self._started = self._started, None
        if started is None:
            return
        try:
            async with asyncio.timeout(END_WITHIN_S):
                while started.child.poll() is None:
                    await asyncio.sleep(0.005)
        except TimeoutError:
            kill(started.child.pid)
            await asyncio.to_thread(started.child.wait)
        started.path.unlink(missing_ok=True)
        self.guarding.tell_driver(tuple(self.specs), None)


_numbers = itertools.count(1)


class Isolated:
    """What stands for a resource whose driver runs alone (`ports.resource.Resource`); its actions
    are those of the driver, and give named results."""

    def __init__(self, spec: Spec, process: DriverProcess, users: set[str]) -> None:
        self._name = spec.name
        self._actions: Mapping[str, ActionSpec] = spec.kind.actions
        self._process = process
        self._users = users
        self._opened_in = 0
        self._identity: Identity | None = None
        self._opening = asyncio.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name in self._actions:
            return functools.partial(self._act, name)
        raise AttributeError(f"'{self._name}' has no '{name}'")

    async def open(self) -> None:
        """Starts the process where there is none, and connects. Raises DeviceAbsent, PortTaken."""
        self._users.add(self._name)
        line = await self._process.line()
        generation = self._process.generation
        await line.call("open", self._name)
        self._opened_in = generation

    async def close(self) -> None:
        """Disconnects, and ends the process with its last user; never raises."""
        self._opened_in = 0
        self._users.discard(self._name)
        if not self._users:
            await self._process.end()
        if not self._process.is_up:
            return
        with contextlib.suppress(Exception):
            line = await self._process.line()
            await line.call_within(END_WITHIN_S, "close", self._name)

    async def identify(self) -> Identity:
        """Asks who is there. Raises DeviceError."""
        identity = Identity(**await self._call("identify"))
        self._identity = identity
        self._process.guarding.tell_known(self._name, asdict(identity))
        return identity

    async def health(self) -> Health:
        """Asks whether it is fit for work. Raises DeviceError."""
        return Health(**await self._call("health"))

    async def make_safe(self) -> None:
        """Brings it into its safe state, in a new process where the old one is gone."""
        await self._call("make_safe")

    async def _act(self, action: str, **arguments: Any) -> dict[str, Any]:
        return read(await self._call("act", action=action, arguments=arguments))

    async def _call(self, do: str, **facts: Any) -> Any:
        line = await self._ready()
        try:
            return await line.call(do, self._name, **facts)
        except DriverLost as error:
            error.resource = self._name
            raise

    async def _ready(self) -> DriverLine:
        if not self._opened_in:
            raise DeviceAbsent(self._name, "is not open", hint="open the resource first")
        line = await self._process.line()
        if self._opened_in != self._process.generation:
            async with self._opening:
                if self._opened_in != self._process.generation:
                    await self._reopen(line)
        return line

    async def _reopen(self, line: DriverLine) -> None:
        """As after a plug was pulled. What was set before is not set again."""
        generation = self._process.generation
        await line.call("open", self._name)
        found, known = Identity(**await line.call("identify", self._name)), self._identity
        if known is not None and (known.model, known.serial) != (found.model, found.serial):
            raise WrongDevice(
                self._name,
                f"{found.model} {found.serial} answers, where {known.model} {known.serial} was",
                hint="put the cables back, or start again with the new device",
            )
        self._opened_in = generation


class AskableIsolated(Isolated):
    """One with queryable actions."""

    async def ask(self, ticket: Ticket) -> Verdict:
        """What the device knows of a ticket. Raises DeviceError."""
        said = await self._call("ask", ticket=ticket)
        return Verdict(said["outcome"], said["evidence"], read(said["results"]))


class RecountingIsolated(AskableIsolated):
    """One that can give the results of an action once more."""

    async def results_of(
        self, action: str, arguments: Mapping[str, Any], ticket: Ticket
    ) -> Mapping[str, Any]:
        """What an action that was done gives. Raises DeviceError."""
        facts = {"action": action, "arguments": dict(arguments), "ticket": ticket}
        recalled: Mapping[str, Any] = read(await self._call("results_of", **facts))
        return recalled


class Isolation:
    """The processes of a lab's isolated drivers, and the guardian over them."""

    def __init__(self, groups: Sequence[Sequence[Spec]], guarding: Guarding) -> None:
        self.on_lost: Callable[[Lost], None] = lambda lost: None
        self.guarding = guarding
        self.resources: dict[str, Isolated] = {}
        self.processes: list[DriverProcess] = []
        for specs in groups:
            process = DriverProcess(specs, guarding, lambda lost: self.on_lost(lost))
            users: set[str] = set()
            self.processes.append(process)
            for spec in specs:
                self.resources[spec.name] = _stand_in(spec.kind.cls)(spec, process, users)

    async def close(self) -> None:
        """Ends every process. The guardian is told that all is in order."""
        await asyncio.gather(*(process.end() for process in self.processes))
        await self.guarding.end()


def _stand_in(cls: type) -> type[Isolated]:
    """What stands for a resource of this class."""
    if hasattr(cls, "results_of"):
        return RecountingIsolated
    return AskableIsolated if hasattr(cls, "ask") else Isolated
