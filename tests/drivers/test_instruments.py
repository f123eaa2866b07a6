"""What each driver does with its device, over fakes that answer the printed bytes."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from driver_fakes import (
    FakeAlicat,
    FakeGauge,
    FakeMeter,
    FakeModbusLine,
    FakeMonitor,
    FakeSupply,
    bench,
    silent,
)
from wire_fakes import on_pty

from drivers.deposition.aja_dcxs import AjaSupply
from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.inficon_sqm160 import InficonMonitor
from drivers.deposition.modbus_valves import ModbusValves
from drivers.deposition.pfeiffer_tpg import PfeifferGauge
from drivers.electrical.four_point import circle_factor, rectangle_factor
from drivers.electrical.keithley_2400 import Keithley2400
from drivers.thermal.modbus_heater import ModbusHeater
from orchestrator.capabilities.deposition import Exposure, Growth, Plasma, ValveStates
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceGone,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    InputError,
    LimitExceeded,
    NoReading,
    WrongDevice,
)
from orchestrator.plugins import capability, resource_kind
from orchestrator.ports.action import Bound


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


async def opened(device: Any) -> Any:
    await device.open()
    await device.identify()
    return device


@pytest.mark.parametrize(
    "kind",
    [
        "alicat",
        "pfeiffer-tpg",
        "aja-dcxs",
        "inficon-sqm160",
        "modbus-valves",
        "modbus-heater",
        "keithley-2400",
        "ur-arm",
        "sputter-tool",
        "pfeiffer-turbo",
        "mks-937b",
        "tc-cxn",
        "tdk-genesys",
    ],
)
def test_a_driver_has_every_action_of_what_it_implements(kind: str) -> None:
    found = resource_kind(kind)
    assert found.implements
    for name in found.implements:
        for action, wanted in capability(name).items():
            spec = found.actions[action]
            assert [a.name for a in spec.args] == [a.name for a in wanted.args]
            assert [a.unit for a in spec.args] == [a.unit for a in wanted.args]
            assert spec.results == wanted.results
            assert spec.effect == wanted.effect
    for name in ("open", "close", "identify", "health", "make_safe"):
        assert inspect.iscoroutinefunction(getattr(found.cls, name))


def test_a_driver_that_was_not_opened_says_so() -> None:
    device = PfeifferGauge(bench(g=FakeGauge()), "memory:g")
    with pytest.raises(DeviceAbsent, match="not open"):
        run(device.identify())  # type: ignore[arg-type]


def test_a_flow_beyond_the_full_scale_never_leaves() -> None:
    fake = FakeAlicat()

    async def main() -> None:
        oxygen = await opened(AlicatFlowController(bench(gas=fake), "memory:gas", 10.0, "B"))
        n = len(fake.received)
        with pytest.raises(LimitExceeded):
            await oxygen.set_flow(10.5)
        assert len(fake.received) == n
        await oxygen.set_flow(10.0)
        assert await oxygen.flow() == 10.0
        assert fake.setpoints == {"A": 0.0, "B": 10.0}

    run(main())


def test_a_set_point_that_reads_back_otherwise_is_a_refusal() -> None:
    class Stubborn(FakeAlicat):
        def reply(self, request: bytes) -> bytes:
            return super().reply(b"A\r" if b"S" in request else request)

    async def main() -> None:
        argon = await opened(AlicatFlowController(bench(gas=Stubborn()), "memory:gas", 200.0))
        with pytest.raises(DeviceRefused, match="reads 0 sccm after 5 sccm"):
            await argon.set_flow(5.0)

    run(main())


def test_a_controller_that_is_set_to_another_gas_is_the_wrong_device() -> None:
    argon = AlicatFlowController(bench(gas=FakeAlicat()), "memory:gas", 200.0, "B", gas="Ar")
    with pytest.raises(WrongDevice, match="O2 instead of Ar"):
        run(opened(argon))
    with pytest.raises(InputError):
        AlicatFlowController(bench(), "memory:gas", 200.0, unit_id="AA")


@pytest.mark.parametrize(
    ("unit", "pascal"), [(b"0", 1.23e-4), (b"1", 1.63986513e-4), (b"2", 1.23e-6)]
)
def test_a_pressure_is_in_pascal_whatever_the_display_shows(unit: bytes, pascal: float) -> None:
    fake = FakeGauge()
    fake.unit = unit

    async def main() -> None:
        gauge = await opened(PfeifferGauge(bench(g=fake), "memory:g"))
        assert await gauge.pressure() == pytest.approx(pascal, rel=1e-6)

    run(main())


@pytest.mark.parametrize("status", range(1, 7))
def test_a_gauge_that_does_not_measure_gives_no_pressure(status: int) -> None:
    fake = FakeGauge()
    fake.reading = b"%d,+1.0000E-09" % status

    async def main() -> None:
        gauge = await opened(PfeifferGauge(bench(g=fake), "memory:g"))
        assert not (await gauge.health()).is_fit
        with pytest.raises(DeviceError):
            await gauge.pressure()

    run(main())


def test_a_gauge_that_runs_free_after_power_up_is_quietened_and_read(tmp_path: Path) -> None:
    fake = FakeGauge()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as line:
            gauge = PfeifferGauge(bench(), str(line.link))
            await gauge.open()
            line.say(b"0,+1.0132E+03\r\n0,+1.0132E+03\r\n")
            assert (await gauge.identify()).firmware == "010100"
            assert await gauge.pressure() == pytest.approx(1.23e-4)
            await gauge.close()

    run(main())
    assert fake.received[0] == b"\x03"


def test_power_is_regulated_in_whole_watts() -> None:
    fake = FakeSupply()

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s", max_power=300.0))
        await supply.set_power(150.6)
        assert (fake.values["c"], fake.values["b"]) == ("0", "0151")
        with pytest.raises(LimitExceeded):
            await supply.set_power(300.5)
        fake.ignores.add("C")
        with pytest.raises(DeviceRefused, match="reads back otherwise"):
            await supply.set_power(10.0)

    run(main())


def test_an_exposure_can_be_set_only_while_off() -> None:
    fake = FakeSupply()

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s"))
        await supply.set_exposure(60.0, 1205.0)
        assert [fake.values[v] for v in "hij"] == ["60", "020", "05"]
        await supply.on()
        with pytest.raises(DeviceRefused, match="is on"):
            await supply.set_exposure(10.0, 10.0)
        assert fake.values["h"] == "60"

    run(main())


def test_the_supply_reads_its_plasma_and_the_shutter_of_its_gun() -> None:
    fake = FakeSupply()
    fake.values |= {"d": "0150", "e": "0300", "f": "0500", "p": "\x02", "k": "012", "l": "07"}

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s", gun=2))
        assert await supply.plasma() == Plasma(150.0, 300.0, 500.0)
        assert await supply.exposure() == Exposure(1, 727.0)
        other = await opened(AjaSupply(bench(s=fake), "memory:s", gun=1))
        assert (await other.exposure()).shutter == 0

    run(main())


def test_striking_is_told_once_and_never_when_it_is_on_already() -> None:
    fake = FakeSupply()

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s"))
        await supply.on()
        with pytest.raises(DeviceRefused, match="is on"):
            await supply.on()
        assert fake.n_strikes == 1
        await supply.off()
        assert fake.values["a"] == "0"

    run(main())


def test_a_strike_whose_answer_is_lost_is_read_back_and_not_repeated() -> None:
    fake = FakeSupply()

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s"))
        original = fake.reply

        def reply(request: bytes) -> bytes:
            if request == b"A":
                fake.spoils.append(silent)
            return original(request)

        fake.reply = reply  # type: ignore[method-assign]
        await supply.on()
        assert fake.n_strikes == 1
        await supply.off()
        fake.n_strikes = 0
        fake.spoils.clear()

        def deaf(request: bytes) -> bytes:
            if request == b"A":
                fake.spoils.extend([silent] * 9)
            return original(request)

        fake.reply = deaf  # type: ignore[method-assign]
        with pytest.raises(DeviceUnsure):
            await supply.on()
        assert fake.n_strikes == 1

    run(main())


@pytest.mark.parametrize(("fault", "error"), [("3", DeviceRefused), ("0", DeviceUnsure)])
def test_a_plasma_that_does_not_strike_is_refused_only_with_a_fault_to_show(
    fault: str, error: type[DeviceError]
) -> None:
    fake = FakeSupply()
    fake.ignores.add("A")
    fake.values["o"] = fault

    async def main() -> None:
        supply = await opened(AjaSupply(bench(s=fake), "memory:s"))
        with pytest.raises(error):
            await supply.on()

    run(main())


def test_growth_is_in_nanometres_and_per_minute() -> None:
    fake = FakeMonitor()

    async def main() -> None:
        monitor = await opened(InficonMonitor(bench(m=fake), "memory:m"))
        found = await monitor.growth()
        assert isinstance(found, Growth)
        assert (found.thickness, found.rate) == pytest.approx((123.45, 6.0))
        await monitor.zero()
        assert fake.received[-1][:3] == b"!#S"

    run(main())


def test_one_valve_is_closed_before_the_other_opens() -> None:
    fake = FakeModbusLine()

    async def main() -> None:
        valves = await opened(ModbusValves(bench(m=fake), "memory:m"))
        await valves.vent()
        assert await valves.valves() == ValveStates(gate=0, vent=1)
        fake.received.clear()
        await valves.pump()
        assert await valves.valves() == ValveStates(gate=1, vent=0)
        writes = [r[2:6].hex() for r in fake.received if r[1] == 5]
        assert writes == ["00010000", "0000ff00"]
        await valves.make_safe()
        assert await valves.valves() == ValveStates(gate=0, vent=0)

    run(main())


def test_a_valve_whose_partner_does_not_close_stays_closed() -> None:
    class Stuck(FakeModbusLine):
        def reply(self, request: bytes) -> bytes:
            answer = super().reply(request)
            self.units[2].coils[1] = True
            return answer

    fake = Stuck()

    async def main() -> None:
        valves = await opened(ModbusValves(bench(m=fake), "memory:m"))
        with pytest.raises(DeviceRefused, match="coil 1 reads back otherwise"):
            await valves.pump()
        assert not fake.units[2].coils[0]

    run(main())


def test_temperatures_are_tenths_of_a_degree_with_a_sign() -> None:
    fake = FakeModbusLine()
    fake.units[1].registers[0] = 0x10000 - 123

    async def main() -> None:
        heater = await opened(ModbusHeater(bench(m=fake), "memory:m", max_temperature=500.0))
        assert await heater.temperature() == -12.3
        await heater.set_temperature(350.26)
        assert [fake.units[1].registers[r] for r in (1, 2)] == [3503, 1]
        await heater.set_temperature(-20.0)
        assert fake.units[1].registers[1] == 0x10000 - 200
        with pytest.raises(LimitExceeded):
            await heater.set_temperature(500.1)
        await heater.off()
        assert fake.units[1].registers[2] == 0

    run(main())


def test_heater_and_valves_share_a_line() -> None:
    fake = FakeModbusLine()

    async def main() -> None:
        heater = await opened(ModbusHeater(bench("heater", m=fake), "memory:m"))
        valves = await opened(ModbusValves(bench("valves", m=fake), "memory:m"))
        await asyncio.gather(
            *(c for _ in range(20) for c in (heater.temperature(), valves.valves()))
        )
        await heater.close()
        assert await valves.valves() == ValveStates(0, 0)
        await valves.close()

    run(main())


def test_a_stop_is_not_undone_by_what_was_asked_for_before_it(tmp_path: Path) -> None:
    fake = FakeModbusLine()

    async def main() -> None:
        with on_pty(tmp_path, fake.answer) as line:
            heater = await opened(ModbusHeater(bench("heater"), str(line.link)))
            valves = await opened(ModbusValves(bench("valves"), str(line.link)))
            line.delay_s = 0.1
            first = asyncio.ensure_future(valves.valves())
            await asyncio.sleep(0.01)
            heating = asyncio.ensure_future(heater.set_temperature(300.0))
            await asyncio.sleep(0)
            await heater.make_safe()
            with pytest.raises(DeviceSilent, match="a stop went ahead"):
                await heating
            assert await first == ValveStates(0, 0)
            assert [fake.units[1].registers[r] for r in (1, 2)] == [0, 0]
            await heater.set_temperature(200.0)
            assert [fake.units[1].registers[r] for r in (1, 2)] == [2000, 1]
            await heater.close()
            await valves.close()

    run(main())


def test_an_absent_unit_on_a_line_that_answers_is_absent() -> None:
    with pytest.raises(DeviceAbsent, match="nothing answers"):
        run(opened(ModbusHeater(bench(m=FakeModbusLine()), "memory:m", unit_id=9)))


@pytest.mark.parametrize("ohm", [0.5, 100.0, 5e4, 3e8])
def test_a_film_is_measured_at_the_highest_current_below_compliance(ohm: float) -> None:
    fake = FakeMeter()
    fake.ohm = ohm

    async def main() -> None:
        meter = await opened(Keithley2400(bench(m=fake), "memory:m"))
        found = await meter.sheet_resistance(3)
        assert found.mean == pytest.approx(ohm * math.pi / math.log(2), rel=1e-6)
        assert len(found.readings) == 3
        assert found.sd == pytest.approx(0.0, abs=1e-9 * ohm)
        current = abs(fake.current)
        assert 2.0 <= current * ohm < 20.0 or current == 1e-3
        assert not fake.is_on

    run(main())


def test_an_old_entry_of_the_error_queue_does_not_refuse_a_command_that_was_obeyed() -> None:
    class Complaining(FakeMeter):
        def reply(self, request: bytes) -> bytes:
            if request == b":SYST:ERR?\n":
                return b'-102,"Syntax error"\n'
            return super().reply(request)

    async def main() -> None:
        fake = Complaining()
        fake.is_on = True
        meter = Keithley2400(bench(wire=fake), "memory:wire")
        await meter.open()
        await meter.make_safe()
        assert not fake.is_on
        await meter.close()

    asyncio.run(main())


def test_an_output_that_stays_on_is_said() -> None:
    class Stubborn(FakeMeter):
        def reply(self, request: bytes) -> bytes:
            return b"" if request == b":OUTP OFF\n" else super().reply(request)

    async def main() -> None:
        fake = Stubborn()
        fake.is_on = True
        meter = Keithley2400(bench(wire=fake), "memory:wire")
        await meter.open()
        with pytest.raises(DeviceRefused, match="says that its output is on"):
            await meter.make_safe()
        await meter.close()

    asyncio.run(main())


def test_an_insulating_film_gives_a_bound_and_an_open_contact_gives_nothing() -> None:
    fake = FakeMeter()

    async def main() -> None:
        meter = await opened(Keithley2400(bench(m=fake), "memory:m", factor=4.2209))
        fake.ohm = 1e15
        found = await meter.sheet_resistance(3)
        assert isinstance(found.mean, Bound)
        assert found.mean.value == pytest.approx(4.2209 * 20.0 / 1e-8)
        assert found.mean.side == "above"
        assert (found.sd, found.readings) == (0.0, [])
        fake.ohm = None
        with pytest.raises(NoReading, match="float"):
            await meter.sheet_resistance(3)
        assert not fake.is_on

    run(main())


@pytest.mark.parametrize(("reverse", "ohm"), [(True, 5.0), (False, 5.02)])
def test_a_thermal_voltage_falls_out_where_the_current_is_reversed(
    reverse: bool, ohm: float
) -> None:
    fake = FakeMeter()
    fake.ohm, fake.thermal_volt = 5.0, 2e-5

    async def main() -> None:
        meter = await opened(Keithley2400(bench(m=fake), "memory:m", factor=1.0, reverse=reverse))
        found = await meter.sheet_resistance(3)
        assert found.mean == pytest.approx(ohm, rel=1e-6)

    run(main())


def test_a_small_sample_has_its_own_factor_and_not_two_of_them() -> None:
    fake = FakeMeter()
    square = {"spacing": 1.0, "length": 10.0, "width": 10.0}

    async def main() -> None:
        meter = await opened(Keithley2400(bench(m=fake), "memory:m", **square))
        found = await meter.sheet_resistance(1)
        assert found.mean == pytest.approx(100.0 * 4.2209, rel=1e-4)

    run(main())
    for options in (
        {**square, "factor": 4.5},
        {"length": 10.0},
        {"spacing": 4.0, "diameter": 10.0},
    ):
        with pytest.raises(InputError):
            Keithley2400(bench("meter", m=fake), "memory:m", **options)


# printed: Smits 1958, table II (a is the length, d the width or the diameter, s the spacing)
SMITS_SQUARE = {
    4.0: 3.1137, 5.0: 3.5098, 7.5: 4.0095, 10.0: 4.2209, 15.0: 4.3882, 20.0: 4.4516, 40.0: 4.5120,
}  # fmt: skip
SMITS_TWICE_AS_LONG = {
    1.5: 1.4788, 2.0: 1.9454, 2.5: 2.3532, 3.0: 2.7000, 4.0: 3.2246, 5.0: 3.5749, 10.0: 4.2357,
}  # fmt: skip
SMITS_CIRCLE = {
    3.0: 2.2662, 4.0: 2.9289, 5.0: 3.3625, 7.5: 3.9273, 10.0: 4.1716, 20.0: 4.4364, 40.0: 4.5076,
}  # fmt: skip


def test_geometric_factors_are_those_that_smits_printed() -> None:
    for width, printed in SMITS_SQUARE.items():
        assert rectangle_factor(width, width, 1.0) == pytest.approx(printed, rel=5e-4)
    for width, printed in SMITS_TWICE_AS_LONG.items():
        assert rectangle_factor(2 * width, width, 1.0) == pytest.approx(printed, rel=5e-4)
    for diameter, printed in SMITS_CIRCLE.items():
        assert circle_factor(diameter, 1.0) == pytest.approx(printed, rel=2e-4)


def test_a_large_sample_has_the_factor_of_an_infinite_one() -> None:
    assert rectangle_factor(1e4, 1e4, 1.0) == pytest.approx(math.pi / math.log(2), rel=1e-6)
    assert circle_factor(1e4, 1.0) == pytest.approx(math.pi / math.log(2), rel=1e-6)


def test_the_spread_of_readings_is_their_sample_standard_deviation() -> None:
    class Noisy(FakeMeter):
        def _read(self) -> bytes:
            self.ohm = (100.0, 101.0, 102.0)[self.n_readings % 3]
            return super()._read()

    async def main() -> None:
        meter = await opened(Keithley2400(bench(m=Noisy()), "memory:m", factor=1.0, reverse=False))
        found = await meter.sheet_resistance(3)
        assert (found.mean, found.sd) == (pytest.approx(101.0), pytest.approx(1.0))
        assert (await meter.sheet_resistance(1)).sd == 0.0

    run(main())


def test_a_device_that_came_back_is_recognised_and_a_swapped_one_is_refused(
    tmp_path: Path,
) -> None:
    class Other(FakeMeter):
        def reply(self, request: bytes) -> bytes:
            return super().reply(request).replace(b"1234567", b"7654321")

    async def main() -> None:
        with on_pty(tmp_path, FakeMeter().answer) as line:
            meter = await opened(Keithley2400(bench("meter"), str(line.link)))
            line.unplug_on_next = True
            with pytest.raises(DeviceGone):
                await meter.identify()
            line.plug_in()
            assert (await meter.sheet_resistance(1)).readings
            line.unplug()
            line.answer = Other().answer
            line.plug_in()
            with pytest.raises(DeviceGone):
                await meter.sheet_resistance(1)
            with pytest.raises(WrongDevice, match=r"7654321.*1234567"):
                await asyncio.ensure_future(meter.sheet_resistance(1))
            await meter.close()

    run(main())


def test_a_write_that_can_be_neither_heard_nor_read_back_is_unsure() -> None:
    fake = FakeAlicat()

    async def main() -> None:
        argon = await opened(AlicatFlowController(bench(gas=fake), "memory:gas", 200.0))
        fake.spoils.extend([silent] * 4)
        with pytest.raises(DeviceUnsure, match="5 sccm"):
            await argon.set_flow(5.0)
        fake.spoils.clear()
        await argon.set_flow(6.0)
        fake.spoils.append(silent)
        await argon.set_flow(7.0)
        assert [r for r in fake.received if b"S7" in r] == [b"AS7.000\r"]

    run(main())


def test_a_write_that_was_not_taken_is_not_repeated_by_the_driver() -> None:
    class Deaf(FakeAlicat):
        def reply(self, request: bytes) -> bytes:
            return b"" if b"S" in request else super().reply(request)

    fake = Deaf()

    async def main() -> None:
        argon = await opened(AlicatFlowController(bench(gas=fake), "memory:gas", 200.0))
        with pytest.raises(DeviceSilent):
            await argon.set_flow(5.0)
        assert fake.received.count(b"AS5.000\r") == 1

    run(main())
