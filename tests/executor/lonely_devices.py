"""A device for a process of its own, with a notebook: a file in which it says what was done."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from orchestrator.errors import DeviceRefused, LimitExceeded, PortTaken
from orchestrator.model.quantity import Bound
from orchestrator.ports.action import Cancel, Effect, Ticket, Unit, action, reading
from orchestrator.ports.resource import Bench, Health, Identity, Verdict
from orchestrator.ports.traffic import Passage


class Panic(BaseException):
    """As a library in Rust raises it."""


class OutOfTune(DeviceRefused):
    """An error that only this driver knows. `cents` is by how much."""

    def __init__(self, resource: str, cents: float) -> None:
        self.cents = cents
        super().__init__(resource, f"it is {cents:g} cents flat", hint="tighten the string")


@dataclass(frozen=True)
class Tone:
    """What was heard."""

    pitch: Annotated[float | Bound, Unit("Hz")]
    loudness: Annotated[float, Unit("dB")]
    name: str
    spectrum: Annotated[list[float], Unit("Hz")]


class Piano:
    """An instrument whose serial number is what its `label` file says."""

    def __init__(self, bench: Bench, port: str, notebook: str) -> None:
        self.bench = bench
        self._port, self._notebook = port, Path(notebook)

    def note(self, what: str) -> None:
        with self._notebook.open("a") as file:
            file.write(f"{self.bench.name} {what}\n")

    async def open(self) -> None:
        self.note("open")
        if self._notebook.with_suffix(".taken").exists():
            raise PortTaken(self.bench.name, "process 4711 holds its port")

    async def close(self) -> None:
        self.note("close")

    async def identify(self) -> Identity:
        self.note("identify")
        if self._notebook.with_suffix(".odd").exists():
            return Identity("Acme", object())  # type: ignore[arg-type]
        label = self._notebook.with_suffix(".label")
        return Identity("Acme", "Piano", label.read_text() if label.exists() else "1")

    async def health(self) -> Health:
        return Health(False, "out of tune")

    async def make_safe(self) -> None:
        self.note("safe")
        if self.bench.record is not None:
            self.bench.record(Passage("sent", b"\x00safe\xff", at=2.5, connection=1))

    async def results_of(
        self, action: str, arguments: Mapping[str, Any], ticket: Ticket
    ) -> Mapping[str, Any]:
        return {"value": Bound(len(arguments), "above"), "of": f"{action} {ticket}"}

    async def ask(self, ticket: Ticket) -> Verdict:
        return Verdict("done", f"it heard of {ticket}", {"value": Bound(1.0, "above")})

    @reading
    async def tone(self) -> Tone:
        """A tone with all kinds of values."""
        return Tone(Bound(20_000.0, "above"), float("nan"), "A", [440.0, 880.0])

    @reading
    async def process(self) -> Annotated[int, Unit("")]:
        """The process that it is in."""
        return os.getpid()

    @reading
    async def time(self) -> Annotated[float, Unit("s")]:
        """Campaign time."""
        return self.bench.clock.now()

    @reading
    async def wrong(self) -> Annotated[float, Unit("s")]:
        """Is of another kind than declared."""
        return "late"  # type: ignore[return-value]

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def tune(self, pitch: Annotated[float, Unit("Hz")]) -> None:
        """Sets a pitch."""
        self.note(f"tune {pitch:g}")
        if self.bench.record is not None:
            self.bench.record(Passage("sent", b"\x00tune\xff", at=1.5, connection=1))
        self.bench.figures.n_exchanges += 1
        self.bench.figures.latencies_s.append(0.25)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.AT_ONCE)
    async def fail(self, how: str) -> None:
        """Raises an error."""
        if how == "own":
            raise OutOfTune(self.bench.name, 12.5)
        if how == "limit":
            raise LimitExceeded("pitch", 1e5, 20.0, None, "Hz")
        if how == "local":

            class Hidden(DeviceRefused):
                pass

            raise Hidden(self.bench.name, "nobody can import this")
        odd: dict[str, BaseException] = {
            "panic": Panic("index out of bounds"),
            "exit": SystemExit("no licence"),
            "interrupt": KeyboardInterrupt(),
            "generator": GeneratorExit(),
            "group": ExceptionGroup("two of them", [KeyError(1), ValueError(2)]),
        }
        raise odd.get(how) or KeyError("pedal")

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.AT_ONCE)
    async def play(self, seconds: Annotated[float, Unit("s")], ticket: Ticket) -> None:
        """Plays, and lifts the fingers whatever happens."""
        self.note(f"play {ticket}")
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.sleep(0.05)
            self.note("fingers lifted")

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def crash(self) -> None:
        """Ends the process, as a library in C may."""
        print("a string broke", flush=True)
        os._exit(7)

    @action(effect=Effect.IRREVERSIBLE, cancel=Cancel.NEVER)
    async def hang(self) -> None:
        """Never lets go."""
        self.note("hang")
        time.sleep(3600)


class Mortal(Piano):
    """A piano whose process dies as it is made."""

    def __init__(self, bench: Bench, port: str, notebook: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
