"""Every driver of ours keeps every promise, over fakes that answer the printed bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from driver_fakes import (
    Fake,
    FakeAlicat,
    FakeDashboard,
    FakeGauge,
    FakeMeter,
    FakeModbusLine,
    FakeMonitor,
    FakePowerMeter,
    FakeStage,
    FakeSupply,
)

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.ports.resource import Wire


def _alone(fake: Callable[[], Fake]) -> Callable[[], Mapping[str, Wire]]:
    return lambda: {"port": fake()}


def _arm() -> Mapping[str, Wire]:
    dashboard = FakeDashboard()
    return {"port": dashboard, "registers": dashboard.registers}


SPECIMENS = {
    "alicat": Specimen(_alone(FakeAlicat), {"full_scale": 200.0}, {"set_flow": {"flow": 12.5}}),
    "pfeiffer-tpg": Specimen(_alone(FakeGauge)),
    "aja-dcxs": Specimen(
        _alone(FakeSupply),
        arguments={
            "set_power": {"power": 150.0},
            "set_exposure": {"presputter": 60.0, "duration": 1200.0},
        },
    ),
    "inficon-sqm160": Specimen(_alone(FakeMonitor)),
    "modbus-heater": Specimen(
        _alone(FakeModbusLine), arguments={"set_temperature": {"temperature": 350.0}}
    ),
    "modbus-valves": Specimen(_alone(FakeModbusLine)),
    "keithley-2400": Specimen(_alone(FakeMeter)),
    "ur-arm": Specimen(
        _arm,
        {"registers": "memory:registers"},
        {
            "place": {"at": "chamber", "source": "blanks"},
            "move": {"to": "probe", "source": "chamber"},
        },
    ),
    "thorlabs-pm100": Specimen(_alone(FakePowerMeter), {"reference": 1e-3, "wavelength": 550.0}),
    "zaber-stage": Specimen(
        _alone(FakeStage),
        {"microstep": 0.047625, "highest": 150.0},
        {"move_to": {"position": 31.75}},
    ),
}


@pytest.fixture
def specimens() -> Mapping[str, Specimen]:
    return SPECIMENS


def test_a_driver_keeps(promise: Promise) -> None:
    promise.keep()
