"""What grows from a ceramic Nb:TiO2 target: thickness and resistivity of a film.

After [Shimizu et al. 2020, APL Materials], who minimised the resistance of such films with
Bayesian optimisation and a robot. Every constant is of plausible order, not fitted to a machine:
the landscape gates the engine and is no evidence that an optimiser is good.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

BOLTZMANN = 1.380649e-23  # J/K
ELEMENTARY_CHARGE = 1.602176634e-19  # C
MOLECULES_PER_S_PER_SCCM = 4.48e17
PUMPING_SPEED = 0.080  # m3/s
GAS_TEMPERATURE = 300.0  # K
TARGET_VOLTAGE = 300.0  # V; the plasma current follows the set power


def partial_pressure(flow_sccm: float) -> float:
    """Pressure in Pa of a gas that flows into the pumped chamber: p = Q k T / S."""
    molecules = flow_sccm * MOLECULES_PER_S_PER_SCCM
    return molecules * BOLTZMANN * GAS_TEMPERATURE / PUMPING_SPEED


@dataclass(frozen=True)
class Conditions:
    """What a growing film sees. `oxygen_pa` and `argon_pa` are partial pressures."""

    oxygen_pa: float
    argon_pa: float
    temperature_c: float
    power_w: float

    def rate(self, erosion: float) -> float:
        """Growth rate in nm/min."""
        return rate_nm_per_min(self, erosion)

    def film(self, minutes: float, erosion: float) -> Film:
        """What grows, without noise."""
        return film(self, minutes, erosion)


@dataclass(frozen=True)
class Film:
    """A film: thickness in nm, resistivity in ohm cm (infinite where nothing conducts)."""

    thickness_nm: float
    resistivity_ohm_cm: float

    @property
    def sheet_resistance(self) -> float:
        """In ohm per square."""
        if self.thickness_nm <= 0:
            return math.inf
        return self.resistivity_ohm_cm / (self.thickness_nm * 1e-7)


def rate_nm_per_min(conditions: Conditions, erosion: float = 0.0) -> float:
    """Growth rate. `erosion` is the fraction of the rate that the worn target has lost."""
    scattering = math.exp(-conditions.argon_pa / 4.0)
    return 6.0 * (conditions.power_w / 100.0) * scattering * (1.0 - erosion)


def resistivity_ohm_cm(conditions: Conditions, erosion: float = 0.0) -> float:
    """Resistivity without any noise, 1 / (e n mu).

    Above `high` excess oxygen compensates Nb; below `low` the film is over-reduced, and a hotter
    one loses more oxygen. It conducts once crystallised, best in the Thornton window of argon
    pressure around 0.5 Pa.
    """
    rate = rate_nm_per_min(conditions, erosion)
    if rate <= 0 or conditions.argon_pa <= 0:
        return math.inf
    p, t = max(conditions.oxygen_pa, 1e-9), conditions.temperature_c
    high = 0.012 * (rate / 6.0)
    low = 0.006 * (rate / 6.0) * math.exp((t - 350.0) / 90.0)
    carriers = 1.6e27 / (1.0 + math.pow(p / high, 1.5))
    crystallised = 1.0 / (1.0 + math.exp(-(t - 300.0) / 15.0))
    intact = 1.0 / (1.0 + math.pow(low / p, 2.5))
    window = math.exp(-((math.log(conditions.argon_pa / 0.5) / 0.5) ** 2))
    mobility = 1e-4 * (0.01 + 14.0 * crystallised * intact * (0.05 + 0.95 * window))
    return 100.0 / (ELEMENTARY_CHARGE * carriers * mobility)


def film(conditions: Conditions, minutes: float, erosion: float = 0.0) -> Film:
    """What grows in `minutes` under constant conditions, without noise."""
    thickness = rate_nm_per_min(conditions, erosion) * minutes
    if thickness <= 0:
        return Film(0.0, math.inf)
    return Film(thickness, resistivity_ohm_cm(conditions, erosion))


def stack(films: Iterable[Film]) -> Film:
    """Films on top of each other: thicknesses add, and so do sheet conductances."""
    layers = [f for f in films if f.thickness_nm > 0]
    thickness = sum(f.thickness_nm for f in layers)
    conductance = sum(1.0 / f.sheet_resistance for f in layers)
    if conductance <= 0:
        return Film(thickness, math.inf)
    return Film(thickness, thickness * 1e-7 / conductance)
