"""What a backbone is like, of units whose numbers can be counted by hand."""

from __future__ import annotations

import math

import pytest

from orchestrator.materials.descriptors.backbone import Backbone

BACKBONE = Backbone()


def of(polymer: str) -> dict[str, float]:
    return dict(zip(BACKBONE.names, BACKBONE.describe([polymer])[0].tolist(), strict=True))


def test_all_of_polyethylene_turns_and_nothing_hangs_on_it() -> None:
    found = of("*CC*")
    assert found["rotatable"] == found["tetrahedral"] == 1.0
    assert found["in rings"] == found["side mass"] == found["aromatic"] == 0.0
    assert found["mass per atom"] == pytest.approx(14.027, abs=1e-3)
    # 4.65 cm^3/mol per CH2, as from refractive indices of alkanes
    assert found["refraction"] * 14.027 == pytest.approx(4.65, abs=0.1)


def test_the_phenyl_of_polystyrene_hangs_on_it_and_that_of_polyphenylene_is_it() -> None:
    styrene, phenylene = of("*CC(c1ccccc1)*"), of("*c1ccc(*)cc1")
    assert styrene["side mass"] == pytest.approx(77.106 / 104.152, abs=1e-3)
    assert styrene["in rings"] == 0.0
    assert phenylene["side mass"] == 0.0
    assert phenylene["in rings"] == phenylene["aromatic"] == 1.0
    assert phenylene["rotatable"] == 0.25  # three bonds of the ring, one between rings
    assert phenylene["log length"] == pytest.approx(math.log10(4))


def test_fused_rings_along_the_way_are_backbone() -> None:
    imide = "*N1C(=O)c2cc3C(=O)N(*)C(=O)c3cc2C1=O"
    assert of(imide)["side mass"] == pytest.approx(4 * 15.999 / 214.14, abs=2e-3)
    assert of("*C1CC2CCCCC2CC1*")["side mass"] == 0.0


def test_hydrogen_bonds_and_halogens_are_counted_per_heavy_atom() -> None:
    assert of("*NCCCCCC(=O)*")["donors"] == pytest.approx(1 / 8)
    assert of("*NCCCCCC(=O)*")["acceptors"] == pytest.approx(1 / 8)
    assert of("*C(F)(F)C(F)(F)*")["halogens"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*CCOC(=O)c1ccc(cc1)C(=O)O*", "*OC(=O)c1ccc(cc1)C(=O)OCC*"),
        ("*c1ccc(CC*)cc1", "*Cc1ccc(C*)cc1"),
        ("*CC(C)*", "*C(C)CC(C)C*"),
    ],
)
def test_neither_the_cut_nor_the_end_nor_repetition_matters(one: str, other: str) -> None:
    assert of(one) == pytest.approx(of(other))


@pytest.mark.parametrize(
    ("polymer", "bonds"),
    [
        # sum of the powers of 0.95 / 3 and of 0.95
        ("*CC*", 1 / (1 - 0.95 / 3)),
        ("*C#C*", 2 / (1 - 0.95)),
        # a regular hexagon is two of its sides wide
        ("*c1ccc(*)cc1", 3 / (1 - 0.95)),
        ("*c1cccc(*)c1", (1 + math.sqrt(3)) / (1 - 0.95 / 2)),
        ("*/C=C/*", 2 / (1 - 0.95)),
        ("*/C=C\\*", 2 / (1 + 0.95 / 2)),
    ],
)
def test_a_chain_goes_on_as_far_as_its_pieces_let_it(polymer: str, bonds: float) -> None:
    assert 10 ** of(polymer)["log persistence"] == pytest.approx(bonds, rel=1e-3)


def test_what_hangs_on_a_chain_does_not_turn_it_and_links_that_do_add_up() -> None:
    straight = of("*c1ccc(*)cc1")["log persistence"]
    assert of("*c1ccc(*)c(C)c1")["log persistence"] == pytest.approx(straight, abs=1e-3)
    both = of("*c1ccc(-c2cccc(*)c2)cc1")["log persistence"]
    assert of("*c1cccc(*)c1")["log persistence"] < both < straight


def test_a_unit_without_a_bond_that_turns_is_one_piece() -> None:
    assert of("*=C=*")["log persistence"] == pytest.approx(math.log10(20))
