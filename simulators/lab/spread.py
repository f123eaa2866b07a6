"""A composition spread: two guns that face a wafer from two sides, one of TiO2, one with niobium.

Positions are in mm from the middle of the wafer; the guns lie at -60 and +60 mm along x, 123 mm
above it. What arrives from each is the cosine law for a small source over a plane, 1 in the middle.
A film with the fraction c of niobium among its metal atoms has n = 3e28 c exp(-c/0.12) carriers per
m3, of which excess oxygen compensates as in `ceramic`, and its mobility falls by 1 + (c/0.08)^2:
more niobium gives more carriers until it no longer gives any, and scatters them. Every constant is
of plausible order, not fitted to a machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from simulators.lab.ceramic import Conditions, Film, rate_nm_per_min, resistivity_ohm_cm, stack

GUN_X_MM, THROW_MM = 60.0, 123.0
NIOBIUM_IN_TARGET = 0.30
_CERAMIC_CARRIERS = 1.6e27  # /m3, what `ceramic` has at best
_CARRIERS, _INACTIVE, _SCATTERS = 3e28, 0.12, 0.08


@dataclass(frozen=True)
class SpreadConditions(Conditions):
    """`power_w` of both guns together; `share` of it at the one with niobium."""

    share: float = 0.0


def arriving(x_mm: float, y_mm: float, gun_x_mm: float) -> float:
    """What arrives of a gun at a position, of what arrives in the middle."""

    def falling(along: float) -> float:
        return (1.0 + (along**2 + y_mm**2) / THROW_MM**2) ** -2

    return falling(x_mm - gun_x_mm) / (1.0 + (gun_x_mm / THROW_MM) ** 2) ** -2


def niobium(share: float, x_mm: float, y_mm: float) -> tuple[float, float]:
    """The fraction of niobium there, and the thickness of what it is in the middle."""
    plain = (1.0 - share) * arriving(x_mm, y_mm, -GUN_X_MM)
    doped = share * arriving(x_mm, y_mm, GUN_X_MM)
    total = plain + doped
    return NIOBIUM_IN_TARGET * doped / total, total


def film_at(
    conditions: SpreadConditions, minutes: float, erosion: float, x_mm: float, y_mm: float
) -> Film:
    """What grows at a position in `minutes`, without noise."""
    content, thinner = niobium(conditions.share, x_mm, y_mm)
    local = replace(conditions, power_w=conditions.power_w * thinner)
    thickness = rate_nm_per_min(local, erosion) * minutes
    carriers = _CARRIERS * content * math.exp(-content / _INACTIVE) / _CERAMIC_CARRIERS
    if thickness <= 0 or carriers <= 0:
        return Film(max(0.0, thickness), math.inf)
    scattering = 1.0 + (content / _SCATTERS) ** 2
    return Film(thickness, resistivity_ohm_cm(local, erosion) * scattering / carriers)


@dataclass(frozen=True)
class Spread:
    """A wafer's film: its story, and the factor by which its run scatters the resistivity."""

    segments: tuple[tuple[SpreadConditions, float], ...]
    erosion: float
    factor: float

    def at(self, x_mm: float, y_mm: float) -> Film:
        """The film at a position."""
        layers = [film_at(c, minutes, self.erosion, x_mm, y_mm) for c, minutes in self.segments]
        whole = stack(layers)
        return replace(whole, resistivity_ohm_cm=whole.resistivity_ohm_cm * self.factor)
