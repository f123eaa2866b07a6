"""The conformance suite, over fakes that answer the printed bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from driver_fakes import (
    Fake,
    FakeAlicat,
    FakeDashboard,
    FakeGauge,
    FakeMeter,
    FakeModbusLine,
    FakeMonitor,
    FakeRegisters,
    FakeSupply,
    bench,
)

from drivers.conformance import promises
from drivers.conformance.promises import Spoilable
from drivers.deposition.aja_dcxs import AjaSupply
from drivers.deposition.alicat import AlicatFlowController
from drivers.deposition.inficon_sqm160 import InficonMonitor
from drivers.deposition.modbus_valves import ModbusValves
from drivers.deposition.pfeiffer_tpg import PfeifferGauge
from drivers.electrical.keithley_2400 import Keithley2400
from drivers.robots.universal_robots import UniversalRobot
from drivers.thermal.modbus_heater import ModbusHeater


@dataclass
class Case:
    cls: Callable[..., Any]
    fake: Callable[[], Fake]
    options: dict[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


CASES = {
    "alicat": Case(
        AlicatFlowController, FakeAlicat, {"full_scale": 200.0}, {"set_flow": {"flow": 12.5}}
    ),
    "pfeiffer": Case(PfeifferGauge, FakeGauge),
    "aja": Case(
        AjaSupply,
        FakeSupply,
        arguments={
            "set_power": {"power": 150.0},
            "set_exposure": {"presputter": 60.0, "duration": 1200.0},
        },
    ),
    "inficon": Case(InficonMonitor, FakeMonitor),
    "heater": Case(
        ModbusHeater, FakeModbusLine, arguments={"set_temperature": {"temperature": 350.0}}
    ),
    "valves": Case(ModbusValves, FakeModbusLine),
    "keithley": Case(Keithley2400, FakeMeter),
    "arm": Case(UniversalRobot, FakeDashboard, {"registers": "memory:registers"}),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def check(
    case: Case, promise: Callable[..., Awaitable[None]], *, with_arguments: bool = False
) -> None:
    async def main() -> None:
        fake = case.fake()
        wire = Spoilable(fake)
        registers = FakeRegisters()
        if isinstance(fake, FakeDashboard):
            fake.registers = registers
        device = case.cls(bench(device=wire, registers=registers), "memory:device", **case.options)
        await device.open()
        try:
            extra = (case.arguments,) if with_arguments else ()
            await promise(device, wire, *extra)
        finally:
            await device.close()

    asyncio.run(main())


@EVERY
def test_a_device_identifies_itself(case: Case) -> None:
    check(case, promises.identifies_itself)


@EVERY
def test_a_device_that_never_answered_is_absent(case: Case) -> None:
    check(case, promises.is_absent_when_nothing_answers)


@EVERY
def test_make_safe_may_be_repeated(case: Case) -> None:
    check(case, promises.makes_safe_repeatedly)


@EVERY
def test_limits_are_refused_before_a_byte_leaves(case: Case) -> None:
    check(case, promises.refuses_before_a_byte_leaves, with_arguments=True)


@EVERY
def test_a_reading_survives_one_spoilt_reply(case: Case) -> None:
    check(case, promises.survives_one_spoilt_reply)


@EVERY
def test_what_is_wrong_with_the_line_has_a_name(case: Case) -> None:
    check(case, promises.names_what_is_wrong_with_the_line)


@EVERY
def test_a_write_is_sure_or_says_that_it_is_not(case: Case) -> None:
    check(case, promises.is_sure_or_says_so, with_arguments=True)
