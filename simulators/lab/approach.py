"""Quantities on their way to a target, as closed formulas of time.

Nothing is integrated in steps: a value at time t depends on the last change of its target only,
never on how often anybody looked. Once within its resolution of the target it *is* the target, so
that what is computed from it does not depend on the moment of the computation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Lag:
    """A first-order approach that began at `since` (s) from `start`, with time constant `tau` (s).

    `snap` is the absolute distance at which it has arrived.
    """

    start: float
    target: float
    since: float
    tau: float
    snap: float

    def at(self, t: float) -> float:
        """The value at time t."""
        left = (self.start - self.target) * math.exp(-max(0.0, t - self.since) / self.tau)
        return self.target if abs(left) <= self.snap else self.target + left

    def toward(self, target: float, t: float, snap: float | None = None) -> Lag:
        """The same quantity with another target from time t on."""
        return Lag(self.at(t), target, t, self.tau, self.snap if snap is None else snap)


RAMP_K_PER_S = 0.75
APPROACH_S = 20.0
COOLING_S = 240.0
AMBIENT_C = 20.0
RESOLUTION_K = 0.1


@dataclass(frozen=True)
class Stage:
    """Temperature in degC of a substrate stage since `since`: ramp, approach, or cooling.

    Upwards the controller ramps 45 K/min and then closes in with 20 s; downwards it can only wait
    for the water-cooled stage, which cools with 4 min. `target` None: the heater is off.
    """

    start: float = AMBIENT_C
    target: float | None = None
    since: float = 0.0

    def at(self, t: float) -> float:
        """The temperature at time t."""
        elapsed = max(0.0, t - self.since)
        if self.target is not None and self.target >= self.start:
            return self._heated(self.target, elapsed)
        cooled = AMBIENT_C + (self.start - AMBIENT_C) * math.exp(-elapsed / COOLING_S)
        if self.target is None:
            return AMBIENT_C if abs(cooled - AMBIENT_C) <= RESOLUTION_K else cooled
        floor = max(self.target, AMBIENT_C)
        return floor if cooled - floor <= RESOLUTION_K else cooled

    def _heated(self, target: float, elapsed: float) -> float:
        corner = RAMP_K_PER_S * APPROACH_S
        ramp_s = max(0.0, target - self.start - corner) / RAMP_K_PER_S
        if elapsed < ramp_s:
            return self.start + RAMP_K_PER_S * elapsed
        gap = min(corner, target - self.start) * math.exp(-(elapsed - ramp_s) / APPROACH_S)
        return target if gap <= RESOLUTION_K else target - gap

    def toward(self, target: float | None, t: float) -> Stage:
        """The same stage with another target (None: off) from time t on."""
        return Stage(self.at(t), target, t)
