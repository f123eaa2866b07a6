"""A parabola through many readings of one sample, so that the least one is not the luckiest one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Parabola:
    """The least value of the curve within the range of what was read, and `at` where.

    `scatter` is the standard deviation of the readings from the curve.
    """

    at: float
    least: float
    scatter: float


def parabola(xs: Sequence[float], ys: Sequence[float]) -> Parabola:
    """Least squares; a straight line or a constant where the readings determine no more.

    Raises:
        ValueError: there are no readings.
    """
    if not xs:
        raise ValueError("there are no readings")
    middle, width = (min(xs) + max(xs)) / 2, (max(xs) - min(xs)) / 2 or 1.0
    scaled = [(x - middle) / width for x in xs]
    order = min(3, len(set(scaled)))
    coefficients = _least_squares(scaled, ys, order)

    def curve(x: float) -> float:
        return sum(c * x**n for n, c in enumerate(coefficients))

    candidates = [min(scaled), max(scaled)]
    if order == 3 and coefficients[2] > 0:
        turn = -coefficients[1] / (2 * coefficients[2])
        candidates += [turn] if candidates[0] < turn < candidates[1] else []
    at = min(candidates, key=curve)
    squares = sum((y - curve(x)) ** 2 for x, y in zip(scaled, ys, strict=True))
    freedom = max(1, len(xs) - order)
    return Parabola(middle + width * at, curve(at), math.sqrt(squares / freedom))


def _least_squares(xs: Sequence[float], ys: Sequence[float], order: int) -> list[float]:
    """Coefficients of 1, x, x^2 by the normal equations (Gauss, with pivots)."""
    rows = [
        [sum(x ** (i + j) for x in xs) for j in range(order)]
        + [sum(y * x**i for x, y in zip(xs, ys, strict=True))]
        for i in range(order)
    ]
    for i in range(order):
        pivot = max(range(i, order), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, order):
            share = rows[k][i] / rows[i][i]
            rows[k] = [a - share * b for a, b in zip(rows[k], rows[i], strict=True)]
    found = [0.0] * order
    for i in reversed(range(order)):
        known = sum(rows[i][j] * found[j] for j in range(i + 1, order))
        found[i] = (rows[i][order] - known) / rows[i][i]
    return found
