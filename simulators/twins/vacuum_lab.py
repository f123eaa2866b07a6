"""A world of twins: what pumps, measures and feeds a vacuum chamber beyond `sputter_lab`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Literal

from orchestrator.ports.clock import Clock
from simulators.lab.chamber import Chamber
from simulators.twins.mks_937b import GaugeController
from simulators.twins.modbus import serial_bus
from simulators.twins.modbus_units import HeaterUnit, RelayUnit
from simulators.twins.pfeiffer_turbo import DriveUnit, TurboLine
from simulators.twins.rack import Rack
from simulators.twins.tc_cxn import RfGenerator
from simulators.twins.tdk_genesys import GenesysLine, SupplyUnit


class VacuumLab(Rack):
    """Ports, all serial: `turbos` (Pfeiffer 1 and 2), `gauge` (MKS 253), `rf` (T&C), `supplies`
    (Genesys 6: 40 V 38 A, 7: 80 V 65 A), `modbus` (1 heater, 2 valves).

    Gauge, heater and valves belong to one chamber; the turbos' speed does not move its pressure. In
    virtual time (a rehearsal) the RF supply's watchdog sleeps.
    """

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.chamber = Chamber(seed=seed, clock=clock)
        self.turbos = TurboLine(DriveUnit(clock, 1), DriveUnit(clock, 2, nominal_hz=1000))
        # in virtual time nothing takes wall time, and a watchdog on it would bark at chance
        self.rf = RfGenerator(time.monotonic if math.isfinite(clock.speed) else lambda: 0.0)
        self.supplies = GenesysLine(SupplyUnit(6, 40.0, 38.0), SupplyUnit(7, 80.0, 65.0))
        super().__init__(
            {
                "turbos": self.turbos.wire(),
                "gauge": GaugeController(self.chamber).wire(),
                "rf": self.rf.wire(),
                "supplies": self.supplies.wire(),
                "modbus": serial_bus({1: HeaterUnit(self.chamber), 2: RelayUnit(self.chamber)}),
            }
        )

    def counts(self) -> dict[str, int]:
        """How often each physical effect of the chamber has happened; see `lab.effects`."""
        self.chamber.advance()
        return self.chamber.effects.counts()

    def snapshot(self) -> dict[str, Any]:
        """The chamber's state, and what each of the others does."""
        return {
            **self.chamber.snapshot(),
            "turbos_hz": {a: round(unit.speed(), 1) for a, unit in self.turbos.units.items()},
            "rf": {
                "is_on": self.rf.is_on,
                "setpoint_w": self.rf.setpoint,
                "strikes": self.rf.n_strikes,
                "dropped": self.rf.n_dropped,
            },
            "supplies_on": {a: unit.is_on for a, unit in self.supplies.units.items()},
            "supplies_set": {a: unit.settings for a, unit in self.supplies.units.items()},
        }

    def advance(self) -> None:
        """Lets happen what is due by now."""
        self.chamber.advance()

    def next_due(self) -> float | None:
        """When something happens next by itself, in campaign time."""
        return self.chamber.next_due()

    def watch(self, watch: Callable[[Literal["before", "after"], int], None]) -> None:
        """Tells `watch` before and after each physical effect of the chamber."""
        self.chamber.effects.watch = watch

    def by_hand(self, sample: int, to: str) -> None:
        """A person puts a sample somewhere. Raises KeyError when there is no such sample."""
        self.chamber.by_hand(sample, to)
