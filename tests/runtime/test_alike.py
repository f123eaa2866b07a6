"""How alike materials are, by counts that can be checked by hand."""

from __future__ import annotations

import pytest
from letters import Letters

from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Pool
from orchestrator.ports.depiction import Kin
from orchestrator.runtime.alike import Alike

WORDS = {"first": "aab", "second": "abc", "third": "ff"}


def pool(*, is_counted: bool = True) -> Pool:
    table = Letters().describe(list(WORDS.values()))
    said = Described(
        descriptor="letters",
        material="word",
        counts=Counts.of(table.astype(int).tolist()) if is_counted else None,
        rows=None if is_counted else Rows.of(table.tolist()),
    )
    return Pool(
        name="p",
        names=tuple(WORDS),
        columns=(),
        units=(),
        rows=Rows.of(()),
        texts={"word": tuple(WORDS.values())},
        described=(said,),
        generation=Generation(
            kind="spelling",
            target="letters:Spelling",
            descriptors=("letters:Letters",),
            material="word",
        ),
    )


def test_the_kin_of_a_new_material_is_the_candidate_that_shares_most() -> None:
    assert Alike(pool()).kin("aabb") == Kin("first", 0.75)  # 3 shared of 4
    assert Alike(pool()).kin("fff") == Kin("third", pytest.approx(2 / 3))


def test_two_materials_are_compared_wherever_they_come_from() -> None:
    alike = Alike(pool())
    assert alike.between("first", "second") == 0.5  # a and b shared, of a a b c
    assert alike.between("first", "third") == 0.0
    assert alike.between("aab", "first") == 1.0


def test_without_counts_or_without_a_reading_nothing_is_compared() -> None:
    assert Alike(pool(is_counted=False)).kin("aabb") is None
    assert Alike(pool()).kin("XYZ") is None
