"""Plays a lab by hand on a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import random
import struct
from contextlib import nullcontext
from typing import Any

from simulators.lab.chamber import Chamber
from simulators.lab.transfer import REQUEST
from simulators.twins.wire import FramedWire


class HandClock:
    """Campaign time that moves when told to. `jitter` adds up to so many seconds each time."""

    speed = 1.0

    def __init__(self, start: float = 0.0, jitter: float = 0.0, seed: int = 0) -> None:
        self._now, self._jitter = start, jitter
        self._random = random.Random(seed)

    def now(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += seconds + self._random.random() * self._jitter

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def work(self) -> nullcontext[None]:
        return nullcontext()


class Line:
    """Asks one wire of a world."""

    def __init__(self, world: Any, port: str) -> None:
        self._wire: FramedWire = world.wires[port]

    def ask(self, data: bytes) -> bytes:
        return asyncio.run(self._wire.receive(data))


def carry(chamber: Chamber, clock: HandClock, program: str, ticket: str) -> None:
    """Plays a program of the arm from its request to its end."""
    for i, word in enumerate(struct.unpack(">4H", bytes.fromhex(ticket))):
        chamber.transfer.registers[REQUEST + i] = word
    assert chamber.transfer.load(program)
    assert chamber.transfer.play(clock.now())
    clock.move(30.0)
    chamber.advance()


def prepare(
    chamber: Chamber,
    clock: HandClock,
    *,
    oxygen: float = 0.4,
    argon: float = 21.6,
    temperature: float = 330.0,
    power: int = 120,
    minutes: int = 20,
) -> None:
    """Pumps, heats and sets everything up to the strike."""
    chamber.set_valves(vent=False)
    chamber.set_valves(gate=True)
    clock.move(400.0)
    chamber.heat(temperature)
    chamber.set_flow("argon", argon)
    chamber.set_flow("oxygen", oxygen)
    clock.move(1000.0)
    chamber.set_gun(setpoint=power)
    chamber.set_gun(delay_s=60, minutes=minutes, seconds=0)


def finish(chamber: Chamber, clock: HandClock) -> None:
    """Cools and vents."""
    chamber.heat(None)
    chamber.set_flow("argon", 0.0)
    chamber.set_flow("oxygen", 0.0)
    clock.move(900.0)
    chamber.set_valves(gate=False)
    chamber.set_valves(vent=True)
    clock.move(60.0)


def grow(chamber: Chamber, clock: HandClock, ticket: str, **conditions: float) -> None:
    """One film from the blank to the vented chamber."""
    carry(chamber, clock, "blanks_to_chamber.urp", ticket)
    prepare(chamber, clock, **conditions)  # type: ignore[arg-type]
    chamber.switch_on()
    clock.move(60.0 + 60.0 * float(conditions.get("minutes", 20)) + 5.0)
    chamber.advance()
    finish(chamber, clock)
