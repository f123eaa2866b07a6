"""Campaign time: what each of the three clocks promises."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.clock import ScaledClock, VirtualClock, WallClock

DAY_S = 86_400.0


@settings(max_examples=40, deadline=None)
@given(naps=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_virtual_sleepers_wake_in_order_of_their_time_and_then_of_their_coming(
    naps: list[int],
) -> None:
    clock = VirtualClock(start=100.0)
    woken: list[tuple[int, float]] = []

    async def sleeper(index: int, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((index, clock.now()))

    async def main() -> None:
        await asyncio.gather(*(sleeper(i, float(s)) for i, s in enumerate(naps)))

    clock.run(main())
    assert woken == [(i, 100.0 + s) for s, i in sorted((s, i) for i, s in enumerate(naps))]


def test_virtual_time_does_not_move_while_anybody_is_ready_to_run() -> None:
    clock = VirtualClock()
    seen: list[float] = []

    async def busy() -> None:
        for _ in range(50):
            await asyncio.sleep(0)
            seen.append(clock.now())

    async def main() -> None:
        waiting = asyncio.ensure_future(clock.sleep(DAY_S))
        await busy()
        await waiting

    clock.run(main())
    assert seen == [0.0] * 50
    assert clock.now() == DAY_S


def test_virtual_time_stands_still_while_real_work_is_outstanding() -> None:
    clock = VirtualClock()
    order: list[str] = []

    async def work() -> None:
        with clock.work():
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
            order.append(f"work ended at {clock.now():g}")

    async def nap() -> None:
        await clock.sleep(1.0)
        order.append(f"woke at {clock.now():g}")

    async def main() -> None:
        await asyncio.gather(nap(), work())

    clock.run(main())
    assert order == ["work ended at 0", "woke at 1"]


def test_work_within_work_holds_time_until_the_last_of_it_ends() -> None:
    clock = VirtualClock()

    async def main() -> None:
        waiting = asyncio.ensure_future(clock.sleep(1.0))
        await asyncio.sleep(0)
        with clock.work():
            with clock.work():
                pass
            assert not clock.jump()
        assert clock.jump()
        await waiting

    clock.run(main())


def test_work_that_fails_lets_time_go_on() -> None:
    clock = VirtualClock()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError), clock.work():
            raise ZeroDivisionError
        await clock.sleep(5.0)

    clock.run(main())
    assert clock.now() == 5.0


def test_a_cancelled_virtual_sleeper_moves_no_time() -> None:
    clock = VirtualClock()

    async def main() -> None:
        far = asyncio.ensure_future(clock.sleep(DAY_S))
        await asyncio.sleep(0)
        far.cancel()
        await clock.sleep(1.0)

    clock.run(main())
    assert clock.now() == 1.0


def test_sleeping_for_nothing_lets_the_others_run_once() -> None:
    clock = VirtualClock()
    order: list[str] = []

    async def other() -> None:
        order.append("other")

    async def main() -> None:
        running = asyncio.ensure_future(other())
        await clock.sleep(-3.0)
        order.append("after")
        await running

    clock.run(main())
    assert order == ["other", "after"]
    assert clock.now() == 0.0


def test_wall_timers_still_fire_on_a_virtual_clock_with_nothing_to_jump_to() -> None:
    clock = VirtualClock()

    async def main() -> bool:
        try:
            async with asyncio.timeout(0.02):
                await asyncio.Event().wait()
        except TimeoutError:
            return True
        return False

    assert clock.run(main())
    assert clock.now() == 0.0


def test_a_resumed_campaign_goes_on_from_its_last_moment() -> None:
    virtual, scaled, wall = VirtualClock(), ScaledClock(1000.0), WallClock()
    for clock in (virtual, scaled, wall):
        clock.start_at(5000.0)
    assert virtual.now() == 5000.0
    assert 5000.0 <= scaled.now() < 5000.0 + 60_000
    assert abs(wall.now() - time.time()) < 60


def test_a_campaign_goes_on_from_its_last_moment_though_the_computer_s_clock_was_set_back() -> None:
    wall, last = WallClock(), time.time() + 3600.0
    wall.start_at(last)
    assert last <= wall.now() < last + 60.0


def test_scaled_time_runs_as_many_times_faster_as_it_says() -> None:
    clock = ScaledClock(speed=10_000.0, start=7.0)

    async def main() -> tuple[float, float]:
        wall, before = time.monotonic(), clock.now()
        await clock.sleep(200.0)
        return clock.now() - before, time.monotonic() - wall

    campaign_s, wall_s = clock.run(main())
    assert campaign_s >= 200.0
    assert wall_s >= 0.02
    assert campaign_s / 10_000.0 <= wall_s


def test_wall_time_is_seconds_since_the_epoch_and_sleep_waits_for_them() -> None:
    clock = WallClock()

    async def main() -> float:
        before = time.monotonic()
        with clock.work():
            await clock.sleep(0.01)
        await clock.sleep(-1.0)
        return time.monotonic() - before

    assert clock.run(main()) >= 0.009
    assert clock.speed == 1.0


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_wall_time_goes_on_evenly_when_somebody_sets_the_computer_s_clock(
    jump_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_time = time.time
    clock = WallClock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: true_time() + jump_s)
    assert before <= clock.now() < before + 60.0
