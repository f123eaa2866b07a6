"""An exposure under way: conditions that change at set points only, and what has grown by then.

Times are rounded to a millisecond, so that a difference of two clock readings of 10^9 s gives the
duration that was set and not its neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.lab.ceramic import Conditions, Film, stack
from simulators.lab.samples import Sample


@dataclass
class Growth:
    """An open shutter. `sample` is None when nothing is in the chamber.

    `gain` is what the thickness monitor makes of the true rate (tooling drift, reading error).
    """

    sample: Sample | None
    run: int
    erosion: float
    gain: float
    since: float
    conditions: Conditions
    _before: list[tuple[Conditions, float]] = field(default_factory=list)

    def change(self, conditions: Conditions, t: float) -> None:
        """From t on other conditions hold."""
        if conditions != self.conditions:
            self._before.append((self.conditions, self._minutes_since(t)))
            self.since, self.conditions = t, conditions

    def segments(self, t: float) -> list[tuple[Conditions, float]]:
        """What has held so far, each with its minutes."""
        return [*self._before, (self.conditions, self._minutes_since(t))]

    def film(self, t: float) -> Film:
        """What has grown by t, without the scatter of the run."""
        return stack(c.film(minutes, self.erosion) for c, minutes in self.segments(t))

    def minutes(self, t: float) -> float:
        """How long the shutter has been open."""
        return sum(minutes for _, minutes in self._before) + self._minutes_since(t)

    @property
    def rate(self) -> float:
        """The true rate in nm/min."""
        return self.conditions.rate(self.erosion)

    def _minutes_since(self, t: float) -> float:
        return round(t - self.since, 3) / 60.0
