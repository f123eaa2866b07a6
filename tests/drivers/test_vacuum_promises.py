"""Drivers keep their promises over twins too: a second reading of the manual, standing still."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from lab_play import HandClock

from drivers.conformance.promises import PROMISES
from drivers.conformance.specimens import Promise, Specimen
from drivers.deposition.mks_937b import MksGauge
from drivers.deposition.tc_cxn import TcRfSupply
from drivers.electrical.tdk_genesys import GenesysSupply
from orchestrator.ports.resource import Resource, Wire
from simulators.twins.vacuum_lab import VacuumLab


def _twin(name: str) -> Callable[[], Mapping[str, Wire]]:
    def wires() -> Mapping[str, Wire]:
        clock = HandClock()
        lab = VacuumLab(seed=7, clock=clock)
        # pumped into the Pirani's range
        lab.chamber.set_valves(gate=True, vent=False)
        clock.move(130.0)
        return {"port": lab.wires[name]}

    return wires


DRIVERS: dict[str, tuple[Callable[..., Resource], Specimen]] = {
    "mks-937b": (MksGauge, Specimen(_twin("gauge"))),
    "tc-cxn": (
        TcRfSupply,
        Specimen(_twin("rf"), arguments={"set_power": {"power": 150.0}}),
    ),
    "tdk-genesys": (
        GenesysSupply,
        Specimen(
            _twin("supplies"),
            {"max_voltage": 80.0, "max_current": 65.0, "address": 7},
            {"set_voltage": {"voltage": 12.0}, "set_current": {"current": 2.5}},
        ),
    ),
}


@pytest.mark.parametrize("kind", DRIVERS)
@pytest.mark.parametrize("name", PROMISES)
def test_a_driver_keeps_over_its_twin(kind: str, name: str) -> None:
    driver, specimen = DRIVERS[kind]
    Promise(kind, name, driver, specimen).keep()
