"""How heavy a material is, and how hard to make."""

from __future__ import annotations

import pytest

from orchestrator.materials.properties import (
    is_accessibility_known,
    molecular_weight,
    synthetic_accessibility,
)


@pytest.mark.parametrize(
    ("material", "weight"),
    [("O", 18.015), ("*CC*", 28.054), ("0.5 O | 0.5 *CC*", (18.015 + 28.054) / 2)],
)
def test_a_weight_is_that_of_the_molecule_or_of_the_repeat_unit(
    material: str, weight: float
) -> None:
    assert molecular_weight(material) == pytest.approx(weight, abs=1e-3)


def test_what_cannot_be_read_has_no_properties() -> None:
    assert molecular_weight("C(C") is None
    assert synthetic_accessibility("C(C") is None


@pytest.mark.skipif(not is_accessibility_known(), reason="RDKit came without the score")
def test_a_simple_molecule_is_easy_to_make_and_a_natural_product_is_not() -> None:
    morphine = "CN1CC[C@]23C4=C5C=CC(O)=C4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5"
    easy, hard = synthetic_accessibility("CC(=O)Oc1ccccc1C(=O)O"), synthetic_accessibility(morphine)
    assert easy is not None
    assert hard is not None
    assert 1 <= easy < 2 < 4 < hard <= 10
    assert synthetic_accessibility(f"0.5 CCO | 0.5 {morphine}") == hard


@pytest.mark.skipif(not is_accessibility_known(), reason="RDKit came without the score")
def test_the_ends_of_a_repeat_unit_count_as_hydrogen() -> None:
    assert synthetic_accessibility("*CC(c1ccccc1)*") == synthetic_accessibility("CCc1ccccc1")
