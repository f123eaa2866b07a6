"""Polling beside the loop, on wall time and on virtual time."""

from __future__ import annotations

import asyncio
import time

import pytest

from orchestrator.clock import VirtualClock, WallClock
from orchestrator.scheduling import VirtualSchedule, WallSchedule


def test_a_virtual_schedule_polls_as_virtual_time_passes() -> None:
    clock = VirtualClock()
    polled: list[float] = []

    async def poll() -> None:
        polled.append(clock.now())

    async def main() -> None:
        schedule = VirtualSchedule(clock, shortest_s=30.0)
        schedule.every(100.0, "often enough", poll)
        await clock.sleep(350.0)
        schedule.close()
        await clock.sleep(1000.0)

    clock.run(main())
    assert polled == [100.0, 200.0, 300.0]


def test_a_virtual_schedule_does_not_poll_oftener_than_is_sensible() -> None:
    clock = VirtualClock()
    polled: list[float] = []

    async def poll() -> None:
        polled.append(clock.now())

    async def main() -> None:
        schedule = VirtualSchedule(clock, shortest_s=30.0)
        schedule.every(0.1, "too often", poll)
        await clock.sleep(100.0)
        schedule.close()

    clock.run(main())
    assert polled == [30.0, 60.0, 90.0]


def test_polls_alone_do_not_make_virtual_time_move() -> None:
    clock = VirtualClock()

    async def poll() -> None:
        raise AssertionError("nobody lets time pass")

    async def main() -> None:
        schedule = VirtualSchedule(clock)
        schedule.every(1.0, "idle", poll)
        await asyncio.sleep(0.05)
        schedule.close()

    clock.run(main())
    assert clock.now() == 0.0


def test_a_wall_schedule_polls_until_it_is_closed_and_never_twice_at_a_time() -> None:
    at_once = most = n_polls = 0
    enough = asyncio.Event()

    async def poll() -> None:
        nonlocal at_once, most, n_polls
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.12)
        at_once -= 1
        n_polls += 1
        if n_polls == 2:
            enough.set()

    async def main() -> int:
        schedule = WallSchedule(speed=1000.0)
        schedule.every(1.0, "slow poll", poll)
        async with asyncio.timeout(10):
            await enough.wait()
        schedule.close()
        await asyncio.sleep(0.2)
        seen = n_polls
        await asyncio.sleep(0.2)
        return seen

    seen = WallClock().run(main())
    assert most == 1
    assert n_polls == seen


def test_closing_a_schedule_that_never_polled_does_nothing() -> None:
    WallSchedule().close()
    VirtualSchedule(VirtualClock()).close()


def test_a_poll_that_is_skipped_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    clock = WallClock()
    n_polled = []

    async def poll() -> None:
        n_polled.append(1)
        await asyncio.sleep(0.2)

    async def main() -> None:
        schedule = WallSchedule()
        schedule.every(0.05, "slow", poll)
        await asyncio.sleep(0.4)
        schedule.close()
        await asyncio.sleep(0.25)

    clock.run(main())
    assert n_polled
    assert caplog.messages == []


@pytest.mark.parametrize("n_steps", range(6))
def test_a_poll_that_is_cut_off_before_its_first_step_is_no_news(
    caplog: pytest.LogCaptureFixture, n_steps: int
) -> None:
    async def poll() -> None:
        await asyncio.sleep(1.0)

    async def main() -> None:
        schedule = WallSchedule()
        schedule.every(0.05, "due", poll)
        await asyncio.sleep(0)
        time.sleep(0.06)  # the loop is late: the poll is due when it comes round
        for _ in range(n_steps):
            await asyncio.sleep(0)
        schedule.close()
        await asyncio.sleep(0.01)

    WallClock().run(main())
    assert caplog.messages == []
