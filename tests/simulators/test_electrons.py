"""What a method cannot compute of a molecule's electrons is told before it is computed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import molecule
from structure_kinds import calculator

from orchestrator.errors import InputError
from simulators.atomistic.structures import atoms_of, text_of

WATER = text_of(molecule("H2O"))


def with_moment(atoms: Atoms, moment: float, charge: float = 0.0) -> str:
    atoms.set_initial_magnetic_moments([moment] + [0.0] * (len(atoms) - 1))
    atoms.set_initial_charges([charge] + [0.0] * (len(atoms) - 1))
    return text_of(atoms)


@pytest.mark.parametrize(
    ("kind", "options", "text", "said"),
    [
        ("gfn", {}, text_of(Atoms("U")), "'calc' knows elements up to radon, and not U"),
        (
            "gfn",
            {},
            with_moment(molecule("H2O"), 1.0),
            "H2O has an even number of .* of which 1 cannot",
        ),
        ("gfn", {}, with_moment(Atoms("CeH", [[0, 0, 0], [0, 0, 2]]), 1.0), "HCe has an even"),
        (
            "pyscf",
            {},
            text_of(Atoms("UO", [[0, 0, 0], [0, 0, 2]])),
            "the basis set def2-svp of 'calc' has no U",
        ),
        ("pyscf", {}, text_of(Atoms("H")), "H has an odd number of electrons, which cannot"),
        ("pyscf", {}, with_moment(molecule("H2O"), 1.0), "of which 1 cannot be unpaired"),
        (
            "pyscf",
            {},
            with_moment(molecule("OH"), 0.0),
            "HO has an odd number of .* which cannot all",
        ),
        ("pyscf", {"method": "PBEE"}, WATER, "'PBEE' is no method and no functional of PySCF"),
        ("pyscf", {"basis": "def3-svp"}, WATER, "'def3-svp' is no basis set of PySCF"),
        ("pyscf", {"method": ""}, WATER, "no method is named"),
        ("pyscf", {"method": "LDA"}, WATER, "'LDA' is exchange alone to PySCF"),
        ("pyscf", {"method": "B3LYP-D3"}, WATER, "Unknown dispersion version d3"),
        ("pyscf", {"method": "wB97X-D"}, WATER, "wb97x-d is not supported"),
        ("pyscf", {"basis": "gth-szv"}, WATER, "has no orbitals for the core of O"),
        (
            "pyscf",
            {"basis": "ccecp-ccpvdz"},
            text_of(Atoms("AuH", [[0, 0, 0], [0, 0, 1.52]])),
            "no orbitals for the core of Au, and PySCF knows no potential",
        ),
    ],
)
def test_what_cannot_be_computed_is_told_by_the_check(
    kind: str, options: dict[str, str], text: str, said: str, tmp_path: Path
) -> None:
    package = {"gfn": "tblite", "pyscf": "pyscf"}[kind]
    pytest.importorskip(package, reason=f"needs {package} (the extra 'molecules')")
    with (
        calculator(tmp_path, kind, **options) as resource,
        pytest.raises(InputError, match=said),
    ):
        resource.check("energy", {"structure": text})


def test_radicals_and_ions_with_their_moments_pass() -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    pytest.importorskip("tblite", reason="needs tblite (the extra 'molecules')")
    radical, ion = with_moment(molecule("OH"), 1.0), with_moment(molecule("OH"), 0.0, -1.0)
    for kind in ("gfn", "pyscf"):
        with calculator(Path(), kind) as resource:
            for text in (WATER, radical, ion, with_moment(molecule("O2"), 2.0)):
                resource.check("energy", {"structure": text})
    with calculator(Path(), "gfn") as resource:  # tblite leaves one unpaired by itself
        resource.check("energy", {"structure": with_moment(molecule("OH"), 0.0)})


@pytest.mark.parametrize("basis", ["sto-3g", "lanl2dz", "crenbl", "def2-tzvp"])
def test_a_core_in_orbitals_or_in_a_potential_passes(basis: str, tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    acid = text_of(Atoms("HI", [[0, 0, 0], [0, 0, 1.6]]))
    with calculator(tmp_path, "pyscf", basis=basis) as resource:
        resource.check("energy", {"structure": acid})


def test_a_set_without_hydrogen_that_comes_in_several_files_passes() -> None:
    """PySCF fails with a TypeError where it is asked for a potential of such a one."""
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    with calculator(Path(), "pyscf", basis="cc-pcvdz") as resource:
        resource.check("energy", {"structure": text_of(molecule("N2"))})
        with pytest.raises(InputError, match="the basis set cc-pcvdz of 'calc' has no H"):
            resource.check("energy", {"structure": WATER})


def test_a_functional_whose_package_is_missing_says_which_to_install(tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    if importlib.util.find_spec("pyscf.dispersion") is not None:
        pytest.skip("pyscf-dispersion is installed")
    with (
        calculator(tmp_path, "pyscf", method="wB97X-D3BJ") as resource,
        pytest.raises(InputError, match="'wB97X-D3BJ' needs the package pyscf-disp") as refused,
    ):
        resource.check("energy", {})
    assert refused.value.hint == "pip install pyscf-dispersion"


def test_a_misspelt_method_is_told_once_and_of_no_candidate(tmp_path: Path) -> None:
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    with (
        calculator(tmp_path, "pyscf", method="PBEE") as resource,
        pytest.raises(InputError, match="'PBEE' is no method"),
    ):
        resource.check("energy", {})


def test_heavy_atoms_have_the_cores_of_their_basis_set() -> None:
    """-297.2315 hartree; all 53 electrons of iodine in the orbitals of 25 came to another atom."""
    pytest.importorskip("pyscf", reason="needs pyscf (the extra 'molecules')")
    from simulators.atomistic.quantum import PySCF

    acid = Atoms("HI", [[0, 0, 0], [0, 0, 1.609]])
    acid.calc = PySCF("HF", "def2-svp")
    assert acid.get_potential_energy() / 27.211386245988 == pytest.approx(-297.2315, abs=1e-3)
    with calculator(Path(), "pyscf") as resource:
        light, heavy = (resource._method_of(one) for one in (atoms_of(WATER), acid))
    assert light == resource._method
    assert heavy.versions["cores"] == "def2-svp"
