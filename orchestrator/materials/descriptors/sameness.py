"""Whether two crystals are one: in another cell, in another order of atoms, in a rounded text.

Both are taken to their reduced primitive cells. They are the same if a right-handed setting of the
one has the lengths and angles of the other, and some shift puts every atom onto one of its element,
its moment and its charge, which is held fast alike; all moments may be turned round at once.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.descriptors.cell import (
    SAME_ANGSTROM,
    SAME_DEGREES,
    angles_of,
    primitive,
    rarest,
)
from orchestrator.materials.descriptors.covering import Sites, covering

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SAME_VOLUME = 0.01
ALIKE = 0.05
"""Descriptions of one crystal differ by less than this share of them, or this."""


_STEPS = 100
"""Moments (Bohr magnetons) and charges (e) are compared in hundredths."""
_HELD, _ELEMENTS, _VALUES = 128, 8 * 128, 4001
"""Bases of the number that stands for an element and how it is held, a moment and a charge."""


@dataclass(frozen=True)
class Primitive:
    """A reduced primitive cell (3 x 3), places (n x 3, angstrom) and kinds of atoms (n)."""

    cell: Floats
    places: Floats
    numbers: Integers

    @classmethod
    def of(cls, atoms: Atoms) -> Primitive:
        """That of a crystal."""
        return cls(*primitive(atoms, _kinds(atoms)))

    def is_same(self, other: Primitive) -> bool:
        """Whether both are one crystal, to 0.01 angstrom in places and lengths of the cell. Mirror
        images are two."""
        turned = replace(other, numbers=_turned_round(other.numbers))
        return any(self._is_laid(one) for one in (other, turned))

    def _is_laid(self, other: Primitive) -> bool:
        if not np.array_equal(np.sort(self.numbers), np.sort(other.numbers)):
            return False
        # twice the tolerance, since the atom that they are laid upon may be off itself
        sites = Sites(self.cell, self.places, self.numbers, 2 * SAME_ANGSTROM)
        place = self.places[rarest(self.numbers)[0]]
        origins = rarest(other.numbers)
        for basis in _settings_like(self.cell, other.cell):
            turned = other.places @ np.linalg.inv(basis) @ self.cell
            shifts = place - turned[origins]
            if any(True for _ in covering(sites, turned, other.numbers, shifts)):
                return True
        return False


def _kinds(atoms: Atoms) -> Integers:
    """Whole numbers (n), one for each element with its moment, its charge, and the directions in
    which it is held fast; without these the atomic number."""
    moments = atoms.get_initial_magnetic_moments().reshape(len(atoms), -1)
    values = [*moments.T, atoms.get_initial_charges()]
    found: Integers = np.zeros(len(atoms), np.int64)
    for value in values:
        found = found * _VALUES + np.round(np.asarray(value) * _STEPS).astype(np.int64)
    return np.asarray(found * _ELEMENTS + _HELD * _held(atoms) + atoms.numbers)


def _held(atoms: Atoms) -> Integers:
    """Of each atom (n) the directions in which it may not move, as bits."""
    found = np.zeros((len(atoms), 3), bool)
    for constraint in atoms.constraints:
        if hasattr(constraint, "index"):
            found[constraint.index] |= np.asarray(getattr(constraint, "mask", True), bool)
    bits: Integers = found @ np.array([1, 2, 4])
    return bits


def _turned_round(kinds: Integers) -> Integers:
    """With all moments reversed."""
    numbers, values = kinds % _ELEMENTS, kinds // _ELEMENTS
    half = _VALUES // 2
    charges = (values + half) % _VALUES - half
    return (2 * charges - values) * _ELEMENTS + numbers


def _settings_like(cell: Floats, lattice: Floats) -> list[Floats]:
    """Right-handed bases of a reduced lattice with the lengths and angles of a cell."""
    vectors = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ lattice
    lengths = np.linalg.norm(vectors, axis=1)
    rows = [vectors[abs(lengths - side) < SAME_ANGSTROM] for side in np.linalg.norm(cell, axis=1)]
    if not all(len(row) for row in rows):
        return []
    bases = np.array(list(itertools.product(*rows)))
    volume = np.linalg.det(cell)  # its sign is the handedness of both
    bases = bases[abs(np.linalg.det(bases) / volume - 1) < SAME_VOLUME]
    if not len(bases):
        return []
    is_like = abs(angles_of(bases) - angles_of(cell[None])).max(axis=1) < SAME_DEGREES
    return list(bases[is_like])


def first_of_each(atoms: Sequence[Atoms], vectors: Floats) -> list[int]:
    """For each of n crystals the place of the first that is the same; its own where it is new.

    Only those of one reduced formula are compared, and of these only such as the vectors (n x d)
    describe alike, so that a large pool does not cost its square.
    """
    found = list(range(len(atoms)))
    for places in _by_formula(atoms).values():
        if len(places) > 1:
            _within(places, atoms, vectors, found)
    return found


def _by_formula(atoms: Sequence[Atoms]) -> dict[tuple[tuple[int, int], ...], list[int]]:
    buckets = defaultdict(list)
    for place, one in enumerate(atoms):
        kinds, counts = np.unique(one.numbers, return_counts=True)
        share = np.gcd.reduce(counts)
        buckets[tuple(zip(kinds.tolist(), (counts // share).tolist(), strict=True))].append(place)
    return buckets


def _within(
    places: Sequence[int], atoms: Sequence[Atoms], vectors: Floats, found: list[int]
) -> None:
    kept: list[int] = []
    cells: dict[int, Primitive] = {}
    for place in places:
        scale = 1 + np.maximum(abs(vectors[kept]), abs(vectors[place]))
        near = (abs(vectors[kept] - vectors[place]) < ALIKE * scale).all(axis=1)
        for other in np.array(kept, int)[near].tolist():
            for one in (place, other):
                if one not in cells:
                    cells[one] = Primitive.of(atoms[one])
            if cells[other].is_same(cells[place]):
                found[place] = other
                break
        else:
            kept.append(place)
