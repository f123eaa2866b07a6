"""A material that the table has under another spelling is not new."""

from __future__ import annotations

import numpy as np
import pytest
from letters import Letters

from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described
from orchestrator.planner.spellings import Spellings

WORDS = ("cab", "ff", "abab", "bad")


class Anagrams(Letters):
    """Two kinds of letters that describe alike: e and f are not told apart."""

    def describe(self, materials: object) -> np.ndarray:  # type: ignore[type-arg]
        told = super().describe(materials)  # type: ignore[arg-type]
        told[:, 4] += told[:, 5]
        told[:, 5] = 0.0
        return told


@pytest.mark.parametrize("is_counted", [True, False])
def test_what_the_table_has_under_another_spelling_is_known(is_counted: bool) -> None:
    vectors = Letters().describe(WORDS)
    said = Described(
        descriptor="letters",
        material="word",
        counts=Counts.of(vectors.astype(int).tolist()) if is_counted else None,
        rows=None if is_counted else Rows.of(vectors),
    )
    spellings = Spellings(WORDS, said, Letters())
    assert spellings.unknown(["abc", "fff", "aabb", "abd", "a"]) == ["fff", "a"]
    assert spellings.unknown([]) == []


def test_two_materials_that_are_described_alike_are_still_two() -> None:
    counts = Counts.of(Anagrams().describe(WORDS).astype(int).tolist())
    said = Described(descriptor="anagrams", material="word", counts=counts)
    assert Spellings(WORDS, said, Anagrams()).unknown(["ee", "ff"]) == ["ee"]
