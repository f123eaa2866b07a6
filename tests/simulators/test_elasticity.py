"""Elastic constants from strained cells."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.filters import FrechetCellFilter
from ase.optimize import BFGS
from ase.units import GPa
from structure_kinds import asked, l1_2

from orchestrator.errors import CalculationFailed
from simulators.atomistic.elasticity import moduli_of
from simulators.atomistic.structures import atoms_of, text_of


def test_an_isotropic_solid_has_one_shear_modulus_whichever_the_mean() -> None:
    bulk_gpa, shear_gpa = 100.0, 40.0
    lame = bulk_gpa - 2.0 * shear_gpa / 3.0
    stiffness = np.diag([2.0 * shear_gpa] * 3 + [shear_gpa] * 3)
    stiffness[:3, :3] += lame
    found = moduli_of(stiffness)
    for name in ("bulk_voigt", "bulk_reuss", "bulk_modulus"):
        assert found[name] == pytest.approx(bulk_gpa)
    for name in ("shear_voigt", "shear_reuss", "shear_modulus"):
        assert found[name] == pytest.approx(shear_gpa)
    assert found["poisson_ratio"] == pytest.approx(220.0 / 680.0)
    assert found["young_modulus"] == pytest.approx(2.0 * shear_gpa * (1.0 + 220.0 / 680.0))
    assert found["is_stable"] == 1
    stiffness[3, 3] = -1.0
    assert moduli_of(stiffness)["is_stable"] == 0


def test_copper_is_as_stiff_as_its_energy_is_curved(tmp_path: Path) -> None:
    """Against second differences of ASE's energies, strained tetragonally and sheared."""
    copper = bulk("Cu", cubic=True)
    found = asyncio.run(asked(tmp_path, "emt-structures", "elastic_constants", text_of(copper)))
    copper.calc = EMT()
    BFGS(FrechetCellFilter(copper), logfile=None).run(fmax=0.001)

    def curvature(strain: np.ndarray, size: float = 0.004) -> float:
        energies = []
        for step in (-size, 0.0, size):
            moved = copper.copy()
            moved.set_cell(copper.cell.array @ (np.eye(3) + step * strain), scale_atoms=True)
            moved.calc = EMT()
            energies.append(moved.get_potential_energy())
        second = (energies[0] - 2.0 * energies[1] + energies[2]) / size**2
        return second / copper.get_volume() / GPa

    shear = np.zeros((3, 3))
    shear[1, 2] = shear[2, 1] = 0.5
    assert found.c11 == pytest.approx(curvature(np.diag([1.0, 0.0, 0.0])), abs=2.0)
    assert found.c44 == pytest.approx(curvature(shear), abs=2.0)
    isotropic = curvature(np.eye(3)) / 9.0
    assert found.bulk_modulus == pytest.approx(isotropic, abs=2.0)
    assert found.bulk_modulus == pytest.approx(134.0, abs=3.0)
    assert (found.c11 + 2.0 * found.c12) / 3.0 == pytest.approx(found.bulk_modulus, abs=0.5)
    matrix = np.reshape(found.stiffness, (6, 6))
    assert np.array_equal(matrix, matrix.T)
    assert np.allclose(matrix[3:, :3], 0.0, atol=1.0)
    assert found.is_stable == 1
    assert found.shear_reuss <= found.shear_modulus <= found.shear_voigt


def test_an_alloy_is_brought_to_rest_before_it_is_strained(tmp_path: Path) -> None:
    text = text_of(l1_2("Cu", "Pt", 3.6))
    found = asyncio.run(asked(tmp_path, "emt-structures", "elastic_constants", text))
    rested = asyncio.run(asked(tmp_path, "emt-structures", "relax", text))
    volume = atoms_of(found.structure).get_volume() / 4
    assert volume == pytest.approx(rested.volume, rel=1e-4)


def test_a_molecule_has_no_elastic_constants(tmp_path: Path) -> None:
    water = "3\n\nO 0 0 0.1173\nH 0 0.7572 -0.4692\nH 0 -0.7572 -0.4692\n"
    with pytest.raises(CalculationFailed, match="is no crystal"):
        asyncio.run(asked(tmp_path, "emt-structures", "elastic_constants", water))


@pytest.mark.slow
def test_a_learned_potential_has_the_silicon_that_was_measured(tmp_path: Path) -> None:
    """As SevenNet-0 has it; PBE itself has 153, 57 and 75 GPa [de Jong et al. 2015,
    doi:10.1038/sdata.2015.9: mp-149]."""
    if importlib.util.find_spec("sevenn") is None:
        pytest.skip("needs sevenn (the extra 'potentials')")
    silicon = text_of(bulk("Si", cubic=True))
    found = asyncio.run(asked(tmp_path, "sevennet", "elastic_constants", silicon))
    assert found.c11 == pytest.approx(155.0, abs=5.0)
    assert found.c12 == pytest.approx(70.0, abs=5.0)
    assert found.c44 == pytest.approx(58.0, abs=5.0)
    assert found.is_stable == 1
