"""Slabs of a crystal, and where an adsorbate begins on them."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

from orchestrator.errors import InputError, UnknownName

VACUUM = 8.0
"""angstrom, to either side of a slab."""
BOX = 12.0
"""angstrom, at least, from a molecule to the next one."""
TOP = 0.5
"""angstrom; atoms that are that much below the highest one belong to the same layer."""
GRID = 24
"""Points along each vector of the surface cell, among which a hollow is looked for."""


def indices_of(facet: str) -> tuple[int, int, int]:
    """Miller's indices of `111`, `1-10`, `(1 1 0)`, or of the four `10-10` of a hexagonal crystal.

    Raises:
        InputError: it is written in another way, or names no plane.
    """
    text = facet.strip().strip("()[]{}").strip()
    spaced = re.fullmatch(r"-?\d+([\s,]+-?\d+){2,3}", text)
    close = re.fullmatch(r"(-?\d){3,4}", text)
    found = [int(i) for i in re.findall(r"-?\d+" if spaced else r"-?\d", text)]
    if len(found) == 4 and found[0] + found[1] + found[2] == 0:
        found = [found[0], found[1], found[3]]
    if not (spaced or close) or len(found) != 3 or not any(found):
        raise InputError(
            f"'{facet}' is no facet of a crystal",
            hint="write Miller's indices as '111', '1-10' or '1 -1 0'",
        )
    return found[0], found[1], found[2]


def adsorbate_of(name: str) -> Any:
    """The atoms of an element or of a molecule of ASE's collection g2, such as CO, H2O or CH3.

    Raises:
        UnknownName: there is none of that name.
    """
    from ase import Atoms
    from ase.build import molecule
    from ase.collections import g2
    from ase.data import atomic_numbers

    if name in atomic_numbers and name != "X":
        return Atoms(name, positions=[[0.0, 0.0, 0.0]])
    if name not in g2.names:
        raise UnknownName("adsorbate", name, [*g2.names, *atomic_numbers])
    return molecule(name)


def gas_of(adsorbate: Any) -> Any:
    """A molecule alone in a box without period (codes with plane waves and graphs want a cell)."""
    alone = adsorbate.copy()
    alone.center(vacuum=BOX / 2.0)
    return alone


def slab_of(crystal: Any, facet: str, layers: int, separation: float) -> Any:
    """A slab of a crystal, its lower half fixed, periodic along the facet.

    Indices are those of the cube where the crystal is fcc or bcc, in whatever cell; else those of
    its cell. `layers` are units of the crystal along the normal, as ASE counts them. The facet is
    repeated until adsorbates are `separation` (angstrom) apart.

    Raises:
        InputError: the facet is written wrongly.
    """
    from ase.build import surface
    from ase.constraints import FixAtoms

    indices = indices_of(facet)
    slab: Any = surface(_cube_of(crystal), indices, layers, periodic=True)
    lengths = [float(x) for x in slab.cell.lengths()[:2]]
    slab = slab * (*(max(1, math.ceil(separation / a - 1e-9)) for a in lengths), 1)
    slab.center(vacuum=VACUUM, axis=2)
    slab.pbc = (True, True, False)
    heights = slab.positions[:, 2]
    middle = (heights.max() + heights.min()) / 2.0
    slab.set_constraint(FixAtoms([int(i) for i, z in enumerate(heights) if z < middle - 1e-3]))
    slab.info.clear()
    return slab


def covered(slab: Any, adsorbate: Any, site: str, height: float) -> Any:
    """The slab with the adsorbate, as it is turned, on a site; `height` (angstrom) is that of its
    lowest atom above the highest atom of the slab."""
    lowest = int(adsorbate.positions[:, 2].argmin())
    x, y = place_of(slab, site)
    added = adsorbate.copy()
    target = (x, y, slab.positions[:, 2].max() + height)
    added.translate([a - b for a, b in zip(target, added.positions[lowest], strict=True)])
    both = slab.copy()
    both.extend(added)
    return both


def place_of(slab: Any, site: str) -> tuple[float, float]:
    """Where a site lies on the facet, in angstrom: above an atom of the highest layer, between two
    of them, or as far as possible from all of them; of equal hollows the one with nothing beneath
    it in the second layer (on an fcc (111) facet the one that is called fcc)."""
    import numpy as np

    heights = slab.positions[:, 2]
    top = np.flatnonzero(heights > heights.max() - TOP)
    first = slab.positions[top[0], :2]
    if site == "ontop":
        return float(first[0]), float(first[1])
    if site == "bridge":
        steps = _apart(slab, slab.positions[top, :2], first[None, :])
        images = [s for row in steps for s in row if np.linalg.norm(s) > 1e-3]
        rounded = [(float(np.linalg.norm(s)), float(s[0]), float(s[1])) for s in images]
        _, dx, dy = min(rounded, key=lambda s: tuple(round(x, 4) for x in s))
        return float(first[0]) + dx / 2.0, float(first[1]) + dy / 2.0
    fractions = np.array([*itertools.product(range(GRID), repeat=2)]) / GRID
    points = first + fractions @ _unit(slab)
    free = _nearest(slab, points, slab.positions[top, :2])
    best = points[free > free.max() - 1e-3]
    below = heights[heights <= heights.max() - TOP]
    if len(below):
        second = np.flatnonzero((heights <= below.max()) & (heights > below.max() - TOP))
        deep = _nearest(slab, best, slab.positions[second, :2])
        best = best[deep > deep.max() - 1e-3]
    return float(best[0, 0]), float(best[0, 1])


def _unit(slab: Any) -> Any:
    return slab.cell.array[:2, :2]


def _apart(slab: Any, positions: Any, points: Any) -> Any:
    """From each point to the images of each position, points x (9 positions) x 2."""
    import numpy as np

    shifts = np.array([*itertools.product((-1, 0, 1), repeat=2)]) @ _unit(slab)
    images = (positions[:, None, :] + shifts[None, :, :]).reshape(-1, 2)
    return images[None, :, :] - points[:, None, :]


def _nearest(slab: Any, points: Any, positions: Any) -> Any:
    import numpy as np

    return np.linalg.norm(_apart(slab, positions, points), axis=2).min(axis=1)


def _cube_of(crystal: Any) -> Any:
    """The cube of an fcc or bcc lattice that has another cell; else the crystal as it is."""
    import numpy as np
    from ase.build import make_supercell

    name = crystal.cell.get_bravais_lattice(eps=1e-2).name
    if name not in ("FCC", "BCC"):
        return crystal
    edge = ((4 if name == "FCC" else 2) * crystal.get_volume()) ** (1.0 / 3.0)
    turns = np.array([*itertools.product(range(-3, 4), repeat=3)])
    vectors = turns @ crystal.cell.array
    fit = np.flatnonzero(np.abs(np.linalg.norm(vectors, axis=1) - edge) < 0.01 * edge)
    a = int(fit[-1])
    b = next(int(i) for i in fit[::-1] if abs(vectors[i] @ vectors[a]) < 0.05 * edge**2)
    normal = np.cross(vectors[a], vectors[b]) / edge
    c = min((int(i) for i in fit), key=lambda i: float(np.linalg.norm(vectors[i] - normal)))
    return make_supercell(crystal, turns[[a, b, c]])
