"""What was set and is lost in a power cut, or was acknowledged and not done, is told, and never set
again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from drivers.deposition.pfeiffer_turbo import PfeifferTurbo
from drivers.electrical.tdk_genesys import GenesysSupply
from drivers.liquids.cavro import CavroPump
from drivers.liquids.new_era import NewEraPump
from drivers.thermal.ika import IkaHotPlate
from drivers.weighing.mt_sics import MettlerBalance
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceError, DeviceRefused, DeviceReset
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench
from simulators.twins.faults import Fault, FaultyWire
from simulators.twins.vacuum_lab import VacuumLab
from simulators.twins.wet_lab import WetLab
from simulators.twins.wire import FramedWire

Script = Callable[[Any, Any, Bench], Awaitable[None]]


class Hasty(VirtualClock):
    """Jumps, but says that a second of it is a second of wall time, by which watchdogs count."""

    speed = 1.0


def play(world: type, port: str, script: Script) -> Any:
    """A script on a world, with the faults of one of its ports."""
    clock = Hasty()
    lab = world(seed=7, clock=clock)
    line = FaultyWire(lab.wires[port], clock.now, clock)
    clock.run(script(lab, line.faults, Bench("device", clock, wires={"line": line})))
    return lab


async def opened(device: Any) -> Any:
    await device.open()
    await device.identify()
    return device


def frames(wire: FramedWire) -> list[bytes]:
    """The frames that reach the instrument from now on."""
    found: list[bytes] = []
    wire.ledger = lambda frame, reply: found.append(frame)
    return found


def genesys(bench: Bench) -> GenesysSupply:
    return GenesysSupply(bench, "memory:line", 40.0, 38.0, timeout=0.05)


def test_a_supply_that_forgot_its_voltage_is_not_switched_on() -> None:
    async def script(lab: VacuumLab, faults: Any, bench: Bench) -> None:
        supply = await opened(genesys(bench))
        await supply.set_voltage(12.0)
        faults.fail(Fault("reboot"))
        seen = frames(lab.wires["supplies"])
        with pytest.raises(DeviceRefused, match="set voltage and current again"):
            await supply.on()
        assert not lab.supplies.units[6].is_on
        assert not [frame for frame in seen if frame.startswith(b"PV ")]
        await supply.set_voltage(12.0)
        await supply.set_current(10.0)
        await supply.on()
        assert (await supply.output()).voltage == 12.0

    play(VacuumLab, "supplies", script)


@pytest.mark.parametrize("order", ["set_current", "off"])
def test_an_order_to_a_supply_that_forgot_another_one_is_obeyed_and_no_success(order: str) -> None:
    async def script(lab: VacuumLab, faults: Any, bench: Bench) -> None:
        supply = await opened(genesys(bench))
        await supply.set_voltage(12.0)
        await supply.set_current(10.0)
        faults.fail(Fault("reboot"))
        seen = frames(lab.wires["supplies"])
        with pytest.raises(DeviceReset, match=r"a voltage of 12 V was set and is no longer so"):
            await (supply.set_current(5.0) if order == "set_current" else supply.off())
        sent = {"set_current": b"PC 5.000", "off": b"OUT OFF"}[order]
        assert [frame for frame in seen if frame.startswith(sent)]
        await supply.off()

    play(VacuumLab, "supplies", script)


def test_a_reading_of_a_supply_tells_that_it_was_without_power() -> None:
    async def script(lab: VacuumLab, faults: Any, bench: Bench) -> None:
        supply = await opened(genesys(bench))
        await supply.set_voltage(12.0)
        await supply.on()
        faults.fail(Fault("reboot", seconds=0.01))
        faults.begin(lab.wires["supplies"].manners)
        await bench.clock.sleep(70.0)
        with pytest.raises(DeviceReset, match="is no longer so"):
            await supply.output()
        assert not lab.supplies.units[6].is_on

    play(VacuumLab, "supplies", script)


def test_a_turbo_that_lost_its_power_on_the_way_is_not_waited_for() -> None:
    async def script(lab: VacuumLab, faults: Any, bench: Bench) -> None:
        pump = await opened(PfeifferTurbo(bench, "memory:line"))
        spinning = asyncio.ensure_future(pump.spin_up())
        await bench.clock.sleep(30.0)
        faults.fail(Fault("reboot"))
        with pytest.raises(DeviceReset, match="spin up"):
            await spinning
        assert bench.clock.now() < 200.0

    play(VacuumLab, "turbos", script)


def test_a_plate_that_lost_its_power_is_not_taken_for_one_that_heats() -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        plate = await opened(IkaHotPlate(bench, "memory:line", watchdog=0))
        await plate.set_temperature(80.0)
        faults.fail(Fault("reboot"))
        await bench.clock.sleep(70.0)
        seen = frames(lab.wires["plate"])
        with pytest.raises(DeviceReset, match="80 degC"):
            await plate.temperature()
        assert not [frame for frame in seen if frame.startswith((b"OUT", b"START"))]
        assert await plate.temperature() < 80.0

    play(WetLab, "plate", script)


def test_a_plate_that_was_switched_off_is_not_missed() -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        plate = await opened(IkaHotPlate(bench, "memory:line", watchdog=0))
        for end in (plate.off, plate.make_safe):
            await plate.set_temperature(80.0)
            await plate.set_speed(300.0)
            await plate.set_speed(0.0)
            await end()
            await bench.clock.sleep(70.0)
            await plate.temperature()

    play(WetLab, "plate", script)


def test_a_balance_that_lost_its_tare_says_so() -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        balance = await opened(MettlerBalance(bench, "memory:line", 220.0))
        lab.balance.on_top = 50.0
        await balance.tare()
        faults.fail(Fault("reboot"))
        await bench.clock.sleep(70.0)
        with pytest.raises(DeviceReset, match="a tare was set"):
            await balance.weight()
        await balance.tare()
        assert abs(await balance.weight()) < 1e-3

    play(WetLab, "balance", script)


def test_a_tare_that_is_acknowledged_and_not_done_is_no_tare() -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        balance = await opened(MettlerBalance(bench, "memory:line", 220.0))
        lab.balance.on_top = 50.0
        faults.fail(Fault("ignore"))
        with pytest.raises(DeviceRefused, match="holds none"):
            await balance.tare()
        await balance.tare()

    play(WetLab, "balance", script)


@pytest.mark.parametrize("after", range(14))
def test_an_infuser_that_ignores_a_setting_gives_nothing_or_what_was_asked(after: int) -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        pump = await opened(NewEraPump(bench, "memory:line", 14.43, 10000.0))
        await pump.dispense(900.0, Ticket("a" * 16))
        before = lab.bench.vessel["ethanol"]
        faults.fail(Fault("ignore", after=after))
        try:
            given = (await pump.dispense(50.0, Ticket("b" * 16))).volume
        except DeviceRefused:
            given = 0.0
        except DeviceError:
            return  # what it gave is told by its count
        assert lab.bench.vessel["ethanol"] - before == pytest.approx(given, abs=2.0)
        assert given in (0.0, 50.0)

    play(WetLab, "infuser", script)


def test_a_stop_that_a_pump_ignores_is_not_said_to_be_done() -> None:
    async def script(lab: WetLab, faults: Any, bench: Bench) -> None:
        pump = await opened(CavroPump(bench, "memory:line", 1000.0))
        await pump.initialise()
        await pump.load(1000.0)
        giving = asyncio.ensure_future(pump.dispense(1000.0))
        await bench.clock.sleep(3.0)
        faults.fail(Fault("ignore"))
        with pytest.raises(DeviceRefused, match="goes on"):
            await pump.make_safe()
        await pump.make_safe()
        with pytest.raises(DeviceError):
            await giving

    play(WetLab, "pumps", script)


class Stale:
    """A line on which one request is answered by a reply that was meant for another."""

    def __init__(self, wire: FramedWire) -> None:
        self._wire = wire
        self.stale = b""

    async def receive(self, data: bytes) -> bytes:
        reply = await self._wire.receive(data)
        stale, self.stale = self.stale, b""
        return stale or reply


def test_a_late_answer_to_a_momentary_weight_is_not_taken_for_one_at_rest() -> None:
    clock = Hasty()
    lab = WetLab(seed=7, clock=clock)
    line = Stale(lab.wires["balance"])

    async def script() -> None:
        bench = Bench("device", clock, wires={"line": line})
        balance = await opened(MettlerBalance(bench, "memory:line", 220.0))
        line.stale = b"S D    12.3456 g\r\n"
        assert abs(await balance.weight()) < 1e-3

    clock.run(script())
