"""Which element may stand for another one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from orchestrator.errors import InputError
from orchestrator.materials.generators.elements import Element, element

_LIKENESS = 0.5


def frequency_of(permitted: Sequence[str], materials: Iterable[Iterable[str]]) -> Counter[str]:
    """In how many materials, given by their elements, each of the permitted elements occurs, and
    once more; of all elements where none is permitted by name.

    Raises:
        UnknownName: one has no common oxidation states.
        InputError: there is no element.
    """
    found = Counter({element(symbol).symbol: 1 for symbol in permitted})
    for material in materials:
        found.update(symbol for symbol in material if not permitted or symbol in found)
    if not found:
        raise InputError("there is no element to put in", hint="give a corpus or elements")
    return found


def known_symbols(symbols: Sequence[str]) -> frozenset[str]:
    """Elements by name. Raises UnknownName where one has no common oxidation states."""
    return frozenset(element(symbol).symbol for symbol in symbols)


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
