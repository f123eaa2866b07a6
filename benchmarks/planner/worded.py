"""Made-up functions of choices and numbers, from which the kernel's main effects were decided.

Each is drawn once by a seed of its own: every word adds something, every pair of words of two
choices something else, and the numbers add a bowl whose middle may depend on the words. numpy only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.planner.functions import Array

WORDS = "abcdefgh"


@dataclass(frozen=True)
class Worded:
    """Standard deviations of what a word adds (`main`), of what a pair adds (`pair`) and of how far
    a word shifts the middle of the bowl (`shift`); the bowl's steepness; whether all of it is an
    exponent; the noise of a measurement."""

    seed: int
    n_choices: int
    n_words: int
    n_reals: int
    main: float = 1.0
    pair: float = 0.5
    shift: float = 0.0
    bowl: float = 3.0
    is_exponent: bool = False
    noise_sd: float = 0.0

    @cached_property
    def _drawn(self) -> tuple[Array, Array, Array, Array]:
        rng, c, w, r = np.random.default_rng(self.seed), self.n_choices, self.n_words, self.n_reals
        mains = self.main * rng.standard_normal((c, w))
        pairs = self.pair * rng.standard_normal((c, c, w, w))
        middle = 0.2 + 0.6 * rng.random(r)
        return mains, pairs, middle, self.shift * rng.standard_normal((c, w, r))

    def _middle(self, places: Sequence[int]) -> Array:
        _, _, middle, shifts = self._drawn
        return np.clip(middle + sum(shifts[a, i] for a, i in enumerate(places)), 0.0, 1.0)

    def value(self, places: Sequence[int], x: Array) -> float:
        """At the place of each choice's word, and numbers from 0 to 1; to be made small."""
        mains, pairs, _, _ = self._drawn
        total = sum(mains[a, i] for a, i in enumerate(places))
        for a, b in itertools.combinations(range(self.n_choices), 2):
            total += pairs[a, b, places[a], places[b]]
        total = float(total + self.bowl * np.sum((x - self._middle(places)) ** 2))
        return math.exp(0.4 * total) if self.is_exponent else total

    @cached_property
    def optimum(self) -> float:
        """The least value: each combination of words has its own at the middle of its bowl."""
        every = itertools.product(range(self.n_words), repeat=self.n_choices)
        return min(self.value(places, self._middle(places)) for places in every)


WORDED = {
    "words_6x3": Worded(11, 6, 3, 0),
    "words_3x6": Worded(12, 3, 6, 2),
    "words_pairs_alone": Worded(13, 2, 5, 2, main=0.0, pair=1.0),
    "words_shift": Worded(14, 1, 5, 4, main=0.5, bowl=6.0, shift=0.25),
    "words_shift_noisy": Worded(15, 2, 4, 3, main=0.5, bowl=6.0, shift=0.2, noise_sd=0.1),
    "words_8x2_noisy": Worded(16, 8, 2, 0, main=0.7, pair=0.3, noise_sd=0.3),
    "words_factors": Worded(17, 2, 4, 3, is_exponent=True),
    "words_2x8": Worded(18, 2, 8, 1, pair=0.7),
    "words_1x3": Worded(19, 1, 3, 2, main=0.3, shift=0.1),
}
