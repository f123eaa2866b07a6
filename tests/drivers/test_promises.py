"""Every driver of ours keeps every promise, over fakes that answer the printed bytes."""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable, Mapping

import pytest
from arm_fakes import FakeDashboard
from bridge_fakes import FakeDeclaredSupply, FakeFurnace, FakeOven, content
from driver_fakes import (
    Fake,
    FakeAlicat,
    FakeGauge,
    FakeMeter,
    FakeModbusLine,
    FakeMonitor,
    FakePowerMeter,
    FakeStage,
    FakeSupply,
)
from liquid_fakes import FakeBalance, FakeCavro, FakeNewEra, FakePlate
from vacuum_fakes import FakeGenesys, FakeMks, FakeRf, FakeTurbos

from drivers.conformance.specimens import Promise, Specimen
from orchestrator.ports.resource import Wire


def _alone(fake: Callable[[], Fake]) -> Callable[[], Mapping[str, Wire]]:
    return lambda: {"port": fake()}


def _arm() -> Mapping[str, Wire]:
    dashboard = FakeDashboard()
    return {"port": dashboard, "registers": dashboard.registers}


FILM = {"oxygen": 1.0, "temperature": 300.0, "power": 100.0, "argon": 0.5, "duration": 5.0}
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
    "cavro": Specimen(
        _alone(lambda: FakeCavro(5400)),
        {"syringe": 1000.0, "rate": 900.0},
        {"load": {"volume": 500.0}, "dispense": {"volume": 100.0}},
    ),
    "new-era": Specimen(
        _alone(FakeNewEra),
        {"diameter": 14.43, "syringe": 10000.0},
        {"dispense": {"volume": 100.0}},
    ),
    "ika": Specimen(
        _alone(lambda: FakePlate(at_once=True)),
        arguments={"set_temperature": {"temperature": 80.0}, "set_speed": {"speed": 400.0}},
    ),
    "mt-sics": Specimen(_alone(FakeBalance), {"capacity": 220.0}),
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
    "pfeiffer-turbo": Specimen(_alone(FakeTurbos)),
    "mks-937b": Specimen(_alone(FakeMks)),
    "tc-cxn": Specimen(_alone(FakeRf), arguments={"set_power": {"power": 150.0}}),
    "tdk-genesys": Specimen(
        _alone(FakeGenesys),
        {"max_voltage": 40.0, "max_current": 38.0},
        {"set_voltage": {"voltage": 12.0}, "set_current": {"current": 2.5}},
    ),
    "thorlabs-pm100": Specimen(_alone(FakePowerMeter), {"reference": 1e-3, "wavelength": 550.0}),
    "file-drop": Specimen(
        options={"folder": tempfile.gettempdir(), "pattern": "{sample}.xy"},
        arguments={"measure": {"sample": "S1"}},
    ),
    "sputter-tool": Specimen(arguments={"deposit": FILM}),
    "co-sputter-tool": Specimen(
        arguments={"deposit": FILM, "codeposit": {**FILM, "second_power": 50.0}}
    ),
    "wafer-map": Specimen(
        options={"up": 10.0, "down": 22.0, "gun": 60.0, "throw": 120.0},
        arguments={"measure_map": {"thickness": 100.0, "share": 0.5}},
    ),
    "gravimetric-dispenser": Specimen(
        options={"density": 1.0},
        arguments={"dispense": {"volume": 100.0}, "weigh_in": {"mass": 0.1}},
    ),
    "zaber-stage": Specimen(
        _alone(FakeStage),
        {"microstep": 0.047625, "highest": 150.0},
        {"move_to": {"position": 31.75}},
    ),
}


BRIDGES = ("epics", "ophyd", "ophyd-async", "opcua", "sila2", "yaq", "pylabrobot", "madsci")
"""Held where their servers are: in `test_*_bridge.py`."""


@pytest.fixture
def specimens() -> Mapping[str, Specimen]:
    return SPECIMENS


@pytest.mark.drivers(*SPECIMENS)
def test_a_driver_keeps(promise: Promise) -> None:
    promise.keep()


def test_no_driver_is_left_out() -> None:
    ours = importlib.metadata.distribution("hagane").entry_points.select(group="hagane.resources")
    drivers = {entry.name for entry in ours if entry.value.startswith("drivers.")}
    assert drivers == {*SPECIMENS, *BRIDGES}
