"""Tables with bad rows and duplicates go on with the rest."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.descriptors.polymer import PolymerMorgan
from orchestrator.materials.descriptors.rows import duplicates, readable

MORGAN = Morgan(size=64)


@given(st.lists(st.sampled_from(["CCO", "C", "bad", "", "c1ccccc1"])))
def test_good_rows_keep_their_vectors_and_bad_ones_get_a_sentence(materials: list[str]) -> None:
    found = readable(MORGAN, materials)
    good = [row for row, material in enumerate(materials) if material not in ("bad", "")]
    assert list(found.rows) == good
    assert (found.vectors == MORGAN.describe([materials[row] for row in good])).all()
    assert [each.row for each in found.aside] == sorted(set(range(len(materials))) - set(good))
    for each in found.aside:
        assert each.sentence.startswith(f"row {each.row + 1}: '{each.material}' is not a molecule")


def test_a_row_far_down_is_named_by_its_number() -> None:
    materials = ["C"] * 5000
    materials[4710] = "C(C"
    (aside,) = readable(MORGAN, materials).aside
    assert aside.sentence.startswith("row 4,711: 'C(C' is not a molecule")


def test_a_table_without_rows_is_described() -> None:
    assert readable(MORGAN, []).vectors.shape == (0, 64)


def test_rows_that_are_one_material_are_found() -> None:
    assert duplicates(MORGAN, ["CCO", "C", "OCC", "Q", "Q", "C"]) == [(0, 2), (1, 5)]
    assert duplicates(PolymerMorgan(), ["*CCO*", "*CC*", "*COC*", "*CCCC*"]) == [(0, 2), (1, 3)]


def test_duplicates_have_equal_vectors() -> None:
    materials = ["CCO", "OCC", "c1ccccc1", "C1=CC=CC=C1"]
    vectors = MORGAN.describe(materials)
    for group in duplicates(MORGAN, materials):
        assert np.ptp(vectors[list(group)], axis=0).max() == 0
