"""Molecules as fingerprints and quantities, the odd ones too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import molecule, rdkit
from orchestrator.materials.descriptors.molecule import Fragments, Maccs, Morgan, RdkitQuantities
from orchestrator.ports.descriptor import Descriptor

ODD = [
    *("[H][H]", "[H+]", "[He]", "[Na+].[Cl-]", "[Fe+2]", "[U]", "Cl[Pt](Cl)(N)N", "CC[Hg]CC"),
    *("O=[Ti]=O", "[C-]#[O+]", "F[P-](F)(F)(F)(F)F.[Li+]", "[Li]CCCC", "[2H]O[2H]", "F[Xe]F"),
    *("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "C[N+](C)(C)C.[Br-]", "*CC*", "C" * 150, "OB([O-])[O-]"),
    *("[Zn+2].[O-]C(=O)C.[O-]C(=O)C", "C[As](C)C", "II"),
]
KINDS = [Morgan(), Maccs(), RdkitQuantities(), Fragments()]
named = pytest.mark.parametrize("descriptor", KINDS, ids=lambda kind: type(kind).__name__)


@named
def test_salts_ions_metals_and_hydrogen_have_finite_numbers(descriptor: Any) -> None:
    assert isinstance(descriptor, Descriptor)
    vectors = descriptor.describe(ODD)
    assert vectors.shape == (len(ODD), len(descriptor.names))
    assert len(descriptor.names) == len(descriptor.units) == len(set(descriptor.names))
    assert np.isfinite(vectors).all()


@named
def test_spellings_of_one_molecule_have_one_vector_and_one_canonical_form(descriptor: Any) -> None:
    spellings = ["CCO", "OCC", "C(O)C", "[CH3][CH2][OH]"]
    vectors = descriptor.describe(spellings)
    np.testing.assert_allclose(vectors, np.tile(vectors[0], (4, 1)), rtol=1e-9, atol=1e-9)
    assert {descriptor.canonical(each) for each in spellings} == {"CCO"}


@pytest.mark.parametrize(
    ("mapped", "plain"),
    [
        ("[CH3:1][OH:2]", "CO"),
        ("[CH3:1][O:2][H:3]", "CO"),
        ("[13CH3:1][OH:2]", "O[13CH3]"),
        ("[CH3:1][C@H](O)[CH3:2]", "CC(C)O"),
        ("[F:1][C@:2]([Cl:3])([Br:4])[I:5]", "F[C@](Cl)(Br)I"),
    ],
)
def test_the_numbers_of_mapped_atoms_are_not_part_of_a_molecule(mapped: str, plain: str) -> None:
    morgan = Morgan(chirality=True)
    assert morgan.canonical(mapped) == morgan.canonical(plain)
    assert (morgan.describe([mapped]) == morgan.describe([plain])).all()


@named
def test_a_vector_does_not_depend_on_the_others_of_its_batch(descriptor: Any) -> None:
    together = descriptor.describe(["CCO", "c1ccccc1", "CC(=O)O"])
    assert (together[1] == descriptor.describe(["c1ccccc1"])[0]).all()


@named
@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("", "empty"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1ccccc", "parsed"),
        ("CC O", "ends at the first space"),
        ("CCO\tethanol", "ends at the first space"),
    ],
)
def test_what_is_no_molecule_is_refused(descriptor: Any, smiles: str, why: str) -> None:
    with pytest.raises(InputError, match=f"'.*' is not a molecule: .*{why}"):
        descriptor.describe(["C", smiles])


@named
def test_the_space_around_a_molecule_and_a_cxsmiles_are_none_of_its_words(descriptor: Any) -> None:
    plain, spaced, extended = descriptor.describe(["CCO", " CCO ", "CCO |$a;b;c$|"])
    assert (plain == spaced).all()
    assert (plain == extended).all()


@named
def test_no_material_gives_no_row(descriptor: Any) -> None:
    assert descriptor.describe([]).shape == (0, len(descriptor.names))


def test_water_weighs_18_grams_per_mole() -> None:
    quantities = RdkitQuantities()
    column = quantities.names.index("MolWt")
    assert quantities.units[column] == "g/mol"
    assert quantities.describe(["O"])[0, column] == pytest.approx(18.015, abs=1e-3)


def test_the_neighbourhoods_of_a_few_atoms_can_be_counted_alone() -> None:
    ethanol = molecule("CCO")
    assert Morgan(radius=0).counts(ethanol).sum() == 3
    assert Morgan(radius=0).counts(ethanol, [2]).sum() == 1


def test_fragments_are_counted_as_often_as_they_occur() -> None:
    fragments = Fragments(smarts=["[OX2H]", "c1ccccc1", "C(F)(F)F"])
    assert fragments.describe(["OCC(O)CO", "c1ccccc1-c1ccccc1", "FC(F)(F)C"]).tolist() == [
        [3, 0, 0],
        [0, 2, 0],
        [0, 0, 1],
    ]


def test_fragments_may_have_names() -> None:
    fragments = Fragments(smarts={"acid": "C(=O)[OH]"})
    assert fragments.names == ("acid",)
    assert fragments.describe(["OC(=O)C(=O)O"]).tolist() == [[2.0]]


def test_a_long_chain_is_counted_to_its_end() -> None:
    assert Fragments(smarts=["[CH2]"]).describe(["C" * 3000])[0, 0] == 2998


@pytest.mark.parametrize(
    ("smarts", "why"),
    [([], "at least one"), ("CC", "a list"), (["C", "C"], "twice"), (["[OX"], "not a SMARTS")],
)
def test_fragments_that_cannot_be_looked_for_are_refused(smarts: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Fragments(smarts=smarts).describe(["C"])


@pytest.mark.parametrize("options", [{"radius": 7}, {"radius": -1}, {"size": 8}])
def test_a_fingerprint_out_of_reach_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="radius of 0 to 6"):
        Morgan(**options)


def test_a_smiles_of_ten_thousands_of_atoms_is_refused_before_rdkit_sees_it() -> None:
    with pytest.raises(InputError) as caught:
        Morgan().canonical("C" * 20_000)
    assert str(caught.value) == (
        "'CCCCCCCCCCCCCCCCCCCC...' has 20,000 characters, and a SMILES at most 5,000"
    )
    assert Morgan().canonical("C" * 5_000) == "C" * 5_000


RINGS = [
    ("C[C@H]1CC[C@@H](C)CC1", "C[C@H]1CC[C@H](C)CC1"),
    ("O[C@H]1C[C@@H](C)C1", "O[C@H]1C[C@H](C)C1"),
    ("C1CC[C@@H]2CCCC[C@@H]2C1", "C1CC[C@H]2CCCC[C@@H]2C1"),
    ("C[C@H]1C[C@@H](C)C[C@@H](C)C1", "C[C@H]1C[C@H](C)C[C@@H](C)C1"),
    ("CN1[C@@H]2CC[C@H]1C[C@@H](O)C2", "CN1[C@@H]2CC[C@H]1C[C@H](O)C2"),
]
ISOMERS = [
    *(("C[C@H](O)CC", "C[C@@H](O)CC"), ("F/C(Cl)=C/Br", "F/C(Cl)=C\\Br")),
    *(("N[C@@H](C)C(=O)O", "NC(C)C(=O)O"), *RINGS),
]


@pytest.mark.parametrize(("one", "other"), ISOMERS)
def test_stereoisomers_have_one_vector_unless_chirality_is_asked_for(one: str, other: str) -> None:
    plain, handed = (Morgan(chirality=asked).describe([one, other]) for asked in (False, True))
    assert (plain[0] == plain[1]).all()
    assert (handed[0] != handed[1]).any()


@pytest.mark.parametrize(("one", "other"), RINGS)
def test_cis_and_trans_of_a_ring_are_two_materials_in_every_spelling(one: str, other: str) -> None:
    morgan, names = Morgan(chirality=True), []
    for smiles in (one, other):
        found = molecule(smiles)
        places = range(found.GetNumAtoms())
        spellings = [rdkit().MolToSmiles(found, rootedAtAtom=place) for place in places]
        names.append({morgan.canonical(spelling) for spelling in spellings})
        vectors = morgan.describe(spellings)
        assert (vectors == vectors[0]).all()
    assert [len(each) for each in names] == [1, 1]
    assert names[0] != names[1]


def test_chirality_leaves_the_vectors_of_molecules_without_it_as_they_are() -> None:
    flat = [smiles for smiles in ODD if "@" not in smiles] + ["CC(O)CC", "CC=CC", "c1ccccc1"]
    assert (Morgan(chirality=True).describe(flat) == Morgan().describe(flat)).all()
