"""Structures that are symmetric but for their digits, as plane waves are given them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms
from ase.spacegroup.symmetrize import check_symmetry

from simulators.atomistic.symmetric import WITHIN_ANGSTROM, on_its_symmetry


def operations(atoms: Any, within: float = 1e-9) -> int:
    return len(check_symmetry(atoms, symprec=within).rotations)


def wurtzite(digits: int) -> Any:
    """Zinc oxide, of which a text has the fractions to so many digits."""
    made: Any = bulk("ZnO", "wurtzite", a=3.25, c=5.2)
    made.set_scaled_positions(np.round(made.get_scaled_positions(), digits))
    return made


@pytest.mark.parametrize("digits", [4, 6, 8])
def test_fractions_of_few_digits_leave_the_symmetry_whole(digits: int) -> None:
    rounded = wurtzite(digits)
    assert operations(rounded) < 12
    ideal = on_its_symmetry(rounded)
    assert operations(ideal) == 12
    assert abs(ideal.positions - rounded.positions).max() < WITHIN_ANGSTROM


@pytest.mark.parametrize("structure", ["L1_0", "diamond", "four cells"])
def test_noise_of_a_relaxation_leaves_the_symmetry_whole(structure: str) -> None:
    exact: Any = {
        "L1_0": Atoms("CuPt", [(0, 0, 0), (1.9, 1.9, 1.8)], cell=(3.8, 3.8, 3.6), pbc=True),
        "diamond": bulk("Si"),
        "four cells": bulk("NaCl", "rocksalt", a=5.6).repeat((2, 2, 1)),
    }[structure]
    exact.rotate(33.0, (1, 2, 3), rotate_cell=True)
    noisy, random = exact.copy(), np.random.default_rng(1)
    noisy.set_cell(exact.cell + random.uniform(-1e-5, 1e-5, (3, 3)))
    noisy.positions += random.uniform(-1e-5, 1e-5, exact.positions.shape)
    assert operations(noisy) < operations(exact, 1e-6)
    ideal = on_its_symmetry(noisy)
    assert operations(ideal) == operations(exact, 1e-6)
    assert abs(ideal.cell.array - noisy.cell.array).max() < 1e-4
    assert abs(ideal.positions - noisy.positions).max() < 1e-4


def test_what_somebody_moved_or_strained_stays_as_it_is() -> None:
    displaced = bulk("Si")
    displaced.positions[1, 0] += 0.002
    strained: Any = bulk("Cu")
    strained.set_cell(strained.cell.array @ np.diag([1.002, 1.0, 1.0]), scale_atoms=True)
    for given in (displaced, strained, molecule("H2O")):
        found = on_its_symmetry(given)
        assert np.allclose(found.positions, given.positions, atol=1e-12)
        assert np.allclose(found.cell.array, given.cell.array, atol=1e-12)


def test_moments_charges_and_what_is_held_go_along() -> None:
    slab: Any = fcc111("Cu", (1, 1, 3), a=3.6, vacuum=6.0)
    slab.positions[:, 0] += (0.0, 1e-5, -1e-5)
    slab.set_constraint(FixAtoms([0, 1]))
    slab.set_initial_magnetic_moments([1.0, -1.0, 1.0])
    found = on_its_symmetry(slab)
    assert list(found.constraints[0].index) == [0, 1]
    assert list(found.get_initial_magnetic_moments()) == [1.0, -1.0, 1.0]
    assert list(found.pbc) == [True, True, False]
    assert operations(found) > operations(slab)
