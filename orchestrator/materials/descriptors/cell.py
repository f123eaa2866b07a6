"""One way of writing a crystal, for all cells, origins, orientations and orders of its atoms.

The cell is made primitive and Minkowski-reduced, its vectors being the shortest there are. Of all
right-handed choices among vectors of those lengths, those with the least angles are kept; of these,
with the origin on each atom of the rarest element, the one whose fractional coordinates come first.
Structures that differ by more than rounding, such as two refinements of one, stay two.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SAME_ANGSTROM = 0.01
"""Within this, two places, or the lengths of two vectors, are the same."""
SAME_DEGREES = 0.1
MOST_PASSES = 8
_KEPT, _COMPARED = 120_000, 1000
"""Bins per unit of a fractional coordinate; thirds and quarters are whole numbers of the first."""
_OFFSET = 0.583
"""Where a bin begins, beside every simple fraction: 1/3, 1/8 and 1/16 are not split by noise."""


def canonical_structure(atoms: Atoms) -> str:
    """The extended XYZ text of a crystal in its canonical cell: lengths to 1e-4 angstrom, angles to
    1e-3 degrees, fractional coordinates to 1 / 120000."""
    from ase import Atoms as Structure

    text, cell, places, numbers = "", atoms.cell.array, atoms.positions, atoms.numbers
    for _ in range(MOST_PASSES):  # rounding can move which of two equal settings comes first
        structure = Structure(numbers, places, cell=cell, pbc=True)
        cell, places, numbers = _rounded(*_first_setting(structure))
        before, text = text, _written(cell, places, numbers)
        if text == before:
            break
    return text


def _first_setting(atoms: Atoms) -> tuple[Floats, Floats, Integers]:
    """Basis (3 x 3), fractional coordinates (n x 3) and atomic numbers (n), in their order."""
    cell, places, numbers = primitive(atoms)
    keys = []
    for basis in _settings(cell):
        turned = places @ np.linalg.inv(basis)
        for origin in rarest(numbers):
            fractions = turned - turned[origin]
            coarse, fine = _binned(fractions, _COMPARED), _binned(fractions, _KEPT)
            order = np.lexsort((*fine.T[::-1], *coarse.T[::-1], numbers))
            keys.append((coarse[order].tolist(), fine[order].tolist(), basis, numbers[order]))
    _, fine, basis, numbers = min(keys, key=lambda key: key[:2])
    return basis, np.array(fine) / _KEPT, numbers


def _rounded(
    basis: Floats, fractions: Floats, numbers: Integers
) -> tuple[Floats, Floats, Integers]:
    """The cell in ASE's standard orientation and the places (angstrom) in it, rounded."""
    from ase.cell import Cell

    sides = np.floor(np.linalg.norm(basis, axis=1) * 1e4 + _OFFSET) / 1e4
    angles = np.floor(angles_of(basis[None])[0] * 1e3 + _OFFSET) / 1e3
    cell = np.round(Cell.fromcellpar([*sides, *angles]).array, 8)
    return cell, np.round(fractions @ cell, 8), numbers


def _binned(values: Floats, per_unit: int) -> Integers:
    """Whole bins, modulo one."""
    return np.floor(values * per_unit + _OFFSET).astype(np.int64) % per_unit


def rarest(numbers: Integers) -> Integers:
    """Atoms of the element that occurs least; of those the lightest."""
    kinds, counts = np.unique(numbers, return_counts=True)
    return np.flatnonzero(numbers == kinds[counts.argmin()])


def primitive(atoms: Atoms, kinds: Integers | None = None) -> tuple[Floats, Floats, Integers]:
    """Reduced primitive cell (3 x 3), places (n x 3, angstrom), atomic numbers (n), or the whole
    numbers `kinds` that tell atoms apart."""
    from ase.geometry import minkowski_reduce

    cell = np.asarray(minkowski_reduce(atoms.cell.array)[0])
    places = np.asarray(atoms.positions, float)
    numbers = np.asarray(atoms.numbers if kinds is None else kinds, np.int64)
    shifts = _translations(cell, places, numbers)
    if len(shifts) == 1:
        return cell, places, numbers
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell
    lattice = (shifts[:, None, :] + images[None, :, :]).reshape(-1, 3)
    smaller = _shortest_basis(lattice)
    smaller = np.asarray(minkowski_reduce(smaller)[0])
    return smaller, *_distinct(smaller, places, numbers)


