"""Molecules by GFN2-xTB, and polymers by table, model and correlation."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import InputError
from orchestrator.plugins import capability, resource_kind
from orchestrator.ports.resource import Bench

pytest.importorskip("rdkit", reason="needs the extra 'materials'")

from simulators.molecular.polymers import PolymerCalculator, bicerano, conductivity
from simulators.molecular.polymers import _unit as unit_of

TABLE = "smiles,thermal_conductivity\n" + "".join(
    f"*{'C' * n}{x}*,{0.2 + 0.02 * n + shift}\n"
    for n in range(1, 7)
    for x, shift in (("", 0.0), ("O", 0.05))
)


def test_water_and_benzene_come_out_as_gfn2_has_them() -> None:
    pytest.importorskip("tblite", reason="needs the extra 'molecules'")
    from simulators.molecular.xtb import energies

    water = energies("O")
    assert water["gap"] == pytest.approx(14.16, abs=0.05)
    assert water["atomisation_energy"] == pytest.approx(4.68, abs=0.02)
    assert water["dipole"] == pytest.approx(2.29, abs=0.03)
    benzene = energies("c1ccccc1")
    assert benzene["gap"] == pytest.approx(4.83, abs=0.03)
    assert benzene["gap"] == pytest.approx(benzene["lumo"] - benzene["homo"])
    assert benzene["dipole"] < 0.01


@pytest.mark.parametrize("smiles", ["C(", "*CC*", "[Na+].[Cl-]", "[CH3]"])
def test_what_is_no_closed_shell_molecule_is_refused(smiles: str) -> None:
    pytest.importorskip("tblite", reason="needs the extra 'molecules'")
    from simulators.molecular.xtb import energies

    with pytest.raises(InputError, match=r"not one whole molecule|not a molecule|odd number"):
        energies(smiles)


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [("*CC*", 0.198), ("*CC(*)c1ccccc1", 0.142), ("*OC(=O)c1ccc(cc1)C(=O)OCC*", 0.231)],
)
def test_biceranos_correlation_by_hand(smiles: str, expected: float) -> None:
    assert bicerano(unit_of(smiles)) == pytest.approx(expected, abs=5e-4)
    assert conductivity(smiles) == {
        "thermal_conductivity": bicerano(unit_of(smiles)),
        "similarity": 0.0,
    }


def test_a_polymer_of_the_table_has_its_value_and_another_one_a_models(tmp_path: Path) -> None:
    table = tmp_path / "known.csv"
    table.write_text(TABLE)
    columns = (str(table), "smiles", "thermal_conductivity")
    found = conductivity("*OCC*", *columns)
    assert found == {"thermal_conductivity": pytest.approx(0.29), "similarity": 1.0}
    other = conductivity("*CCCCCCCO*", *columns)
    assert other["similarity"] < 1.0
    assert 0.3 < other["thermal_conductivity"] < 0.45


@pytest.mark.parametrize(
    ("known", "asked", "is_there"),
    [
        ("*CCCO*", "*CCOC*", True),
        ("*CCOC(=O)c1ccc(cc1)C(=O)O*", "*Oc1ccc(cc1)OC(=O)CC(=O)*", False),
        ("*OCCOC(=O)c1ccc(cc1)C(=O)*", "*c1ccc(cc1)C(=O)OCCOC(=O)*", True),
        ("*CC(C)O*", "*CCCO*", False),
        ("*c1ccc(*)[nH]1", "*c1[nH]c(*)cc1", True),
        ("*/C=C/CC*", "*/C=C\\CC*", False),
    ],
)
def test_a_polymer_is_in_the_table_wherever_its_unit_is_cut(
    known: str, asked: str, is_there: bool, tmp_path: Path
) -> None:
    table = tmp_path / "known.csv"
    others = "".join(f"*C({'C' * n}F)(Cl)*,0.1\n" for n in range(1, 10))
    table.write_text(f"smiles,value\n{known},0.7\n{others}")
    found = conductivity(asked, str(table), "smiles", "value")
    assert (found["similarity"] == 1.0) == is_there


@pytest.mark.parametrize("smiles", ["CC", "*CC", "*C(*)C*", "C(", ""])
def test_what_is_no_repeat_unit_is_refused(smiles: str) -> None:
    with pytest.raises(ValueError, match="no repeat unit"):
        conductivity(smiles)


def test_a_table_without_the_columns_or_with_too_few_rows_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "known.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="has no columns"):
        conductivity("*CC*", str(table), "smiles", "value")
    table.write_text("smiles,value\n*CC*,0.2\nCC,0.3\n*CCC*,\n")
    with pytest.raises(ValueError, match="fewer than ten"):
        conductivity("*CO*", str(table), "smiles", "value")


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("MoleculeCalculation", "xtb"),
        ("PolymerCalculation", "polymers"),
        ("PolymerCalculation", "radonpy"),
    ],
)
def test_the_calculators_do_what_their_capability_says(role: str, kind: str) -> None:
    found = resource_kind(kind)
    assert found.implements == (role,)
    for name, spec in capability(role).items():
        assert found.actions[name].results == spec.results
        assert found.actions[name].effect == spec.effect


def test_a_table_that_is_not_there_is_told_before_anything_is_opened() -> None:
    from orchestrator.clock import WallClock
    from orchestrator.errors import InputError

    bench = Bench(name="oracle", clock=WallClock())
    with pytest.raises(InputError, match=r"'oracle' has no table 'none\.csv'"):
        PolymerCalculator(bench, table="none.csv")


def test_a_package_that_is_not_installed_is_named_before_anything_is_opened() -> None:
    from orchestrator.clock import WallClock
    from orchestrator.errors import InputError
    from simulators.calculator import Calculator

    class Imagined(Calculator):
        packages = ("no-such-distribution",)

    with pytest.raises(InputError, match="'oracle' needs no-such-distribution") as caught:
        Imagined(Bench(name="oracle", clock=WallClock()))
    assert "pip install" in caught.value.hint


def test_radonpy_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.clock import WallClock
    from orchestrator.errors import InputError

    kind = resource_kind("radonpy").cls
    bench = Bench(name="dynamics", clock=WallClock())
    monkeypatch.setattr("importlib.metadata.version", lambda package: "0.2.11")
    with pytest.raises(InputError, match="there is no command 'no-such-lammps'") as caught:
        kind(bench, lammps="no-such-lammps")
    assert "pip install" in caught.value.hint
    with pytest.raises(InputError, match="needs Psi4"):
        kind(bench, lammps="true", charges="RESP")
    with pytest.raises(InputError, match="at least one of 'chains', not 0"):
        kind(bench, lammps="true", chains=0)


def test_radonpy_builds_a_cell_of_chains() -> None:
    pytest.importorskip("radonpy", reason="needs radonpy-pypi (the extra 'radonpy')")
    from simulators.molecular.radonpy import amorphous_cell

    cell = amorphous_cell("*CC*", "gasteiger", 2, 50)
    assert 80 < cell.GetNumAtoms() < 130
    with pytest.raises(ValueError, match="no repeat unit"):
        amorphous_cell("CC", "gasteiger", 2, 50)
