"""A four-point probe that stages carry to many places of one wafer.

Two stages move the wafer, a third one lowers the probe: nothing moves sideways while the tips are
down. Every move and every reading is dispatched to a part, with its own limits, interlocks and
event. Tried on hardware: no.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from drivers.motion.fitting import Parabola, parabola
from orchestrator.capabilities.samples import CompositionMap
from orchestrator.errors import InputError, NoReading
from orchestrator.ports.action import Bound, Cancel, Effect, Unit, action
from orchestrator.ports.dispatch import Dispatch
from orchestrator.ports.resource import Bench, Health, Identity

NAME = "map.csv"
_FEWEST = 10
"""So many places must conduct before a curve is drawn through them."""
_MOST_MISSED_AT_FIRST = 5


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    fraction: float
    thickness: float
    sheet_resistance: float

    @property
    def resistivity(self) -> float:
        """In ohm cm."""
        return self.sheet_resistance * self.thickness * 1e-7


class WaferMap:
    """Measures `columns` x `rows` places, `pitch` apart, around the middle of the wafer.

    The middle lies under the tips at `middle_x` and `middle_y` of the stages; the probe is free at
    `up` and measures at `down`. Which fraction of the film came from the second gun, and how thick
    it is, is not measured but expected at each place: the guns lie at `-gun` and `+gun` along x,
    `throw` above the wafer, and emit by the cosine law. `content` is the fraction of the element in
    the second target. Calibrate them with a wafer that was measured otherwise.
    """

    implements = ("CompositionMapping",)
    parts: ClassVar[dict[str, str]] = {
        "x": "LinearStage",
        "y": "LinearStage",
        "z": "LinearStage",
        "probe": "FourPointProbe",
    }

    def __init__(
        self,
        bench: Bench,
        up: Annotated[float, Unit("mm")],
        down: Annotated[float, Unit("mm")],
        gun: Annotated[float, Unit("mm", low=0)],
        throw: Annotated[float, Unit("mm", low=1)],
        content: Annotated[float, Unit("", low=0, high=1)] = 1.0,
        middle_x: Annotated[float, Unit("mm")] = 75.0,
        middle_y: Annotated[float, Unit("mm")] = 75.0,
        columns: Annotated[int, Unit("", low=2, high=100)] = 10,
        rows: Annotated[int, Unit("", low=1, high=100)] = 10,
        pitch: Annotated[float, Unit("mm", low=0.01)] = 7.0,
    ) -> None:
        if up == down:
            raise InputError(f"{bench.name}: 'up' and 'down' are the same place")
        self.bench = bench
        self._up, self._down = up, down
        self._gun, self._throw, self._content = gun, throw, content
        self._middle = middle_x, middle_y
        self._columns, self._rows, self._pitch = columns, rows, pitch

    async def open(self) -> None:
        """Nothing to open: the parts are resources of their own."""

    async def close(self) -> None:
        """Nothing to close."""

    async def identify(self) -> Identity:
        """A name for what is made of parts."""
        return Identity("hagane", "wafer-map")

    async def health(self) -> Health:
        """Fit: its parts are asked themselves."""
        return Health(is_fit=True)

    async def make_safe(self) -> None:
        """Nothing of its own: the lab makes the parts safe, in its order."""

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def free(self, dispatch: Dispatch) -> None:
        """Brings the probe up, so that a wafer can be laid under it. Raises DeviceError."""
        await dispatch("z", "home")
        await dispatch("z", "move_to", position=self._up)

    @action(effect=Effect.IDEMPOTENT, cancel=Cancel.BETWEEN_STEPS)
    async def measure_map(
        self,
        thickness: Annotated[float, Unit("nm", low=0)],
        share: Annotated[float, Unit("", low=0, high=1)],
        dispatch: Dispatch,
    ) -> CompositionMap:
        """Measures the wafer at its places, and leaves the probe up.

        `thickness` is that in the middle, `share` the part of it that came from the second gun.

        Raises:
            NoReading: the tips touch no film, at the first places or at most of them.
            DeviceError: a part failed.
            SafetyStop: a limit or an interlock.
        """
        places: list[_Place] = []
        bounds: list[_Place] = []
        n_missed = 0
        await self._reference(dispatch)
        for x, y in self._way():
            found = await self._measure(dispatch, x, y)
            if found is None:
                n_missed += 1
                self._must_have_touched(n_missed, len(places) + len(bounds))
                continue
            fraction, thinner = self._expected(share, x, y)
            value = found.value if isinstance(found, Bound) else found
            place = _Place(x, y, fraction, thickness * thinner, value)
            (bounds if isinstance(found, Bound) else places).append(place)
        await dispatch.keep(NAME, _table(places, bounds))
        return self._judged(places, bounds, n_missed)

    async def _reference(self, dispatch: Dispatch) -> None:
        """The probe first, so that nothing is dragged over the wafer."""
        await self.free(dispatch)
        await dispatch("x", "home")
        await dispatch("y", "home")

    async def _measure(self, dispatch: Dispatch, x: float, y: float) -> float | Bound | None:
        """The sheet resistance at a place; None where the tips touch nothing."""
        await dispatch("x", "move_to", position=self._middle[0] + x)
        await dispatch("y", "move_to", position=self._middle[1] + y)
        await dispatch("z", "move_to", position=self._down)
        try:
            found: float | Bound = (await dispatch("probe", "sheet_resistance", repeats=1))["mean"]
        except NoReading:
            return None
        finally:
            await dispatch("z", "move_to", position=self._up)
        return found

    def _way(self) -> list[tuple[float, float]]:
        """The places, row by row, each in the direction in which the last one ended."""
        xs = [self._pitch * (i - (self._columns - 1) / 2) for i in range(self._columns)]
        ys = [self._pitch * (i - (self._rows - 1) / 2) for i in range(self._rows)]
        return [(x, y) for n, y in enumerate(ys) for x in (xs[::-1] if n % 2 else xs)]

    def _must_have_touched(self, n_missed: int, n_found: int) -> None:
        n_places = self._columns * self._rows
        if (n_missed >= _MOST_MISSED_AT_FIRST and not n_found) or n_missed > n_places / 2:
            raise NoReading(
                self.bench.name,
                f"the tips touch no film at {n_missed} places",
                hint="look at the contacts of the probe, how far it goes down, and the wafer",
            )

    def _expected(self, share: float, x: float, y: float) -> tuple[float, float]:
        """The fraction at a place, and the thickness as a part of that in the middle."""

        def arrives(gun: float) -> float:
            def falls(along: float, across: float) -> float:
                return (1.0 + (along**2 + across**2) / self._throw**2) ** -2

            return falls(x - gun, y) / falls(gun, 0.0)

        plain, second = (1.0 - share) * arrives(-self._gun), share * arrives(self._gun)
        return self._content * second / (plain + second), plain + second

    def _judged(self, places: list[_Place], bounds: list[_Place], n_missed: int) -> CompositionMap:
        best: float | Bound
        if len(places) < _FEWEST:
            least = min((p.resistivity for p in [*places, *bounds]), default=math.inf)
            best, at, scatter = Bound(least, "above"), 0.0, 0.0
        else:
            curve = _curve(places)
            at, best, scatter = curve.at, 10.0**curve.least, curve.scatter
        return CompositionMap(
            x=[p.x for p in places],
            y=[p.y for p in places],
            fraction=[p.fraction for p in places],
            thickness=[p.thickness for p in places],
            sheet_resistance=[p.sheet_resistance for p in places],
            resistivity=[p.resistivity for p in places],
            best=best,
            at=at,
            scatter=scatter,
            n_over=len(bounds),
            n_missed=n_missed,
        )


def _curve(places: list[_Place]) -> Parabola:
    """Decades of resistivity over the fraction."""
    return parabola([p.fraction for p in places], [math.log10(p.resistivity) for p in places])


def _table(places: list[_Place], bounds: list[_Place]) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(
        ["x [mm]", "y [mm]", "fraction", "thickness [nm]", "sheet resistance [ohm/sq]", "bound"]
    )
    for found, bound in ((places, ""), (bounds, "above")):
        for p in found:
            numbers = (p.x, p.y, p.fraction, p.thickness, p.sheet_resistance)
            table.writerow([*(f"{number:.6g}" for number in numbers), bound])
    return written.getvalue()
