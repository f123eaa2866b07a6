"""Words as materials: a descriptor and a generator that need no chemistry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.ports.descriptor import Content
from orchestrator.ports.generator import Candidate, Score

ALPHABET = "abcdef"


class Letters:
    """How often each letter occurs."""

    content: Content = "counts"
    source = "these tests"
    names: Sequence[str] = ALPHABET
    units: Sequence[str] = ("",) * len(ALPHABET)

    def canonical(self, material: str) -> str:
        if not material or set(material) - set(ALPHABET):
            raise InputError(f"'{material}' is not a word")
        return "".join(sorted(material))

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        words = [self.canonical(m) for m in materials]
        return np.array([[float(w.count(c)) for c in ALPHABET] for w in words])


class Spelling:
    """Changes a letter at a time, and keeps what scores best."""

    def __init__(self, corpus: Sequence[str], *, steps: int = 6) -> None:
        if steps < 1:
            raise InputError("at least one step")
        self._letters = sorted(set("".join(corpus)))
        self._steps = steps

    @staticmethod
    def default_corpus() -> Sequence[str]:
        return ("abc", "def")

    def generate(
        self, start: Sequence[str], score: Score, n: int, seed: int
    ) -> Sequence[Candidate]:
        rng = np.random.default_rng(seed)
        beam, found = list(start), dict[str, float]()
        for _ in range(self._steps):
            made = []
            for word in beam:
                place = int(rng.integers(len(word)))
                letter = str(rng.choice(self._letters))
                made.append("".join(sorted(word[:place] + letter + word[place + 1 :])))
            made = [m for m in dict.fromkeys(made) if m not in found]
            found |= dict(zip(made, score(made).tolist(), strict=True))
            beam = sorted(found, key=lambda m: (-found[m], m))[:20] or beam
        best = [m for m in sorted(found, key=lambda m: (-found[m], m)) if m not in set(start)]
        return [Candidate(m, found[m]) for m in best[:n]]
