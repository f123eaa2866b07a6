"""A set-point that may not jump: who ramps, how fast, and from where."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from driver_fakes import FakeModbusLine
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.instrument import RAMP_STEP_S, ramp
from drivers.thermal.modbus_heater import ModbusHeater
from orchestrator.clock import VirtualClock
from orchestrator.errors import InputError
from orchestrator.files.lab import check_range
from orchestrator.plugins import resource_kind
from orchestrator.ports.action import Slew, actions_of
from orchestrator.ports.resource import Bench


class Line(FakeModbusLine):
    """Notes each set-point with its time."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.set_points: list[tuple[float, float]] = []

    def reply(self, request: bytes) -> bytes:
        if request[1] == 6 and request[3] == 1:
            tenths = int.from_bytes(request[4:6], "big", signed=True)
            self.set_points.append((self._clock.now(), tenths / 10))
        return super().reply(request)


def _heated(line: Line, clock: VirtualClock, *temperatures: float, max_slew: float) -> None:
    async def main() -> None:
        bench = Bench("heater", clock, wires={"w": line})
        heater = ModbusHeater(bench, "memory:w", max_slew=max_slew)
        await heater.open()
        for temperature in temperatures:
            await heater.set_temperature(temperature)

    clock.run(main())


def _is_slow(line: Line, start: float, max_slew: float) -> bool:
    """Whether no set-point is further from where it began than the rate and the time allow."""
    pairs = [(line.set_points[0][0], start), *line.set_points]
    return all(
        abs(after - before) <= max_slew * (later - earlier) / 60 + 0.1001
        for (earlier, before), (later, after) in itertools.pairwise(pairs)
    )


def test_without_a_rate_the_controller_ramps_and_is_told_the_target_at_once() -> None:
    clock = VirtualClock()
    line = Line(clock)
    _heated(line, clock, 350.0, max_slew=0.0)
    assert [value for _, value in line.set_points] == [350.0]


@pytest.mark.parametrize("max_slew", [5.0, 30.0, 600.0])
def test_with_a_rate_the_set_point_walks_from_where_the_heater_is(max_slew: float) -> None:
    clock = VirtualClock()
    line = Line(clock)
    _heated(line, clock, 350.0, max_slew=max_slew)
    values = [value for _, value in line.set_points]
    assert values[0] == 25.0
    assert values[-1] == 350.0
    assert values == sorted(values)
    assert _is_slow(line, 25.0, max_slew)
    assert line.set_points[-1][0] == pytest.approx(325.0 / max_slew * 60.0, abs=RAMP_STEP_S)


def test_the_next_ramp_begins_at_the_set_point_of_a_heater_that_runs() -> None:
    clock = VirtualClock()
    line = Line(clock)
    _heated(line, clock, 100.0, 60.0, max_slew=10.0)
    turn = [value for _, value in line.set_points].index(100.0)
    falling = [value for _, value in line.set_points[turn:]]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == 60.0
    assert _is_slow(line, 25.0, 10.0)


def test_a_ramp_that_is_given_up_stays_where_it_is() -> None:
    clock = VirtualClock()
    line = Line(clock)

    async def main() -> None:
        heater = ModbusHeater(Bench("heater", clock, wires={"w": line}), "memory:w", max_slew=10.0)
        await heater.open()
        heating = asyncio.ensure_future(heater.set_temperature(350.0))
        await clock.sleep(120.0)
        heating.cancel()
        await asyncio.gather(heating, return_exceptions=True)
        await clock.sleep(120.0)

    clock.run(main())
    assert 25.0 < line.set_points[-1][1] <= 45.0


@settings(deadline=None)
@given(st.floats(-100, 500), st.floats(-100, 500), st.floats(20, 1000), st.floats(0, 30))
def test_no_ramp_is_ever_ahead_of_its_rate(
    start: float, target: float, per_min: float, write_s: float
) -> None:
    clock, said = VirtualClock(), []

    async def set_to(value: float) -> None:
        await clock.sleep(write_s)
        said.append((clock.now(), value))

    clock.run(ramp(clock, start, target, per_min, set_to))
    assert said[-1][1] == target
    for at, value in said:
        assert abs(value - start) <= per_min * at / 60.0 + 1e-6 * (1 + abs(start) + abs(target))


def test_a_declaration_says_who_ramps() -> None:
    (argument,) = actions_of(ModbusHeater)["set_temperature"].args
    assert argument.slew == Slew("K/min", by="device", option="max_slew")
    assert str(argument.slew) == "ramped by the device; with `max_slew` (K/min) by the driver"
    assert str(Slew("K/min", most=20.0)) == "at most 20 K/min, ramped by the driver"


def test_a_rate_below_nought_is_refused_in_the_lab_file() -> None:
    option = resource_kind("modbus-heater").options["max_slew"]
    assert option.unit == "K/min"
    with pytest.raises(InputError, match="at least 0"):
        check_range(option, -1.0)
