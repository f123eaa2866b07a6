"""All that was ever scored: each material once, with what it was changed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, PlanningError
from orchestrator.ports.generator import Candidate, Score

Floats = NDArray[np.float64]
Refusal: TypeAlias = Callable[[str], str]
"""The constraint by which a canonical material may not be made; '' where it may."""


@runtime_checkable
class Termwise(Protocol):
    """A score that says its terms one by one, so that each can be annealed at its own pace."""

    def terms(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x p log likelihoods, the sums of which are the scores."""
        ...


class Archive:
    """The scores of materials that may be made. What may not is remembered with its reason."""

    def __init__(self, score: Score, refusal: Refusal) -> None:
        self._score, self._refusal = score, refusal
        self._terms: dict[str, tuple[float, ...]] = {}
        self._parent: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._tried: dict[str, None] = {}

    def begin(self, start: Sequence[str]) -> None:
        """Scores what a search starts from, as `add` does, without counting it as tried.

        Raises:
            PlanningError: a score is not finite.
        """
        self._add(start, [""] * len(start))

    def add(self, materials: Sequence[str], parents: Sequence[str]) -> None:
        """Scores those that are new and may be made, all in one call.

        Raises:
            PlanningError: a score is not finite.
        """
        both = zip(materials, parents, strict=True)
        self._tried |= dict.fromkeys(material for material, parent in both if material != parent)
        self._add(materials, parents)

    def _add(self, materials: Sequence[str], parents: Sequence[str]) -> None:
        new: dict[str, str] = {}
        for material, parent in zip(materials, parents, strict=True):
            if material in self._terms or material in self._refused or material in new:
                continue
            if why := self._refusal(material):
                self._refused[material] = why
            else:
                new[material] = parent
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
                f"no new material could be made within the constraints: {self.account(left_out)}",
                hint="loosen them, take more particles or steps, or start elsewhere",
            )
        return sorted(found, key=lambda c: (-c.score, c.material))[:n]

    def account(self, known: Collection[str] = ()) -> str:
        """What became of the different materials that were tried: how many each constraint
        refused, each counted by the first that it does not keep, and how many were known."""
        if not self._tried:
            return "nothing was tried but what it started from"
        old = [material for material in self._tried if material in known]
        whys = Counter(
            self._refused[m] for m in self._tried if m in self._refused and m not in known
        )
        parts = [f"{_were(n)} refused by {why}" for why, n in whys.most_common()]
        parts += [f"{_were(len(old))} known already"] * bool(old)
        return f"of {len(self._tried)} tried, {', '.join(parts)}" if parts else ""

    def state(self) -> dict[str, Any]:
        """All there is, as JSON can hold it."""
        return {
            "scored": [[m, list(terms), self._parent[m]] for m, terms in self._terms.items()],
            "refused": dict(self._refused),
            "tried": list(self._tried),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Puts back what `state` gave."""
        self._terms = {m: tuple(terms) for m, terms, _ in state["scored"]}
        self._parent = {m: parent for m, _, parent in state["scored"]}
        self._refused = dict(state["refused"])
        self._tried = dict.fromkeys(state["tried"])


def _were(n: int) -> str:
    return f"{n} was" if n == 1 else f"{n} were"
