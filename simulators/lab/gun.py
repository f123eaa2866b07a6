"""A DC sputter gun with its supply: set point, shutter, and an exposure that times itself.

Switched on, the power ramps for `ramp_s`, the plasma presputters behind the closed shutter for
`delay_s`, the shutter opens for the deposition time, closes, and the supply goes off by itself. A
deposition time of zero opens nothing. Times and mode can be set only while the supply is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from simulators.lab.ceramic import TARGET_VOLTAGE

POWER, VOLTAGE, CURRENT = 0, 1, 2
STRIKE_LOW_PA, STRIKE_HIGH_PA = 0.05, 20.0


@dataclass
class Gun:
    """What is set, and what runs. `setpoint` is in W, V or mA as `mode` says."""

    setpoint: int = 0
    mode: int = POWER
    ramp_s: int = 0
    delay_s: int = 0
    minutes: int = 0
    seconds: int = 0
    fault: int = 0
    on_since: float | None = None
    shutter_open: bool = False

    @property
    def is_on(self) -> bool:
        """Whether the supply is on."""
        return self.on_since is not None

    @property
    def duration_s(self) -> float:
        """The set deposition time."""
        return 60.0 * self.minutes + self.seconds

    @property
    def power_w(self) -> float:
        """The power that the set point means at 300 V; a voltage is taken as 0.5 W/V."""
        per_unit = {POWER: 1.0, VOLTAGE: 0.5, CURRENT: TARGET_VOLTAGE / 1000.0}
        return self.setpoint * per_unit[self.mode]

    @property
    def opens_at(self) -> float | None:
        """When the shutter opens; None while off."""
        return None if self.on_since is None else self.on_since + self.ramp_s + self.delay_s

    @property
    def ends_at(self) -> float | None:
        """When the supply goes off by itself; None while off."""
        return None if self.opens_at is None else self.opens_at + self.duration_s

    @property
    def due(self) -> float | None:
        """When something happens next by itself."""
        if self.is_on and not self.shutter_open and self.duration_s > 0:
            return self.opens_at
        return self.ends_at

    def output_w(self, t: float) -> float:
        """The power at the target at time t."""
        if self.on_since is None:
            return 0.0
        if self.ramp_s and t < self.on_since + self.ramp_s:
            return self.power_w * (t - self.on_since) / self.ramp_s
        return self.power_w

    def remaining_s(self, t: float) -> float:
        """What is left of the deposition time: all of it until the shutter opens, 0 when off."""
        if self.opens_at is None or self.ends_at is None:
            return 0.0
        return max(0.0, self.ends_at - max(t, self.opens_at))


class Gunned(Protocol):
    """A chamber as the supply of one of its guns sees it."""

    gun: Gun

    def advance(self) -> float:
        """Lets everything happen that is due by now; gives the time."""
        ...

    def set_gun(self, **settings: Any) -> bool:
        """Changes what the supply is set to."""
        ...

    def switch_on(self) -> None:
        """Strikes a plasma."""
        ...

    def switch_off(self) -> None:
        """Closes the shutter and ends the plasma."""
        ...

    def target_voltage(self) -> float:
        """Of the burning gun, in V; 0 when it is off."""
        ...
