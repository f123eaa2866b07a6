"""A motorised axis: moves of trapezoidal speed, as closed formulas of time.

Positions are in mm from the sensor at one end, speeds in mm/s. Before it has been homed the axis
counts from where it stood when power came on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """From rest at `start` to rest at `target`, begun at `since`."""

    start: float
    target: float
    since: float
    speed: float
    acceleration: float

    @property
    def _ramp_s(self) -> float:
        """How long it gathers speed, which may be less than what reaches the full speed."""
        full = self.speed / self.acceleration
        return min(full, math.sqrt(abs(self.target - self.start) / self.acceleration))

    @property
    def ends_at(self) -> float:
        """When it is at rest again."""
        distance, ramp_s = abs(self.target - self.start), self._ramp_s
        top = self.acceleration * ramp_s
        cruise_s = (distance - top * ramp_s) / top if top > 0 else 0.0
        return self.since + 2 * ramp_s + cruise_s

    def at(self, t: float) -> float:
        """Where it is."""
        if t >= self.ends_at:
            return self.target
        sign = math.copysign(1.0, self.target - self.start)
        gone, left, ramp_s = max(0.0, t - self.since), self.ends_at - t, self._ramp_s
        if gone < ramp_s:
            return self.start + sign * 0.5 * self.acceleration * gone**2
        if left < ramp_s:
            return self.target - sign * 0.5 * self.acceleration * left**2
        top = self.acceleration * ramp_s
        return self.start + sign * top * (gone - 0.5 * ramp_s)

    def velocity(self, t: float) -> float:
        """How fast it is, towards larger positions."""
        if t >= self.ends_at:
            return 0.0
        sign = math.copysign(1.0, self.target - self.start)
        gone, left = max(0.0, t - self.since), self.ends_at - t
        return sign * self.acceleration * min(gone, left, self._ramp_s)


@dataclass(frozen=True)
class Braking:
    """Comes to rest from `velocity` at `start`."""

    start: float
    velocity: float
    since: float
    deceleration: float

    @property
    def ends_at(self) -> float:
        """When it is at rest."""
        return self.since + abs(self.velocity) / self.deceleration

    def at(self, t: float) -> float:
        """Where it is."""
        gone = min(max(0.0, t - self.since), self.ends_at - self.since)
        slowed = math.copysign(self.deceleration, self.velocity)
        return self.start + self.velocity * gone - 0.5 * slowed * gone**2


@dataclass
class Axis:
    """An axis at rest at `stands`, of which it knows nothing until it was homed.

    Driven against an `obstacle` it stalls there.
    """

    travel_mm: float
    stands: float = 0.0
    speed: float = 20.0
    acceleration: float = 100.0
    obstacle: float | None = None
    is_homed: bool = False
    has_stalled: bool = False
    is_interrupted: bool = False
    _path: Move | Braking | None = None
    _is_homing: bool = False
    _origin: float = 0.0

    def __post_init__(self) -> None:
        if not self.is_homed:
            self._origin = self.stands

    def settle(self, t: float) -> None:
        """What has come to its end by t."""
        path = self._path
        if path is None or t < path.ends_at:
            return
        self.stands, self._path = path.at(t), None
        self.has_stalled = isinstance(path, Move) and self.stands == self.obstacle
        if self._is_homing and not self.has_stalled:
            self.is_homed, self._origin = True, 0.0
        self._is_homing = False

    def is_moving(self, t: float) -> bool:
        """Whether it is not at rest."""
        self.settle(t)
        return self._path is not None

    def at(self, t: float) -> float:
        """Where it really is."""
        self.settle(t)
        return self._path.at(t) if self._path else self.stands

    def counted(self, t: float) -> float:
        """Where it believes to be."""
        self.settle(t)
        return self.at(t) - self._origin

    def home(self, t: float) -> None:
        """Sets out for the sensor."""
        self._set_out(0.0, t)
        self._is_homing = True

    def move(self, counted: float, t: float) -> None:
        """Sets out for a position as it counts; from rest, also when it was moving."""
        self.settle(t)
        self._set_out(counted + self._origin, t)

    def stop(self, t: float) -> None:
        """Brakes; what it was doing counts as interrupted."""
        self.settle(t)
        if isinstance(self._path, Move):
            self._path = Braking(self._path.at(t), self._path.velocity(t), t, self.acceleration)
            self.is_interrupted, self._is_homing = True, False

    def lose_power(self, t: float) -> None:
        """Stands where it is, and counts from there when power comes back; nothing else is left."""
        self.stands = self._origin = self.at(t)
        self._path, self.is_homed, self._is_homing = None, False, False
        self.has_stalled = self.is_interrupted = False

    def _set_out(self, target: float, t: float) -> None:
        start, obstacle = self.at(t), self.obstacle
        if obstacle is not None and min(start, target) <= obstacle <= max(start, target):
            target = obstacle
        self.has_stalled = self.is_interrupted = self._is_homing = False
        self._path = Move(start, target, t, self.speed, self.acceleration)
