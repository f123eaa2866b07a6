"""The chamber with a metal target: its state has a memory, so the way to a flow matters.

The target follows `berg` from change to change of flow, valves or plasma. A film grows at the state
to which the target comes to rest from where it is: which of the two that a flow may have, the way
there decides, and a moment more or less does not.
"""

from __future__ import annotations

import math

from orchestrator.ports.clock import Clock
from simulators.lab.berg import Course, Reactor
from simulators.lab.ceramic import TARGET_VOLTAGE, Conditions
from simulators.lab.chamber import READING_SCATTER, Chamber
from simulators.lab.growth import Growth
from simulators.lab.metal import CLEAR, METALLIC_V, POISONED_V, MetalConditions
from simulators.lab.noise import normal
from simulators.lab.samples import Grown

LIGHT_W = 1e-3
"""What the photometer of the probe station reads without a sample."""


class MetalChamber(Chamber):
    """As `Chamber`, with the metal target, and light through what lies at the probe station."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        super().__init__(seed=seed, clock=clock)
        self._course = Course(Reactor(), clock.now(), 0.0, 0.0)
        self._absorbance: dict[int, float] = {}

    def reactor(self) -> Reactor:
        """The target, the walls and the oxygen."""
        return self._course.at(self.advance())

    def target_voltage(self) -> float:
        """See `Chamber`; a poisoned target has another one."""
        theta = self.reactor().theta
        volt = METALLIC_V + (POISONED_V - METALLIC_V) * theta
        return volt if self.gun.is_on else 0.0

    def pressure(self) -> float:
        """See `Chamber`; while it burns, the film takes up most of the oxygen."""
        now = self.advance()
        total = self.vessel.pressure(now)
        if not (self.gun.is_on and self.vessel.gate):
            return total
        return total - self.vessel.partial("oxygen", now) + self._course.at(now).oxygen_pa

    def switch_on(self) -> None:
        """See `Chamber`."""
        super().switch_on()
        self._follow(self.clock.now())

    def transmitted_w(self, k: int) -> float:
        """Reading k of the photometer, in W: 0.5 % scatter, of the drifts that a lamp has none."""
        self.advance()
        sample = self.samples.at("probe")
        if sample is None:
            return LIGHT_W
        error = READING_SCATTER / 2 * normal(self.seed, sample.key, "light", k)
        clear = CLEAR * math.exp(-self._absorbance.get(sample.number, 0.0))
        return LIGHT_W * clear * (1.0 + error)

    def _after_change(self, now: float) -> None:
        self._follow(now)
        super()._after_change(now)

    def _end(self, t: float, *, partial: bool) -> None:
        super()._end(t, partial=partial)
        self._follow(t)

    def _follow(self, t: float) -> None:
        """From t on the target sees what is set now."""
        flow = self.vessel.flows["oxygen"].target if self.vessel.gate else 0.0
        ampere = self.gun.power_w / TARGET_VOLTAGE if self.gun.is_on else 0.0
        if (flow, ampere) != (self._course.sccm, self._course.ampere):
            self._course = Course(self._course.at(t), t, flow, ampere)

    def _set_conditions(self) -> Conditions:
        return self._reacted(super()._set_conditions())

    def _conditions(self, t: float) -> Conditions:
        self._course.at(t)
        return self._reacted(super()._conditions(t))

    def _reacted(self, set_to: Conditions) -> MetalConditions:
        rest = self._course.end()
        return MetalConditions(
            oxygen_pa=_rounded(rest.oxygen_pa),
            argon_pa=set_to.argon_pa,
            temperature_c=set_to.temperature_c,
            power_w=set_to.power_w,
            metal_rate=_rounded(rest.rate_nm_per_min(self._course.ampere)),
            reacted=_rounded(rest.collector),
        )

    def _grown(self, growth: Growth, t: float, partial: bool) -> Grown:
        grown = super()._grown(growth, t, partial)
        if growth.sample is not None:
            number = growth.sample.number
            dims = sum(
                c.absorbance(minutes, growth.erosion)
                for c, minutes in growth.segments(t)
                if isinstance(c, MetalConditions)
            )
            self._absorbance[number] = self._absorbance.get(number, 0.0) + dims
        return grown


def _rounded(number: float) -> float:
    """To what the integration is good for, so that no film depends on a step more or less."""
    return float(f"{number:.5g}")
