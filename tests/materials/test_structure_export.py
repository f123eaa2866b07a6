"""Calculated structures come out as others read them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.io import read, write

from orchestrator.errors import InputError
from orchestrator.materials.structure_export import Calculated, write_structures


def calculated(name: str, energy: float) -> Calculated:
    atoms: Any = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.2]])
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=[[0, 0, 0.1], [0, 0, -0.1]])
    text = io.StringIO()
    write(text, atoms, "extxyz")
    return Calculated(text.getvalue(), {"trial": 3, "crystal": name, "form_energy": energy / 2})


def test_extended_xyz_holds_energy_forces_and_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "out.extxyz"
    assert write_structures([calculated("Cu2", -1.5), calculated("17", -2.5)], path) == 2
    first, second = read(path, index=":")
    assert first.get_potential_energy() == -1.5
    assert second.get_forces()[0, 2] == pytest.approx(0.1)
    assert first.info["trial"] == 3
    assert first.info["crystal"] == "Cu2"


def test_a_database_of_ase_can_be_searched_by_what_is_known(tmp_path: Path) -> None:
    path = tmp_path / "out.db"
    write_structures([calculated("Cu2", -1.5), calculated("17", -2.5)], path)
    with connect(path) as database:
        (row,) = database.select("form_energy<-1")
        assert row.energy == -2.5
        assert row.data["crystal"] == "17"
        assert database.get(crystal="Cu2").trial == 3


def test_a_database_does_not_grow_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "out.db"
    write_structures([calculated("Cu2", -1.5)], path)
    with pytest.raises(InputError, match="exists already"):
        write_structures([calculated("Cu2", -1.5)], path)


def test_a_format_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not written as '\.cif'"):
        write_structures([calculated("Cu2", -1.5)], tmp_path / "out.cif")


@pytest.mark.parametrize("suffix", [".extxyz", ".db"])
def test_a_crystal_under_tension_comes_back_with_a_positive_stress_per_volume(
    suffix: str, tmp_path: Path
) -> None:
    stretched: Any = bulk("Cu", a=3.9)
    stretched.set_cell(stretched.cell.array @ np.diag([1.02, 1.0, 0.99]), scale_atoms=True)
    stretched.calc = EMT()
    expected = stretched.get_stress()
    text = io.StringIO()
    write(text, stretched, "extxyz")
    path = tmp_path / f"out{suffix}"
    write_structures([Calculated(text.getvalue(), {"trial": 1})], path)
    (found,) = read(path, index=":")
    assert found.get_stress() == pytest.approx(expected, abs=1e-9)  # eV/angstrom^3
    assert found.get_stress()[:3].min() > 0
    assert found.get_potential_energy() == pytest.approx(stretched.get_potential_energy())
