"""Crystals with a computed scattering phase space, some with a measured thermal conductivity.

Compositions are described by weighted means, variances and extremes of a few properties of the
elements, all from ASE's tables and the place in the periodic table.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from ase.data import atomic_masses, atomic_numbers, covalent_radii
from numpy.typing import NDArray

from benchmarks.materials.polymers import FOLDER

CRYSTALS = "ju2021_sps_ltc.csv"
NOBLE = (2, 10, 18, 36, 54, 86, 118)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crystals:
    """n crystals: features x (n x d), log10 of the phase space in cm, log10 of the conductivity in
    W/mK (NaN where it was not measured)."""

    names: tuple[str, ...]
    x: Floats
    phase_space: Floats
    conductivity: Floats


@cache
def crystals() -> Crystals:
    """320 crystals, 45 of them with a conductivity [Ju et al. 2021]."""
    with (FOLDER / CRYSTALS).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    raw = np.array([_described(row["Name"]) for row in rows])
    x = (raw - raw.mean(axis=0)) / np.maximum(raw.std(axis=0), 1e-9)
    measured = [row["TC (W/mK)"] for row in rows]
    return Crystals(
        tuple(row["Name"] for row in rows),
        x,
        np.log10([float(row["SPS (cm)"]) for row in rows]),
        np.array([np.log10(float(word)) if word else np.nan for word in measured]),
    )


def _described(formula: str) -> Floats:
    amounts: dict[str, float] = {}
    for symbol, amount in re.findall(r"([A-Z][a-z]?)([\d.]*)", formula):
        amounts[symbol] = amounts.get(symbol, 0.0) + float(amount or 1)
    shares = np.array(list(amounts.values()))
    shares /= shares.sum()
    each = np.array([_element(atomic_numbers[symbol]) for symbol in amounts])
    mean = shares @ each
    return np.concatenate([mean, shares @ (each - mean) ** 2, each.max(axis=0), each.min(axis=0)])


def _element(number: int) -> tuple[float, ...]:
    period, group = _place(number)
    radius, mass = float(covalent_radii[number]), float(np.log(atomic_masses[number]))
    from_noble = min(group, 18 - group)
    return number, mass, radius, period, group, from_noble, float(group >= 13)


def _place(number: int) -> tuple[int, int]:
    """Period and group; lanthanides and actinides count as group 3."""
    before = 0
    for period, noble in enumerate(NOBLE, start=1):
        if number <= noble:
            place, length = number - before, noble - before
            if place <= 2 and not (length == 2 and place == 2):
                return period, place
            return period, max(3, 18 - (noble - number))
        before = noble
    raise ValueError(f"no element has the number {number}")
