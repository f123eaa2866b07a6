"""From a scan to one number: what a metric takes of an instrument's file.

| `take` | what it gives, of the points between `low` and `high` |
|---|---|
| `last` | the last value of the column |
| `at` | its value at `place` of the other column, linearly between the two neighbours |
| `mean`, `sum`, `highest`, `lowest` | of its values |
| `position` | of the peak: the vertex of a parabola through its top and the two points beside |
| `width` | of the peak at half of its height, linearly between points |
| `area` | of the peak, by the trapezoidal rule |
| `distance` | the root of the mean squared difference to the target, at the target's points |

The peak stands on a straight line between the means of the three outermost points at either end.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.errors import InputError, UnitMismatch
from orchestrator.model.quantity import scale_offset
from orchestrator.model.scan import Column, Scan

Take: TypeAlias = Literal[
    "last", "at", "mean", "sum", "highest", "lowest", "position", "width", "area", "distance"
]
Numbers: TypeAlias = Sequence[float]

FILE_NAME, FILE_HASH = "file", "sha256"
"""The results by which an action says which file it brings."""
_N_END = 3
_N_PEAK = 2 * _N_END + 1


class Reduction(BaseModel):
    """How one number is taken of a scan's column `of`, over the column `over`.

    `low`, `high` and `place` are in `over_unit`. `step` is the recipe's step that brings the file;
    '' for one that a person brings. `format` is the parser where the file's ending does not say
    it; `units` are those of columns, whatever the file says. `target` is x, in `over_unit`, and
    y, in the metric's unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    take: Take
    of: str
    over: str = ""
    over_unit: str = ""
    low: float | None = None
    high: float | None = None
    place: float | None = None
    step: str = ""
    format: str = ""
    units: dict[str, str] = Field(default_factory=dict)
    target: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())


def reduced(scan: Scan, how: Reduction, unit: str) -> float:
    """The number that a reduction takes of a scan, in `unit`.

    Raises:
        UnknownName: the scan has no such column.
        UnitMismatch: a unit cannot be converted, or stands on one side only.
        InputError: there are too few points, the peak is cut off, or they have no order.
    """
    along = scan.column(how.of)
    y_unit = _unit_of(along, how)
    x, y = _window(scan, how) if how.over else ((), along.values)
    if not y:
        raise InputError(f"no point of '{how.over}' lies within its window", hint="see `between`")
    match how.take:
        case "position":
            return _converted(_position(x, y), how.over_unit, unit, f"'{how.over}'")
        case "width":
            return _width(x, y) * _slope(how.over_unit, unit, f"a width along '{how.over}'")
        case "area":
            both = f"{y_unit} * {how.over_unit}".strip(" *")
            return _area(x, y) * _slope(both, unit, f"an area under '{how.of}'")
        case "sum":
            return sum(y) * _slope(y_unit, unit, f"'{how.of}'")
        case "distance":
            return _distance(x, [_converted(v, y_unit, unit, f"'{how.of}'") for v in y], how.target)
        case _:
            return _converted(_plain(how, x, y), y_unit, unit, f"'{how.of}'")


def _plain(how: Reduction, x: Numbers, y: Numbers) -> float:
    if how.take == "at":
        assert how.place is not None, "it was checked with the file"
        return _between(x, y, how.place)
    if how.take == "mean":
        return math.fsum(y) / len(y)
    if how.take == "last":
        return y[-1]
    return max(y) if how.take == "highest" else min(y)


def _unit_of(column: Column, how: Reduction) -> str:
    return how.units.get(column.name, column.unit)


def _slope(source: str, target: str, what: str) -> float:
    """By what a difference in one unit is multiplied to be in another. Raises UnitMismatch."""
    if source == target:
        return 1.0
    # a degree counts as a plain number elsewhere; here a missing unit is a missing word
    if not source or not target:
        raise UnitMismatch(what, source, target)
    try:
        return scale_offset(source, target)[0]
    except UnitMismatch as error:
        raise UnitMismatch(what, source, target) from error


