"""How alike materials are, by counts of atoms that can be checked by hand."""

from __future__ import annotations

import pytest

from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Generation, Pool
from orchestrator.plugins import descriptor
from orchestrator.ports.depiction import Kin
from orchestrator.runtime.alike import Alike

pytest.importorskip("rdkit", reason="needs the extra 'materials'")

ATOMS = {"smarts": ["[#6]", "[#7]", "[#8]", "[#9]"]}
MOLECULES = {"first": "CCN", "second": "CNO", "third": "FF"}


def pool(*, is_counted: bool = True) -> Pool:
    table = descriptor("fragments", ATOMS).describe(list(MOLECULES.values()))
    said = Described(
        descriptor="fragments",
        material="smiles",
        options=ATOMS,
        counts=Counts.of(table) if is_counted else None,
        rows=None if is_counted else Rows.of(table),
    )
    return Pool(
        name="p",
        names=tuple(MOLECULES),
        columns=(),
        units=(),
        rows=Rows.of(()),
        texts={"smiles": tuple(MOLECULES.values())},
        described=(said,),
        generation=Generation(
            kind="iqspr", target="none:None", descriptors=("none:None",), material="smiles"
        ),
    )


def test_the_kin_of_a_new_material_is_the_candidate_that_shares_most() -> None:
    assert Alike(pool()).kin("CCNN") == Kin("first", pytest.approx(6 / 7))  # 2x2 + 1x2 of 5 + 8
    assert Alike(pool()).kin("OF") == Kin("third", pytest.approx(2 / 4))  # 2x1 of 4 + 2


def test_two_materials_are_compared_wherever_they_come_from() -> None:
    alike = Alike(pool())
    assert alike.between("first", "second") == pytest.approx(3 / 5)  # 2x1 + 1x1 of 5 + 3
    assert alike.between("first", "third") == 0.0
    assert alike.between("CCN", "first") == 1.0


def test_without_counts_or_without_a_reading_nothing_is_compared() -> None:
    assert Alike(pool(is_counted=False)).kin("CCNN") is None
    assert Alike(pool()).kin("C(") is None
