"""What V/I of a collinear four-point probe means on a thin sample: Rs = factor * V/I.

Source: F. M. Smits, "Measurement of sheet resistivities with the four-point probe", Bell System
Technical Journal 37 (1958) 711, tables I and II. The probe stands in the middle of the sample,
parallel to its length; the film is thin against the distance of the tips, which are equally spaced.
"""

from __future__ import annotations

import math

INFINITE = math.pi / math.log(2.0)
"""For a sample that is large against the probe: 4.5324."""
_IMAGES = 50
"""Mirror images on each side: more do not change the eighth digit."""


def circle_factor(diameter: float, spacing: float) -> float:
    """For a disc [Smits 1958, table II]; the tips must stand on it: diameter > 3 spacings."""
    ratio = (diameter / spacing) ** 2
    return math.pi / (math.log(2.0) + math.log((ratio + 3.0) / (ratio - 3.0)))


def rectangle_factor(length: float, width: float, spacing: float) -> float:
    """For a rectangle with insulated edges [Smits 1958, table II]; length > 3 spacings.

    Currents are mirrored at the edges along the length, where two images of the same sign lie
    around each multiple of it, and across. Rows of images are summed in closed form: over a period
    `w`, the potentials of a line of sources add up to ln(cosh(2 pi x/w) - 1) / 2.
    """
    along, across = length / spacing, width / spacing

    def potential(x: float) -> float:
        angle = 2.0 * math.pi * abs(x) / across
        # ln(cosh(a) - 1) without overflow
        return 0.5 * (angle - math.log(2.0)) + math.log1p(-math.exp(-angle))

    def from_source(at: float, source: float) -> float:
        total = 0.0
        for m in range(-_IMAGES, _IMAGES + 1):
            mirrored = source if m % 2 == 0 else -source
            total += potential(at - m * along - mirrored)
        return total

    inner, outer = 0.5, 1.5
    drop = (from_source(-inner, outer) - from_source(-inner, -outer)) - (
        from_source(inner, outer) - from_source(inner, -outer)
    )
    return 2.0 * math.pi / drop


def sample_factor(
    spacing: float, length: float = 0.0, width: float = 0.0, diameter: float = 0.0
) -> float:
    """For a rectangle, or for a disc where only its diameter is given; lengths in one unit.

    Raises:
        ValueError: there is no such sample, or the tips do not stand on it.
    """
    longest = diameter or length
    is_disc, is_rectangle = diameter > 0, length > 0 and width > 0
    if not spacing > 0 or is_disc == is_rectangle or longest <= 3.0 * spacing:
        raise ValueError(
            "give the spacing of the tips, and either length and width or the diameter of the "
            "sample; three spacings must lie on it"
        )
    if is_disc:
        return circle_factor(diameter, spacing)
    return rectangle_factor(length, width, spacing)
