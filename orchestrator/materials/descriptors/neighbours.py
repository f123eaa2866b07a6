"""Pairs of neighbours in a crystal, by all images at once: quick for the cells that pools have."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]

MOST_PAIRS = 2_000_000
"""Of atoms with images of atoms; ASE's cells of linked lists serve where there are more."""


def neighbour_pairs(atoms: Atoms, cutoff: float) -> tuple[Any, Any, Floats]:
    """Pairs (i, j) of a periodic structure, ordered by i, and their distances r < `cutoff`
    (angstrom); an atom is a neighbour of its own images."""
    cell = atoms.cell.array
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(
        np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0)), axis=1
    )
    reach = np.floor(cutoff / heights + 0.5).astype(int)
    n = len(atoms)
    if n * n * np.prod(2 * reach + 1, dtype=float) > MOST_PAIRS:
        from ase.neighborlist import neighbor_list

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
