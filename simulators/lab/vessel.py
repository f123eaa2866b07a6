"""Gas in a chamber: two flows, a gate valve to the pump, a vent valve, and the pressure.

Pressures are in Pa, flows in sccm, times in s. The pumped chamber takes 15 s per factor e from
atmosphere; below 1e-3 Pa the gauge reads the base pressure of 1e-4 Pa, so that a tool which waits
for anything up to 1e-3 Pa finds the base pressure and not a moment of the pump-down. Gases are at
their partial pressure as soon as they flow (V/S = 0.6 s is shorter than the flow controllers are).
"""

from __future__ import annotations

from simulators.lab.approach import Lag
from simulators.lab.ceramic import (
    BOLTZMANN,
    GAS_TEMPERATURE,
    MOLECULES_PER_S_PER_SCCM,
    partial_pressure,
)

ATMOSPHERE = 101325.0
BASE = 1e-4
CROSSOVER = 1e-3
PUMP_S = 15.0
VENT_S = 8.0
FLOW_S = 0.5
VOLUME = 0.050  # m3
LEAK = 1e-5  # Pa/s, when neither valve is open
GASES = ("argon", "oxygen")


class Vessel:
    """A chamber that was vented before `t`."""

    def __init__(self, t: float) -> None:
        self.gate = False
        self.vent = True
        self.flows = {gas: Lag(0.0, 0.0, t, FLOW_S, 0.001) for gas in GASES}
        self._rest = Lag(ATMOSPHERE, ATMOSPHERE, t, VENT_S, 1e-3 * ATMOSPHERE)

    def pressure(self, t: float) -> float:
        """Total pressure."""
        if self.vent:
            return self._rest.at(t)
        if self.gate:
            return self._rest.at(t) + sum(self.partial(gas, t) for gas in GASES)
        rise = (LEAK + self._gas_load()) * (t - self._rest.since)
        return min(ATMOSPHERE, self._rest.start + rise)

    def partial(self, gas: str, t: float) -> float:
        """Partial pressure of a gas in the pumped chamber."""
        return partial_pressure(self.flows[gas].at(t))

    def settled(self) -> float:
        """The pressure that the present valves and set points lead to."""
        if self.vent or not self.gate:
            return ATMOSPHERE
        return BASE + sum(partial_pressure(flow.target) for flow in self.flows.values())

    def set_flow(self, gas: str, sccm: float, t: float) -> None:
        """Another set point of a flow controller."""
        total = self.pressure(t)
        snap = max(0.001, 1e-3 * sccm)
        self.flows[gas] = self.flows[gas].toward(sccm, t, snap)
        if not self.vent and not self.gate:
            self._anchor(total, t)

    def set_valves(self, *, gate: bool, vent: bool, t: float) -> None:
        """Other positions of the valves. An open vent wins over the pump."""
        total = self.pressure(t)
        self.gate, self.vent = gate, vent
        self._anchor(total, t)

    def _anchor(self, total: float, t: float) -> None:
        if self.vent:
            self._rest = Lag(total, ATMOSPHERE, t, VENT_S, 1e-3 * ATMOSPHERE)
        elif self.gate:
            rest = max(BASE, total - sum(self.partial(gas, t) for gas in GASES))
            self._rest = Lag(rest, BASE, t, PUMP_S, CROSSOVER - BASE)
        else:
            self._rest = Lag(total, total, t, PUMP_S, 0.0)

    def _gas_load(self) -> float:
        """Pa/s in the isolated chamber."""
        sccm = sum(flow.target for flow in self.flows.values())
        return sccm * MOLECULES_PER_S_PER_SCCM * BOLTZMANN * GAS_TEMPERATURE / VOLUME
