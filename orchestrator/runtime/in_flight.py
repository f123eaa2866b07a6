"""Points in flight: which of them a told one answers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.model.space import Context, Integer, Parameter, Point, Real, SearchSpace, Value

REACH = 0.03
"""A told number answers one that is off by this share of its range at most: settings are rounded,
and not always met."""


def answered(space: SearchSpace, told: Point, pending: Sequence[Point]) -> int | None:
    """The place of the nearest point in flight that a told one answers: the same words, and numbers
    within reach. What cannot be chosen may have changed since."""
    chosen = [p for p in space.parameters if not isinstance(p, Context)]
    off = [max(_off(p, told[p.name], point[p.name]) for p in chosen) for point in pending]
    place = min(range(len(off)), key=off.__getitem__, default=None)
    return None if place is None or off[place] > REACH else place


def _off(parameter: Parameter, told: Value, asked: Value) -> float:
    """How far apart two values are, as a share of the range."""
    if told == asked:
        return 0.0
    if not isinstance(parameter, Real | Integer) or isinstance(told, str) or isinstance(asked, str):
        return math.inf
    low, high = float(parameter.low), float(parameter.high)
    if isinstance(parameter, Real) and parameter.scale == "log":
        if told <= 0 or asked <= 0:
            return math.inf
        return abs(math.log(told / asked)) / math.log(high / low)
    return abs(told - asked) / (high - low)
