"""Crystals from known ones: elements replaced on their sites, and put on each other's sites."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.errors import InputError, PlanningError
from orchestrator.materials.descriptors.cell import canonical_structure
from orchestrator.materials.descriptors.sameness import Primitive
from orchestrator.materials.descriptors.structure_text import crystal_of
from orchestrator.materials.generators.archive import Archive, Floats
from orchestrator.materials.generators.elements import element
from orchestrator.materials.generators.formulas import cations_of, formula_of, is_neutral
from orchestrator.materials.generators.kinship import Kinship, frequency_of, known_symbols
from orchestrator.materials.generators.reading import readable
from orchestrator.materials.generators.sampler import Sampler, schedule
from orchestrator.ports.generator import Candidate, Score

if TYPE_CHECKING:
    from ase import Atoms

_ENLARGED = 0.5
"""How often a crystal is first written in a larger cell, where that is allowed."""
_PRIOR = 0.01
"""Weight of the radii beside the corpus, in volumes of elements."""
_PACKINGS = 50
"""How finely a packing is told from another one, in steps of its logarithm."""
_COMPARED = 15.0
"""Angstrom^3 per atom at which two crystals are compared, so that their size tells nothing."""


class SiteMoves:
    """Replaces an element on all or some of its sites, or exchanges the elements of two sites; in
    ionic crystals a cation by a cation, and an anion by an anion.

    Before that, a crystal of few atoms may be written in a larger cell, so that elements find an
    order that the smaller one has no room for. The cell keeps its shape; its volume is the sum of
    what the elements take up, as the corpus has it, in the parent's packing.
    """

    def __init__(
        self,
        kinship: Kinship,
        volumes: AtomicVolumes,
        *,
        most_atoms: int,
        replace: bool,
        ionic: bool,
    ) -> None:
        """`replace`: no says that elements are exchanged only."""
        self._kinship, self._volumes, self._most = kinship, volumes, most_atoms
        self._replace, self._ionic = replace, ionic

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One canonical crystal for each; the parent where nothing could be moved."""
        return [self._moved(parent, rng) for parent in parents]

    def _moved(self, parent: str, rng: Random) -> str:
        small = crystal_of(parent)
        atoms = self._enlarged(small, rng)
        symbols = atoms.get_chemical_symbols()
        moved = self._new_symbols(symbols, rng, is_larger=len(atoms) > len(small))
        if moved == symbols or (self._ionic and not _keeps_signs(symbols, moved)):
            return parent
        child = atoms.copy()
        child.set_chemical_symbols(moved)
        if sorted(moved) != sorted(symbols):
            ratio = self._volumes.of(child) / atoms.cell.volume * self._volumes.packing(atoms)
            child.set_cell(atoms.cell * ratio ** (1 / 3), scale_atoms=True)
        return canonical_structure(child)

    def _enlarged(self, atoms: Atoms, rng: Random) -> Atoms:
        most = self._most // len(atoms)
        if most < 2 or rng.random() >= _ENLARGED:
            return atoms
        from ase.build import make_supercell

        larger: Atoms = make_supercell(atoms, _superlattice(rng.randint(2, most), rng))
        return larger

    def _new_symbols(self, symbols: list[str], rng: Random, *, is_larger: bool) -> list[str]:
        old = rng.choice(sorted(set(symbols)))
        sites = [place for place, symbol in enumerate(symbols) if symbol == old]
        others = [place for place, symbol in enumerate(symbols) if symbol != old]
        kinds = ["exchange"] if others else []
        if self._replace:
            kinds += [] if is_larger else ["whole"]  # what is the same all over needs no room
            kinds += ["part"] if len(sites) > 1 else []
        moved = list(symbols)
        kind = rng.choice(kinds) if kinds else "nothing"
        if kind == "exchange":
            here, there = rng.choice(sites), rng.choice(others)
            moved[here], moved[there] = moved[there], moved[here]
        elif kind in ("whole", "part"):
            new = self._kinship.drawn(old, rng)
            n = len(sites) if kind == "whole" else rng.randint(1, len(sites) - 1)
            for place in rng.sample(sites, n):
                moved[place] = new
        return moved


