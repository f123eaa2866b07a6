"""Fragments that are liked: a score with a bonus for materials that have one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import molecule
from orchestrator.materials.generators.archive import Floats, Termwise
from orchestrator.materials.generators.constraints import pattern_of
from orchestrator.ports.generator import Score


@dataclass(frozen=True)
class Preference:
    """A bonus in log likelihood, once, for what has any of the SMARTS (Wu et al. 2019,
    doi:10.1038/s41524-019-0203-2, gave 10 for the fragments of liquid crystals)."""

    patterns: tuple[Any, ...]
    bonus: float

    @classmethod
    def of(cls, smarts: Sequence[str], bonus: float) -> Preference:
        """Reads the SMARTS.

        Raises:
            InputError: one cannot be read, or the bonus is not finite.
        """
        if not np.isfinite(bonus):
            raise InputError(f"{bonus} is no preference", hint="a bonus in log likelihood, as 10")
        return cls(tuple(map(pattern_of, smarts)), float(bonus))

    def has_any(self, material: str) -> bool:
        """Whether a SMILES has one of the fragments. Raises InputError."""
        found = molecule(material)
        return any(found.HasSubstructMatch(pattern) for pattern in self.patterns)

    def added(self, score: Score) -> Score:
        """The score with the bonus; the same where nothing is preferred. A score that says its
        terms goes on doing so, each with its share of the bonus."""
        if not self.patterns or not self.bonus:
            return score
        return _Terms(self, score) if isinstance(score, Termwise) else _Sum(self, score)

    def bonuses(self, materials: Sequence[str]) -> Floats:
        """n materials -> n bonuses. Raises InputError."""
        return np.array([self.bonus if self.has_any(m) else 0.0 for m in materials])


@dataclass(frozen=True)
class _Sum:
    preference: Preference
    score: Score

    def __call__(self, materials: Sequence[str]) -> Floats:
        return np.asarray(self.score(materials)) + self.preference.bonuses(materials)


@dataclass(frozen=True)
class _Terms:
    preference: Preference
    score: Any  # a Score that is Termwise

    def __call__(self, materials: Sequence[str]) -> Floats:
        return np.asarray(self.terms(materials).sum(axis=1))

    def terms(self, materials: Sequence[str]) -> Floats:
        """n materials -> n x p log likelihoods."""
        terms = np.asarray(self.score.terms(materials), dtype=np.float64)
        terms = terms.reshape(len(materials), -1)
        return np.asarray(terms + self.preference.bonuses(materials)[:, None] / terms.shape[1])