def _converted(value: float, source: str, target: str, what: str) -> float:
    slope = _slope(source, target, what)
    return value if source == target else slope * value + scale_offset(source, target)[1]


def _window(scan: Scan, how: Reduction) -> tuple[Numbers, Numbers]:
    """The points between `low` and `high`, in ascending order of x."""
    across, along = scan.column(how.over), scan.column(how.of)
    source = _unit_of(across, how)
    xs = [_converted(v, source, how.over_unit, f"'{how.over}'") for v in across.values]
    steps = [b - a for a, b in itertools.pairwise(xs)]
    if not (all(s > 0 for s in steps) or all(s < 0 for s in steps)):
        raise InputError(f"'{how.over}' goes up and down in the file", hint="one scan a file")
    pairs = sorted(zip(xs, along.values, strict=True), key=lambda pair: pair[0])
    low = -math.inf if how.low is None else how.low
    high = math.inf if how.high is None else how.high
    inside = [pair for pair in pairs if low <= pair[0] <= high]
    return tuple(p[0] for p in inside), tuple(p[1] for p in inside)


def _between(x: Numbers, y: Numbers, place: float) -> float:
    if not x[0] <= place <= x[-1]:
        raise InputError(f"{place:g} is outside of the file's {x[0]:g} ... {x[-1]:g}")
    index = bisect_left(x, place)
    if x[index] == place:
        return y[index]
    share = (place - x[index - 1]) / (x[index] - x[index - 1])
    return y[index - 1] + share * (y[index] - y[index - 1])


def _net(x: Numbers, y: Numbers) -> list[float]:
    """The peak without the straight line below it."""
    if len(x) < _N_PEAK:
        raise InputError(
            f"a peak needs {_N_PEAK} points in its window, which has {len(x)}", hint="widen it"
        )
    ends = [(math.fsum(v[:_N_END]) / _N_END, math.fsum(v[-_N_END:]) / _N_END) for v in (x, y)]
    (x0, x1), (y0, y1) = ends
    return [v - y0 - (y1 - y0) * (u - x0) / (x1 - x0) for u, v in zip(x, y, strict=True)]


def _top(x: Numbers, net: Numbers) -> int:
    top = max(range(len(net)), key=net.__getitem__)
    if top in (0, len(net) - 1) or net[top] <= 0:
        raise InputError(
            f"there is no peak between {x[0]:g} and {x[-1]:g}: the curve is highest at its end",
            hint="see `between`",
        )
    return top


def _position(x: Numbers, y: Numbers) -> float:
    net = _net(x, y)
    top = _top(x, net)
    (a, b, c), (u, v, w) = x[top - 1 : top + 2], net[top - 1 : top + 2]
    left, right = (v - u) / (b - a), (w - v) / (c - b)
    return b if left == right else (a + b) / 2 + left * (c - a) / 2 / (left - right)


def _width(x: Numbers, y: Numbers) -> float:
    net = _net(x, y)
    top = _top(x, net)
    half = net[top] / 2
    return _crossing(x, net, half, range(top, len(x) - 1), 1) - _crossing(
        x, net, half, range(top, 0, -1), -1
    )


def _crossing(x: Numbers, net: Numbers, half: float, way: Sequence[int], step: int) -> float:
    for index in way:
        here, there = net[index], net[index + step]
        if there <= half:
            return x[index] + (here - half) / (here - there) * (x[index + step] - x[index])
    raise InputError("the peak does not fall to half of its height in its window", hint="widen it")


def _area(x: Numbers, y: Numbers) -> float:
    net = _net(x, y)
    pairs = zip(x, x[1:], net, net[1:], strict=False)
    return math.fsum((b - a) * (u + v) / 2 for a, b, u, v in pairs)


def _distance(x: Numbers, y: Numbers, target: tuple[Numbers, Numbers]) -> float:
    squares = [(_between(x, y, place) - wanted) ** 2 for place, wanted in zip(*target, strict=True)]
    return math.sqrt(math.fsum(squares) / len(squares))
