"""Polymers taken apart into monomers that would make them."""

from __future__ import annotations

import warnings
from itertools import pairwise

import pytest

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule
from orchestrator.materials.descriptors.repeat_unit import canonical_unit
from orchestrator.materials.polymerisation import monomers_of
from orchestrator.materials.recognition import belongs

BISPHENOL = "CC(C)(c1ccc(O)cc1)c1ccc(O)cc1"
PYROMELLITIC = "O=C1OC(=O)c2cc3C(=O)OC(=O)c3cc12"
KAPTON = "*c1ccc(cc1)Oc1ccc(cc1)N1C(=O)c2cc3c(cc2C1=O)C(=O)N(*)C3=O"
SULFONE = "*Oc1ccc(cc1)C(C)(C)c1ccc(cc1)Oc1ccc(cc1)S(=O)(=O)c1ccc(cc1)*"
MADE = {
    "polyethylene": ("*CC*", ["C=C"]),
    "polystyrene": ("*CC(c1ccccc1)*", ["C=Cc1ccccc1"]),
    "poly(methyl methacrylate)": ("*CC(C)(*)C(=O)OC", ["C=C(C)C(=O)OC"]),
    "poly(vinyl chloride)": ("*CC(*)Cl", ["C=CCl"]),
    "poly(vinylidene fluoride)": ("*CC(F)(F)*", ["C=C(F)F"]),
    "polytetrafluoroethylene": ("*C(F)(F)C(F)(F)*", ["FC(F)=C(F)F"]),
    "isotactic polypropylene": ("*C[C@H](C)*", ["C=CC"]),
    "polyisoprene": ("*C/C(C)=C\\C*", ["C=CC(=C)C"]),
    "polynorbornene": ("*C=CC1CCC(*)C1", ["C1=CC2CCC1C2"]),
    "poly(N-phenyl maleimide)": ("*C1C(=O)N(c2ccccc2)C(=O)C1*", ["O=C1C=CC(=O)N1c1ccccc1"]),
    "poly(ethylene oxide)": ("*CCO*", ["C1CO1"]),
    "polycaprolactone": ("*OCCCCCC(=O)*", ["O=C1CCCCCO1"]),
    "polylactide": ("*OC(C)C(=O)*", ["CC(O)C(=O)O"]),
    "poly(4-hydroxybenzoate)": ("*Oc1ccc(cc1)C(=O)*", ["O=C(O)c1ccc(O)cc1"]),
    "nylon 6": ("*NCCCCCC(=O)*", ["O=C1CCCCCN1"]),
    "nylon 6,6": ("*NCCCCCCNC(=O)CCCCC(=O)*", ["NCCCCCCN", "O=C(O)CCCCC(=O)O"]),
    "a piperazine amide": ("*N1CCN(CC1)C(=O)CCCCC(=O)*", ["C1CNCCN1", "O=C(O)CCCCC(=O)O"]),
    "PET": ("*OCCOC(=O)c1ccc(cc1)C(=O)*", ["OCCO", "O=C(O)c1ccc(cc1)C(=O)O"]),
    "Kapton": (KAPTON, [PYROMELLITIC, "Nc1ccc(Oc2ccc(N)cc2)cc1"]),
    "a polyurethane": ("*OCCCCOC(=O)NCCCCCCNC(=O)*", ["OCCCCO", "O=C=NCCCCCCN=C=O"]),
    "bisphenol A polycarbonate": (
        "*Oc1ccc(cc1)C(C)(C)c1ccc(cc1)OC(=O)*",
        [BISPHENOL, "[C-]#[O+]"],
    ),
    "polysulfone": (SULFONE, [BISPHENOL, "O=S(=O)(c1ccc(F)cc1)c1ccc(F)cc1"]),
    "poly(phenylene oxide)": ("*Oc1c(C)cc(*)cc1C", ["Cc1cccc(C)c1O"]),
}
NOT_MADE = {
    "poly(vinyl alcohol), of an enol": "*CC(O)*",
    "head-to-head polypropylene": "*CC(C)C(C)C*",
    "a siloxane": "*[Si](C)(C)O*",
    "polyphenylene": "*c1ccc(*)cc1",
    "polyacetylene": "*C=C*",
    "a polyurea": "*NCCCCCCNC(=O)*",
    "a polyester of four pieces": "*OCCOC(=O)CCCCC(=O)OCCCOC(=O)CCC(=O)*",
    "a polyester of a monomer that holds a urethane": "*OCCOC(=O)Nc1cccc(CNC(=O)CCCCC(*)=O)c1",
    "a polyester of a triol": "*OCC(CO)COC(=O)CCCCC(=O)*",
}


