"""A collinear four-point probe on a small square sample.

The sheet resistance of an infinite film follows from V/I with pi/ln 2 = 4.5324. On a square of
10 mm with 1 mm between the probes (centred, parallel to a side) the factor is 4.2209 [Smits 1958,
table for a/d = 1, d/s = 10]; a driver that takes 4.5324 finds 7.4 % too much.
"""

from __future__ import annotations

import math

INFINITE_FACTOR = math.pi / math.log(2.0)
SAMPLE_MM = 10.0
SPACING_MM = 1.0
SQUARE_FACTOR = 4.2209


def square_factor(side_mm: float, spacing_mm: float, images: int = 200) -> float:
    """Rs = factor * V/I on an insulated square, by `images` mirror images on each side."""
    side = side_mm / spacing_mm
    total = 0.0
    for m in range(-images, images + 1):
        parity = 1.0 if m % 2 == 0 else -1.0
        for n in range(-images, images + 1):
            total += _drop(m * side, parity, n * side)
    return 2.0 * math.pi / total


def _drop(shift: float, parity: float, across: float) -> float:
    """Potential between the inner probes that one image pair of the outer two gives."""

    def log_distance(x: float, source: float) -> float:
        return 0.5 * math.log((x - shift - parity * source) ** 2 + across**2)

    return (log_distance(-0.5, 1.5) - log_distance(-0.5, -1.5)) - (
        log_distance(0.5, 1.5) - log_distance(0.5, -1.5)
    )
