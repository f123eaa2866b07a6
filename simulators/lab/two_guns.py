"""A chamber with two guns for composition spreads, and a station that probes any place of a wafer.

The shutter of the first gun times the film: what the second one does at its own time differs by no
more than what lies between two orders of a tool. The wafer lies on two stages, its middle at 75 mm
of each; a third one lowers the probe, whose tips touch from 20 mm on. Stages that move while it is
down scratch the film: an effect of its own, which no tool should bring about.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from orchestrator.ports.clock import Clock
from simulators.lab.axis import Axis
from simulators.lab.ceramic import TARGET_VOLTAGE, Conditions
from simulators.lab.chamber import READING_SCATTER, Chamber
from simulators.lab.growth import Growth
from simulators.lab.gun import STRIKE_HIGH_PA, STRIKE_LOW_PA, Gun
from simulators.lab.noise import normal
from simulators.lab.probing import INFINITE_FACTOR
from simulators.lab.samples import Grown
from simulators.lab.spread import Spread, SpreadConditions

MIDDLE_MM, TOUCHES_MM = 75.0, 20.0
WAFER_RADIUS_MM = 50.0


class SecondGun:
    """The gun with niobium, as its own supply sees the chamber."""

    def __init__(self, chamber: SpreadChamber) -> None:
        self.gun = Gun()
        self._chamber = chamber

    def advance(self) -> float:
        """See `gun.Gunned`."""
        return self._chamber.advance()

    def set_gun(self, **settings: Any) -> bool:
        """See `gun.Gunned`."""
        self.advance()
        if self.gun.is_on and set(settings) != {"setpoint"}:
            return False
        self.gun = replace(self.gun, **settings)
        self._chamber.changed()
        return True

    def switch_on(self) -> None:
        """See `gun.Gunned`."""
        now = self.advance()
        if self.gun.is_on:
            return
        if not self._chamber.strikes():
            self.gun.fault = 1
            return
        with self._chamber.effects.happening("strikes", now, "second gun"):
            self.gun.fault, self.gun.on_since = 0, now
        self._chamber.changed()

    def switch_off(self) -> None:
        """See `gun.Gunned`."""
        self.advance()
        self.gun.shutter_open, self.gun.on_since = False, None
        self._chamber.changed()

    def target_voltage(self) -> float:
        """See `gun.Gunned`."""
        self.advance()
        return TARGET_VOLTAGE if self.gun.is_on else 0.0

    def happen(self) -> None:
        """Opens the shutter, or goes off."""
        if self.gun.shutter_open or self.gun.duration_s <= 0:
            self.gun.shutter_open, self.gun.on_since = False, None
        else:
            self.gun.shutter_open = True


class SpreadChamber(Chamber):
    """The chamber, and the station at position `probe`."""

    def __init__(self, *, seed: int, clock: Clock) -> None:
        self.second = SecondGun(self)
        self.x = Axis(150.0, stands=12.0)
        self.y = Axis(150.0, stands=101.0)
        self.z = Axis(25.0, stands=3.0)
        self.spreads: dict[int, Spread] = {}
        super().__init__(seed=seed, clock=clock)

    def strikes(self) -> bool:
        """Whether a plasma would come and stay."""
        pressure = self.vessel.pressure(self.clock.now())
        return STRIKE_LOW_PA <= pressure <= STRIKE_HIGH_PA and self._burns()

    def snapshot(self) -> dict[str, Any]:
        """See `Chamber`."""
        now = self.clock.now()
        stands = {name: round(getattr(self, name).at(now), 4) for name in "xyz"}
        return {**super().snapshot(), "stages_mm": stands}

    def changed(self) -> None:
        """Something of the second gun is another way now."""
        self._after_change(self.clock.now())

    def probed_resistance(self, k: int) -> float | None:
        """See `Chamber`; at the place of the wafer that lies under the lowered tips."""
        now = self.advance()
        sample = self.samples.at("probe")
        if sample is None or sample.has_bad_contact or self.z.at(now) < TOUCHES_MM:
            return None
        x, y = self.x.at(now) - MIDDLE_MM, self.y.at(now) - MIDDLE_MM
        spread = self.spreads.get(sample.number)
        if spread is None or x**2 + y**2 > WAFER_RADIUS_MM**2:
            return None
        error = normal(self.seed, sample.key, "resistance", f"{x:.2f}", f"{y:.2f}", k)
        resistance = spread.at(x, y).sheet_resistance / INFINITE_FACTOR
        return resistance * (1.0 + READING_SCATTER * error)

    def scratching(self) -> None:
        """Told when a stage sets out: with the tips down it scratches."""
        now = self.advance()
        sample = self.samples.at("probe")
        if sample is not None and self.z.at(now) >= TOUCHES_MM and not self.z.is_moving(now):
            with self.effects.happening("scratches", now, f"sample {sample.number}"):
                pass

    def _dues(self) -> tuple[float | None, ...]:
        return *super()._dues(), self.second.gun.due

    def _happen(self, due: float) -> None:
        if due in super()._dues():
            super()._happen(due)
        else:
            self.second.happen()

    def _after_change(self, now: float) -> None:
        if self.second.gun.is_on and not self._burns():
            self.second.gun.fault = 1
            self.second.gun.shutter_open, self.second.gun.on_since = False, None
        super()._after_change(now)

    def _set_conditions(self) -> Conditions:
        first = super()._set_conditions()
        power = self.second.gun.power_w if self.second.gun.is_on else 0.0
        total = first.power_w + power
        return SpreadConditions(
            oxygen_pa=first.oxygen_pa,
            argon_pa=first.argon_pa,
            temperature_c=first.temperature_c,
            power_w=total,
            share=power / total if total > 0 else 0.0,
        )

    def _grown(self, growth: Growth, t: float, partial: bool) -> Grown:
        grown = super()._grown(growth, t, partial)
        clean = growth.film(t).resistivity_ohm_cm
        segments = tuple(
            (c, minutes) for c, minutes in growth.segments(t) if isinstance(c, SpreadConditions)
        )
        if growth.sample is not None:
            factor = grown.film.resistivity_ohm_cm / clean if math.isfinite(clean) else 1.0
            self.spreads[growth.sample.number] = Spread(segments, growth.erosion, factor)
        return grown
