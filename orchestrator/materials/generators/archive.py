"""All that was ever scored: each material once, with what it was changed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, PlanningError
from orchestrator.ports.generator import Candidate, Score

Floats = NDArray[np.float64]
Permit: TypeAlias = Callable[[str], bool]
"""Whether a canonical material may be made."""


@runtime_checkable
class Termwise(Protocol):
    """A score that says its terms one by one, so that each can be annealed at its own pace."""

    def terms(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x p log likelihoods, the sums of which are the scores."""
        ...


class Archive:
    """The scores of materials that may be made. What may not is remembered as such."""

    def __init__(self, score: Score, permit: Permit) -> None:
        self._score, self._permit = score, permit
        self._terms: dict[str, tuple[float, ...]] = {}
        self._parent: dict[str, str] = {}
        self._refused: set[str] = set()

    def add(self, materials: Sequence[str], parents: Sequence[str]) -> None:
        """Scores those that are new and may be made, all in one call.

        Raises:
            PlanningError: a score is not finite.
        """
        new: dict[str, str] = {}
        for material, parent in zip(materials, parents, strict=True):
            if material in self._terms or material in self._refused or material in new:
                continue
            if self._permit(material):
                new[material] = parent
            else:
                self._refused.add(material)
        if new:
            for material, terms in zip(new, self._scored(list(new)), strict=True):
                self._terms[material] = tuple(map(float, terms))
            self._parent.update(new)

    def _scored(self, materials: Sequence[str]) -> Floats:
        if isinstance(self._score, Termwise):
            terms = np.asarray(self._score.terms(materials), dtype=np.float64)
        else:
            terms = np.asarray(self._score(materials), dtype=np.float64)
        terms = terms.reshape(len(materials), -1)
        bad = ~np.isfinite(terms).all(axis=1)
        if bad.any():
            raise PlanningError(f"the score of '{materials[int(np.argmax(bad))]}' is not finite")
        return terms

    def __contains__(self, material: str) -> bool:
        return material in self._terms

    def __len__(self) -> int:
        return len(self._terms)

    def heated(self, materials: Sequence[str], beta: Floats) -> Floats:
        """n materials -> n sums of terms times `beta` (one, or one for each term); minus infinity
        for what may not be made.

        Raises:
            InputError: the score has another number of terms.
        """
        return np.array([self._heated(self._terms.get(m), beta) for m in materials])

    def _heated(self, terms: tuple[float, ...] | None, beta: Floats) -> float:
        if terms is None:
            return -np.inf
        if beta.size not in (1, len(terms)):
            raise InputError(
                f"there are inverse temperatures for {beta.size} terms, and the score has"
                f" {len(terms)}"
            )
        return float(np.sum(np.asarray(terms) * beta))

    def best(self, n: int, *, without: Sequence[str]) -> list[Candidate]:
        """The `n` best of all but some, the best first.

        Raises:
            PlanningError: there is none.
        """
        left_out = frozenset(without)
        found = [
            Candidate(material, float(np.sum(terms)), self._parent[material])
            for material, terms in self._terms.items()
            if material not in left_out
        ]
        if not found:
            raise PlanningError(
                "no new material could be made within the constraints",
                hint="loosen them, take more particles or steps, or start elsewhere",
            )
        return sorted(found, key=lambda c: (-c.score, c.material))[:n]

    def state(self) -> list[list[Any]]:
        """All there is, as JSON can hold it."""
        return [[m, list(terms), self._parent[m]] for m, terms in self._terms.items()]

    def restore(self, state: Sequence[Sequence[Any]]) -> None:
        """Puts back what `state` gave."""
        self._terms = {m: tuple(terms) for m, terms, _ in state}
        self._parent = {m: parent for m, _, parent in state}
