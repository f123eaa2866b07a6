"""One way of writing a crystal, for all cells, origins, orientations and orders of its atoms.

The cell is made primitive and Minkowski-reduced, its vectors being the shortest there are. Of all
right-handed choices among vectors of those lengths, those with the least angles are kept; of these,
with the origin on each atom of the rarest element, the one whose fractional coordinates come first,
and then its cell.
Structures that differ by more than rounding, such as two refinements of one, stay two.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.covering import Sites, covering, distinct

if TYPE_CHECKING:
    from ase import Atoms

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SAME_ANGSTROM = 0.01
"""Within this, two places, or the lengths of two vectors, are the same."""
SAME_DEGREES = 0.1
MOST_PASSES = 60
CLOSEST = 0.3
"""Two atoms nearer than this (angstrom) are one that is written twice, or an error."""
_STEP = 1e-4
"""Square angstrom."""
_KEPT, _COMPARED = 120_000, 1000
"""Bins per unit of a fractional coordinate; thirds and quarters are whole numbers of the first."""
_AT_ONCE = 300_000
"""Distances between atoms that are looked at together."""
_OFFSET = 0.583
"""Where a bin begins, beside every simple fraction: 1/3, 1/8 and 1/16 are not split by noise."""


def canonical_structure(atoms: Atoms) -> str:
    """The extended XYZ text of a crystal in its canonical cell: squares of lengths to 2e-4 square
    angstrom, products of two vectors to 1e-4, fractional coordinates to 1 / 120000. Of the text
    itself it is the same text.

    Raises:
        InputError: the crystal repeats itself within 0.3 angstrom.
    """
    from ase import Atoms as Structure

    texts, cell, places, numbers = list[str](), atoms.cell.array, atoms.positions, atoms.numbers
    for _ in range(MOST_PASSES):  # rounding can move which of two equal settings comes first
        structure = Structure(numbers, places, cell=cell, pbc=True)
        cell, places, numbers = _rounded(*_first_setting(structure))
        text = _written(cell, places, numbers)
        if text in texts:  # of several that follow each other in a ring, always the same
            return min(texts[texts.index(text) :])
        texts.append(text)
    return texts[-1]


def _first_setting(atoms: Atoms) -> tuple[Integers, Floats, Integers]:
    """Products of the basis vectors in steps (3 x 3), fractional coordinates (n x 3) and atomic
    numbers (n), in their order."""
    cell, places, numbers = primitive(atoms)
    bases = _settings(cell)
    turned = [places @ np.linalg.inv(basis) for basis in bases]
    stepped, keys = _stepped(bases).tolist(), []
    for setting, origin in _first_origins(turned, numbers):
        fractions = turned[setting] - turned[setting][origin]
        coarse, fine = _binned(fractions, _COMPARED), _binned(fractions, _KEPT)
        order = np.lexsort((*fine.T[::-1], *coarse.T[::-1], numbers))
        first = (coarse[order].tolist(), fine[order].tolist(), stepped[setting])
        keys.append((first, numbers[order]))
    (_, fine, products), numbers = min(keys, key=lambda key: key[0])
    return np.array(products), np.array(fine) / _KEPT, numbers


def _first_origins(turned: Sequence[Floats], numbers: Integers) -> list[tuple[int, int]]:
    """Settings and origins of which the atoms of the lightest element come first, by their coarse
    bins; among them is the one of which all atoms do. `turned` are fractional coordinates in each
    setting. All origins at once, for a large cell has many."""
    origins, light = rarest(numbers), np.flatnonzero(numbers == numbers.min())
    at_once = max(1, _AT_ONCE // len(light))
    found: list[tuple[int, int]] = []
    least: list[int] = []
    for setting, places in enumerate(turned):
        for some in np.split(origins, range(at_once, len(origins), at_once)):
            bins = _binned(places[light] - places[some][:, None], _COMPARED)
            rows = np.sort(bins @ np.array([_COMPARED**2, _COMPARED, 1]), axis=1)
            left = np.arange(len(some))
            for column in rows.T:
                left = left[column[left] == column[left].min()]
                if len(left) == 1:
                    break
            row = rows[left[0]].tolist()
            if not found or row < least:
                found, least = [], row
            if row == least:
                found += [(setting, int(origin)) for origin in some[left]]
    return found


def _stepped(bases: Floats) -> Integers:
    """The products of the vectors of bases (k x 3 x 3) in whole steps.

    Where those of one basis are whole, and the squares even, so are those of every other basis of
    the lattice. So a crystal that was rounded once is not moved again, whichever setting is taken;
    lengths and angles would wander. Right angles stay exact, and so do those of 60 and 120 degrees
    between equal vectors.

    Raises:
        InputError: the crystal repeats itself within 0.3 angstrom.
    """
    products = bases @ bases.swapaxes(1, 2)
    if (shortest := float(products.min(axis=0).diagonal().min()) ** 0.5) < CLOSEST:
        raise InputError(
            f"the crystal repeats itself within {shortest:.2g} angstrom",
            hint="lengths are in angstrom",
        )
    even = 1 + np.eye(3)
    whole = np.sign(products) * np.floor(abs(products) / (_STEP * even) + _OFFSET) * even
    return np.asarray(whole.astype(np.int64))


def _rounded(
    products: Integers, fractions: Floats, numbers: Integers
) -> tuple[Floats, Floats, Integers]:
    """The cell in ASE's standard orientation and the places (angstrom) in it, to eight digits."""
    cell: Floats = np.linalg.cholesky(products * _STEP).astype(np.float64).round(8)
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
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    while (shifts := _translations(cell, places, numbers)) is not None:
        lattice = (shifts[:, None, :] + (images @ cell)[None, :, :]).reshape(-1, 3)
        cell = np.asarray(minkowski_reduce(_shortest_basis(lattice))[0])
        places, numbers = _distinct(cell, places, numbers)
    return cell, places, numbers


