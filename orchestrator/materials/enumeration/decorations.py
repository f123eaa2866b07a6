"""All ordered decorations of a lattice by a few elements, each once [Hart & Forcade 2008,
doi:10.1103/PhysRevB.77.224115].

A superlattice of n points is a matrix in Hermite normal form; those that a symmetry of the lattice
makes equal are one. A decoration gives each of its points an element. Those that a translation or a
symmetry makes equal are one, and those that repeat within the cell belong to a smaller one.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, UnknownName
from orchestrator.materials.descriptors.elements import element_table
from orchestrator.materials.enumeration.rows import Row, reduced_formula, structure_text

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

LATTICES: Mapping[str, Floats] = {
    "fcc": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "bcc": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
}
"""Primitive vectors in units of the edge of the cube."""
_EDGES: Mapping[str, str] = {"fcc": "gs_est_fcc_latcnt", "bcc": "gs_est_bcc_latcnt"}
MOST_ATOMS = 10
MOST_COLOURINGS = 70_000
"""Of one superlattice; more would take minutes."""


@dataclass(frozen=True)
class Decoration:
    """n points of a superlattice (3 x 3 whole numbers, in vectors of the lattice) and which of the
    kinds 0, 1, ... is on each; `points` (n x 3) are in vectors of the lattice too."""

    superlattice: Integers
    points: Integers
    kinds: tuple[int, ...]


def decorated(lattice: str, elements: Sequence[str], most_atoms: int, n_kinds: int) -> list[Row]:
    """All ordered structures of exactly `n_kinds` of the elements, with up to `most_atoms` in the
    primitive cell; the volume is the mean of the elements' in that lattice (XenonPy's estimates).

    Raises:
        UnknownName: there is no such lattice.
        InputError: an element is none, or there are too many or too few.
    """
    if lattice not in LATTICES:
        raise UnknownName("lattice that can be decorated", lattice, LATTICES)
    edges = {element: _edge(lattice, element) for element in dict.fromkeys(elements)}
    if not 2 <= n_kinds <= len(edges):
        raise InputError(
            f"{n_kinds} of {len(edges)} elements make no ordered alloy",
            hint="--kinds 2" if len(edges) > 1 else "name two elements or more",
        )
    if not n_kinds <= most_atoms <= MOST_ATOMS:
        raise InputError(f"a cell has {n_kinds} to {MOST_ATOMS} atoms, not {most_atoms}")
    rows = []
    numbers: Counter[str] = Counter()
    for decoration in decorations(LATTICES[lattice], n_kinds, most_atoms):
        for chosen in itertools.combinations(edges, n_kinds):
            row = _row(lattice, decoration, chosen, edges)
            place = f"{row['formula']}-{lattice}{len(decoration.kinds)}"
            numbers[place] += 1
            rows.append({"name": f"{place}.{numbers[place]}", **row})
    return rows


def decorations(vectors: Floats, n_kinds: int, most_atoms: int) -> Iterator[Decoration]:
    """The decorations of a lattice (3 x 3) by kinds that all occur, smaller cells first; kinds are
    told apart, so that A3B and AB3 are two.

    Raises:
        InputError: there are too many.
    """
    symmetries = _symmetries(vectors)
    for n in range(n_kinds, most_atoms + 1):
        if n_kinds**n > MOST_COLOURINGS:
            raise InputError(
                f"{n_kinds} elements on {n} sites have {n_kinds**n:,} orders",
                hint="--atoms of less",
            )
        colourings = np.array(list(itertools.product(range(n_kinds), repeat=n)))
        is_whole = np.ones(len(colourings), bool)
        for kind in range(n_kinds):
            is_whole &= (colourings == kind).any(axis=1)
        for superlattice in _superlattices(n, symmetries):
            yield from _of_one(superlattice, symmetries, colourings[is_whole])


def _of_one(
    superlattice: Integers, symmetries: Integers, colourings: Integers
) -> Iterator[Decoration]:
    """The decorations of one superlattice: the first of each set that is one, unless it repeats."""
    points = _points(superlattice)
    translations = [_moved(superlattice, points, points + shift) for shift in points]
    turns = [
        _moved(superlattice, points, points @ symmetry)
        for symmetry in symmetries
        if _hermite(superlattice @ symmetry).tolist() == superlattice.tolist()
    ]
    weights = (colourings.max(initial=0) + 1) ** np.arange(len(points))[::-1]
    codes = colourings @ weights
    is_first = np.ones(len(colourings), bool)
    for place, shift in enumerate(translations):
        moved = colourings[:, shift]
        if place:
            is_first &= (moved != colourings).any(axis=1)
        for turn in turns:
            is_first &= moved[:, turn] @ weights >= codes
    for colouring in colourings[is_first].tolist():
        yield Decoration(superlattice, points, tuple(colouring))


def _symmetries(vectors: Floats) -> Integers:
    """The point group of a lattice (k x 3 x 3), as whole matrices that act on its vectors."""
    metric = vectors @ vectors.T
    turns = np.array(list(itertools.product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    turned = turns @ metric @ turns.transpose(0, 2, 1)
    found: Integers = turns[np.isclose(turned, metric).all(axis=(1, 2))]
    return found


def _superlattices(n: int, symmetries: Integers) -> list[Integers]:
    """Those of n points in Hermite normal form, one of each set that is equal by symmetry."""
    kept: list[Integers] = []
    seen: set[bytes] = set()
    for form in _hermite_forms(n):
        if form.tobytes() in seen:
            continue
        seen |= {_hermite(form @ symmetry).tobytes() for symmetry in symmetries}
        kept.append(form)
    return kept


def _hermite_forms(n: int) -> Iterator[Integers]:
    for a in range(1, n + 1):
        for c in range(1, n // a + 1):
            if n % (a * c) == 0:
                f = n // (a * c)
                for b, d, e in itertools.product(range(c), range(f), range(f)):
                    yield np.array([[a, b, d], [0, c, e], [0, 0, f]], dtype=np.int64)


def _hermite(rows: Integers) -> Integers:
    """The Hermite normal form of a basis: upper triangular, what stands above a diagonal entry less
    than it and not below zero."""
    form = rows.astype(np.int64).copy()
    for column in range(3):
        while True:
            below = [row for row in range(column, 3) if form[row, column]]
            least = min(below, key=lambda row: abs(form[row, column]))
            form[[column, least]] = form[[least, column]]
            factors = form[column + 1 :, column] // form[column, column]
            form[column + 1 :] -= factors[:, None] * form[column]
            if not form[column + 1 :, column].any():
                break
        if form[column, column] < 0:
            form[column] *= -1
        for row in range(column):
            form[row] -= form[row, column] // form[column, column] * form[column]
    return form


def _points(superlattice: Integers) -> Integers:
    """The points of the lattice in one cell (n x 3)."""
    return np.array(list(itertools.product(*(range(k) for k in np.diag(superlattice)))))


def _moved(superlattice: Integers, points: Integers, moved: Integers) -> Integers:
    """Which point each moved one falls upon, modulo the superlattice (n)."""
    inside = moved.copy()
    for column in range(3):
        inside -= (inside[:, column] // superlattice[column, column])[:, None] * superlattice[
            column
        ]
    sides = np.diag(superlattice)
    places: Integers = inside @ np.array([sides[1] * sides[2], sides[2], 1])
    return places


def _edge(lattice: str, element: str) -> float:
    table = element_table()
    return float(table.values[table.row(element, element), table.features.index(_EDGES[lattice])])


def _row(
    lattice: str, decoration: Decoration, chosen: Sequence[str], edges: Mapping[str, float]
) -> Row:
    from ase.geometry import minkowski_reduce

    symbols = [chosen[kind] for kind in decoration.kinds]
    counts = {element: symbols.count(element) for element in chosen}
    edge = float(np.mean([edges[symbol] ** 3 for symbol in symbols])) ** (1 / 3)
    vectors = edge * LATTICES[lattice]
    cell = np.asarray(minkowski_reduce(decoration.superlattice @ vectors)[0])
    fractions = decoration.points @ vectors @ np.linalg.inv(cell)
    fractions -= np.floor(fractions + 1e-9)
    return {
        "formula": reduced_formula(counts),
        "atoms": str(len(symbols)),
        "structure": structure_text(symbols, fractions, cell),
    }
