"""A world of twins: the instruments of a sputter lab with a transfer arm and a probe station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.ports.clock import Clock
from orchestrator.ports.resource import Wire
from simulators.lab.chamber import Chamber
from simulators.lab.effects import Watch
from simulators.twins.aja_dcxs import Supply
from simulators.twins.alicat import FlowController, GasBus
from simulators.twins.dashboard import Dashboard
from simulators.twins.keithley_2400 import SourceMeter
from simulators.twins.modbus import serial_bus, tcp_server
from simulators.twins.modbus_units import ArmRegisters, HeaterUnit, RelayUnit
from simulators.twins.pfeiffer_tpg import Gauge
from simulators.twins.plans import rehearsed, ways
from simulators.twins.rack import Rack
from simulators.twins.sqm160 import Monitor
from simulators.twins.wire import FramedWire


class SputterLab:
    """The lab of `campaigns/niobium_titania/twins.yaml`.

    Ports: `gas` (Alicat A argon 200 sccm, B oxygen 10 sccm), `gauge`, `supply`, `monitor`, `modbus`
    (1 heater, 2 valves), `meter` are serial; `arm` and `arm-registers` are TCP.
    """

    tcp = frozenset({"arm", "arm-registers"})

    def __init__(self, *, seed: int, clock: Clock, chamber: Chamber | None = None) -> None:
        self.chamber = chamber = chamber or Chamber(seed=seed, clock=clock)
        argon = FlowController(chamber, "argon", "A", 200.0, 1)
        oxygen = FlowController(chamber, "oxygen", "B", 10.0, 11)
        arm = Dashboard(chamber)
        self._wires = {
            "gas": GasBus(argon, oxygen).wire(),
            "gauge": Gauge(chamber).wire(),
            "supply": Supply(chamber).wire(),
            "monitor": Monitor(chamber).wire(),
            "modbus": serial_bus({1: HeaterUnit(chamber), 2: RelayUnit(chamber)}),
            "meter": SourceMeter(chamber).wire(),
            "arm": arm.wire(),
            "arm-registers": tcp_server(ArmRegisters(chamber), arm.lose_power),
        }

    @property
    def wires(self) -> Mapping[str, FramedWire]:
        """One wire per port."""
        return self._wires

    def counts(self) -> dict[str, int]:
        """How often each physical effect has happened; see `lab.effects`."""
        self.chamber.advance()
        return self.chamber.effects.counts()

    def snapshot(self) -> dict[str, Any]:
        """The state of chamber, samples and arm as plain data."""
        return self.chamber.snapshot()

    def advance(self) -> None:
        """Lets happen what is due by now."""
        self.chamber.advance()

    def next_due(self) -> float | None:
        """When something happens next by itself, in campaign time."""
        return self.chamber.next_due()

    def watch(self, watch: Watch | None) -> None:
        """Tells `watch` before and after each physical effect."""
        self.chamber.effects.watch = watch

    def by_hand(self, sample: int, to: str) -> None:
        """A person puts a sample somewhere. Raises KeyError when there is no such sample."""
        self.chamber.by_hand(sample, to)

    @property
    def hows(self) -> Mapping[str, Sequence[str]]:
        """By port, the faults that `failing` can plan there."""
        return ways(self.wires)

    def failing(self, faults: Sequence[Mapping[str, Any]], clock: Clock) -> Mapping[str, Wire]:
        """The wires in memory, failing as `plans` has it. Raises InputError."""
        return rehearsed(self.wires, faults, clock)

    serve_command = staticmethod(Rack.serve_command)
