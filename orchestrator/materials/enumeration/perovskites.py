"""Perovskites ABX3 and double perovskites A2BB'X6 that ions could make: neutral, and of radii that
fit [Goldschmidt 1926, doi:10.1007/BF01507527; Shannon 1976, doi:10.1107/S0567739476001551].

Charges and radii are Shannon's, as smact lists them: A in twelvefold coordination, or the largest
from eight on that is known, B and X in sixfold. The cells are the cubic ones, ions in contact.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from orchestrator.errors import InputError, UnknownName
from orchestrator.materials.enumeration.rows import Row, structure_text

TOLERANCE = (0.8, 1.1)
"""Goldschmidt's factor (r_A + r_X) / sqrt(2) (r_B + r_X); for two B the mean of their radii."""
OCTAHEDRAL = (0.37, 0.9)
"""r_B / r_X. Six anions touch a cation from 0.414 to 0.732, but LaAlO3 has 0.38, and halides reach
0.895 [Li et al. 2008, doi:10.1107/S0108768108032734]."""
Bounds: TypeAlias = tuple[float, float]
LEAST_OF_A = 8


@dataclass(frozen=True)
class Ion:
    """A species with its charge and Shannon's radius (angstrom)."""

    element: str
    charge: int
    radius: float

    def __str__(self) -> str:
        return f"{self.element}{abs(self.charge)}{'+' if self.charge > 0 else '-'}"


@dataclass(frozen=True)
class Ions:
    """What may be on each site."""

    a: Sequence[Ion]
    b: Sequence[Ion]
    x: Sequence[Ion]


def ions_of(elements: Sequence[str] = ()) -> Ions:
    """The ions of some elements, or of all.

    Raises:
        InputError: smact is not installed.
        UnknownName: an element is none, or has no radius.
    """
    try:
        from smact import data_loader, ordered_elements
    except ImportError as error:
        raise InputError(
            "the radii of ions need smact, which is not installed",
            hint="pip install 'hagane[screening]'",
        ) from error
    known = ordered_elements(1, 103)
    a, b, x = list[Ion](), list[Ion](), list[Ion]()
    for element in elements or known:
        listed = data_loader.lookup_element_shannon_radius_data(element)
        if not listed and elements:
            raise UnknownName("element whose ions have known radii", element, known)
        radii: Mapping[int, dict[int, float]] = defaultdict(dict)
        for row in listed or ():  # of high and low spin the first, which is the larger one
            digits = "".join(filter(str.isdigit, row["coordination"].split("_")[0]))
            radii[row["charge"]].setdefault(int(digits or 0), row["ionic_radius"])
        for charge, by_neighbours in radii.items():
            largest = max(by_neighbours)
            if charge > 0 and largest >= LEAST_OF_A:
                a.append(Ion(element, charge, by_neighbours.get(12, by_neighbours[largest])))
            if 6 in by_neighbours:
                (b if charge > 0 else x).append(Ion(element, charge, by_neighbours[6]))
    return Ions(a, b, x)


def perovskites(
    elements: Sequence[str] = (), tolerance: Bounds = TOLERANCE, octahedral: Bounds = OCTAHEDRAL
) -> list[Row]:
    """ABX3 in the cubic cell, one of each composition: that of the charges whose tolerance factor
    is nearest to one. Raises as `ions_of`."""
    ions, best = ions_of(elements), dict[tuple[str, ...], tuple[float, Row]]()
    for x in ions.x:
        for b in _within(ions.b, x, octahedral):
            for a in ions.a:
                factor = _tolerance(a, b.radius, x)
                if a.charge + b.charge + 3 * x.charge or not _between(factor, tolerance):
                    continue
                key, off = (a.element, b.element, x.element), abs(factor - 1)
                if len(set(key)) == 3 and (key not in best or off < best[key][0]):
                    best[key] = (off, _single(a, b, x, factor))
    return [row for _, row in best.values()]


def double_perovskites(
    elements: Sequence[str] = (), tolerance: Bounds = TOLERANCE, octahedral: Bounds = OCTAHEDRAL
) -> list[Row]:
    """A2BB'X6 in the primitive cell of the elpasolite, B and B' of two elements; otherwise as
    `perovskites`."""
    ions, best = ions_of(elements), dict[tuple[str, ...], tuple[float, Row]]()
    for x in ions.x:
        for b, other in _pairs(_within(ions.b, x, octahedral)):
            for a in ions.a:
                if 2 * a.charge + b.charge + other.charge + 6 * x.charge:
                    continue
                factor = _tolerance(a, (b.radius + other.radius) / 2, x)
                key, off = (a.element, b.element, other.element, x.element), abs(factor - 1)
                is_fit = _between(factor, tolerance) and len(set(key)) == 4
                if is_fit and (key not in best or off < best[key][0]):
                    best[key] = (off, _double(a, b, other, x, factor))
    return [row for _, row in best.values()]


PROTOTYPES = {"perovskite": perovskites, "double-perovskite": double_perovskites}


def _within(cations: Sequence[Ion], x: Ion, octahedral: Bounds) -> list[Ion]:
    return [b for b in cations if _between(b.radius / x.radius, octahedral)]


def _pairs(cations: Sequence[Ion]) -> Iterator[tuple[Ion, Ion]]:
    """Of two elements, in the order of their names."""
    ordered = sorted(cations, key=lambda ion: (ion.element, ion.charge))
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if other.element != one.element:
                yield one, other


def _between(value: float, bounds: Bounds) -> bool:
    return bounds[0] <= value <= bounds[1]


def _tolerance(a: Ion, b_radius: float, x: Ion) -> float:
    return (a.radius + x.radius) / (math.sqrt(2) * (b_radius + x.radius))


def _single(a: Ion, b: Ion, x: Ion, factor: float) -> Row:
    sites = [(0.5, 0.5, 0.5), (0, 0, 0), (0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5)]
    edge = 2 * (b.radius + x.radius)
    symbols = [a.element, b.element, *[x.element] * 3]
    return {
        "name": f"{a.element}{b.element}{x.element}3",
        "formula": f"{a.element}{b.element}{x.element}3",
        "ions": f"{a} {b} {x}",
        "tolerance_factor": f"{factor:.4f}",
        "octahedral_factor": f"{b.radius / x.radius:.4f}",
        "structure": structure_text(symbols, np.array(sites), edge * np.eye(3)),
    }


def _double(a: Ion, b: Ion, other: Ion, x: Ion, factor: float) -> Row:
    edge = 2 * (b.radius + other.radius + 2 * x.radius)
    at = (b.radius + x.radius) / edge
    axes = at * (np.ones((3, 3)) - 2 * np.eye(3))  # along the edges of the cube
    sites = np.concatenate([[[0.25] * 3, [0.75] * 3, [0] * 3, [0.5] * 3], axes, -axes])
    formula = f"{a.element}2{b.element}{other.element}{x.element}6"
    mean = (b.radius + other.radius) / 2
    return {
        "name": formula,
        "formula": formula,
        "ions": f"{a} {b} {other} {x}",
        "tolerance_factor": f"{factor:.4f}",
        "octahedral_factor": f"{mean / x.radius:.4f}",
        "octahedral_mismatch": f"{abs(b.radius - other.radius) / 2 / x.radius:.4f}",
        "structure": structure_text(
            [a.element, a.element, b.element, other.element, *[x.element] * 6],
            sites,
            edge / 2 * (np.ones((3, 3)) - np.eye(3)),
        ),
    }
