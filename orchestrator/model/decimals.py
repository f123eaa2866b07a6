"""Points as short texts, for people who set them by hand."""

from __future__ import annotations

import math
import sys

from orchestrator.model.points import faults_of
from orchestrator.model.space import Context, Point, Real, SearchSpace, Value

SHARES = (1e-6, 1e-10)
"""How far, as a share of its range, a number may be from what it stands for; the first that keeps
the space."""


def written(space: SearchSpace, point: Point) -> dict[str, str]:
    """The values of a point as texts: rounded, as long as the point that they are belongs to the
    space; else exact.

    >>> space = SearchSpace(parameters=(Real(name="t", low=0, high=123456.7),))
    >>> written(space, {"t": 20 / 3}), written(space, {"t": 123456.6999})
    ({'t': '6.7'}, {'t': '123456.7'})
    """
    rounded = (_rounded(space, point, share) for share in SHARES)
    short = next((p for p in rounded if not any(faults_of(space, p))), point)
    return {name: _text(short[name]) for name in space.names}


def _rounded(space: SearchSpace, point: Point, share: float) -> Point:
    reals = [p for p in space.parameters if isinstance(p, Real | Context)]
    digits = {p.name: _digits(p, float(point[p.name]), share) for p in reals}
    for mixture in space.mixtures:
        finest = max(digits[name] for name in mixture.components)
        digits |= dict.fromkeys(mixture.components, finest)
    short = dict(point)
    for real in reals:
        exact = float(point[real.name])
        value = round(exact, digits[real.name])
        is_inside = isinstance(real, Real) and real.low <= exact <= real.high
        short[real.name] = min(max(value, real.low), real.high) if is_inside else value
    for mixture in space.mixtures:
        *others, most = sorted(mixture.components, key=lambda name: point[name])
        rest = math.fsum(float(short[name]) for name in others)
        short[most] = round(mixture.total - rest, digits[most])
    return short


def _digits(parameter: Real | Context, value: float, share: float) -> int:
    """How many digits after the point the share needs."""
    low, high = share * parameter.low, share * parameter.high
    step = high - low
    if isinstance(parameter, Real) and parameter.scale == "log":
        step = share * abs(value) * min(1.0, math.log(parameter.high / parameter.low))
    return -math.floor(math.log10(max(step, sys.float_info.min)))


def _text(value: Value) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
