"""Crystals and alloys as formulas."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError, PlanningError
from orchestrator.materials.generators.archive import Floats
from orchestrator.materials.generators.elements import elements
from orchestrator.materials.generators.formulas import (
    amounts_of,
    canonical_formula,
    cations_of,
    formula_of,
    is_neutral,
    rounded_formula,
)
from orchestrator.materials.generators.kinship import Kinship
from orchestrator.materials.generators.substitution import ElementMoves, Substitution
from orchestrator.ports.generator import Generator

CATHODES = ["LiFePO4", "LiCoO2", "LiMn2O4", "NaFePO4", "LiNiO2", "Na3V2(PO4)3", "KMnO4", "MgO"]


def wants_sodium(formulas: Sequence[str]) -> Floats:
    found = [amounts_of(formula) for formula in formulas]
    return np.array([float(a.get("Na", 0) / sum(a.values())) * 10.0 for a in found])


@pytest.mark.parametrize(
    ("formula", "canonical"),
    [
        ("LiFePO4", "LiFePO4"),
        ("O4PFeLi", "LiFePO4"),
        ("Li2Fe2P2O8", "LiFePO4"),
        ("Ca(OH)2", "CaH2O2"),
        ("Na3V2(PO4)3", "Na3V2P3O12"),
        ("La0.7Sr0.3MnO3", "Sr3La7Mn10O30"),
        ("Ti50Ni50", "TiNi"),
    ],
)
def test_a_formula_has_one_form(formula: str, canonical: str) -> None:
    assert canonical_formula(formula) == canonical


@given(
    st.dictionaries(
        st.sampled_from(sorted(elements())),
        st.fractions(Fraction(1, 50), 20, max_denominator=50),
        min_size=1,
        max_size=6,
    )
)
def test_a_canonical_formula_reads_as_the_same_shares(amounts: dict[str, Fraction]) -> None:
    formula = formula_of(amounts)
    again = amounts_of(formula)
    total, written = sum(amounts.values()), sum(again.values())
    assert {s: a / written for s, a in again.items()} == {s: a / total for s, a in amounts.items()}
    assert canonical_formula(formula) == formula


@pytest.mark.parametrize("text", ["", "Li(", "Li)", "2", "li", "Li-O", "Li0", "Li2.O"])
def test_a_text_that_is_no_formula_is_named(text: str) -> None:
    with pytest.raises(InputError, match="is not a formula"):
        canonical_formula(text)


def test_an_element_without_oxidation_states_is_named() -> None:
    with pytest.raises(InputError, match="'Xe'"):
        canonical_formula("XeF2")


NEUTRAL = [
    *("LiFePO4", "FePO4", "Fe3O4", "La0.7Sr0.3MnO3", "CaSO4", "NH4Cl", "Cu2ZnSnS4", "CuFeS2"),
    *("MoS2", "Bi2Te3", "CdTe", "HgTe", "GeTe", "PbTe", "PbSnTe2", "MoTe2", "WTe2", "PtTe2"),
    *("As2Te3", "H2Te", "TeO2", "TeI4", "FeS2", "CoS2", "NiSe2", "MnTe2", "CuS2", "TiS3", "NbSe3"),
    *("ZrTe3", "VS4"),
]
NOT_NEUTRAL = [
    *("LiFeO4", "NaCl2", "MgO2", "NiTi", "Fe", "PbTe3", "Pb2Te", "Bi2Te", "FeS4", "FeTe4", "CaS2"),
    *("ZnS2", "AlS3", "NaTe2", "SnS3", "TiO3", "FeO2", "KF2", "TiC2", "TiS5", "MoTe", "MoS7"),
]


@pytest.mark.parametrize("formula", NEUTRAL)
def test_known_compounds_are_neutral(formula: str) -> None:
    assert is_neutral(amounts_of(formula))


@pytest.mark.parametrize("formula", NOT_NEUTRAL)
def test_what_oxidation_states_cannot_balance_is_not_neutral(formula: str) -> None:
    assert not is_neutral(amounts_of(formula))


def test_a_telluride_has_its_metal_first_and_as_its_cation() -> None:
    assert canonical_formula("TePb") == "PbTe"
    assert cations_of(amounts_of("PbTe")) == {"Pb"}
    assert cations_of(amounts_of("FeS2")) == {"Fe"}
    assert cations_of(amounts_of("FeSO4")) == {"Fe", "S"}


def test_substitution_is_a_generator() -> None:
    assert isinstance(Substitution(CATHODES), Generator)


def test_crystals_are_new_neutral_sorted_and_the_same_for_the_same_seed() -> None:
    start = ["LiFePO4", "LiCoO2"]
    once, again = (Substitution(CATHODES).generate(start, wants_sodium, 40, 3) for _ in range(2))
    assert once == again
    assert once != Substitution(CATHODES).generate(start, wants_sodium, 40, 4)
    names = [candidate.material for candidate in once]
    assert len(set(names)) == len(names) == 40
    assert not set(names) & set(start)
    assert all(is_neutral(amounts_of(name)) for name in names)
    assert names == list(map(canonical_formula, names))
    scores = [candidate.score for candidate in once]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 1.0


def test_only_permitted_elements_are_put_in() -> None:
    made = Substitution([], elements=["Na", "Mn", "Ni"]).generate(["LiFePO4"], wants_sodium, 100, 0)
    put_in = {symbol for candidate in made for symbol in amounts_of(candidate.material)}
    assert "Na" in put_in
    assert put_in <= {"Li", "Fe", "P", "O", "Na", "Mn", "Ni"}


def test_a_formula_has_no_element_but_those_that_it_may_have_at_all() -> None:
    allowed = ["Ba", "Sr", "Ti", "O"]
    made = Substitution([], only_elements=allowed, most_atoms=200).generate(
        ["PbTiO3", "BaZrO3"], lambda names: np.zeros(len(names)), 100, 0
    )
    assert len(made) > 20
    assert all(amounts_of(candidate.material).keys() <= set(allowed) for candidate in made)
    with pytest.raises(PlanningError, match="refused by only_elements"):
        Substitution([], only_elements=["Au"]).generate(["PbTiO3"], wants_sodium, 5, 0)
    with pytest.raises(InputError, match="'Qq'"):
        Substitution([], elements=["Ba"], only_elements=["Qq"])


def test_alloys_need_no_neutrality_and_stay_within_their_numbers() -> None:
    made = Substitution(
        ["AlCoCrFeNi", "TiNi", "CuZn"], ionic=False, most_elements=5, most_atoms=50
    ).generate(["CoCrFeNi"], lambda names: np.zeros(len(names)), 200, 1)
    found = [amounts_of(candidate.material) for candidate in made]
    assert len(found) > 100
    assert not any(is_neutral(amounts) for amounts in found)
    assert max(map(len, found)) == 5
    assert max(sum(amounts.values()) for amounts in found) <= 50


def test_a_resumed_run_of_crystals_equals_an_uninterrupted_one() -> None:
    whole, halted, resumed = (
        Substitution(CATHODES).sampler(["LiFePO4"], wants_sodium, 5) for _ in range(3)
    )
    whole.run()
    for _ in range(7):
        halted.advance()
    resumed.restore(json.loads(json.dumps(halted.state())))
    resumed.run()
    assert resumed.state() == whole.state()


def test_what_cannot_be_made_or_meant_is_said() -> None:
    with pytest.raises(InputError, match="no element"):
        Substitution([])
    with pytest.raises(InputError, match="no formula to start"):
        Substitution(CATHODES).generate([], wants_sodium, 5, 0)
    with pytest.raises(InputError, match="'Qq'"):
        Substitution([], elements=["Qq"])
    with pytest.raises(PlanningError, match=r"constraints: of \d+ tried, .*refused by ionic"):
        Substitution(["TiNi"]).generate(["TiNi"], wants_sodium, 5, 0)


def zeros(formulas: Sequence[str]) -> Floats:
    return np.zeros(len(formulas))


@pytest.mark.parametrize(
    "odd", ["UO2", "KrF2", "[Fe(CN)6]K4", "CuSO4·5H2O", "Fe₂O₃", "Na Cl2", "Al0.00001Ni1", "what?"]
)
def test_a_formula_that_cannot_be_used_leaves_the_others_to_start_from(odd: str) -> None:
    made = Substitution([*CATHODES, odd]).generate([*CATHODES[:4], odd], wants_sodium, 5, 0)
    assert len(made) == 5


def test_what_the_descriptor_reads_is_read_here_too() -> None:
    assert canonical_formula("[Fe(CN)6]K4") == "K4FeC6N6"
    assert canonical_formula("Fe₂O₃") == "Fe2O3"
    assert amounts_of("CuSO4·5H2O") == {"Cu": 1, "S": 1, "O": 9, "H": 10}


@pytest.mark.parametrize(
    ("table", "total"),
    [
        (["Ni60Cu40", "Ni50Cu50", "Ni70Cu20Zn10"], 100),
        (["Fe0.5Ni0.5", "Fe0.333Ni0.667", "Co0.25Ni0.75"], 1),
        (["BaTiO3", "Ba0.5Sr0.5TiO3", "SrZrO3"], 5),
    ],
)
def test_made_formulas_have_the_scale_of_the_table_and_are_not_in_it(
    table: list[str], total: float
) -> None:
    scored: list[str] = []

    def score(formulas: Sequence[str]) -> Floats:
        scored.extend(formulas)
        return np.zeros(len(formulas))

    made = Substitution(table, ionic=False).generate(table[:2], score, 200, 0)
    assert len(made) > 20
    for formula in [*scored, *(candidate.material for candidate in made)]:
        assert sum(amounts_of(formula).values()) == pytest.approx(total, rel=1e-9)
    shares = [rounded_formula(candidate.material, 200) for candidate in made]
    assert len(set(shares)) == len(shares)
    assert not set(shares) & {rounded_formula(formula, 200) for formula in table}


def test_formulas_of_different_sums_are_made_in_smallest_whole_numbers() -> None:
    made = Substitution(["NiTi", "Ni3Al"], ionic=False).generate(["NiTi", "Ni3Al"], zeros, 50, 0)
    assert all(candidate.material == canonical_formula(candidate.material) for candidate in made)


@pytest.mark.parametrize(
    ("table", "most"),
    [
        (["CaTiO3", "SrTiO3", "BaZrO3"], 10),
        (["NaCl", "KBr", "MgO", "Fe2O3"], 10),
        (["CaTiO3", "Ca0.5Sr0.5TiO3"], 200),
        (["Ni60Cu40", "Ni50Cu50"], 200),
    ],
)
def test_compounds_in_whole_numbers_are_not_mixed_in_hundredths(
    table: list[str], most: int
) -> None:
    made = Substitution(table).generate(table, zeros, 200, 0) if most == 10 else []
    made = made or Substitution(table, ionic=False).generate(table, zeros, 200, 0)
    sizes = [sum(amounts_of(canonical_formula(one.material)).values()) for one in made]
    assert len(made) > 5
    assert max(sizes) <= most
    assert max(sizes) > 10 or most == 10
    said = Substitution(table, ionic=False, most_atoms=40).generate(table, zeros, 200, 0)
    finer = [sum(amounts_of(canonical_formula(one.material)).values()) for one in said]
    assert 10 < max(finer) <= 40


def test_rounded_numbers_are_read_as_what_they_are_rounded_from() -> None:
    assert rounded_formula("Fe0.333Ni0.333Co0.333", 200) == "FeCoNi"
    assert rounded_formula("Fe0.3333333333Ni0.6666666667", 200) == "FeNi2"
    assert rounded_formula("Ni60.1Cu39.9", 10) == canonical_formula("Ni60.1Cu39.9")


def test_an_exchange_swaps_the_amounts_of_two_elements() -> None:
    moves = ElementMoves(Kinship(Counter(["Mg", "Si"]), ionic=False))
    children = moves.propose(["Al2Ni"] * 200, Random(0))
    assert "AlNi2" in children
