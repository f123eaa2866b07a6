"""Crystals: composition, density, and what atoms see around them, whatever cell is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.cell import CLOSEST, canonical_structure
from orchestrator.materials.descriptors.composition import Composition, composition_vector
from orchestrator.materials.descriptors.elements import element_table
from orchestrator.materials.descriptors.neighbours import neighbour_pairs
from orchestrator.materials.descriptors.sameness import first_of_each
from orchestrator.materials.descriptors.structure_text import named, spaced
from orchestrator.ports.descriptor import Content

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]

FARTHEST = 50.0
"""Angstrom; an atom without a neighbour within this is not part of a crystal."""

_LOCAL: Mapping[str, str] = {
    "density": "g/cm^3",
    "volume per atom": "angstrom^3",
    "nearest neighbour:least": "angstrom",
    "nearest neighbour:mean": "angstrom",
    "nearest neighbour:sd": "angstrom",
    "coordination:mean": "",
    "coordination:sd": "",
    "electronegativity difference:mean": "",
    "electronegativity difference:sd": "",
}
_WEIGHTS: Mapping[str, str | None] = {
    "count": None,
    "electronegativity": "en_pauling",
    "atomic number": "atomic_number",
}


@dataclass(frozen=True, kw_only=True)
class Crystal:
    """The 290 numbers of the reduced formula, nine of the packing, and radial symmetry functions.

    The functions (G2) are sums over the neighbours of a site of exp(-(r - r_k)^2 / (2 s^2)) f(r),
    with f the cosine that ends at `cutoff` (angstrom), at `shells` equal distances r_k a width s
    apart; each neighbour counts as 1, by its electronegativity, or by its atomic number. Mean and
    standard deviation over the sites make them independent of cell, origin, orientation and order.

    A neighbour belongs to the coordination of a site by 1 / (1 + exp((r / r0 - 1.25) / 0.03)), r0
    being its nearest neighbour's distance: 12 in a close packing, 14 in a body-centred one. The
    electronegativity differences are Pauling's, to those neighbours.

    A material is the text of a CIF, POSCAR or extended XYZ file, or ASE's `Atoms`. Molecules, wires
    and layers are described with 50 angstrom between their images, where they do not repeat.

    Raises:
        InputError: the cut-off is not within 3 to 12 angstrom, or the shells not within 2 to 64.
    """

    cutoff: float = 6.0
    shells: int = 8

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = (
        "Behler & Parrinello 2007, doi:10.1103/PhysRevLett.98.146401; Liu et al. 2021, XenonPy"
    )

    def __post_init__(self) -> None:
        if not (3 <= self.cutoff <= 12 and 2 <= self.shells <= 64):
            raise InputError("a crystal's cut-off is 3 to 12 angstrom, its shells are 2 to 64")

    @property
    def names(self) -> Sequence[str]:
        """XenonPy's labels, `density` ..., `g2:count:r=2.00:mean` ..."""
        radial = [
            f"g2:{weight}:r={centre:.2f}:{statistic}"
            for weight in _WEIGHTS
            for statistic in ("mean", "sd")
            for centre in self._centres
        ]
        return [*Composition().names, *_LOCAL, *radial]

    @property
    def units(self) -> Sequence[str]:
        """Those of the features of the elements, of lengths and density."""
        return [*Composition().units, *_LOCAL.values(), *[""] * (6 * self.shells)]

    @cached_property
    def _centres(self) -> Floats:
        return np.linspace(1.0, self.cutoff, self.shells + 1)[:-1]

    def canonical(self, material: str | Atoms) -> str:
        """An extended XYZ of the reduced primitive cell (`canonical_structure`).

        Raises:
            InputError: it is not the text of a structure.
        """
        atoms = spaced(material, FARTHEST)
        _refuse_unknown(atoms)
        return canonical_structure(atoms)

    def describe(self, materials: Sequence[str | Atoms]) -> Floats:
        """n crystals -> n x (299 + 6 shells) numbers.

        Raises:
            InputError: one is not the text of a crystal, holds an element that is not in the table,
                or has two atoms in one place.
        """
        out = np.empty((len(materials), len(self.names)))
        for row, material in enumerate(materials):
            atoms = spaced(material, FARTHEST)
            _refuse_unknown(atoms)
            out[row] = np.concatenate((_composition(atoms), *self._around(atoms, named(material))))
        return out

    def first_of_each(self, materials: Sequence[str | Atoms], vectors: Floats) -> list[int]:
        """For each of n crystals, which `vectors` describe, the place of the first that is the same
        to 0.01 angstrom, whatever cell is written; its own where it is new.

        Raises:
            InputError: as `describe`.
        """
        return first_of_each([spaced(material, FARTHEST) for material in materials], vectors)

    def _around(self, atoms: Atoms, name: str) -> tuple[Floats, Floats]:
        """The nine numbers of the packing, and the radial functions."""
        i, j, r = _neighbours(atoms, self.cutoff, name)
        n, table = len(atoms), element_table()
        rows = atoms.numbers - 1
        nearest = np.full(n, np.inf)
        np.minimum.at(nearest, i, r)
        near = 1 / (1 + np.exp(np.minimum((r / nearest[i] - 1.25) / 0.03, 700)))
        coordination = np.bincount(i, near, n)
        chi = table.column("en_pauling")[rows]
        difference = np.bincount(i, near * abs(chi[i] - chi[j]), n) / coordination
        mass = table.column("atomic_weight")[rows].sum()
        packing = [
            mass / atoms.cell.volume * 1.66053906660,
            atoms.cell.volume / n,
            nearest.min(),
            *(nearest.mean(), nearest.std()),
            *(coordination.mean(), coordination.std()),
            *(difference.mean(), difference.std()),
        ]
        within = r < self.cutoff
        return np.array(packing), self._radial(rows, i[within], j[within], r[within])

    def _radial(self, rows: NDArray[Any], i: NDArray[Any], j: NDArray[Any], r: Floats) -> Floats:
        width = self._centres[1] - self._centres[0]
        ends = 0.5 * (np.cos(math.pi * r / self.cutoff) + 1)
        bumps = ends[:, None] * np.exp(-((r[:, None] - self._centres) ** 2) / (2 * width**2))
        place = i[:, None] * self.shells + np.arange(self.shells)
        blocks = []
        for feature in _WEIGHTS.values():
            weight = (
                np.ones(len(j)) if feature is None else element_table().column(feature)[rows[j]]
            )
            summed = np.bincount(
                place.ravel(), (weight[:, None] * bumps).ravel(), len(rows) * self.shells
            )
            sites = summed.reshape(len(rows), self.shells)
            blocks += [sites.mean(axis=0), sites.std(axis=0)]
        return np.concatenate(blocks)


def _refuse_unknown(atoms: Atoms) -> None:
    for symbol in sorted(set(atoms.get_chemical_symbols())):
        element_table().row(symbol, atoms.get_chemical_formula())


def _composition(atoms: Atoms) -> Floats:
    symbols = atoms.get_chemical_symbols()
    counts = {symbol: symbols.count(symbol) for symbol in sorted(set(symbols))}
    units = math.gcd(*counts.values())
    return composition_vector({each: n / units for each, n in counts.items()}, "")


def _neighbours(atoms: Atoms, cutoff: float, name: str) -> tuple[Any, Any, Any]:
    """Pairs (i, j) and their distances (angstrom), so far that every site has a neighbour."""
    while True:
        i, j, r = neighbour_pairs(atoms, cutoff)
        if len(r) and r.min() < CLOSEST:
            raise InputError(f"the structure {name} has two atoms within {r.min():.2g} angstrom")
        if len(np.unique(i)) == len(atoms):
            return i, j, r
        if cutoff >= FARTHEST:
            raise InputError(
                f"the structure {name} has an atom without a neighbour within {FARTHEST:g} angstrom"
            )
        cutoff = min(2 * cutoff, FARTHEST)
