"""A stage that fails in the words of its own protocol, and what its driver makes of that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.motion.zaber_stage import ZaberStage
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceError, DeviceRefused, DeviceReset, DeviceSilent
from orchestrator.ports.resource import Bench
from simulators.lab.axis import Axis
from simulators.twins.faults import Fault, FaultyWire
from simulators.twins.zaber import Chain, Stage

REPLY_S = 0.05
MINUTE_S = 61.0


class Tried:
    """A stage on a line that can be told to fail, and the axis behind it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.axis = Axis(150.0, stands=40.0)
        self.twin = Stage(self.axis, self.clock, 73001)
        self.twin.checksums = True
        wire = Chain({1: self.twin}).wire()
        line = FaultyWire(wire, self.clock.now, self.clock)
        self.faults, self.manners = line.faults, wire.manners
        self.stage = ZaberStage(
            Bench("stage", self.clock, wires={"line": line}),
            "memory:line",
            microstep=0.047625,
            highest=140.0,
            timeout=REPLY_S,
        )

    def at(self) -> float:
        """Where it really is."""
        return self.axis.at(self.clock.now())

    def is_moving(self) -> bool:
        return self.axis.is_moving(self.clock.now())


def play(scene: Callable[[Tried], Awaitable[None]], *, at: float | None = 50.0) -> None:
    """With the stage homed and driven to a position, unless that is None."""
    tried = Tried()

    async def main() -> None:
        await tried.stage.open()
        if at is not None:
            await tried.stage.home()
            await tried.stage.move_to(at)
        await scene(tried)
        tried.faults.heal()
        await tried.stage.close()

    tried.clock.run(main())


def test_a_homing_that_is_acknowledged_and_not_done_is_told() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("ignore"))
        with pytest.raises(DeviceError, match=r"stands at 50 mm after it was homed, not at 0 mm"):
            await tried.stage.home()
        await tried.stage.home()
        assert tried.at() == pytest.approx(0.0, abs=1e-3)

    play(scene)


def test_a_move_that_is_acknowledged_and_not_done_is_told() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("ignore"))
        with pytest.raises(DeviceError, match=r"came to rest at 50 mm on its way to 90 mm"):
            await tried.stage.move_to(90.0)

    play(scene)


@pytest.mark.parametrize("how", ["stop", "make_safe"])
def test_a_stop_that_is_acknowledged_and_not_done_is_sent_again(how: str) -> None:
    async def scene(tried: Tried) -> None:
        move = asyncio.create_task(tried.stage.move_to(140.0))
        await tried.clock.sleep(1.0)
        tried.faults.fail(Fault("ignore"))
        await getattr(tried.stage, how)()
        assert not tried.is_moving()
        assert 60.0 < tried.at() < 120.0
        await asyncio.gather(move, return_exceptions=True)

    play(scene)


def test_a_stage_that_no_stop_stops_is_told() -> None:
    async def scene(tried: Tried) -> None:
        tried.axis.speed = 1.0
        move = asyncio.create_task(tried.stage.move_to(140.0))
        await tried.clock.sleep(1.0)
        tried.faults.fail(Fault("ignore", times=100))
        with pytest.raises(DeviceError, match="was told to stop 3 times and is still moving"):
            await tried.stage.make_safe()
        tried.faults.heal()
        await tried.stage.make_safe()
        assert not tried.is_moving()
        await asyncio.gather(move, return_exceptions=True)

    play(scene)


def test_what_the_device_refuses_is_told_and_moves_nothing() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("nak"))
        with pytest.raises(DeviceRefused, match=r"AGAIN"):
            await tried.stage.position()
        assert await tried.stage.position() == pytest.approx(50.0, abs=1e-3)
        tried.faults.fail(Fault("nak", times=100))
        with pytest.raises(DeviceRefused, match=r"AGAIN"):
            await tried.stage.move_to(90.0)
        assert tried.at() == pytest.approx(50.0, abs=1e-3)

    play(scene)


def test_an_answer_of_another_device_is_none() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("address"))
        assert await tried.stage.position() == pytest.approx(50.0, abs=1e-3)
        tried.faults.fail(Fault("address", times=100))
        with pytest.raises(DeviceSilent):
            await tried.stage.position()

    play(scene)


def test_a_position_that_drifts_is_not_where_it_was_sent() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("drift"))
        with pytest.raises(DeviceError, match=r"came to rest at 90\.9 mm on its way to 90 mm"):
            await tried.stage.move_to(90.0)

    play(scene)


def test_a_power_cut_at_rest_is_told_and_nothing_moves_before_it_was_homed_again() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("reboot"))
        tried.faults.begin(tried.manners)
        await tried.clock.sleep(MINUTE_S)
        with pytest.raises(DeviceReset, match="the reference was set and is no longer so"):
            await tried.stage.position()
        with pytest.raises(DeviceError, match="does not know where it is"):
            await tried.stage.position()
        with pytest.raises(DeviceRefused, match="does not move before it was homed"):
            await tried.stage.move_to(60.0)
        assert tried.at() == pytest.approx(50.0, abs=1e-3)
        await tried.stage.home()
        await tried.stage.move_to(60.0)
        assert tried.at() == pytest.approx(60.0, abs=1e-3)

    play(scene)


def test_a_power_cut_on_the_way_ends_the_move_as_one_that_did_not_arrive() -> None:
    async def scene(tried: Tried) -> None:
        move = asyncio.create_task(tried.stage.move_to(140.0))
        await tried.clock.sleep(1.0)
        tried.faults.fail(Fault("reboot", seconds=1.0))
        with pytest.raises(DeviceError):
            await move
        assert tried.at() < 140.0
        await tried.clock.sleep(2.0)
        tried.faults.heal()
        with pytest.raises(DeviceError, match=r"does not know where it is|no longer so"):
            await tried.stage.position()

    play(scene)


def test_a_power_cut_between_question_and_move_stops_the_move() -> None:
    """The stage then counts from where it stood, and comes to rest where it believes to be sent."""

    async def scene(tried: Tried) -> None:
        # warnings, whether it moves, and then the move itself
        tried.faults.fail(Fault("reboot", after=2))
        with pytest.raises(DeviceReset, match=r"the reference was set and is no longer so"):
            await tried.stage.move_to(20.0)
        stands = tried.at()
        await tried.clock.sleep(5.0)
        assert tried.at() == pytest.approx(stands, abs=1e-3)

    play(scene)


def test_checksums_that_a_power_cut_has_switched_off_are_switched_on_again() -> None:
    async def scene(tried: Tried) -> None:
        tried.faults.fail(Fault("reboot"))
        tried.faults.begin(tried.manners)
        assert not tried.twin.checksums
        assert (await tried.stage.identify()).serial == "73001"
        assert tried.twin.checksums

    play(scene, at=None)
