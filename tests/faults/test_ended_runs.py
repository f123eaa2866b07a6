"""A person ends a run at any moment: by Ctrl-C, by another one, or by `hagane stop`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from memory_night import MemoryNight, memory_night, person_tidies_up, unsafe

from orchestrator.clock import VirtualClock
from orchestrator.engine.loop import Engine
from orchestrator.errors import Exit
from orchestrator.model.events import ActionDispatched, ActionDone, MadeSafe, Recorded
from simulators.twins.faults import FaultyWire

Way = Literal["Ctrl-C", "Ctrl-C twice", "stop"]
WAYS: tuple[Way, ...] = ("Ctrl-C", "Ctrl-C twice", "stop")
TWO_AT_A_TIME = {"seed: 1": "seed: 1"}
MOMENTS_S = (3.0, 40.0, 310.0, 700.0, 805.0, 1300.0, 2050.0, 2075.0, 2120.0, 3300.0, 4650.0)
"""Campaign time; a campaign of two trials takes 4700 s."""


def end(engine: Engine, way: Way) -> None:
    if way == "stop":
        asyncio.get_running_loop().create_task(engine.stop("a person"))
        return
    engine.interrupt()
    if way == "Ctrl-C twice":
        engine.interrupt()


def after(
    seconds: float, night: MemoryNight, do: Callable[[Engine], None]
) -> Callable[[Engine, Recorded], None]:
    """What to do at a moment of campaign time, as `MemoryNight.run_with` takes it."""
    waiting: list[Any] = []

    def meddle(engine: Engine, recorded: Recorded) -> None:
        async def wait() -> None:
            await night.stage.clock.sleep(seconds)
            do(engine)

        if not waiting:
            waiting.append(asyncio.get_running_loop().create_task(wait()))

    return meddle


def check(night: MemoryNight, way: Way) -> None:
    """The lab is safe, the campaign is resumable, and nothing irreversible is done twice."""
    assert unsafe(night.lab()) == []
    assert not night.state().engine_is_up
    if way == "stop":
        latched = night.run()
        assert latched.exit_code is Exit.PERSON
        assert latched.sentence == "the campaign is latched: stopped by a person"
        night.wish("resume")
    for _ in range(4):
        ending = night.run()
        if ending.exit_code is Exit.FINISHED:
            break
        assert ending.exit_code is Exit.PERSON
        person_tidies_up(night)
    assert ending.exit_code is Exit.FINISHED
    assert unsafe(night.lab()) == []
    assert max(len(s["films"]) for s in night.world.snapshot()["samples"]) == 1
    counts = night.world.counts()
    assert counts["bare_exposures"] == counts["protective_stops"] == 0


def play(tmp_path: Path, way: Way, seconds: float) -> None:
    night = memory_night(tmp_path, trials=2, campaign=TWO_AT_A_TIME)
    ending = night.run_with(after(seconds, night, lambda engine: end(engine, way)))
    assert ending.exit_code is Exit.INTERRUPTED
    assert ending.hint.endswith("to go on" if way != "stop" else "then run it again")
    check(night, way)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seconds", MOMENTS_S)
def test_a_run_that_is_ended_leaves_the_lab_safe_and_goes_on(
    tmp_path: Path, way: Way, seconds: float
) -> None:
    play(tmp_path, way, seconds)


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", range(50))
def test_a_run_may_be_ended_at_any_moment(tmp_path: Path, way: Way, part: int) -> None:
    for n in range(20):
        play(tmp_path / str(n), way, 1.7 + 4.61 * (part + 50 * n))


@dataclass
class Slow:
    """A wire that takes two seconds of the lab's time for each exchange."""

    wire: FaultyWire
    clock: VirtualClock

    async def receive(self, data: bytes) -> bytes:
        await self.clock.sleep(2.0)
        return await self.wire.receive(data)


def test_ctrl_c_lets_a_move_end_and_makes_safe_meanwhile_what_it_does_not_need(
    tmp_path: Path,
) -> None:
    night = memory_night(tmp_path, trials=2, campaign=TWO_AT_A_TIME)
    # so that the next sample is in the chamber when this one leaves the meter
    night.stage.wires["meter"] = Slow(night.wires["meter"], night.stage.clock)
    moving: list[str] = []

    def meddle(engine: Engine, recorded: Recorded) -> None:
        async def interrupt(ticket: str) -> None:
            await night.stage.clock.sleep(5.0)
            if night.world.snapshot()["gate"]:  # the other sample's chamber is being pumped
                moving.append(ticket)
                engine.interrupt()

        event = recorded.event
        if isinstance(event, ActionDispatched) and event.action == "move":
            asyncio.get_running_loop().create_task(interrupt(event.ticket))

    assert night.run_with(meddle).exit_code is Exit.INTERRUPTED
    [ticket] = moving
    story = [r.event for r in night.stage.store.read(night.stage.campaign_id)]
    [arrival] = [n for n, e in enumerate(story) if isinstance(e, ActionDone) and e.ticket == ticket]
    before = [e.resource for e in story[:arrival] if isinstance(e, MadeSafe)]
    assert before == ["supply", "heater", "oxygen", "argon", "valves"]
    check(night, "Ctrl-C")


@dataclass
class Late:
    """A wire that takes 30 ms of wall time for each exchange."""

    wire: FaultyWire
    clock: VirtualClock

    async def receive(self, data: bytes) -> bytes:
        with self.clock.work():
            await asyncio.sleep(0.03)
        return await self.wire.receive(data)


def test_ctrl_c_waits_for_the_answer_to_the_order_that_strikes_the_plasma(tmp_path: Path) -> None:
    night = memory_night(tmp_path, trials=1)
    night.stage.wires["supply"] = Late(night.wires["supply"], night.stage.clock)
    pressed: list[str] = []

    def meddle(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        strikes = isinstance(event, ActionDispatched) and event.effect == "irreversible"
        if strikes and event.resource == "supply" and not pressed:
            pressed.append(event.action)
            asyncio.get_running_loop().call_later(0.01, engine.interrupt)

    assert night.run_with(meddle).exit_code is Exit.INTERRUPTED
    assert pressed
    assert night.state().doubts() == []
    assert not night.state().open_tickets
    assert unsafe(night.lab()) == []
    assert night.run().exit_code is Exit.FINISHED


@pytest.mark.parametrize("holder", ["", "another engine"])
def test_an_engine_without_its_lease_leaves_the_lab_to_its_holder_alone(
    tmp_path: Path, holder: str
) -> None:
    night = memory_night(tmp_path, trials=1)

    def take_over(engine: Engine, recorded: Recorded) -> None:
        event = recorded.event
        if isinstance(event, ActionDone) and night.world.snapshot()["plasma"]:
            night.lose_lease(holder)

    ending = night.run_with(take_over)
    assert ending.exit_code is Exit.ENVIRONMENT
    assert "was taken over" in ending.sentence
    assert night.world.snapshot()["plasma"] == bool(holder)