def _translations(cell: Floats, places: Floats, numbers: Integers) -> Floats:
    """All shifts within the cell (k x 3, angstrom) that put the crystal onto itself, zero first."""
    candidates = rarest(numbers)
    found = [np.zeros(3)]
    for atom in candidates[1:]:
        shift = places[atom] - places[candidates[0]]
        shift -= np.round(shift @ np.linalg.inv(cell)) @ cell  # to the nearest of its images
        if all(
            _all_met(cell, places[numbers == kind] + shift, places[numbers == kind])
            for kind in np.unique(numbers)
        ):
            found.append(shift)
    return np.array(found)


def apart(cell: Floats, first: Floats, second: Floats) -> Floats:
    """Distances (n x m, angstrom) between places modulo a reduced lattice, right where small."""
    fractions = (first[:, None, :] - second[None, :, :]) @ np.linalg.inv(cell)
    return np.asarray(np.linalg.norm((fractions - np.round(fractions)) @ cell, axis=2))


def _all_met(cell: Floats, moved: Floats, places: Floats) -> bool:
    return bool((apart(cell, moved, places).min(axis=1) < SAME_ANGSTROM).all())


def _shortest_basis(lattice: Floats) -> Floats:
    """The three shortest independent vectors of many; in three dimensions they are a basis."""
    chosen: list[Floats] = []
    for vector in lattice[np.argsort(np.linalg.norm(lattice, axis=1))]:
        trial = np.array([*chosen, vector])
        sides = np.linalg.norm(trial, axis=1)
        if sides.min() > SAME_ANGSTROM:
            flatness = np.linalg.svd(trial / sides[:, None], compute_uv=False).min()
            if flatness > 1e-2:
                chosen.append(vector)
        if len(chosen) == 3:
            break
    return np.array(chosen)


def _distinct(cell: Floats, places: Floats, numbers: Integers) -> tuple[Floats, Integers]:
    """One atom of each set that the lattice makes equal."""
    kept: list[int] = []
    for atom in range(len(places)):
        alike = [other for other in kept if numbers[other] == numbers[atom]]
        if not alike or apart(cell, places[[atom]], places[alike]).min() >= SAME_ANGSTROM:
            kept.append(atom)
    return places[kept], numbers[kept]


def _settings(cell: Floats) -> list[Floats]:
    """All right-handed bases of the lattice with the lengths of `cell` and the least angles."""
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    vectors = steps @ cell
    lengths = np.linalg.norm(vectors, axis=1)
    rows = [
        vectors[abs(lengths - side) < SAME_ANGSTROM]
        for side in sorted(np.linalg.norm(cell, axis=1))
    ]
    volume = abs(np.linalg.det(cell))
    bases = np.array(list(itertools.product(*rows)))
    bases = bases[abs(np.linalg.det(bases) - volume) < 1e-3 * volume]
    angles = angles_of(bases)
    for column in range(3):
        least = angles[:, column] < angles[:, column].min() + SAME_DEGREES
        bases, angles = bases[least], angles[least]
    return list(bases)


def angles_of(bases: Floats) -> Floats:
    """Alpha, beta, gamma in degrees (k x 3) of bases (k x 3 x 3)."""
    unit = bases / np.linalg.norm(bases, axis=2)[:, :, None]
    cosines = np.einsum("kax,kbx->kab", unit, unit)[:, (1, 0, 0), (2, 2, 1)]
    return np.asarray(np.degrees(np.arccos(np.clip(cosines, -1, 1))))


def _written(cell: Floats, places: Floats, numbers: Integers) -> str:
    from ase.data import chemical_symbols

    lattice = " ".join(f"{x + 0.0:.8f}" for x in cell.ravel())
    lines = [
        " ".join((chemical_symbols[number], *(f"{x + 0.0:.8f}" for x in place)))
        for number, place in zip(numbers, places, strict=True)
    ]
    head = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"'
    return "\n".join((str(len(numbers)), head, *lines)) + "\n"
