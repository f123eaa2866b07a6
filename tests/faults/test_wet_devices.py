"""Each driver of the wet bench on its twin, in memory: idle, cut off, switched off and on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from drivers.liquids.cavro import CavroPump
from drivers.liquids.new_era import NewEraPump
from drivers.thermal.ika import IkaHotPlate
from drivers.weighing.mt_sics import MettlerBalance
from orchestrator.capabilities.liquids import Dispensed
from orchestrator.clock import VirtualClock
from orchestrator.errors import DeviceError, DeviceRefused
from orchestrator.ports.action import Bound, Ticket
from orchestrator.ports.resource import Bench
from simulators.twins.faults import Fault, Faults, FaultyWire, How
from simulators.twins.wet_lab import WetLab
from simulators.twins.wire import FramedWire, lines

TICKET = Ticket("00000000000000a1")


class Hasty(VirtualClock):
    """Jumps, but says that a second of it is a second of wall time, by which watchdogs count."""

    speed = 1.0


def play(script: Callable[[WetLab, Bench], Awaitable[None]]) -> WetLab:
    clock = Hasty()
    lab = WetLab(seed=7, clock=clock)
    bench = Bench("device", clock, wires=dict(lab.wires))

    async def main() -> None:
        await script(lab, bench)

    clock.run(main())
    return lab


async def opened(device: Any) -> Any:
    await device.open()
    await device.identify()
    return device


async def initialised(bench: Bench, **options: Any) -> CavroPump:
    pump: CavroPump = await opened(CavroPump(bench, "memory:pumps", 1000.0, **options))
    await pump.initialise()
    return pump


@pytest.mark.parametrize("safe", [True, False])
def test_an_infuser_is_none_the_worse_for_having_been_left_alone(safe: bool) -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await opened(NewEraPump(bench, "memory:infuser", 14.43, 10000.0, safe=safe))
        for _ in range(2):
            assert await pump.dispense(500.0, TICKET) == Dispensed(500.0)
            await bench.clock.sleep(600.0)
        assert (await pump.ask(TICKET)).outcome == "done"
        assert (await pump.health()).is_fit
        await pump.make_safe()

    lab = play(script)
    assert lab.bench.vessel == {"ethanol": pytest.approx(1000.0, rel=0.02)}


def test_an_infuser_whose_driver_dies_stops_by_itself() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await opened(NewEraPump(bench, "memory:infuser", 14.43, 10000.0, silence=5))
        giving = asyncio.ensure_future(pump.dispense(1000.0, TICKET))
        await bench.clock.sleep(20.0)
        giving.cancel()
        await bench.clock.sleep(120.0)
        later = await opened(NewEraPump(bench, "memory:infuser", 14.43, 10000.0, silence=5))
        verdict = await later.ask(TICKET)
        assert verdict.outcome == "unknown"
        assert "the pump counts 4" in verdict.evidence

    lab = play(script)
    # a litre in a thousand minutes: 20 s until the driver dies, and 5 s of silence
    assert lab.bench.vessel["ethanol"] == pytest.approx(1000.0 / 60.0 * 25.0, rel=0.05)


def test_an_infuser_whose_power_was_cut_on_the_way_does_not_pass_for_one_that_was_not_begun() -> (
    None
):
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await opened(NewEraPump(bench, "memory:infuser", 14.43, 10000.0))
        giving = asyncio.ensure_future(pump.dispense(1000.0, TICKET))
        await bench.clock.sleep(20.0)
        lab.by_hand(7, "off and on")
        with pytest.raises(DeviceError, match="power was interrupted"):
            await giving
        assert (await pump.ask(TICKET)).outcome == "unknown"

    play(script)


def test_a_pump_whose_power_was_cut_on_the_way_refuses_and_does_not_pass_for_done() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await initialised(bench)
        await pump.load(1000.0)
        giving = asyncio.ensure_future(pump.dispense(1000.0, TICKET))
        await bench.clock.sleep(5.0)
        lab.by_hand(1, "off and on")
        with pytest.raises(DeviceError):
            await giving
        assert (await pump.ask(TICKET)).outcome == "unknown"
        for act in (pump.load(500.0), pump.held(), pump.dispense(10.0)):
            with pytest.raises(DeviceRefused, match="initialise it"):
                await act
        await pump.initialise()
        assert await pump.held() == 0.0

    lab = play(script)
    assert lab.bench.vessel["cyan"] == pytest.approx(500.0, rel=0.05)
    assert lab.bench.places["waste"].volumes["cyan"] == pytest.approx(500.0, rel=0.05)


def test_a_stop_goes_ahead_of_a_move_and_what_it_left_is_known() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await initialised(bench)
        await pump.load(1000.0)
        giving = asyncio.ensure_future(pump.dispense(1000.0, TICKET))
        await bench.clock.sleep(5.25)
        await pump.make_safe()
        with pytest.raises(DeviceError, match="stopped at 500 uL"):
            await giving
        verdict = await pump.ask(TICKET)
        assert (verdict.outcome, "interrupted" in verdict.evidence) == ("unknown", True)

    lab = play(script)
    assert lab.counts()["stops"] == 1
    assert lab.bench.vessel["cyan"] == pytest.approx(500.0, rel=0.02)


def test_two_pumps_on_one_line_move_at_the_same_time_and_answer_for_themselves() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pumps = [await initialised(bench, address=a, rate=100.0 * int(a)) for a in "14"]
        await asyncio.gather(*(pump.load(1000.0) for pump in pumps))
        given = await asyncio.gather(pumps[0].dispense(300.0), pumps[1].dispense(600.0))
        assert given == [Dispensed(300.0), Dispensed(600.0)]
        assert [await pump.held() for pump in pumps] == [700.0, 400.0]

    lab = play(script)
    assert lab.bench.vessel == {
        "cyan": pytest.approx(300.0, rel=0.02),
        "water": pytest.approx(600.0, rel=0.02),
    }


def test_fine_steps_give_what_coarse_ones_round() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        pump = await initialised(bench, fine=True)
        await pump.load(100.0)
        given = await pump.dispense(10.04)
        assert given.volume == pytest.approx(10.04, abs=1000.0 / 24000.0)

    play(script)


def test_a_balance_waits_for_rest_and_says_what_it_cannot_weigh() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        balance = await opened(MettlerBalance(bench, "memory:balance", 220.0))
        pump = await initialised(bench)
        await pump.load(500.0)
        await pump.dispense(500.0)
        assert (await balance.momentary_weight()).is_stable == 0
        assert await balance.weight() == pytest.approx(0.506, rel=0.02)
        assert (await balance.momentary_weight()).is_stable == 1
        lab.balance.on_top = 300.0
        assert await balance.weight() == Bound(220.0, "above")

    play(script)


async def failing_plate(lab: WetLab, bench: Bench, **options: Any) -> tuple[IkaHotPlate, Faults]:
    """A plate on a line that can be told to fail."""
    line = FaultyWire(lab.wires["plate"], bench.clock.now, bench.clock)
    plate = IkaHotPlate(replace(bench, wires={"plate": line}), "memory:plate", **options)
    return await opened(plate), line.faults


class Deaf(FramedWire):
    """Hears everything but START."""

    def answer(self, frame: bytes) -> bytes:
        return b"" if frame.startswith(b"START") else super().answer(frame)


def deaf(lab: WetLab, bench: Bench) -> Bench:
    """A bench whose plate does not start."""
    plate = lab.plate
    wire = Deaf(lines(b"\r\n"), plate._reply)
    return replace(bench, wires={"plate": wire})


def test_a_plate_that_does_not_start_is_told_and_told_to_stop() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        plate = await opened(IkaHotPlate(deaf(lab, bench), "memory:plate"))
        with pytest.raises(
            DeviceRefused, match=r"80 degC was set, and the plate stands at 21 degC"
        ):
            await plate.set_temperature(80.0)
        with pytest.raises(DeviceRefused, match=r"400 rpm was set, and the stirrer turns at 0 rpm"):
            await plate.set_speed(400.0)
        assert not lab.plate.is_heating
        await plate.health()
        await bench.clock.sleep(100.0)
        await plate.temperature()

    play(script)


def test_a_plate_whose_watchdog_has_bitten_does_not_start_and_that_is_told() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        first = await opened(IkaHotPlate(bench, "memory:plate"))
        await first.set_temperature(80.0)
        await first.close()
        await bench.clock.sleep(1000.0)
        assert (lab.plate.is_heating, lab.plate.shows) == (False, "Er 2")
        second = await opened(IkaHotPlate(bench, "memory:plate"))
        with pytest.raises(DeviceRefused, match="was set, and the plate stands at") as refused:
            await second.set_temperature(80.0)
        assert "Er 2" in refused.value.hint
        await second.close()

    play(script)


def test_a_start_that_is_lost_on_the_way_is_told() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        plate, faults = await failing_plate(lab, bench, watchdog=0)
        faults.fail(Fault("ignore", times=1))
        with pytest.raises(DeviceRefused, match="the plate takes 0"):
            await plate.set_temperature(80.0)
        await plate.set_temperature(80.0)
        await plate.set_speed(400.0)
        assert lab.plate.is_heating
        await plate.close()

    play(script)


def test_a_plate_that_is_hot_enough_is_not_waited_for() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        plate = await opened(IkaHotPlate(bench, "memory:plate", watchdog=0))
        await plate.set_temperature(120.0)
        await bench.clock.sleep(600.0)
        began = bench.clock.now()
        await plate.set_temperature(80.0)
        assert bench.clock.now() == began
        await plate.off()
        await plate.close()

    play(script)


def test_a_plate_is_kept_warm_by_its_driver_and_goes_cold_without_it() -> None:
    async def script(lab: WetLab, bench: Bench) -> None:
        plate = await opened(IkaHotPlate(bench, "memory:plate"))
        await plate.set_temperature(80.0)
        await bench.clock.sleep(50.0)
        assert lab.plate.is_heating
        await plate.close()
        await bench.clock.sleep(70.0)
        assert (lab.plate.is_heating, lab.plate.shows) == (False, "Er 2")

    play(script)


@pytest.mark.parametrize("how", ["drop", "delay", "garble", "twice", "hang", "unplug"])
@pytest.mark.parametrize("kind", ["cavro", "new-era", "new-era in basic mode"])
def test_whatever_fails_on_the_line_a_dispense_is_given_at_most_once_and_told_truly(
    how: How, kind: str
) -> None:
    """The fault strikes at each exchange from the first question to the last, a few at a time."""
    outcomes = set()
    for after in range(10 if kind == "cavro" else 27):
        for times in (1, 4):
            given, told = one_dispense(kind, Fault(how, after=after, times=times))
            assert given <= 204.0, "it was given twice"
            if told == "done":
                assert given == pytest.approx(200.0, rel=0.02)
            if told == "not_done":
                assert given == 0.0
            outcomes.add(told)
    # in safe mode, a pump that is cut off stops before it has given all
    stops = kind == "new-era" and how in ("hang", "unplug")
    assert ("done" in outcomes) is not stops


def one_dispense(kind: str, fault: Fault) -> tuple[float, str]:
    """How much came into the vessel, and what the driver says of it in the end."""
    told = ""

    async def script(lab: WetLab, bench: Bench) -> None:
        nonlocal told
        wire = FaultyWire(lab.wires["pumps" if kind == "cavro" else "infuser"])
        faulty = replace(bench, wires={"pumps": wire, "infuser": wire})
        pump: CavroPump | NewEraPump
        if kind == "cavro":
            pump = await initialised(faulty)
            await pump.load(500.0)
        else:
            safe = kind == "new-era"
            pump = await opened(NewEraPump(faulty, "memory:infuser", 14.43, 10000.0, safe=safe))
        wire.faults.fail(fault)
        try:
            assert (await pump.dispense(200.0, TICKET)).volume == 200.0
            told = "done"
        except DeviceRefused:
            told = "not_done"
        except DeviceError:
            wire.faults.heal()
            await bench.clock.sleep(60.0)
            told = (await pump.ask(TICKET)).outcome
        wire.faults.heal()
        await bench.clock.sleep(60.0)

    lab = play(script)
    return sum(lab.bench.vessel.values()), told
