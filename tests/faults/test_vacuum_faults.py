"""Vacuum instruments on lines that fail: nothing wrong is taken for right, or struck twice."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Any

import pytest

from drivers.deposition.pfeiffer_turbo import PfeifferTurbo
from drivers.deposition.tc_cxn import TcRfSupply
from orchestrator.clock import VirtualClock, WallClock
from orchestrator.errors import DeviceError, DeviceRefused
from orchestrator.ports.resource import Bench
from simulators.twins.control import Served
from simulators.twins.faults import Fault, FaultyWire
from simulators.twins.pfeiffer_turbo import DriveUnit, TurboLine
from simulators.twins.tc_cxn import RfGenerator

N_SEEDS = 60


def _fault(draw: random.Random) -> Fault:
    how: Any = draw.choice(["drop", "garble", "twice"])
    return Fault(how, after=draw.randrange(8), times=draw.randrange(1, 4))


def _rf() -> tuple[RfGenerator, FaultyWire, TcRfSupply]:
    rf = RfGenerator(lambda: 0.0)
    line = FaultyWire(rf.wire())
    return rf, line, TcRfSupply(Bench("rf", WallClock(), wires={"line": line}), "memory:line")


async def _strike(rf: RfGenerator, supply: TcRfSupply, watts: int) -> None:
    """What succeeds is so, what is refused is not, and what is unsure is at most once."""
    n_strikes = rf.n_strikes
    try:
        await supply.set_power(watts)
        assert rf.setpoint == watts
    except DeviceRefused:
        assert rf.setpoint != watts
    except DeviceError:
        pass
    try:
        await supply.on()
        assert rf.is_on
    except DeviceRefused:
        assert not rf.is_on
    except DeviceError:
        pass
    with contextlib.suppress(DeviceError):
        assert (await supply.power()).forward == watts * rf.is_on
    assert rf.n_strikes - n_strikes <= 1


@pytest.mark.parametrize("seed", range(0, N_SEEDS, 10))
def test_rf_on_a_failing_line_is_what_was_asked_or_an_error(seed: int) -> None:
    async def night(draw: random.Random) -> None:
        rf, line, supply = _rf()
        await supply.open()
        await supply.identify()
        for watts in (50, 120, 200):
            line.faults.fail(_fault(draw))
            await _strike(rf, supply, watts)
            try:
                await supply.off()
                assert not rf.is_on
            except DeviceError:
                line.faults.heal()
                await supply.off()
            assert not rf.is_on
        await supply.close()

    for one in range(seed, seed + 10):
        asyncio.run(night(random.Random(one)))


@pytest.mark.parametrize("seed", range(0, N_SEEDS, 10))
def test_a_turbo_on_a_failing_line_does_what_was_asked_or_says_so(seed: int) -> None:
    async def night(clock: VirtualClock, draw: random.Random) -> None:
        unit = DriveUnit(clock, 1)
        line = FaultyWire(TurboLine(unit).wire())
        pump = PfeifferTurbo(Bench("turbo", clock, wires={"line": line}), "memory:line")
        await pump.open()
        await pump.identify()
        for act, hertz in ((pump.spin_up, 1500.0), (pump.stop, 5.0)):
            line.faults.fail(_fault(draw))
            try:
                await act()
            except DeviceError:
                line.faults.heal()
                await act()
            assert abs(unit.speed() - hertz) <= 5.0
            line.faults.fail(_fault(draw))
            try:
                found = await pump.speed()
            except DeviceError:
                line.faults.heal()
                found = await pump.speed()
            assert found == round(unit.speed())
        await pump.close()

    for one in range(seed, seed + 10):
        clock = VirtualClock()
        clock.run(night(clock, random.Random(one)))


def test_rf_that_was_unplugged_for_longer_than_its_watchdog_waits_is_lost(tmp_path: Path) -> None:
    with Served(tmp_path, seed=7, speed=1.0, world="vacuum") as served:

        async def main() -> None:
            supply = TcRfSupply(Bench("rf", WallClock()), served.ports["rf"])
            await supply.open()
            await supply.set_power(100.0)
            await supply.on()
            served.control.fail("rf", "unplug")
            while served.control.state()["rf"]["is_on"]:
                with pytest.raises(DeviceError):
                    await supply.power()
            served.control.heal()
            said = ""
            while "RF went off by itself" not in said:
                with pytest.raises(DeviceError) as lost:
                    await supply.power()
                said = str(lost.value)
            # nothing was resumed: a plasma wants a power and a strike again
            assert served.control.state()["rf"]["strikes"] == 1
            await supply.off()
            await supply.set_power(100.0)
            await supply.on()
            assert served.control.state()["rf"]["strikes"] == 2
            await supply.off()
            await supply.close()

        asyncio.run(main())
