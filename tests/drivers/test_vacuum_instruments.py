"""What the drivers of vacuum instruments do, over fakes and, where time passes, over twins."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from driver_fakes import bench, silent
from vacuum_fakes import FakeGenesys, FakeMks, FakeRf, FakeTurbos
from waiting import until
from wire_fakes import on_pty

from drivers.deposition.mks_937b import MksGauge
from drivers.deposition.pfeiffer_turbo import PfeifferTurbo
from drivers.deposition.tc_cxn import TcRfSupply
from drivers.electrical.tdk_genesys import GenesysSupply
from drivers.protocols import cxn
from drivers.protocols import pfeiffer_rs485 as pfeiffer
from orchestrator.capabilities.deposition import Output, RfPower
from orchestrator.clock import VirtualClock
from orchestrator.errors import (
    DeviceAbsent,
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    DeviceUnsure,
    LimitExceeded,
)
from orchestrator.ports.resource import Bench, Wire
from simulators.twins.pfeiffer_turbo import DriveUnit, TurboLine


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


async def opened(device: Any) -> Any:
    await device.open()
    await device.identify()
    return device


# turbo pumps


def turbo(wire: Wire, clock: VirtualClock | None = None, **options: Any) -> PfeifferTurbo:
    name = {"name": "turbo", "clock": clock or VirtualClock(), "wires": {"line": wire}}
    return PfeifferTurbo(Bench(**name), "memory:line", **options)  # type: ignore[arg-type]


def test_a_pump_is_at_speed_and_at_rest_only_when_its_rotor_is() -> None:
    clock = VirtualClock()
    unit = DriveUnit(clock, 1)

    async def main() -> None:
        pump = await opened(turbo(TurboLine(unit).wire(), clock))
        await pump.spin_up()
        assert await pump.speed() == 1500.0
        assert clock.now() >= 120.0
        up = clock.now()
        await pump.stop()
        assert 0.0 < await pump.speed() <= 5.0
        assert clock.now() - up > 1000.0

    clock.run(main())


def test_two_pumps_on_one_line_are_told_apart_by_their_address() -> None:
    fake = FakeTurbos()
    wires = {"line": fake}

    async def main() -> None:
        first = await opened(PfeifferTurbo(bench(**wires), "memory:line", 1))
        second = await opened(PfeifferTurbo(bench(**wires), "memory:line", 42))
        await asyncio.gather(first.spin_up(), second.stop())
        assert (fake.units[1][10], fake.units[42][10]) == (pfeiffer.ON, pfeiffer.OFF)
        assert (await first.speed(), await second.speed()) == (1500.0, 0.0)
        with pytest.raises(DeviceAbsent):
            await opened(PfeifferTurbo(bench(**wires), "memory:line", 7))

    run(main())


def test_an_error_on_the_way_up_is_named_in_words() -> None:
    clock = VirtualClock()
    unit = DriveUnit(clock, 1)

    async def main() -> None:
        pump = await opened(turbo(TurboLine(unit).wire(), clock))
        rising = asyncio.create_task(pump.spin_up())
        await clock.sleep(30.0)
        unit.fail("Err006")
        with pytest.raises(DeviceRefused, match=r"Err006 .run-up time exceeded"):
            await rising
        health = await pump.health()
        assert (health.is_fit, health.note) == (False, "Err006 (run-up time exceeded)")
        with pytest.raises(DeviceRefused, match="Err006"):
            await pump.spin_up()
        # a pump with an error can be stopped all the same
        await pump.stop()

    clock.run(main())


def test_a_warning_is_told_and_keeps_no_pump_from_spinning() -> None:
    fake = FakeTurbos()
    fake.units[1][303] = "Wrn076"

    async def main() -> None:
        pump = await opened(turbo(fake))
        health = await pump.health()
        assert health.is_fit
        assert "high temperature of the electronics" in health.note
        await pump.spin_up()

    VirtualClock().run(main())


def test_a_pump_that_does_not_attain_its_speed_in_time_is_an_error() -> None:
    clock = VirtualClock()
    fake = FakeTurbos()
    fake.is_slow = True

    async def main() -> None:
        pump = await opened(turbo(fake, clock, patience=600.0))
        with pytest.raises(DeviceError, match="has not come to its speed in time"):
            await pump.spin_up()
        assert 600.0 <= clock.now() < 610.0

    clock.run(main())


def test_a_pump_whose_spin_up_is_given_up_goes_on_accelerating() -> None:
    clock = VirtualClock()
    unit = DriveUnit(clock, 1)

    async def main() -> None:
        pump = await opened(turbo(TurboLine(unit).wire(), clock))
        rising = asyncio.create_task(pump.spin_up())
        await clock.sleep(20.0)
        rising.cancel()
        await asyncio.gather(rising, return_exceptions=True)
        before = await pump.speed()
        await clock.sleep(20.0)
        assert await pump.speed() > before > 0.0

    clock.run(main())


@pytest.mark.parametrize(("off_when_safe", "station"), [(False, pfeiffer.ON), (True, pfeiffer.OFF)])
def test_a_pump_made_safe_spins_on_unless_the_lab_decides_otherwise(
    off_when_safe: bool, station: str
) -> None:
    fake = FakeTurbos()

    async def main() -> None:
        pump = await opened(turbo(fake, off_when_safe=off_when_safe))
        await pump.spin_up()
        await pump.make_safe()
        assert fake.units[1][10] == station

    VirtualClock().run(main())
    # it never brakes (13) and never vents (12, 30)
    assert not {request[5:8] for request in fake.received} & {b"012", b"013", b"030"}


def test_a_pump_that_cannot_be_reached_is_not_called_safe() -> None:
    fake = FakeTurbos()

    async def main() -> None:
        pump = await opened(turbo(fake))
        fake.spoils.extend([silent] * 9)
        with pytest.raises(DeviceSilent):
            await pump.make_safe()

    VirtualClock().run(main())


def test_a_switch_that_reads_back_otherwise_is_a_refusal() -> None:
    fake = FakeTurbos()
    fake.ignores.add(10)

    async def main() -> None:
        pump = await opened(turbo(fake))
        with pytest.raises(DeviceRefused, match="reads back otherwise"):
            await pump.spin_up()

    VirtualClock().run(main())


# the gauge


@pytest.mark.parametrize(
    ("unit", "pascal"),
    [("TORR", 1.639865e-4), ("mBAR", 1.23e-4), ("PASCAL", 1.23e-6), ("MICRON", 1.639865e-7)],
)
def test_a_pressure_is_in_pascal_whatever_unit_the_display_is_changed_to(
    unit: str, pascal: float
) -> None:
    fake = FakeMks()

    async def main() -> None:
        gauge = await opened(MksGauge(bench(g=fake), "memory:g"))
        fake.answers["U?"] = f"ACK{unit}"
        assert await gauge.pressure() == pytest.approx(pascal, rel=1e-6)

    run(main())


@pytest.mark.parametrize(
    ("word", "is_fit"), [("OFF", False), ("ATM", True), ("LO<E-11", True), ("NOGAUGE", False)]
)
def test_a_channel_that_does_not_measure_gives_its_word_and_no_pressure(
    word: str, is_fit: bool
) -> None:
    fake = FakeMks()
    fake.answers["PR3?"] = f"ACK{word}"

    async def main() -> None:
        gauge = await opened(MksGauge(bench(g=fake), "memory:g", channel=3))
        health = await gauge.health()
        assert (health.is_fit, health.note) == (is_fit, word)
        with pytest.raises(DeviceError, match=f"channel 3 says '{word}'"):
            await gauge.pressure()

    run(main())


def test_a_channel_that_the_controller_refuses_is_a_refusal() -> None:
    async def main() -> None:
        gauge = await opened(MksGauge(bench(g=FakeMks()), "memory:g", channel=5))
        with pytest.raises(DeviceRefused, match="unknown command"):
            await gauge.pressure()

    run(main())


# the RF supply


def rf(fake: FakeRf, **options: Any) -> TcRfSupply:
    return TcRfSupply(bench("rf", line=fake), "memory:line", **options)


def test_rf_is_struck_read_and_ended() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(150.4)
        assert fake.watts == 150
        await supply.on()
        assert await supply.power() == RfPower(forward=150.0, reflected=3.0, bias=120.0)
        await supply.off()
        assert (fake.status, fake.is_controlled, fake.watts) == (0, False, 0)
        await supply.close()

    run(main())


def test_the_watchdog_is_fed_from_the_first_power_until_off() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake, feed=0.005))
        n = len(fake.received)
        await asyncio.sleep(0.02)
        assert len(fake.received) == n
        await supply.set_power(100.0)
        await supply.on()
        n = len(fake.received)
        await until(lambda: fake.commands[n:].count("GS") >= 5)
        await supply.off()
        n = len(fake.received)
        await asyncio.sleep(0.02)
        assert len(fake.received) == n
        await supply.close()

    run(main())


def test_a_question_of_the_feeding_that_is_not_answered_is_asked_again() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake, feed=0.005))
        await supply.set_power(100.0)
        await supply.on()
        fake.spoils.append(silent)
        n = len(fake.received)
        await until(lambda: not fake.spoils and len(fake.received) > n + 2)
        assert (await supply.power()).forward == 100.0
        await supply.off()
        await supply.close()

    run(main())


def test_rf_that_went_off_by_itself_is_told_until_it_is_switched_off() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(100.0)
        await supply.on()
        fake.drop()
        for _ in range(2):
            with pytest.raises(DeviceError, match=r"RF went off by itself: it heard nothing"):
                await supply.power()
        assert not (await supply.health()).is_fit
        await supply.set_power(100.0)
        with pytest.raises(DeviceError, match="went off by itself"):
            await supply.on()
        await supply.off()
        await supply.set_power(100.0)
        await supply.on()
        assert (await supply.power()).forward == 100.0
        await supply.off()
        await supply.close()

    run(main())


def test_rf_that_went_off_for_a_moment_between_two_readings_is_told_too() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake, feed=0.005))
        await supply.set_power(100.0)
        await supply.on()
        fake.drop()
        n = len(fake.received)
        await until(lambda: len(fake.received) > n)
        fake.status |= cxn.Status.RF_ON  # somebody switches it on again at the front panel
        with pytest.raises(DeviceError, match="went off by itself"):
            await supply.power()
        await supply.off()
        await supply.close()

    run(main())


def test_what_put_rf_off_is_named() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(100.0)
        await supply.on()
        fake.status = cxn.Status.INTERLOCK_OPEN
        with pytest.raises(DeviceError, match="the interlock is open"):
            await supply.power()
        await supply.off()
        await supply.set_power(100.0)
        with pytest.raises(DeviceRefused, match="the interlock is open"):
            await supply.on()
        await supply.close()

    run(main())


def test_rf_is_not_struck_at_a_power_that_nobody_set() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        with pytest.raises(DeviceRefused, match="no power is set"):
            await supply.on()
        await supply.set_power(100.0)
        fake.drop()
        with pytest.raises(DeviceRefused, match="is forgotten"):
            await supply.on()
        assert "BR" not in fake.commands
        await supply.close()

    run(main())


def test_rf_that_does_not_say_that_it_is_on_is_unsure() -> None:
    fake = FakeRf()
    fake.is_deaf_to_on = True

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(100.0)
        with pytest.raises(DeviceUnsure, match="may have struck"):
            await supply.on()
        await supply.close()

    run(main())


def test_rf_whose_acknowledgement_is_lost_is_on_once() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(100.0)
        # status and set-point are answered, the acknowledgement of `on` is not
        fake.spoils.extend([bytes, bytes, silent])
        await supply.on()
        assert fake.commands.count("BR") == 1
        assert (await supply.power()).forward == 100.0
        await supply.off()
        await supply.close()

    run(main())


def test_rf_that_was_not_told_to_go_on_is_not_unsure() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake))
        await supply.set_power(100.0)
        fake.spoils.append(silent)
        with pytest.raises(DeviceSilent):
            await supply.on()
        assert "BR" not in fake.commands
        await supply.on()
        await supply.off()
        await supply.close()

    run(main())


def test_rf_that_another_has_control_of_is_a_refusal() -> None:
    fake = FakeRf()
    fake.gives_control = False

    async def main() -> None:
        supply = await opened(rf(fake))
        with pytest.raises(DeviceRefused, match="does not give control"):
            await supply.set_power(100.0)
        await supply.make_safe()  # it is off, whoever has control
        fake.status = cxn.Status.RF_ON
        with pytest.raises(DeviceRefused, match="says that it is on"):
            await supply.make_safe()
        await supply.close()

    run(main())


def test_a_power_beyond_the_lab_s_own_limit_never_leaves() -> None:
    fake = FakeRf()

    async def main() -> None:
        supply = await opened(rf(fake, max_power=200.0))
        n = len(fake.received)
        with pytest.raises(LimitExceeded):
            await supply.set_power(201.0)
        assert len(fake.received) == n
        await supply.close()

    run(main())


def test_a_stop_goes_ahead_of_a_feeding_that_waits_for_its_answer(tmp_path: Path) -> None:
    fake = FakeRf()
    hangs = asyncio.Event()

    def answer(data: bytes) -> bytes:
        reply = fake.answer(data)
        return b"" if hangs.is_set() and data[2:4] == b"GS" and hangs_once() else reply

    asked: list[bytes] = []

    def hangs_once() -> bool:
        asked.append(b"GS")
        return len(asked) == 1

    async def main() -> None:
        with on_pty(tmp_path, answer) as line:
            supply = await opened(TcRfSupply(bench("rf"), str(line.link), timeout=0.5, feed=0.005))
            await supply.set_power(100.0)
            await supply.on()
            hangs.set()
            await until(lambda: bool(asked))
            n = len(fake.received)
            await supply.make_safe()
            # the first thing on the wire after the hanging question is the stop, which is sent
            # once more when the line is quiet
            assert fake.commands[n:][:3] == ["BC", "BC", "BR"]
            assert not fake.status & cxn.Status.RF_ON
            await supply.close()

    run(main())


# DC supplies


def genesys(fake: FakeGenesys, address: int = 6) -> GenesysSupply:
    return GenesysSupply(bench("psu", line=fake), "memory:line", 40.0, 38.0, address)


def test_each_supply_of_a_line_is_addressed_in_every_dialogue() -> None:
    fake = FakeGenesys()

    async def main() -> None:
        six, seven = await opened(genesys(fake, 6)), await opened(genesys(fake, 7))
        await asyncio.gather(
            six.set_voltage(12.0), seven.set_voltage(5.0), six.set_current(2.5), seven.on()
        )
        assert [fake.units[n]["PV"] for n in (6, 7)] == ["12.000", "5.000"]
        assert [fake.units[n]["OUT"] for n in (6, 7)] == ["OFF", "ON"]
        assert (await six.identify()).serial == "12A006"
        with pytest.raises(DeviceAbsent):
            await opened(genesys(fake, 9))

    run(main())


def test_a_supply_that_is_on_does_not_come_back_on_after_a_power_cut() -> None:
    fake = FakeGenesys()

    async def main() -> None:
        supply = await opened(genesys(fake))
        await supply.on()
        assert (fake.units[6]["AST"], fake.units[6]["OUT"]) == ("OFF", "ON")
        await supply.make_safe()
        assert fake.units[6]["OUT"] == "OFF"

    run(main())


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [("PV", "E01", "overvoltage limit"), ("PV", "C05", "out of range"), ("OUT", "E07", "fault")],
)
def test_a_code_of_a_supply_is_a_refusal_in_words(command: str, code: str, why: str) -> None:
    fake = FakeGenesys()
    fake.refuses[command] = code

    async def main() -> None:
        supply = await opened(genesys(fake))
        with pytest.raises(DeviceRefused, match=f"{code}: .*{why}"):
            await (supply.on() if command == "OUT" else supply.set_voltage(39.0))

    run(main())


def test_a_set_point_that_a_supply_rounds_is_taken_and_another_is_not() -> None:
    class Rounding(FakeGenesys):
        off_by = 0.015

        def reply(self, request: bytes) -> bytes:
            if request == b"PV?\r":
                return f"{12.0 + self.off_by:.3f}\r".encode()
            return super().reply(request)

    async def main() -> None:
        fake = Rounding()
        supply = await opened(genesys(fake))
        await supply.set_voltage(12.0)
        fake.off_by = 0.05
        with pytest.raises(DeviceRefused, match="reads back otherwise"):
            await supply.set_voltage(12.0)

    run(main())


def test_what_is_wrong_with_a_supply_is_in_its_health_and_its_output_is_read() -> None:
    fake = FakeGenesys()

    async def main() -> None:
        supply = await opened(genesys(fake))
        assert (await supply.health()).is_fit
        fake.units[6].update(FLT="14", MV="12.010", MC="01.250")
        health = await supply.health()
        assert (health.is_fit, health.note) == (False, "over temperature, overvoltage tripped")
        assert await supply.output() == Output(voltage=12.01, current=1.25)

    run(main())
