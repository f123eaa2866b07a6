"""Formulas and XenonPy's 290 descriptors of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.materials.descriptors.composition import Composition
from orchestrator.materials.descriptors.elements import element_table
from orchestrator.materials.descriptors.formula import formula_counts, formula_text
from orchestrator.model.quantity import check_unit
from orchestrator.ports.descriptor import Descriptor

ROWS = Path(__file__).with_name("xenonpy_rows.csv")
"""Printed by XenonPy 0.6.7 (with pymatgen 2026.10.16) over the table that we ship."""

symbols = st.sampled_from(sorted(element_table().rows))
contents = st.dictionaries(
    symbols, st.integers(1, 400).map(lambda n: n / 8), min_size=1, max_size=6
)


def test_the_numbers_are_those_that_xenonpy_prints() -> None:
    (_, *formulas), *lines = csv.reader(ROWS.read_text().splitlines())
    composition = Composition()
    assert [line[0] for line in lines] == list(composition.names)
    theirs = np.array([[float(cell) for cell in line[1:]] for line in lines]).T
    np.testing.assert_allclose(composition.describe(formulas), theirs, rtol=1e-9, atol=1e-9)


def test_a_composition_is_a_descriptor_whose_units_exist() -> None:
    composition = Composition()
    assert isinstance(composition, Descriptor)
    assert len(composition.names) == len(composition.units) == 290
    for unit in set(composition.units):
        check_unit(unit)
    by_name = dict(zip(composition.names, composition.units, strict=True))
    assert by_name["ave:melting_point"] == "K"
    assert by_name["var:density"] == "(g/cm^3)^2"


def test_hydrogen_weighs_one_and_iron_melts_at_1808_kelvin() -> None:
    by_name = dict(zip(Composition().names, Composition().describe(["Fe"])[0], strict=True))
    assert by_name["ave:melting_point"] == by_name["min:melting_point"] == 1808
    assert by_name["var:melting_point"] == 0
    assert element_table().column("atomic_weight")[0] == pytest.approx(1.008)


@pytest.mark.parametrize(
    ("formula", "counts"),
    [
        ("Ca(OH)2", {"Ca": 1, "O": 2, "H": 2}),
        ("K4[Fe(CN)6]", {"K": 4, "Fe": 1, "C": 6, "N": 6}),
        ("Ba0.5Sr0.5TiO3", {"Ba": 0.5, "Sr": 0.5, "Ti": 1, "O": 3}),
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CuSO4*5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("Fe₂O₃", {"Fe": 2, "O": 3}),
        ("CuSO4.5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CaSO4.0.5H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("CaCl2.1.5H2O", {"Ca": 1, "Cl": 2, "H": 3, "O": 1.5}),
        ("3CO2", {"C": 3, "O": 6}),
        ("C8H10N2·2HCl", {"C": 8, "H": 12, "N": 2, "Cl": 2}),
        ("Na2[Fe(CN)5NO].2H2O", {"Na": 2, "Fe": 1, "C": 5, "N": 6, "O": 3, "H": 4}),
        ("Na0.7CoO2.1.3H2O", {"Na": 0.7, "Co": 1, "O": 3.3, "H": 2.6}),
        ("NiCl2.6NH3", {"Ni": 1, "Cl": 2, "N": 6, "H": 18}),
        ("Fe0.5H2O", {"Fe": 0.5, "H": 2, "O": 1}),
        ("LiNi0.5Mn1.5O4", {"Li": 1, "Ni": 0.5, "Mn": 1.5, "O": 4}),
        ("Bi2Te2.7Se0.3", {"Bi": 2, "Te": 2.7, "Se": 0.3}),
        ("Fe0,7Cr0,2Ni0,1", {"Fe": 0.7, "Cr": 0.2, "Ni": 0.1}),
        ("CuSO4,5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("Fe.5Ni.5", {"Fe": 0.5, "Ni": 0.5}),
        ("CH3COOH", {"C": 2, "H": 4, "O": 2}),
        ("H0O", {"O": 1}),
    ],
)
def test_a_formula_is_read(formula: str, counts: dict[str, float]) -> None:
    assert formula_counts(formula) == counts


@given(contents)
def test_a_formula_that_is_written_is_read_back(counts: dict[str, float]) -> None:
    assert formula_counts(formula_text(counts)) == counts


@given(contents, st.randoms())
def test_the_order_of_elements_changes_nothing(counts: dict[str, float], random: object) -> None:
    shuffled = list(counts.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    written = "".join(f"{element}{n:g}" for element, n in shuffled)
    composition = Composition()
    assert composition.canonical(written) == composition.canonical(formula_text(counts))
    a, b = composition.describe([written, formula_text(counts)])
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("XxO", "'Xx' in 'XxO' is not an element"),
        ("MAPbI3", r"'M' in 'MAPbI3' is not an element \(write CH3NH3 for MA\)"),
        ("Fe2Am", "'Fe2Am' holds Am, of which too little is known"),
        ("Ca(OH", r"'\(' is not closed"),
        ("Ca)2", r"'\)' closes nothing"),
        ("[Ca)2", r"'\)' closes nothing"),
        ("", "it is empty"),
        ("2", "a part of it is empty"),
        ("Ca()2", "holds no atom"),
        ("Fe0", "holds no atom"),
        ("0FeO", "holds no atom"),
        ("Na+", r"'\+' has no meaning"),
        ("WO3.33H2O", "'.33H2O' the full stop may be a decimal point or the dot of a hydrate"),
        ("Al2O3.2SiO2.2H2O", "may be two formulas: in '3.2S'"),
        ("MoO1.5H2O", "may be two formulas"),
        ("MoO1,5H2O", "may be two formulas"),
        ("Fe2O3,TiO2", "',' has no meaning"),
        ("60Cu40Ni", "may be two formulas: its numbers stand before the elements"),
        ("70 Sn 30 Pb", "may be two formulas: its numbers stand before the elements"),
        ("13CO2", "its number counts the whole, or names an isotope"),
        ("2HCl", "its number counts the whole, or names an isotope"),
        ("MgO.SiO2", r"'\.' has no meaning"),
        ("C" * 2001, "more than 2000 characters"),
        ("Fe2 3", "the number 3 stands behind nothing"),
        ("Fe" + "9" * 400, "too large"),
        ("(" * 30 + "H", "more than 20 brackets"),
        ("Xx-6Al", "'-' has no meaning"),
        ("Ti-60Al-50V", "'-' has no meaning"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_reason(formula: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Composition().describe([formula])


@pytest.mark.parametrize("name", ["Ti-6Al-4V", "Ti–6Al–4V", "Ti - 6% Al - 4.0% V"])
def test_an_alloy_by_per_cent_is_told_both_formulas(name: str) -> None:
    with pytest.raises(InputError, match="names an alloy by per cent") as caught:
        Composition().canonical(name)
    # grade 5 titanium: 10.2 per cent of its atoms are aluminium, 3.6 vanadium
    said = "'Ti86.2Al10.2V3.6' if per cent of weight are meant, 'Ti90Al6V4' if of atoms"
    assert said in caught.value.hint


def test_a_symbol_in_the_wrong_case_is_recognised() -> None:
    with pytest.raises(InputError) as caught:
        Composition().canonical("NAO")
    assert "'A' in 'NAO'" in str(caught.value)
    assert caught.value.hint.startswith("did you mean 'A")


def test_a_small_number_is_written_as_it_can_be_read() -> None:
    assert formula_text({"Al": 1e-5, "Ni": 1}) == "Al0.00001Ni"
    assert Composition().canonical("Al0.00001Ni1") == "Al0.00001Ni"


def test_peroxide_is_not_reduced_to_hydroxide() -> None:
    assert Composition().canonical("H2O2") != Composition().canonical("HO")
