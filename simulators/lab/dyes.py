"""What a mixture of dyes absorbs: Beer and Lambert, and what a spectrometer makes of it.

The absorbance of a stock is a sum of bands of Gaussian shape over the wavelength. Places and
heights are of the order of food dyes in water (Brilliant Blue FCF at 630 nm, Allura Red AC at
504 nm, Tartrazine at 427 nm) in stocks of some ten umol/L, in a cell of 1 cm; they were not fitted
to any dye. A spectrometer sees a share of stray light, and scatter on the transmittance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simulators.lab.noise import normal

STRAY_LIGHT = 1e-3
SCATTER = 1e-3
"""One standard deviation of a transmittance."""


@dataclass(frozen=True)
class Band:
    """A band: place and standard deviation in nm, height as absorbance of the stock in 1 cm."""

    place: float
    width: float
    height: float


BANDS: Mapping[str, tuple[Band, ...]] = {
    "cyan": (Band(630, 22, 1.9), Band(585, 25, 0.45), Band(408, 15, 0.25)),
    "magenta": (Band(504, 42, 2.1), Band(350, 40, 0.6)),
    "yellow": (Band(427, 40, 2.2),),
}


def stock_absorbance(name: str, wavelength: float) -> float:
    """Absorbance of a stock in 1 cm; 0 for what is no dye."""
    bands = BANDS.get(name, ())
    return sum(b.height * math.exp(-(((wavelength - b.place) / b.width) ** 2) / 2) for b in bands)


def absorbance(volumes: Mapping[str, float], wavelength: float) -> float:
    """Absorbance of a mixture in 1 cm, without scatter; 0 for an empty vessel."""
    total = sum(volumes.values())
    if total <= 0:
        return 0.0
    return sum(v / total * stock_absorbance(name, wavelength) for name, v in volumes.items())


def measured(true: float, *key: object) -> float:
    """An absorbance as a spectrometer tells it; `key` is what its scatter is drawn from."""
    transmittance = (10.0**-true + STRAY_LIGHT) / (1.0 + STRAY_LIGHT)
    return -math.log10(max(transmittance + SCATTER * normal(*key), STRAY_LIGHT))
