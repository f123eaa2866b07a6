"""Crystals and alloys from known ones: elements replaced by such as are like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

import numpy as np

from orchestrator.errors import InputError
from orchestrator.materials.generators.archive import Archive, Floats, Termwise
from orchestrator.materials.generators.formulas import (
    Amounts,
    amounts_of,
    canonical_formula,
    common_total,
    formula_of,
    is_neutral,
    rounded_formula,
    with_total,
)
from orchestrator.materials.generators.kinship import Kinship, frequency_of, known_symbols
from orchestrator.materials.generators.reading import readable
from orchestrator.materials.generators.sampler import Sampler, schedule
from orchestrator.ports.generator import Candidate, Score

_PARTS = (Fraction(1, 10), Fraction(1, 5), Fraction(1, 4), Fraction(1, 2))
FINEST = 200
"""Atoms of a formula, where what is known is mixed in any numbers."""


class ElementMoves:
    """Replaces an element by one that is like it, wholly or in part, or exchanges the amounts of
    two."""

    def __init__(self, kinship: Kinship) -> None:
        self._kinship = kinship

    def propose(self, parents: Sequence[str], rng: Random) -> Sequence[str]:
        """One canonical formula for each; the parent where nothing can replace what was drawn."""
        return [formula_of(self._moved(amounts_of(parent), rng)) for parent in parents]

    def _moved(self, amounts: Amounts, rng: Random) -> Amounts:
        symbols, moved = list(amounts), dict(amounts)
        old = rng.choice(symbols)
        kind = rng.choice(("whole", "part", "exchange"))
        if kind == "exchange":
            new = rng.choice(symbols)
            moved[old], moved[new] = moved[new], moved[old]
            return moved
        new = self._kinship.drawn(old, rng)
        if new == old:
            return amounts
        taken = moved[old] * (rng.choice(_PARTS) if kind == "part" else 1)
        moved[old] -= taken
        moved[new] = moved.get(new, Fraction(0)) + taken
        return {symbol: amount for symbol, amount in moved.items() if amount}


class Substitution:
    """Generator `substitution`: formulas of crystals and alloys out of known ones.

    The options:
        elements: those that may be put in; all of the corpus, if none is said.
        only_elements: those that a formula may have at all; any, if none is said.
        ionic: whether a formula must be neutral with common oxidation states; say no for alloys.
        most_elements: how many different ones a formula may have.
        most_atoms: how many atoms its smallest whole numbers may sum to, which is how finely
            elements may be mixed; unless it is said, 200, or where all numbers that are known are
            whole, twice as many as the largest formula has (half of an element is replaced).
        particles, steps: size of the population, and how often it is changed.
    """

    def __init__(
        self,
        corpus: Sequence[str],
        *,
        elements: Sequence[str] = (),
        only_elements: Sequence[str] = (),
        ionic: bool = True,
        most_elements: int = 6,
        most_atoms: int | None = None,
        particles: int = 100,
        steps: int = 30,
    ) -> None:
        """Counts the elements of the corpus; formulas that cannot be read are left out.

        Raises:
            InputError: no formula of the corpus, or an element, cannot be read, there is no
                element, or an option cannot be meant.
        """
        if particles < 2 or steps < 2 or most_elements < 1 or (most_atoms or 1) < 1:
            raise InputError("two particles, two steps, an element and an atom are the least")
        formulas = readable(corpus, canonical_formula)
        self._only = known_symbols(only_elements)
        frequency = frequency_of(elements or only_elements, map(amounts_of, formulas))
        self._moves = ElementMoves(Kinship(frequency, ionic=ionic))
        self._ionic, self._most_elements, self._most_atoms = ionic, most_elements, most_atoms
        self._written = tuple(readable(corpus, _checked))
        self._particles, self._betas = particles, schedule(steps)
        self._corpus = frozenset(self._read(corpus))

    def _read(self, formulas: Sequence[str]) -> list[str]:
        """Those that can be read, each composition once. Raises InputError where none can be."""
        finest = self._most_atoms or FINEST
        return list(dict.fromkeys(readable(formulas, lambda f: rounded_formula(f, finest))))

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        """Up to `n` different formulas, the best first, none of them in `start`, whatever its
        numbers sum to; nor in the corpus, where that holds all of `start`. Their numbers sum to
        what those of `start` do, if all sum to the same, else they are the smallest whole ones.
        Formulas of `start` that cannot be read are left out.

        Raises:
            InputError: no formula of `start` can be read, or there is none.
            PlanningError: none can be made within the constraints.
        """
        sampler = self.sampler(start, score, seed)
        sampler.run()
        known = frozenset(self._read(start))
        best = sampler.archive.best(
            n, without=[*known, *(self._corpus if known <= self._corpus else ())]
        )
        total = _total(start)
        return [
            Candidate(with_total(c.material, total), c.score, with_total(c.parent, total))
            for c in best
        ]

    def sampler(self, start: Sequence[str], score: Score, seed: int) -> Sampler:
        """What `generate` runs, before its first step: all in smallest whole numbers, but not what
        is scored.

        Raises:
            InputError, PlanningError: as `generate`.
        """
        known = self._read(start)
        if not known:
            raise InputError("there is no formula to start from")
        most = self._most_atoms or _most_atoms([*self._written, *readable(start, _checked)])
        archive = Archive(_scaled(score, _total(start)), partial(self._refusal, most))
        sampler = Sampler(self._moves, archive, self._betas, seed)
        sampler.begin(known, self._particles)
        return sampler

    def _refusal(self, most_atoms: int, formula: str) -> str:
        """The option that forbids a formula; '' where none does."""
        amounts = amounts_of(formula)
        if self._only and not amounts.keys() <= self._only:
            return "only_elements"
        if len(amounts) > self._most_elements:
            return f"most_elements {self._most_elements}"
        if sum(amounts.values()) > most_atoms:
            return f"most_atoms {most_atoms}"
        return "ionic (they cannot be neutral)" if self._ionic and not is_neutral(amounts) else ""


def _most_atoms(formulas: Sequence[str]) -> int:
    """How many atoms a formula may have that is made of these."""
    known = [amounts_of(formula) for formula in formulas]
    if any(n.denominator > 1 for amounts in known for n in amounts.values()):
        return FINEST
    return min(FINEST, 2 * max(int(sum(amounts.values())) for amounts in known))


def _total(start: Sequence[str]) -> Fraction | None:
    return common_total(readable(start, _checked))


def _checked(formula: str) -> str:
    amounts_of(formula)
    return formula


def _scaled(score: Score, total: Fraction | None) -> Score:
    """A score of formulas whose numbers sum to `total`, of such in any other numbers."""
    if total is None:
        return score
    return _Terms(score, total) if isinstance(score, Termwise) else _Sum(score, total)


@dataclass(frozen=True)
class _Sum:
    score: Any
    total: Fraction

    def _written(self, formulas: Sequence[str]) -> list[str]:
        return [with_total(formula, self.total) for formula in formulas]

    def __call__(self, materials: Sequence[str]) -> Floats:
        return np.asarray(self.score(self._written(materials)))


class _Terms(_Sum):
    def terms(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x p log likelihoods."""
        return np.asarray(self.score.terms(self._written(materials)))
