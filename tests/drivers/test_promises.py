"""Every driver of ours keeps every promise, over fakes that answer the printed bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from bridge_fakes import FakeDeclaredSupply, FakeFurnace, FakeOven, content
from driver_fakes import (
    Fake,
    FakeAlicat,
    FakeDashboard,
    FakeGauge,
    FakeMeter,
    FakeModbusLine,
    FakeMonitor,
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
    "scpi": Specimen(
        _alone(FakeDeclaredSupply),
        arguments={
            "set_voltage": {"voltage": 12.5},
            "set_mode": {"mode": "CC"},
            "pulse": {"duration": 0.5},
        },
        declaration=content("supply.yaml"),
    ),
    "modbus": Specimen(
        _alone(FakeFurnace),
        arguments={"set_temperature": {"temperature": 350.2}, "set_ramp": {"rate": 2.5}},
        declaration=content("furnace.yaml"),
    ),
    "http": Specimen(
        _alone(FakeOven),
        arguments={
            "set_temperature": {"temperature": 120.0},
            "bake": {"duration": 60.0, "programme": "cure"},
        },
        declaration=content("oven.yaml"),
    ),
}


@pytest.fixture
def specimens() -> Mapping[str, Specimen]:
    return SPECIMENS


def test_a_driver_keeps(promise: Promise) -> None:
    promise.keep()
