"""Repeat units in all their spellings, and what is computed of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit
from orchestrator.materials.descriptors.molecule import Morgan
from orchestrator.materials.descriptors.polymer import PolymerMorgan, PolymerQuantities
from orchestrator.materials.descriptors.repeat_unit import canonical_unit, counted_unit, oligomer
from orchestrator.ports.descriptor import Descriptor

ONE_POLYMER = [
    [
        "*CCO*",
        "*OCC*",
        "*COC*",
        "[*]CCO[*]",
        "*CCOCCO*",
        "*COCCOC*",
        "[*:1]CCO[*:2]",
        "[1*]CCO[2*]",
    ],
    ["*CC*", "*CCCC*", "*C*", "*CCC*"],
    ["*C=C*", "*=CC=*", "*C=CC=C*", "*=CC=CC=*"],
    ["*c1ccc(*)cc1", "*c1ccc(-c2ccc(*)cc2)cc1", "*C1=CC=C(C=C1)*"],
    ["*CC(C)*", "*C(C)C*", "*CC(C)CC(C)*", "*C(C*)C"],
    ["*OC(=O)c1ccc(C(=O)OCC*)cc1", "*CCOC(=O)c1ccc(cc1)C(=O)O*", "*C(=O)OCCOC(=O)c1ccc(*)cc1"],
    ["*=C=*", "*=C=C=*"],
    ["*#CC#*", "*C#C*"],
    ["*[Si](C)(C)O*", "*O[Si](C)(C)*"],
    ["*N[C@@H](C)C(=O)*", "*C(=O)[C@H](C)N*", "*[C@@H](C)C(=O)N*"],
    ["*/C=C/C*", "*C/C=C/*"],
    ["*CC(C(=O)[O-])*.[Na+]", "[Na+].*C(C(=O)[O-])C*"],
    ["*[C@H](O)[C@H](O)*", "*[C@H](O)[C@H](O)[C@H](O)[C@H](O)*"],
]
POLYMERS = [spellings[0] for spellings in ONE_POLYMER]
KINDS: list[Any] = [PolymerMorgan(), PolymerQuantities()]
named = pytest.mark.parametrize("descriptor", KINDS, ids=lambda kind: type(kind).__name__)

links = st.sampled_from(
    ["C", "O", "N", "C(C)", "C(=O)", "c1ccc(cc1)", "S(=O)(=O)", "[C@H](F)C", "/C=C/C", "C1CCC1"]
)
chains = st.lists(links, min_size=1, max_size=5)


@pytest.mark.parametrize("spellings", ONE_POLYMER, ids=POLYMERS)
def test_all_spellings_of_a_polymer_have_one_canonical_form(spellings: list[str]) -> None:
    assert len({canonical_unit(each) for each in spellings}) == 1


@named
@pytest.mark.parametrize("spellings", ONE_POLYMER, ids=POLYMERS)
def test_all_spellings_of_a_polymer_have_one_vector(descriptor: Any, spellings: list[str]) -> None:
    vectors = descriptor.describe(spellings)
    assert np.isfinite(vectors).all()
    assert (vectors == vectors[0]).all()


def test_different_polymers_stay_different() -> None:
    different = [*POLYMERS, "*N[C@H](C)C(=O)*", "*/C=C\\C*", "*c1cccc(*)c1", "*CCCO*"]
    different += ["*[C@H](O)[C@@H](O)*", "*C(O)*", "*CC(C(=O)[O-])*.[K+]", "*CC(=O)O*"]
    assert len({canonical_unit(each) for each in different}) == len(different)


@given(chains, st.integers(0, 4), st.integers(1, 3))
@example(["N", "C", "[C@H](F)C", "N"], 0, 2)  # the atom lies half-way between equal ends
@example(["[C@H](F)"], 0, 2)
@settings(deadline=None, max_examples=60)
def test_neither_the_cut_nor_the_number_of_units_matters(
    chain: list[str], cut: int, times: int
) -> None:
    turned = (chain[cut % len(chain) :] + chain[: cut % len(chain)]) * times
    unit, other = f"*{''.join(chain)}*", f"*{''.join(turned)}*"
    assert canonical_unit(unit) == canonical_unit(other)
    assert canonical_unit(canonical_unit(unit)) == canonical_unit(unit)


@given(chains, st.integers(0, 2**31 - 1))
@example(["C", "[C@H](F)C"], 0)  # between equal stars RDKit sees no handedness
@settings(deadline=None, max_examples=40)
def test_any_order_of_the_atoms_gives_the_same_form(chain: list[str], seed: int) -> None:
    unit = "".join(chain)
    found = molecule(f"[1*]{unit}[2*]")
    order = np.random.default_rng(seed).permutation(found.GetNumAtoms()).tolist()
    shuffled = rdkit().MolToSmiles(rdkit().RenumberAtoms(found, order), canonical=False)
    shuffled = shuffled.replace("[1*]", "*").replace("[2*]", "*")
    assert canonical_unit(shuffled) == canonical_unit(f"*{unit}*")


def test_every_double_bond_of_a_chain_keeps_its_geometry() -> None:
    for a, b, c in itertools.product("/\\", repeat=3):
        unit = f"*/C=C{a}C=C{b}C=C{c}C*"
        written = canonical_unit(unit)
        assert canonical_unit(written) == written
        assert _geometry(written) == _geometry(unit)


def _geometry(smiles: str) -> list[str]:
    return sorted(bond.GetStereo().name for bond in molecule(smiles).GetBonds())


def test_the_neighbourhoods_are_those_in_the_middle_of_a_long_chain() -> None:
    morgan, polymer = Morgan(), PolymerMorgan()
    longer = morgan.describe(["CCO" * 21 + "C", "CCO" * 20 + "C"])
    assert (polymer.describe(["*CCO*"])[0] == longer[0] - longer[1]).all()


def test_polyethylene_is_a_carbon_with_two_neighbours() -> None:
    assert PolymerMorgan().describe(["*CC*"]).sum() == 3, "one environment of each radius"


@named
def test_a_copolymer_is_the_weighted_mean_of_its_units(descriptor: Any) -> None:
    a, b, both = descriptor.describe(["*CC(*)C", "*CCO*", "0.3 *CC(*)C | 0.7 *OCC*"])
    np.testing.assert_allclose(both, 0.3 * a + 0.7 * b)
    assert descriptor.canonical("0.7 *COC* | 0.3 *C(C)C*") == "0.3 *CC(*)C | 0.7 *CCO*"


@named
def test_the_fractions_of_a_copolymer_count_its_units_as_written(descriptor: Any) -> None:
    acetate = "*CC(*)OC(C)=O"
    written = [f"0.6 {unit} | 0.4 {acetate}" for unit in ("*C*", "*CC*", "*CCCC*")]
    forms = [descriptor.canonical(each) for each in written]
    assert [form.split()[0] for form in forms] == ["0.6", "0.75", "0.85714286"]
    assert [descriptor.canonical(form) for form in forms] == forms
    vectors = descriptor.describe(written)
    np.testing.assert_allclose(vectors, descriptor.describe(forms), rtol=1e-9)
    assert not np.allclose(vectors[0], vectors[1])
    assert descriptor.canonical("0.75 *C* | 0.25 *CC(*)OC(C)=O") == forms[1]
    assert descriptor.canonical("0.5 *CC* | 0.5 *CCCC*") == "*C*"


@pytest.mark.parametrize(
    ("mapped", "plain"),
    [
        ("*[CH2:1][CH:2](*)[CH3:3]", "*CC(*)C"),
        ("[*:1]CC[*:2]", "*CC*"),
        ("[*:1][C@H:3](F)C[*:2]", "*[C@H](F)C*"),
        ("[*:1][C@H](F)[*:2]", "*[C@H](F)*"),
    ],
)
def test_the_numbers_of_mapped_atoms_are_not_part_of_a_unit(mapped: str, plain: str) -> None:
    assert canonical_unit(mapped) == canonical_unit(plain)


def test_a_unit_that_takes_two_to_tell_handedness_counts_half() -> None:
    two = counted_unit("*[C@H](F)[C@H](F)*")
    assert counted_unit("*[C@H](F)*") == (two[0], two[1] / 2)
    assert counted_unit("*[C@H](F)*.[Na+]")[0].count("[Na+]") == 2


@named
def test_a_polymer_descriptor_has_names_and_units(descriptor: Any) -> None:
    assert isinstance(descriptor, Descriptor)
    width = descriptor.describe(["*CC*"]).shape[1]
    assert width == len(descriptor.names) == len(descriptor.units)


def test_a_trimer_of_ethylene_oxide_weighs_what_it_should() -> None:
    column = PolymerQuantities().names.index("MolWt")
    weight = PolymerQuantities().describe(["*CCO*"])[0, column]
    assert weight == pytest.approx(3 * 44.053 + 2 * 1.008, abs=0.01)


def test_a_star_on_the_nitrogen_of_an_aromatic_ring_becomes_hydrogen() -> None:
    assert np.isfinite(PolymerQuantities().describe(["*Cn1cccc1*", "*n1cccc1*"])).all()


@pytest.mark.parametrize(
    ("material", "why"),
    [
        ("CC", r"has 0 '\*' where"),
        ("*C", r"has 1 '\*' where"),
        ("*CC(*)*", r"has 3 '\*' where"),
        ("*C.C*", "not ends of one chain"),
        ("**", "no atom between"),
        ("*CC=*", "differ, so units cannot be joined"),
        ("C*C*", "not exactly one bond"),
        ("[*+]C*", "not exactly one bond"),
        ("*C(C)(C)(C)*", "is not a molecule: .*valence"),
        ("*CC(C*", r"'\*CC\(C\*' is not a molecule"),
        ("", "it is empty"),
        ("0.3 *CC* | 0.6 *CCO*", "sum to 0.9, not to 1"),
        ("*CC* | *CCO*", "is not a fraction"),
        ("1.3 *CC* | -0.3 *CCO*", "is not a fraction"),
        ("0.5 *CC* |", "is not a fraction"),
    ],
)
def test_what_is_no_repeat_unit_is_refused_with_its_reason(material: str, why: str) -> None:
    for descriptor in KINDS:
        for deed in (descriptor.canonical, lambda text, d=descriptor: d.describe([text])):
            with pytest.raises(InputError, match=why):
                deed(material)


def test_a_canonical_unit_is_a_canonical_smiles() -> None:
    for unit in POLYMERS:
        assert canonical_smiles(canonical_unit(unit)).count("*") == 2


STEREO_UNITS = ["*/C=C/*", "*/C=C\\*", "*C/C(C)=C\\C*", "*/C(C)=C(\\*)F", "*O[C@@H](C)C(=O)*"]


@pytest.mark.parametrize("unit", STEREO_UNITS)
def test_the_geometry_of_an_oligomer_is_told_by_its_own_neighbours(unit: str) -> None:
    chain, units = oligomer(canonical_unit(unit), 3)
    for bond in chain.GetBonds():
        for atom, other in zip(
            bond.GetStereoAtoms(), (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()), strict=False
        ):
            assert chain.GetBondBetweenAtoms(atom, other) is not None
    again = molecule(rdkit().MolToSmiles(chain))
    labels = [sorted(str(b.GetStereo()) for b in m.GetBonds()) for m in (chain, again)]
    assert labels[0] == labels[1]
    n = canonical_unit(unit).count("C") + canonical_unit(unit).count("F")
    n += canonical_unit(unit).count("O")
    assert [len(atoms) for atoms in units] == [n] * 3


def test_natural_rubber_and_gutta_percha_differ_where_chirality_is_asked_for() -> None:
    rubber, gutta = ["*C/C(C)=C\\C*", "*C/C=C(/C)C*"], "*C/C(C)=C/C*"
    plain, handed = (PolymerMorgan(chirality=c).describe([*rubber, gutta]) for c in (False, True))
    assert (plain[0] == plain[2]).all()
    assert (handed[0] == handed[1]).all()
    assert (handed[0] != handed[2]).any()
    flat = ["*CC(C)*", "*CC=CC*", "*c1ccc(*)cc1"]
    assert (PolymerMorgan(chirality=True).describe(flat) == PolymerMorgan().describe(flat)).all()


def test_cis_and_trans_of_a_ring_in_the_backbone_are_two() -> None:
    trans, cis = "*OC[C@H]1CC[C@@H](CO*)CC1", "*OC[C@H]1CC[C@H](CO*)CC1"
    assert PolymerMorgan().canonical(trans) != PolymerMorgan().canonical(cis)
    one, other = PolymerMorgan(chirality=True).describe([trans, cis])
    assert (one != other).any()
