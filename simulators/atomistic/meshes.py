"""Meshes of k-points, by how dense they are, so that cells of any size match."""

from __future__ import annotations

import math
from typing import Any

from simulators.atomistic.vacuum import VACUUM, gaps_of


def mesh_of(atoms: Any, density: float) -> tuple[int, int, int]:
    """Points along each reciprocal vector, `density` of them per 1/angstrom, rounded up; one where
    there is no period, and across a vacuum. The vectors count with their 2 pi, as the densities of
    ASE and GPAW do: silicon's two atoms have 6 x 6 x 6 at 3 angstrom.
    """
    counts = [1, 1, 1]
    gaps = gaps_of(atoms)
    for axis, vector in enumerate(atoms.cell.reciprocal()):
        if atoms.pbc[axis] and gaps[axis] <= VACUUM:
            length = 2.0 * math.pi * math.sqrt(sum(float(x) ** 2 for x in vector))
            counts[axis] = max(1, math.ceil(round(length * density, 6)))
    return counts[0], counts[1], counts[2]
