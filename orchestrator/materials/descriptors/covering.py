"""Which shifts lay the atoms of a crystal onto atoms: by a tree of places, so that a cell of ten
thousand atoms takes no longer than there are pairs to look at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEW = 200
"""So many atoms have all their distances computed; of more there is a tree."""
PROBES = 16
"""Atoms that are looked at for all shifts at once, before any shift is looked at for all atoms."""


def apart(cell: Floats, first: Floats, second: Floats) -> Floats:
    """Distances (n x m, angstrom) between places modulo a reduced lattice, right where small."""
    fractions = (first[:, None, :] - second[None, :, :]) @ np.linalg.inv(cell)
    return np.asarray(np.linalg.norm((fractions - np.round(fractions)) @ cell, axis=2))


def distinct(cell: Floats, places: Floats, within: float) -> list[int]:
    """The first (of n) of each set of places (n x 3, angstrom) that lie within a distance of it."""
    kept: list[int] = []
    if len(places) <= FEW:
        near = apart(cell, places, places) < within
        for place in range(len(places)):
            if not near[place, kept].any():
                kept.append(place)
        return kept
    wrapped, of = _with_images(cell, places, within)
    tree = _tree(wrapped)
    gone = np.zeros(len(places), bool)
    for place, near_it in enumerate(tree.query_ball_point(_wrapped(cell, places), within)):
        if not gone[place]:
            kept.append(place)
            gone[of[near_it]] = True
    return kept


class Sites:
    """Atoms in a reduced lattice: places (n x 3, angstrom) and whole numbers that tell their kinds
    apart (n), asked who lies within a distance (angstrom)."""

    def __init__(self, cell: Floats, places: Floats, kinds: Integers, within: float) -> None:
        self._cell, self._within = cell, within
        self._by_kind = {int(kind): places[kinds == kind] for kind in np.unique(kinds)}
        self._trees = {
            kind: _tree(_with_images(cell, of, within)[0])
            for kind, of in self._by_kind.items()
            if len(of) > FEW
        }

    def has(self, points: Floats, kind: int) -> NDArray[np.bool_]:
        """Whether an atom of a kind lies near each of the points (m x 3)."""
        if kind in self._trees:
            nearest, _ = self._trees[kind].query(_wrapped(self._cell, points))
            return np.asarray(nearest < self._within)
        of = self._by_kind.get(kind)
        if of is None:
            return np.zeros(len(points), bool)
        return np.asarray(apart(self._cell, points, of).min(axis=1) < self._within)


def _wrapped(cell: Floats, points: Floats) -> Floats:
    """Points (m x 3) in the cell."""
    fractions = points @ np.linalg.inv(cell)
    return np.asarray((fractions - np.floor(fractions)) @ cell)


def _with_images(cell: Floats, places: Floats, within: float) -> tuple[Floats, NDArray[np.intp]]:
    """Places (k x 3) in the cell and just beside it, and of which atom (k) each is an image."""
    inverse = np.linalg.inv(cell)
    margin = 2 * within * np.linalg.norm(inverse, axis=0)
    fractions = places @ inverse
    fractions -= np.floor(fractions)
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    around = (fractions[:, None, :] + images[None, :, :]).reshape(-1, 3)
    near = np.flatnonzero(((around > -margin) & (around < 1 + margin)).all(axis=1))
    return np.asarray(around[near] @ cell), near // len(images)


def _tree(places: Floats) -> Any:
    from scipy.spatial import cKDTree

    return cKDTree(places)


def covering(sites: Sites, places: Floats, kinds: Integers, shifts: Floats) -> Iterator[int]:
    """Which of the shifts (m x 3) lay every atom, at `places` (n x 3), onto a site of its kind."""
    left = np.arange(len(shifts))
    for probe in np.unique(np.linspace(0, len(places) - 1, PROBES).astype(int)):
        left = left[sites.has(places[probe] + shifts[left], int(kinds[probe]))]
    first = 0  # the atom that hindered the last shift is likely to hinder the next one
    for shift in left:
        if not sites.has(places[[first]] + shifts[shift], int(kinds[first]))[0]:
            continue
        for kind in np.unique(kinds):
            of = np.flatnonzero(kinds == kind)
            met = sites.has(places[of] + shifts[shift], int(kind))
            if not met.all():
                first = int(of[np.argmin(met)])
                break
        else:
            yield int(shift)
