"""Pairs of neighbours in a crystal, by all images at once: quick for the cells that pools have."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]

MOST_CELLS = 3_000
"""So many images of a cell are looked through as it is written; else it is made less skew first."""
MOST_PAIRS = 2_000_000
"""Of atoms with images of atoms; ASE's cells of linked lists serve where there are more."""


def neighbour_pairs(atoms: Atoms, cutoff: float) -> tuple[Any, Any, Floats]:
    """Pairs (i, j) of a periodic structure, ordered by i, and their distances r < `cutoff`
    (angstrom); an atom is a neighbour of its own images."""
    cell, n = atoms.cell.array, len(atoms)
    reach = _reach(cell, cutoff)
    if np.prod(2 * reach + 1, dtype=float) > MOST_CELLS:
        from ase.geometry import minkowski_reduce

        cell = minkowski_reduce(atoms.cell)[0]
        reach = _reach(cell, cutoff)
    if n * n * np.prod(2 * reach + 1, dtype=float) > MOST_PAIRS:
        from ase import Atoms as AtomsOfAse
        from ase.neighborlist import neighbor_list

        atoms = AtomsOfAse(atoms.numbers, atoms.positions, cell=cell, pbc=True)
        return neighbor_list("ijd", atoms, cutoff)  # type: ignore[no-any-return]
    fractions = atoms.positions @ np.linalg.inv(cell)
    apart = fractions[None, :, :] - fractions[:, None, :]
    apart -= np.round(apart)
    shifts = np.array(list(itertools.product(*(range(-k, k + 1) for k in reach))), float)
    places = (apart @ cell)[:, :, None, :] + (shifts @ cell)[None, None, :, :]
    squares = np.einsum("ijsx,ijsx->ijs", places, places)
    squares[np.arange(n), np.arange(n), len(shifts) // 2] = np.inf  # an atom itself
    i, j, s = np.nonzero(squares < cutoff**2)
    return i, j, np.sqrt(squares[i, j, s])


def _reach(cell: Floats, cutoff: float) -> NDArray[np.int64]:
    """How many cells to either side images are within the cutoff."""
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(
        np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0)), axis=1
    )
    cells: NDArray[np.int64] = np.floor(cutoff / heights + 0.5).astype(np.int64)
    return cells
