"""A linear stage over a twin whose moves take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver_fakes import FakeStage

from drivers.motion.zaber_stage import ZaberStage
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    InputError,
    LimitExceeded,
)
from orchestrator.ports.resource import Bench
from simulators.lab.axis import Axis
from simulators.twins.zaber import Chain, Stage

STEP_UM = 0.047625
Play = Callable[[ZaberStage, Axis, VirtualClock], Awaitable[None]]


class Stubborn(Stage):
    """One whose settings are locked."""

    def _set(self, setting: str, value: str) -> tuple[bool, str]:
        return False, "NOACCESS"


def with_stage(
    play: Play, made: type[Stage] = Stage, *, checksums: bool = True, **facts: Any
) -> None:
    clock = VirtualClock()
    axis = Axis(150.0, stands=40.0, **facts)
    twin = made(axis, clock, 73001)
    twin.checksums = checksums
    wires = {"stage": Chain({1: twin}).wire()}

    async def main() -> None:
        stage = ZaberStage(
            Bench("x", clock, wires=wires), "memory:stage", microstep=STEP_UM, highest=140.0
        )
        await stage.open()
        try:
            await play(stage, axis, clock)
        finally:
            await stage.close()

    clock.run(main())


def test_a_move_ends_where_it_should_after_the_time_that_it_takes() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        start = clock.now()
        await stage.move_to(100.0)
        # 100 mm at 20 mm/s, with 0.2 s to gather speed
        assert clock.now() - start == pytest.approx(5.2, abs=0.2)
        assert axis.at(clock.now()) == pytest.approx(100.0, abs=1e-4)
        assert await stage.position() == pytest.approx(100.0, abs=1e-4)

    with_stage(play)


def test_a_move_to_where_it_stands_moves_nothing() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        await stage.move_to(25.0)
        await stage.move_to(25.0)
        assert axis.at(clock.now()) == pytest.approx(25.0, abs=1e-4)

    with_stage(play)


def test_an_axis_that_was_not_homed_refuses_to_move_and_gives_no_position() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        with pytest.raises(DeviceRefused, match=r"WH \(not homed\)"):
            await stage.move_to(10.0)
        with pytest.raises(DeviceError, match="does not know where it is"):
            await stage.position()
        assert axis.at(clock.now()) == 40.0
        assert "no reference position" in (await stage.health()).note

    with_stage(play)


def test_a_position_beyond_the_limits_is_refused_before_a_byte_leaves() -> None:
    fake = FakeStage()

    async def main() -> None:
        stage = ZaberStage(
            Bench("x", VirtualClock(), wires={"stage": fake}),
            "memory:stage",
            microstep=STEP_UM,
            lowest=5.0,
            highest=140.0,
        )
        await stage.open()
        await stage.identify()
        n_before = len(fake.received)
        for position in (4.999, 140.001, float("nan")):
            with pytest.raises(LimitExceeded):
                await stage.move_to(position)
        assert len(fake.received) == n_before

    asyncio.run(main())


def test_what_the_device_itself_rejects_is_a_refusal_with_its_reason() -> None:
    fake = FakeStage()

    async def main() -> None:
        stage = ZaberStage(
            Bench("x", VirtualClock(), wires={"stage": fake}),
            "memory:stage",
            microstep=STEP_UM,
            highest=200.0,
        )
        await stage.open()
        with pytest.raises(DeviceRefused, match="BADDATA"):
            await stage.move_to(190.0)

    asyncio.run(main())


def test_a_stop_goes_ahead_of_a_move_which_then_says_where_it_came_to_rest() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        move = asyncio.create_task(stage.move_to(100.0))
        await clock.sleep(2.0)
        await stage.stop()
        with pytest.raises(DeviceError, match=r"came to rest at 4.* mm on its way to 100 mm"):
            await move
        # 38 mm in 2 s and 2 mm to brake, and what the question on the way took
        assert axis.at(clock.now()) == pytest.approx(40.0, abs=2.1)
        assert not axis.is_moving(clock.now())
        await stage.move_to(100.0)

    with_stage(play)


def test_a_move_that_is_given_up_stops_where_it_is() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        move = asyncio.create_task(stage.move_to(100.0))
        await clock.sleep(2.0)
        move.cancel()
        await asyncio.gather(move, return_exceptions=True)
        await clock.sleep(1.0)
        assert not axis.is_moving(clock.now())
        assert axis.at(clock.now()) < 50.0

    with_stage(play)


def test_an_obstacle_is_a_fault_with_its_name_and_the_stage_is_not_fit() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        axis.obstacle = 60.0
        with pytest.raises(DeviceError, match=r"FS \(stalled and stopped\)"):
            await stage.move_to(100.0)
        health = await stage.health()
        assert not health.is_fit
        assert "stalled" in health.note

    with_stage(play)


def test_a_move_that_takes_too_long_is_stopped() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        axis.speed = 0.5
        with pytest.raises(DeviceError, match="still moving 120 s"):
            await stage.move_to(100.0)
        await clock.sleep(1.0)
        assert not axis.is_moving(clock.now())

    with_stage(play)


def test_a_second_move_is_refused_while_the_first_goes_on() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        await stage.home()
        move = asyncio.create_task(stage.move_to(100.0))
        await clock.sleep(1.0)
        with pytest.raises(DeviceRefused, match="is moving"):
            await stage.move_to(10.0)
        await move
        assert axis.at(clock.now()) == pytest.approx(100.0, abs=1e-4)

    with_stage(play)


def test_a_device_without_checksums_is_set_to_bear_them() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        assert (await stage.identify()).serial == "73001"
        await stage.home()

    with_stage(play, checksums=False)


def test_a_device_that_will_not_bear_checksums_is_told_and_not_believed() -> None:
    async def play(stage: ZaberStage, axis: Axis, clock: VirtualClock) -> None:
        with pytest.raises(DeviceGarbled, match=r"comm\.checksum is not 1"):
            await stage.identify()
        with pytest.raises(DeviceError, match=r"comm\.checksum is not 1"):
            await stage.home()
        assert axis.at(clock.now()) == 40.0

    with_stage(play, Stubborn, checksums=False)


def test_two_axes_share_a_line() -> None:
    fake = FakeStage()

    def axis(device: int) -> ZaberStage:
        return ZaberStage(
            Bench("axis", VirtualClock(), wires={"stage": fake}),
            "memory:stage",
            microstep=STEP_UM,
            highest=140.0,
            device=device,
        )

    async def main() -> None:
        first, second = axis(1), axis(2)
        await first.open()
        await second.open()
        await second.home()
        await asyncio.gather(first.move_to(10.0), second.move_to(20.0))
        assert (await first.identify()).serial == "73001"
        assert (await second.identify()).serial == "73002"
        assert fake.steps == {1: round(10_000 / STEP_UM), 2: round(20_000 / STEP_UM)}

    asyncio.run(main())


def test_alerts_and_answers_to_older_commands_are_passed_over() -> None:
    fake = FakeStage()
    old = b"01 1 99 OK IDLE -- 17"
    alert = b"01 1 IDLE --"
    fake.before = b"".join(
        start + body + f":{-sum(body) % 256:02X}\r\n".encode()
        for start, body in ((b"!", alert), (b"@", old))
    )
    fake.steps[1] = 2_000

    async def main() -> None:
        stage = ZaberStage(
            Bench("x", VirtualClock(), wires={"stage": fake}),
            "memory:stage",
            microstep=STEP_UM,
            highest=140.0,
        )
        await stage.open()
        assert await stage.position() == pytest.approx(2_000 * STEP_UM / 1000)

    asyncio.run(main())


def test_a_stage_without_travel_is_refused_when_it_is_made() -> None:
    with pytest.raises(InputError, match="highest above lowest"):
        ZaberStage(Bench("x", VirtualClock()), "memory:x", microstep=1.0, highest=0.0)