@pytest.mark.parametrize("name", MADE)
def test_a_well_known_polymer_comes_apart_into_its_monomers(name: str) -> None:
    unit, monomers = MADE[name]
    assert sorted(monomers_of(unit)) == sorted(map(canonical_smiles, monomers))


@pytest.mark.parametrize("name", NOT_MADE)
def test_a_unit_that_no_rule_makes_has_no_monomers(name: str) -> None:
    assert monomers_of(NOT_MADE[name]) == ()


@pytest.mark.parametrize(
    "spellings",
    [
        ("*NCCCCCCNC(=O)CCCCC(=O)*", "*CCNC(=O)CCCCC(=O)NCCCC*", "*C(=O)CCCCC(=O)NCCCCCCN*"),
        ("*OCCOC(=O)c1ccc(cc1)C(=O)*", "*c1ccc(cc1)C(=O)OCCOC(=O)*", "*COC(=O)c1ccc(cc1)C(=O)OC*"),
        ("*CCO*", "*OCC*", "*COC*", "*CCOCCO*"),
        ("*CC=CC*", "*C=CCC*", "*=CCCC=*"),
        ("*OCCCCCC(=O)*", "*CCC(=O)OCCC*"),
    ],
)
def test_it_does_not_matter_where_the_unit_is_cut(spellings: tuple[str, ...]) -> None:
    found = [monomers_of(unit) for unit in spellings]
    assert found[0]
    assert all(a == b for a, b in pairwise(found))


def test_what_is_no_repeat_unit_is_refused() -> None:
    with pytest.raises(InputError, match="has 1"):
        monomers_of("*CC")


def test_smipoly_makes_the_polymer_of_the_monomers_again() -> None:
    units = [
        *("*CC(c1ccccc1)*", "*CC(C)(*)C(=O)OC", "*NCCCCCC(=O)*", "*NCCCCCCNC(=O)CCCCC(=O)*"),
        *("*OCCOC(=O)c1ccc(cc1)C(=O)*", "*OC(C)C(=O)*", "*CCO*", KAPTON, SULFONE),
        *("*OCCCCOC(=O)NCCCCCCNC(=O)*", "*Oc1ccc(cc1)C(C)(C)c1ccc(cc1)OC(=O)*"),
        *("*N1CCN(CC1)C(=O)CCCCC(=O)*", "*C1C(=O)N(c2ccccc2)C(=O)C1*", "*Oc1c(C)cc(*)cc1C"),
    ]
    taken_apart = {canonical_unit(unit): set(monomers_of(unit)) for unit in units}
    made = _made_by_smipoly(sorted(set().union(*taken_apart.values())))
    for unit, monomers in taken_apart.items():
        assert monomers in made.get(unit, []), unit


def _made_by_smipoly(monomers: list[str]) -> dict[str, list[set[str]]]:
    """Canonical units of all polymers that smipoly makes, each with its sets of monomers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of smipoly and pandas
        import pandas as pd
        from smipoly.smip import monc, polg

        classified = monc.moncls(pd.DataFrame({"smiles": monomers}), "smiles")
        table = polg.biplym(classified, targ=["all"])
    made: dict[str, list[set[str]]] = {}
    for first, second, polymer in zip(table["mon1"], table["mon2"], table["polym"], strict=True):
        if polymer.count("*") == 2:
            made.setdefault(canonical_unit(polymer), []).append({first, second} - {""})
    return made


@pytest.mark.parametrize(
    "kind",
    [
        *("vinyl", "epo", "lactone", "lactam", "hydCOOH", "aminCOOH", "diCOOH", "diol", "diamin"),
        *("diNCO", "dicAnhyd", "sfonediX", "diol_b", "hindPhenol", "cOle"),
    ],
)
def test_monomers_are_recognised_as_smipoly_does(kind: str) -> None:
    monomers = sorted({canonical_smiles(m) for _, found in MADE.values() for m in found})
    monomers += ["CCO", "O=CC=C", "OCC(O)CO", "Nc1ccc(O)cc1", "OC(=O)CC(O)C(=O)O", "NCC(=O)O"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from smipoly.smip import monc

        table = monc.moncls(pd.DataFrame({"smiles": monomers}), "smiles")
    theirs = table[kind].tolist()[: len(monomers)]
    assert [belongs(molecule(m), kind) for m in monomers] == theirs
