"""Which element may stand for another one."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from orchestrator.materials.generators.elements import Element, element

_LIKENESS = 0.5


class Kinship:
    """What replaces an element is drawn by how near its electronegativity is, twice as often within
    a group, and by how often it occurs in the corpus. In ionic crystals both have a common
    oxidation state.
    """

    def __init__(self, frequency: Counter[str], *, ionic: bool) -> None:
        """`frequency`: how often each element occurs that may be used."""
        self._frequency, self._ionic = frequency, ionic

    def drawn(self, old: str, rng: Random) -> str:
        """Another element; `old` itself where there is none."""
        weights = [self._weight(element(old), element(new)) for new in self._frequency]
        if not any(weights):
            return old
        return rng.choices(list(self._frequency), weights)[0]

    def _weight(self, old: Element, new: Element) -> float:
        if new == old or (self._ionic and not set(new.states) & set(old.states)):
            return 0.0
        apart = (new.electronegativity - old.electronegativity) / _LIKENESS
        kinship = 2.0 if new.group == old.group else 1.0
        return kinship * self._frequency[new.symbol] * math.exp(-(apart**2))
