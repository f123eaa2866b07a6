"""What pumps, balance and hot plate do with their devices, over fakes that answer printed bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from driver_fakes import silent
from liquid_fakes import FakeBalance, FakeCavro, FakeNewEra, FakePlate
from waiting import until

from drivers.liquids.cavro import CavroPump
from drivers.liquids.new_era import NewEraPump
from drivers.thermal.ika import IkaHotPlate
from drivers.weighing.mt_sics import MettlerBalance
from orchestrator.capabilities.liquids import Dispensed, Momentary
from orchestrator.clock import VirtualClock, WallClock
from orchestrator.errors import (
    DeviceError,
    DeviceGarbled,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    InputError,
    LimitExceeded,
    NoReading,
)
from orchestrator.plugins import capability, resource_kind
from orchestrator.ports.action import Bound, Ticket
from orchestrator.ports.resource import Bench, Wire

TICKET = Ticket("00000000000000a1")


def run(main: Coroutine[Any, Any, None], clock: VirtualClock) -> None:
    clock.run(main)


def on_bench(wire: Wire) -> tuple[VirtualClock, Bench]:
    clock = VirtualClock()
    return clock, Bench("device", clock, wires={"wire": wire})


async def ready_pump(bench: Bench, **options: Any) -> CavroPump:
    pump = CavroPump(bench, "memory:wire", **{"syringe": 1000.0, **options})
    await pump.open()
    await pump.initialise()
    return pump


@pytest.mark.parametrize("kind", ["cavro", "new-era", "mt-sics", "ika", "gravimetric-dispenser"])
def test_a_driver_of_liquids_has_every_action_of_what_it_implements(kind: str) -> None:
    found = resource_kind(kind)
    assert found.implements
    for name in found.implements:
        for action, wanted in capability(name).items():
            spec = found.actions[action]
            assert [(a.name, a.unit) for a in spec.args] == [(a.name, a.unit) for a in wanted.args]
            assert (spec.results, spec.effect) == (wanted.results, wanted.effect)


def test_a_pump_draws_from_its_inlet_and_gives_to_its_outlet() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        assert await pump.held() == 500.0
        assert await pump.dispense(100.1) == Dispensed(100.0)
        await pump.load(300.0)
        assert await pump.held() == 400.0
        await pump.empty()

    run(main(), clock)
    assert b"/1Z0,1,3R\r" in fake.received
    assert fake.given[1:] == [("1", -1500), ("2", 300), ("3", 1200)]
    moves = [r for r in fake.received if b"A" in r]
    assert moves == [b"/1I1A1500R\r", b"/1I2A1200R\r", b"/1I3A0R\r"]


def test_a_three_port_valve_has_an_input_and_an_output() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        ports = {"inlet": "input", "outlet": "output", "waste": "output"}
        pump = await ready_pump(bench, **ports)
        await pump.load(500.0)
        await pump.dispense(500.0)

    run(main(), clock)
    assert b"/1Z0R\r" in fake.received
    assert [r for r in fake.received if b"A" in r] == [b"/1IA1500R\r", b"/1OA0R\r"]


def test_the_time_of_a_move_is_that_of_its_rate() -> None:
    clock, bench = on_bench(FakeCavro())

    async def main() -> None:
        pump = await ready_pump(bench, rate=50.0)
        before = clock.now()
        await pump.load(1000.0)
        assert clock.now() - before == pytest.approx(20.0, rel=0.01)

    run(main(), clock)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "12"},
        {"address": "G"},
        {"inlet": "left"},
        {"inlet": "input"},
        {"outlet": "0"},
    ],
)
def test_a_pump_that_is_described_wrongly_is_refused_before_it_is_opened(
    wrong: dict[str, str],
) -> None:
    _, bench = on_bench(FakeCavro())
    with pytest.raises(InputError):
        CavroPump(bench, "memory:wire", 1000.0, **wrong)  # type: ignore[arg-type]
    with pytest.raises(LimitExceeded):
        CavroPump(bench, "memory:wire", 1000.0, rate=0.5)


def test_what_the_syringe_cannot_hold_or_does_not_hold_moves_nothing() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        n = len(fake.given)
        with pytest.raises(LimitExceeded):
            await pump.load(1000.5)
        with pytest.raises(LimitExceeded):
            await pump.dispense(1000.5)
        with pytest.raises(DeviceRefused, match="holds 0 uL, less than 10 uL"):
            await pump.dispense(10.0)
        assert await pump.dispense(0.0) == Dispensed(0.0)
        assert len(fake.given) == n

    run(main(), clock)


def test_a_pump_that_was_switched_off_refuses_until_it_is_initialised() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        fake.is_initialised, fake.speed, fake.position = False, 1400, 0
        n = len(fake.given)
        for act in (pump.load(100.0), pump.dispense(100.0), pump.empty(), pump.held()):
            with pytest.raises(DeviceRefused, match="since it was switched on"):
                await act
        health = await pump.health()
        assert (health.is_fit, "initialise it" in health.note) == (True, True)
        assert len(fake.given) == n
        await pump.initialise()
        await pump.load(100.0)
        fake.error = 6
        health = await pump.health()
        assert (health.is_fit, "EEPROM" in health.note) == (False, True)

    run(main(), clock)


def test_a_pump_of_which_only_itself_knows_that_it_lost_its_zero_refuses_too() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        fake.is_initialised = False
        with pytest.raises(DeviceRefused, match="has not been initialised"):
            await pump.load(100.0)

    run(main(), clock)


def test_a_default_speed_is_never_used_since_it_would_hide_a_loss_of_power() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        await ready_pump(bench, syringe=6000.0, rate=1400.0)

    run(main(), clock)
    assert fake.speed == 1401


def test_a_move_whose_answer_was_lost_is_not_given_twice() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        start = len(fake.received)
        # the three questions before the move are answered, its own answer is lost
        fake.spoils.extend([_kept, _kept, _kept, silent])
        assert await pump.dispense(200.0, TICKET) == Dispensed(200.0)
        assert sum(b"A" in r for r in fake.received[start:]) == 1

    run(main(), clock)
    assert fake.given[-1] == ("2", 600)


def test_a_move_that_never_arrived_is_known_not_to_have_taken_place() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        fake.obeys = False
        with pytest.raises(DeviceSilent):
            await pump.dispense(200.0, TICKET)
        assert (await pump.ask(TICKET)).outcome == "not_done"

    run(main(), clock)
    assert fake.position == 1500


def test_a_move_of_which_nothing_can_be_heard_is_unsure_and_is_answered_later() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        fake.spoils.extend([_kept, _kept, _kept, *[silent] * 4])
        with pytest.raises(DeviceUnsure, match="reading back failed"):
            await pump.dispense(200.0, TICKET)
        verdict = await pump.ask(TICKET)
        assert (verdict.outcome, verdict.results) == ("done", {"volume": 200.0})

    run(main(), clock)
    assert fake.given[-1] == ("2", 600)


def test_what_another_driver_gave_is_not_known_but_where_the_plunger_is() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        await pump.dispense(200.0, TICKET)
        later = CavroPump(bench, "memory:wire", 1000.0)
        await later.open()
        verdict = await later.ask(TICKET)
        assert verdict.outcome == "unknown"
        assert "plunger is at 300 uL" in verdict.evidence
        fake.is_ready = False
        assert (await later.ask(TICKET)).outcome == "running"

    run(main(), clock)


def test_a_power_cut_does_not_pass_for_a_dispense() -> None:
    """A pump that has lost its power counts from zero, where the dispense was to end."""
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        fake.spoils.extend([_kept, _kept, _kept, *[silent] * 4])
        fake.obeys = False
        with pytest.raises(DeviceUnsure):
            await pump.dispense(500.0, TICKET)
        fake.position, fake.speed, fake.is_initialised = 0, 1400, False
        assert (await pump.ask(TICKET)).outcome == "unknown"

    run(main(), clock)


def test_an_overload_on_the_way_says_how_far_it_came_and_wants_an_initialisation() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        fake.stops_at = 1200
        with pytest.raises(DeviceError, match=r"overloaded.*plunger is at 400 uL") as caught:
            await pump.dispense(500.0, TICKET)
        assert not isinstance(caught.value, DeviceRefused)
        verdict = await pump.ask(TICKET)
        assert verdict.outcome == "unknown"
        with pytest.raises(DeviceRefused, match="interrupted"):
            await pump.dispense(10.0)

    run(main(), clock)


def test_a_stop_in_the_middle_of_a_move_leaves_a_position_that_is_not_trusted() -> None:
    fake = FakeCavro()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_pump(bench)
        await pump.load(500.0)
        await pump.make_safe()
        assert await pump.held() == 500.0
        fake.stops_at = 900

        async def stop() -> None:
            await clock.sleep(0.5)
            fake.late_error = 0
            await pump.make_safe()

        stopping = asyncio.ensure_future(stop())
        with pytest.raises(DeviceError, match="stopped at 300 uL"):
            await pump.dispense(400.0, TICKET)
        await stopping
        assert (await pump.ask(TICKET)).outcome == "unknown"
        with pytest.raises(DeviceRefused, match="interrupted"):
            await pump.load(500.0)
        await pump.initialise()
        await pump.load(500.0)

    run(main(), clock)
    assert b"/1T\r" in fake.received


def test_a_stop_by_a_driver_that_has_just_started_knows_that_it_interrupts_a_move() -> None:
    fake = FakeCavro()
    fake.position, fake.is_ready = 900, False
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = CavroPump(bench, "memory:wire", 1000.0)
        await pump.open()
        await pump.make_safe()
        with pytest.raises(DeviceRefused, match="interrupted"):
            await pump.held()

    run(main(), clock)
    assert fake.received[1:3] == [b"/1Q\r", b"/1T\r"]


def _kept(reply: bytes) -> bytes:
    return reply


async def opened_balance(bench: Bench, **options: Any) -> MettlerBalance:
    balance = MettlerBalance(bench, "memory:wire", 220.0, **options)
    await balance.open()
    return balance


def test_a_weight_is_in_grams_whatever_the_balance_shows() -> None:
    fake = FakeBalance()
    clock, bench = on_bench(fake)

    async def main() -> None:
        balance = await opened_balance(bench)
        assert await balance.weight() == pytest.approx(52.1873)
        fake.unit, fake.per_gram = "mg", 1000.0
        assert await balance.weight() == pytest.approx(52.1873)
        assert await balance.momentary_weight() == Momentary(pytest.approx(52.1873), 0)
        identity = await balance.identify()
        assert (identity.model, identity.serial) == ("XS205DU 220.0090 g", "B021002593")

    run(main(), clock)


class Lagging(FakeBalance):
    """Once it lags, each of its replies belongs to the request before."""

    last: bytes | None = None

    def reply(self, request: bytes) -> bytes:
        said = super().reply(request)
        if self.last is not None:
            said, self.last = self.last, said
        return said


@pytest.mark.parametrize("last", ["S S    52.1873 g", 'I4 A "B021002593"', "T S 1 g"])
@pytest.mark.parametrize("ask", ["weight", "momentary_weight", "tare", "zero"])
def test_a_balance_that_answers_one_reply_behind_is_not_believed(ask: str, last: str) -> None:
    fake = Lagging()
    clock, bench = on_bench(fake)

    async def main() -> None:
        balance = await opened_balance(bench)
        assert await balance.weight() == pytest.approx(52.1873)
        fake.last, fake.load = f"{last}\r\n".encode(), 60.0
        with pytest.raises((DeviceGarbled, DeviceUnsure)):
            await getattr(balance, ask)()

    run(main(), clock)


def test_an_overloaded_balance_gives_a_bound_and_an_unloaded_pan_no_reading() -> None:
    fake = FakeBalance()
    clock, bench = on_bench(fake)

    async def main() -> None:
        balance = await opened_balance(bench)
        fake.status = "+"
        assert await balance.weight() == Bound(220.0, "above")
        assert (await balance.momentary_weight()).mass == Bound(220.0, "above")
        fake.status = "-"
        with pytest.raises(NoReading, match="under the range"):
            await balance.weight()
        fake.status = "I"
        with pytest.raises(NoReading, match="come to rest"):
            await balance.weight()

    run(main(), clock)


@pytest.mark.parametrize("act", ["tare", "zero"])
def test_tare_and_zero_are_reached_and_read_back_when_the_answer_is_lost(act: str) -> None:
    fake = FakeBalance()
    clock, bench = on_bench(fake)

    async def main() -> None:
        balance = await opened_balance(bench)
        await balance.identify()
        fake.spoils.append(silent)
        await getattr(balance, act)()
        assert await balance.weight() == 0.0
        assert sum(r == {"tare": b"T\r\n", "zero": b"Z\r\n"}[act] for r in fake.received) == 1
        fake.status = "+"
        with pytest.raises(DeviceRefused, match="out of the range"):
            await getattr(balance, act)()

    run(main(), clock)


async def ready_infuser(bench: Bench, **options: Any) -> NewEraPump:
    pump = NewEraPump(bench, "memory:wire", 14.43, 10000.0, **options)
    await pump.open()
    await pump.identify()
    return pump


@pytest.mark.parametrize("safe", [True, False])
def test_an_infusion_is_counted_by_the_pump_in_either_mode(safe: bool) -> None:
    fake = FakeNewEra()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench, safe=safe)
        assert await pump.dispense(250.0, TICKET) == Dispensed(250.0)
        assert await pump.infused() == 250.0
        verdict = await pump.ask(TICKET)
        assert (verdict.outcome, verdict.results) == ("done", {"volume": 250.0})

    run(main(), clock)
    assert (fake.is_safe, fake.runs) == (safe, [250.0])


def test_a_pump_that_was_reset_says_so_and_its_count_is_worth_nothing() -> None:
    fake = FakeNewEra()
    fake.alarm = "R"
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench)
        await pump.dispense(250.0, TICKET)
        fake.alarm, fake.infused = "R", 0.0
        assert (await pump.ask(TICKET)).outcome == "unknown"
        assert (await pump.health()).is_fit

    run(main(), clock)


def test_an_infusion_whose_answer_was_lost_is_not_begun_twice() -> None:
    fake = FakeNewEra()
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench)
        # state, diameter, five of the phase, four of the volume; then RUN
        fake.spoils.extend([_kept] * 11 + [silent])
        assert await pump.dispense(250.0, TICKET) == Dispensed(250.0)

    run(main(), clock)
    assert fake.runs == [250.0]
    assert fake.spoils == type(fake.spoils)()


def test_a_stalled_infusion_says_how_much_came_and_is_not_known_to_be_done() -> None:
    fake = FakeNewEra()
    fake.stops_at = 100.0
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench)
        with pytest.raises(DeviceError, match="100 uL of 250 uL were infused"):
            await pump.dispense(250.0, TICKET)
        assert (await pump.ask(TICKET)).outcome == "unknown"
        fake.alarm = "S"
        health = await pump.health()
        assert (health.is_fit, "stalled" in health.note) == (False, True)

    run(main(), clock)


def test_a_wrong_diameter_is_corrected_before_anything_is_infused() -> None:
    fake = FakeNewEra()
    fake.diameter = "26.59"
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench, safe=False)
        await pump.dispense(250.0)
        with pytest.raises(LimitExceeded):
            await pump.dispense(10001.0)

    run(main(), clock)
    assert fake.diameter == "14.43"
    order = [r for r in fake.received if r in (b"0DIA14.43\r", b"0FUNSTP\r", b"0RUN\r")]
    assert order == [b"0DIA14.43\r", b"0FUNSTP\r", b"0RUN\r"]


@pytest.mark.parametrize(
    ("deaf_to", "said"),
    [
        ("FUNSTP", "FUN was set to STP, and reads back RAT"),
        ("PHN2", "PHN was set to 2, and reads back 01"),
        ("DIA14.43", "DIA was set to 14.43, and reads back 26.59"),
    ],
)
def test_nothing_is_infused_by_a_pump_that_did_not_take_a_setting(deaf_to: str, said: str) -> None:
    fake = FakeNewEra()
    fake.diameter, fake.is_deaf_to = "26.59", deaf_to
    clock, bench = on_bench(fake)

    async def main() -> None:
        pump = await ready_infuser(bench, safe=False)
        with pytest.raises(DeviceRefused, match=said):
            await pump.dispense(250.0)

    run(main(), clock)
    assert fake.runs == []


async def ready_plate(bench: Bench, **options: Any) -> IkaHotPlate:
    plate = IkaHotPlate(bench, "memory:wire", **options)
    await plate.open()
    await plate.identify()
    return plate


def test_a_plate_is_told_of_the_watchdog_before_it_heats_or_stirs() -> None:
    fake = FakePlate()
    clock, bench = on_bench(fake)

    async def main() -> None:
        plate = await ready_plate(bench)
        await plate.set_temperature(80.04)
        await plate.set_speed(400.0)
        assert (fake.setpoints, fake.is_on) == ({"1": 80.0, "4": 400.0}, {"1": True, "4": True})
        assert await plate.temperature() == 26.3
        assert await plate.speed() == 400.0
        await plate.set_speed(0.0)
        assert fake.is_on == {"1": True, "4": False}
        await plate.close()

    run(main(), clock)
    assert fake.received.index(b"OUT_WD1@60 \r\n") < fake.received.index(b"START_1 \r\n")
    assert fake.received.count(b"OUT_WD1@60 \r\n") == 2


def test_a_watchdog_is_fed_while_the_driver_is_open_and_no_longer() -> None:
    fake = FakePlate()
    bench = Bench("plate", WallClock(), wires={"wire": fake})

    async def main() -> None:
        plate = await ready_plate(bench)
        plate._watchdog = 0.04  # type: ignore[assignment] # shorter than the plate would take
        await plate.set_speed(100.0)
        await until(lambda: sum(r.startswith(b"OUT_WD1@0.04") for r in fake.received) >= 5)
        await plate.close()
        n = len(fake.received)
        await asyncio.sleep(0.05)
        assert len(fake.received) == n

    fake_answer = fake._answer

    def echo(command: str) -> str:
        return command.partition("@")[2] if "@" in command else fake_answer(command)

    fake._answer = echo  # type: ignore[method-assign]
    asyncio.run(main())


def test_an_orderly_end_takes_a_watchdog_of_mode_two_back() -> None:
    fake = FakePlate()
    clock, bench = on_bench(fake)

    async def main() -> None:
        plate = await ready_plate(bench, watchdog_mode=2, external=True)
        await plate.set_temperature(80.0)
        assert fake.watchdog == "OUT_WD2@60"
        assert await plate.temperature() == 24.0
        await plate.make_safe()
        await plate.close()

    run(main(), clock)
    assert fake.watchdog == "OUT_WD2@0"
    assert b"OUT_SP_12@0 \r\n" in fake.received


def test_a_plate_that_may_still_heat_is_left_to_its_watchdog() -> None:
    fake = FakePlate()
    clock, bench = on_bench(fake)

    async def main() -> None:
        plate = await ready_plate(bench, watchdog_mode=2)
        await plate.set_temperature(80.0)
        await plate.close()

    run(main(), clock)
    assert fake.watchdog == "OUT_WD2@60"


def test_a_set_point_that_the_safety_circuit_forbids_heats_nothing() -> None:
    fake = FakePlate()
    fake.most = 100.0
    clock, bench = on_bench(fake)

    async def main() -> None:
        plate = await ready_plate(bench)
        with pytest.raises(DeviceRefused, match="the plate takes 100"):
            await plate.set_temperature(250.0)
        with pytest.raises(LimitExceeded):
            await plate.set_temperature(301.0)
        await plate.close()

    run(main(), clock)
    assert not fake.is_on["1"]
    assert b"START_1 \r\n" not in fake.received


def test_off_leaves_set_points_of_zero_which_can_be_read_back() -> None:
    fake = FakePlate()
    clock, bench = on_bench(fake)

    async def main() -> None:
        plate = await ready_plate(bench, watchdog=0)
        await plate.set_temperature(80.0)
        await plate.set_speed(400.0)
        await plate.off()
        fake.spoils.extend([silent] * 3)
        with pytest.raises(DeviceUnsure):
            await plate.off()
        await plate.close()

    run(main(), clock)
    assert (fake.setpoints, fake.is_on) == ({"1": 0.0, "4": 0.0}, {"1": False, "4": False})
    assert not fake.watchdog


def test_a_plate_that_is_described_wrongly_is_refused() -> None:
    _, bench = on_bench(FakePlate())
    with pytest.raises(InputError):
        IkaHotPlate(bench, "memory:wire", frame="7O1")
    with pytest.raises(LimitExceeded):
        IkaHotPlate(bench, "memory:wire", watchdog=5)
