"""Reactive sputtering from a metal target: the dynamic Berg model, with its hysteresis.

After S. Berg and T. Nyberg, Thin Solid Films 476 (2005) 215. Oxygen poisons a fraction `theta` of
the target, which then sputters less metal, and reacts with a fraction `collector` of what has been
deposited, which is what takes up most of it: so less sputtering means more oxygen means less
sputtering. Constants are of plausible order, not fitted to a machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.lab.ceramic import (
    BOLTZMANN,
    ELEMENTARY_CHARGE,
    GAS_TEMPERATURE,
    MOLECULES_PER_S_PER_SCCM,
    PUMPING_SPEED,
)

TARGET_M2, COLLECTOR_M2, VOLUME_M3 = 46e-4, 0.25, 0.050
METAL_YIELD, OXIDE_YIELD = 0.5, 0.02
TARGET_STICKING, COLLECTOR_STICKING = 1.0, 0.6
SITES = 1.2e19  # /m2
METAL_ATOMS = 5.6e28  # /m3, in the growing film
STEP_S = 0.002
_OXYGEN_KG = 31.998 * 1.66053906660e-27
_KT = BOLTZMANN * GAS_TEMPERATURE
_FLUX = 1.0 / math.sqrt(2.0 * math.pi * _OXYGEN_KG * _KT)
"""Molecules per m2, s and Pa that meet a surface."""
_LONG = 150_000
_STILL = 1e-11
"""What changes by less in a step does not change any more: a part of it for the pressure."""


@dataclass(frozen=True)
class Reactor:
    """Poisoned fraction of the target, reacted fraction of the collector, oxygen in Pa."""

    theta: float = 0.0
    collector: float = 0.0
    oxygen_pa: float = 0.0

    def metal_flux(self, ampere: float) -> float:
        """Metal atoms per m2 and s that arrive at the substrate."""
        ions = ampere / (ELEMENTARY_CHARGE * TARGET_M2)
        sputtered = METAL_YIELD * (1.0 - self.theta) + OXIDE_YIELD * self.theta
        return ions * sputtered * TARGET_M2 / COLLECTOR_M2

    def rate_nm_per_min(self, ampere: float) -> float:
        """Growth rate of the film."""
        return self.metal_flux(ampere) / METAL_ATOMS * 1e9 * 60.0


def steps(start: Reactor, n: int, sccm: float, ampere: float) -> tuple[Reactor, bool]:
    """The state `n` steps of 2 ms later under a constant flow and current, and whether it rests."""
    theta, collector, pressure = start.theta, start.collector, start.oxygen_pa
    ions, spread = ampere / (ELEMENTARY_CHARGE * TARGET_M2), TARGET_M2 / COLLECTOR_M2
    per_step = STEP_S / SITES
    from_oxide, from_metal = ions * OXIDE_YIELD, ions * METAL_YIELD * spread
    inflow, pumped = sccm * MOLECULES_PER_S_PER_SCCM, PUMPING_SPEED / _KT
    to_pressure = STEP_S * _KT / VOLUME_M3
    for _ in range(n):
        bound = _FLUX * pressure
        on_target = TARGET_STICKING * bound * (1.0 - theta)
        on_collector = COLLECTOR_STICKING * bound * (1.0 - collector)
        oxide = from_oxide * theta
        # what arrives covers what lies there: oxide on metal, metal on oxide
        covered = oxide * spread * (1.0 - collector) - from_metal * (1.0 - theta) * collector
        taken = on_target * TARGET_M2 + on_collector * COLLECTOR_M2
        d_theta = 2.0 * per_step * (on_target - oxide)
        d_collector = 2.0 * per_step * (on_collector + covered)
        d_pressure = to_pressure * (inflow - pumped * pressure - taken)
        theta = min(1.0, max(0.0, theta + d_theta))
        collector = min(1.0, max(0.0, collector + d_collector))
        pressure = max(0.0, pressure + d_pressure)
        if abs(d_theta) + abs(d_collector) + abs(d_pressure) / (pressure + 1e-9) < _STILL:
            return Reactor(theta, collector, pressure), True
    return Reactor(theta, collector, pressure), False


class Course:
    """The states from `since` on, while flow and current stay as they are.

    They lie on a grid of steps from there, so that no state depends on when others were asked for.
    """

    def __init__(self, start: Reactor, since: float, sccm: float, ampere: float) -> None:
        self.sccm, self.ampere = sccm, ampere
        self._start, self._since = start, since
        self._state, self._n, self._rests = start, 0, False

    def at(self, t: float) -> Reactor:
        """The state at a time, which is not before any that was asked for."""
        n = max(0, int((t - self._since) / STEP_S))
        if n > self._n and not self._rests:
            made = steps(self._state, n - self._n, self.sccm, self.ampere)
            self._state, self._rests = made
        self._n = max(n, self._n)
        return self._state

    def end(self) -> Reactor:
        """Where it comes to rest, from the latest state that was asked for."""
        return steps(self._state, _LONG, self.sccm, self.ampere)[0]
