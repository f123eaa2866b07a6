"""What a lab's resources could not compute of a pool is told before anything is spent."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from orchestrator.errors import FileProblems
from orchestrator.runtime.load import load

CAMPAIGN = """\
name: metals
space: {crystal: {pool: metals.extxyz}}
roles: {calculator: StructureCalculation}
recipe: [{form: {do: calculator.formation_energy, structure: =crystal.structure}}]
metrics: {stability: {value: =form.formation_energy, unit: eV}}
objective: {minimise: stability}
budget: {trials: 3}
"""
LAB = "lab: here\nresources: {method: {kind: emt-structures}}\nroles: {calculator: method}\n"


def checked(folder: Path, *atoms: Atoms) -> tuple[str, ...]:
    write(folder / "metals.extxyz", list(atoms))
    (folder / "campaign.yaml").write_text(CAMPAIGN)
    (folder / "lab.yaml").write_text(LAB)
    pool = load(folder / "campaign.yaml").campaign.space["crystal"]
    return pool.names  # type: ignore[union-attr]


def test_a_pool_that_can_be_computed_is_accepted(tmp_path: Path) -> None:
    assert checked(tmp_path, bulk("Cu"), bulk("Pt")) == ("metals-1", "metals-2")


def test_unknown_elements_and_overlapping_atoms_are_told_together(tmp_path: Path) -> None:
    near = Atoms("Cu2", [[0, 0, 0], [0, 0, 0.5]], cell=[4] * 3, pbc=True)
    with pytest.raises(FileProblems) as caught:
        checked(tmp_path, bulk("Cu"), bulk("Fe"), near)
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 2
    assert "candidate 'metals-2': 'Fe' is not an element of method" in said[0]
    assert "candidate 'metals-3': Cu2 has Cu and Cu only 0.50 angstrom apart" in said[1]


def test_of_many_that_cannot_be_computed_the_first_are_named(tmp_path: Path) -> None:
    iron = [bulk("Fe", a=2.6 + 0.1 * i) for i in range(30)]
    with pytest.raises(FileProblems, match="5 more candidates cannot be computed"):
        checked(tmp_path, *iron)


def test_a_candidate_is_named_once_whatever_many_rungs_cannot_compute_it(tmp_path: Path) -> None:
    ladder = (
        CAMPAIGN.replace(
            "space: {crystal: {pool: metals.extxyz}}",
            "space: {crystal: {pool: metals.extxyz}, rung: {fidelity: [rough, exact]}}",
        )
        .replace(
            "{calculator: StructureCalculation}",
            "{rough: StructureCalculation, exact: StructureCalculation}",
        )
        .replace("calculator.formation", "=rung.formation")
    )
    write(tmp_path / "metals.extxyz", [bulk("Cu"), bulk("Fe")])
    (tmp_path / "campaign.yaml").write_text(ladder)
    (tmp_path / "lab.yaml").write_text(
        "lab: here\nresources: {a: {kind: emt-structures}, b: {kind: emt-structures}}\n"
        "roles: {rough: a, exact: b}\n"
    )
    with pytest.raises(FileProblems) as caught:
        load(tmp_path / "campaign.yaml")
    said = [str(problem) for problem in caught.value.problems]
    assert len(said) == 1
    assert "candidate 'metals-2'" in said[0]