def _translations(cell: Floats, places: Floats, numbers: Integers) -> Floats | None:
    """The multiples (p x 3, angstrom) of a shift within the cell that puts the crystal onto itself,
    zero first; None where there is no such shift.

    If there is any, there is one of which a prime number p of times is a vector of the lattice, and
    as many atoms of each kind are then one: p divides how many there are.
    """
    _, counts = np.unique(numbers, return_counts=True)
    share = int(np.gcd.reduce(counts))
    if share == 1:
        return None
    alike = rarest(numbers)
    fractions = (places[alike[1:]] - places[alike[0]]) @ np.linalg.inv(cell)
    fractions -= np.round(fractions)  # to the nearest of its images
    sites = Sites(cell, places, numbers, SAME_ANGSTROM)
    for prime in _primes(share):
        exact = np.round(fractions * prime) / prime
        off = np.linalg.norm((fractions - exact) @ cell, axis=1)
        possible = np.unique(exact[off < 2 * SAME_ANGSTROM], axis=0)
        possible = possible[possible.any(axis=1)]
        for times in (prime // 2, prime // 3):  # the multiples of a shift are shifts
            onto = places[alike[0]] + times * possible @ cell
            possible = possible[sites.has(onto, int(numbers[alike[0]]))]
        for found in covering(sites, places, numbers, possible @ cell):
            multiples = np.arange(prime)[:, None] * possible[found]
            return np.asarray((multiples - np.round(multiples)) @ cell)
    return None


def _primes(number: int) -> list[int]:
    """The prime factors of a number, ascending, each once."""
    found: list[int] = []
    for factor in itertools.count(2):
        if factor * factor > number:
            return [*found, number] if number > 1 else found
        if number % factor == 0:
            found.append(factor)
            while number % factor == 0:
                number //= factor
    return found


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
    kept = [
        of[place]
        for of in (np.flatnonzero(numbers == kind) for kind in np.unique(numbers))
        for place in distinct(cell, places[of], SAME_ANGSTROM)
    ]
    return places[np.sort(kept)], numbers[np.sort(kept)]


def _settings(cell: Floats) -> Floats:
    """All right-handed bases (k x 3 x 3) of the lattice with the lengths of `cell` and the least
    angles."""
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
    return np.asarray(bases)


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