def _keeps_signs(symbols: Sequence[str], moved: Sequence[str]) -> bool:
    """Whether cations stay on their sites, and anions on theirs, and the charges sum to zero."""
    before, after = cations_of(_amounts(symbols)), cations_of(_amounts(moved))
    pairs = zip(symbols, moved, strict=True)
    return bool(after) and all((old in before) == (new in after) for old, new in pairs)


def _superlattice(n: int, rng: Random) -> Floats:
    """One of n cells of the lattice, in Hermite's form (3 x 3)."""
    a = rng.choice([k for k in range(1, n + 1) if n % k == 0])
    b = rng.choice([k for k in range(1, n // a + 1) if (n // a) % k == 0])
    c = n // a // b
    rows = [[a, 0, 0], [rng.randrange(a), b, 0], [rng.randrange(a), rng.randrange(b), c]]
    return np.array(rows)


class AtomicVolumes:
    """What an atom of each element takes up (angstrom^3): least squares over the corpus, and where
    that says little by the cube of the covalent radius (Cordero et al. 2008)."""

    def __init__(self, corpus: Sequence[Atoms]) -> None:
        from ase.data import atomic_numbers, covalent_radii

        self._radii = {symbol: float(covalent_radii[z]) for symbol, z in atomic_numbers.items()}
        counts = [Counter(atoms.get_chemical_symbols()) for atoms in corpus]
        known = sorted({symbol for count in counts for symbol in count})
        cubes = np.array([self._radii[symbol] ** 3 for symbol in known])
        x = np.array([[c[s] for s in known] for c in counts], float) / [[len(a)] for a in corpus]
        y = np.array([atoms.cell.volume / len(atoms) for atoms in corpus])
        self._per_cube = float((x @ cubes) @ y / ((x @ cubes) @ (x @ cubes)))
        prior, weight = self._per_cube * cubes, _PRIOR * len(corpus)
        found = prior + np.linalg.solve(
            x.T @ x + weight * np.eye(len(known)), x.T @ (y - x @ prior)
        )
        least = 0.2 * prior  # an atom that no corpus shows alone may come out at nothing
        self._own = dict(zip(known, np.maximum(found, least).tolist(), strict=True))

    def of(self, atoms: Atoms) -> float:
        """The sum over a crystal's atoms."""
        symbols: list[str] = atoms.get_chemical_symbols()
        sizes = (self._own.get(s, self._per_cube * self._radii[s] ** 3) for s in symbols)
        return float(sum(sizes))

    def packing(self, atoms: Atoms) -> float:
        """By how much a crystal is larger than its atoms, in steps, so that one that is made in two
        ways has one size."""
        steps = round(_PACKINGS * math.log(atoms.cell.volume / self.of(atoms)))
        return math.exp(steps / _PACKINGS)


class Decoration:
    """Generator `decoration`: crystals, with their cells and atoms, out of known ones.

    The options:
        elements: those that may be put in; all of the corpus, if none is said.
        only_elements: those that a crystal may have at all; any, if none is said.
        ionic: whether a crystal must be neutral with common oxidation states, and cations stay on
            their sites; say no for alloys.
        replace: whether elements are replaced at all, or only ordered anew.
        most_elements: how many different ones a crystal may have.
        most_atoms: up to how many a crystal may be written in a larger cell.
        particles, steps: size of the population, and how often it is changed.
    """

    def __init__(
        self,
        corpus: Sequence[str],
        *,
        elements: Sequence[str] = (),
        only_elements: Sequence[str] = (),
        ionic: bool = True,
        replace: bool = True,
        most_elements: int = 6,
        most_atoms: int = 16,
        particles: int = 60,
        steps: int = 20,
    ) -> None:
        """Learns elements and their volumes from the corpus; what cannot be read is left out.

        Raises:
            InputError: no crystal of the corpus, or an element, cannot be read, there is no
                crystal, or an option cannot be meant.
        """
        if particles < 2 or steps < 2 or most_elements < 1 or most_atoms < 1:
            raise InputError("two particles, two steps, an element and an atom are the least")
        read = [crystal_of(text) for text in readable(corpus, _checked)]
        if not read:
            raise InputError("there is no crystal to learn from", hint="give a corpus")
        self._only = known_symbols(only_elements)
        of_each = (sorted(set(a.get_chemical_symbols())) for a in read)
        frequency = frequency_of(elements or only_elements, of_each)
        self._moves = SiteMoves(
            Kinship(frequency, ionic=ionic),
            AtomicVolumes(read),
            most_atoms=most_atoms,
            replace=replace,
            ionic=ionic,
        )
        self._ionic, self._most_elements = ionic, most_elements
        self._particles, self._betas = particles, schedule(steps)

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        """Up to `n` different crystals, the best first, each the extended XYZ of its reduced
        primitive cell. None is one of `start`, or another one that was made, whatever its volume.
        Crystals of `start` that cannot be read are left out.

        Raises:
            InputError: no crystal of `start` can be read, or there is none.
            PlanningError: none can be made within the constraints.
        """
        known = self._read(start)
        sampler = self._sampler(known, score, seed)
        sampler.run()
        kept = _different(sampler.archive.best(10**9, without=known), known, n)
        if not kept:
            raise PlanningError(
                "no new crystal could be made: each is one that it started from, in another size",
                hint="permit more elements or atoms, take more particles or steps",
            )
        return kept

    def sampler(self, start: Sequence[str], score: Score, seed: int) -> Sampler:
        """What `generate` runs, before its first step. Raises InputError, PlanningError."""
        return self._sampler(self._read(start), score, seed)

    def _sampler(self, known: Sequence[str], score: Score, seed: int) -> Sampler:
        sampler = Sampler(self._moves, Archive(score, self._refusal), self._betas, seed)
        sampler.begin(known, self._particles)
        return sampler

    def _read(self, start: Sequence[str]) -> list[str]:
        known = list(dict.fromkeys(readable(start, _canonical)))
        if not known:
            raise InputError("there is no crystal to start from")
        return known

    def _refusal(self, crystal: str) -> str:
        """The option that forbids a crystal; '' where none does."""
        amounts = _amounts(crystal_of(crystal).get_chemical_symbols())
        if self._only and not amounts.keys() <= self._only:
            return "only_elements"
        if len(amounts) > self._most_elements:
            return f"most_elements {self._most_elements}"
        return "ionic (they cannot be neutral)" if self._ionic and not is_neutral(amounts) else ""


def _checked(text: str) -> str:
    _amounts(crystal_of(text).get_chemical_symbols())
    return text


def _canonical(text: str) -> str:
    return canonical_structure(crystal_of(_checked(text)))


def _amounts(symbols: Sequence[str]) -> dict[str, Fraction]:
    """How many atoms of each element. Raises UnknownName where one has no oxidation states."""
    count = Counter(symbols)
    return {element(symbol).symbol: Fraction(n) for symbol, n in sorted(count.items())}


def _different(made: Sequence[Candidate], known: Sequence[str], n: int) -> list[Candidate]:
    """The first `n` that are neither known nor like an earlier one, all taken at one volume."""
    seen: dict[str, list[Primitive]] = defaultdict(list)
    for text in known:
        formula, one = _at_one_volume(text)
        seen[formula].append(one)
    kept: list[Candidate] = []
    for candidate in made:
        formula, one = _at_one_volume(candidate.material)
        if not any(other.is_same(one) for other in seen[formula]):
            seen[formula].append(one)
            kept.append(candidate)
            if len(kept) == n:
                break
    return kept


def _at_one_volume(text: str) -> tuple[str, Primitive]:
    atoms = crystal_of(text)
    ratio = _COMPARED * len(atoms) / atoms.cell.volume
    atoms.set_cell(atoms.cell * ratio ** (1 / 3), scale_atoms=True)
    return formula_of(_amounts(atoms.get_chemical_symbols())), Primitive.of(atoms)
