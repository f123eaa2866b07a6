"""One crystal in many cells, and many crystals of one formula."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms, FixCartesian
from ase.io import write
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.materials.descriptors.sameness import Primitive

RUTILE = 0.3056


def crystals() -> list[Any]:
    """Several structures of low and high symmetry."""
    oxygen = [(x, x, 0) for x in (RUTILE, -RUTILE)]
    oxygen += [(0.5 + RUTILE, 0.5 - RUTILE, 0.5), (0.5 - RUTILE, 0.5 + RUTILE, 0.5)]
    rutile = Atoms(
        "Ti2O4",
        scaled_positions=[(0, 0, 0), (0.5, 0.5, 0.5), *oxygen],
        cell=[4.59, 4.59, 2.96],
        pbc=True,
    )
    skew = Atoms(
        "CuPdAu2",
        scaled_positions=[(0, 0, 0), (0.4, 0.45, 0.52), (0.2, 0.7, 0.1), (0.8, 0.3, 0.65)],
        cell=[3.1, 4.2, 5.3, 81, 74, 98],
        pbc=True,
    )
    return [rutile, skew, bulk("Si"), bulk("NaCl", "rocksalt", a=5.64, cubic=True)]


def rewritten(atoms: Any, seed: int) -> Any:
    """In a supercell, turned, moved, in another order."""
    rng = np.random.default_rng(seed)
    found = atoms * tuple(rng.permutation([1, 1, 2]))
    found.rotate(float(rng.uniform(0, 360)), rng.normal(size=3), rotate_cell=True)
    found.positions += rng.uniform(-3, 3, 3)
    return found[rng.permutation(len(found))]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 3), st.integers(0, 10_000))
def test_another_cell_order_place_and_turn_is_the_same_crystal(which: int, seed: int) -> None:
    atoms = crystals()[which]
    assert Primitive.of(atoms).is_same(Primitive.of(rewritten(atoms, seed)))


def test_a_rounded_text_is_the_same_crystal_and_a_moved_atom_is_another_one() -> None:
    for atoms in crystals():
        out = io.BytesIO()
        write(out, atoms, format="cif")
        rounded = atoms.copy()
        rounded.set_scaled_positions(atoms.get_scaled_positions().round(3))
        assert Primitive.of(atoms).is_same(Primitive.of(rounded))
        moved = rewritten(atoms, 1)
        moved.positions[0] += (0.1, 0, 0)
        assert not Primitive.of(atoms).is_same(Primitive.of(moved))
        strained = atoms.copy()
        strained.set_cell(atoms.cell * 1.01, scale_atoms=True)
        assert not Primitive.of(atoms).is_same(Primitive.of(strained))


def test_left_and_right_are_two_and_elements_count() -> None:
    _, skew, silicon, _ = crystals()
    mirrored = skew.copy()
    mirrored.set_cell(skew.cell @ np.diag([1, 1, -1]), scale_atoms=True)
    assert not Primitive.of(skew).is_same(Primitive.of(mirrored))
    germanium = silicon.copy()
    germanium.symbols[:] = "Ge"
    assert not Primitive.of(silicon).is_same(Primitive.of(germanium))


MOMENTS = [[2.0, 2.0], [2.0, -2.0], [0.5, 0.5], [0.0, 0.0]]


def of_iron(moments: list[float]) -> Any:
    """Iron in a cell of two."""
    iron = bulk("Fe", cubic=True)
    iron.set_initial_magnetic_moments(moments)
    return iron


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("second", range(4))
def test_two_magnetic_orders_of_a_crystal_are_two(first: int, second: int) -> None:
    one, other = of_iron(MOMENTS[first]), rewritten(of_iron(MOMENTS[second]), 3)
    assert Primitive.of(one).is_same(Primitive.of(other)) is (first == second)


def test_moments_may_be_turned_round_at_once_and_charges_may_not() -> None:
    chain = bulk("NiO", "rocksalt", a=4.17) * (1, 1, 4)
    nickel = chain.symbols == "Ni"
    orders = [[1.5, 1.5, -1.5, 0.5], [-1.5, -1.5, 1.5, -0.5], [1.5, -1.5, 1.5, 0.5]]
    made = []
    for order in orders:
        moments = np.zeros(len(chain))
        moments[nickel] = order
        chain.set_initial_magnetic_moments(moments)
        made.append(Primitive.of(rewritten(chain, len(made))))
    assert made[0].is_same(made[1])
    assert not made[0].is_same(made[2])
    salt, ions = bulk("NaCl", "rocksalt", a=5.64), bulk("NaCl", "rocksalt", a=5.64)
    ions.set_initial_charges([1.0, -1.0])
    assert not Primitive.of(salt).is_same(Primitive.of(ions))
    assert Primitive.of(ions).is_same(Primitive.of(rewritten(ions, 4)))
    turned = ions.copy()
    turned.set_initial_charges([-1.0, 1.0])
    assert not Primitive.of(ions).is_same(Primitive.of(turned))


def test_it_agrees_with_pymatgen() -> None:
    matching = pytest.importorskip("pymatgen.analysis.structure_matcher", reason="needs pymatgen")
    from pymatgen.io.ase import AseAtomsAdaptor

    matcher = matching.StructureMatcher(ltol=0.002, stol=0.01, angle_tol=0.2, scale=False)
    atoms = crystals()
    pairs = [(one, rewritten(one, 3)) for one in atoms]
    pairs += [(one, other) for one in atoms for other in atoms]
    for one, other in pairs:
        theirs = matcher.fit(*map(AseAtomsAdaptor.get_structure, (one, other)))
        assert Primitive.of(one).is_same(Primitive.of(other)) == theirs


def test_a_cell_of_ten_thousand_atoms_is_made_primitive_and_compared() -> None:
    """It never came to an end when each shift was tried on all pairs of atoms."""
    large = bulk("Si", cubic=True) * (10, 10, 13)
    assert len(Primitive.of(large).numbers) == 2
    assert Primitive.of(large).is_same(Primitive.of(bulk("Si")))
    vacancy = large.copy()
    del vacancy[17]
    assert len(Primitive.of(vacancy).numbers) == len(vacancy)
    rattled = large.copy()
    rattled.rattle(0.05, seed=1)
    again = rattled[np.random.default_rng(0).permutation(len(rattled))]
    assert Primitive.of(rattled).is_same(Primitive.of(again))
    assert not Primitive.of(rattled).is_same(Primitive.of(large))


@pytest.mark.parametrize("seed", range(5))
def test_a_supercell_that_is_a_little_off_is_made_primitive(seed: int) -> None:
    """Shifts are taken as parts of the cell, not from atom to atom with the errors of both."""
    large = bulk("NaCl", "rocksalt", a=5.64) * (2, 3, 2)
    large.rattle(0.002, seed=seed)
    assert len(Primitive.of(large).numbers) == 2


def test_a_crystal_some_of_whose_atoms_are_held_is_another_one() -> None:
    """Its atoms come to rest elsewhere."""
    silicon, held, along = bulk("Si"), bulk("Si"), bulk("Si")
    held.set_constraint(FixAtoms([0]))
    along.set_constraint(FixCartesian([0], (True, False, False)))
    three = [Primitive.of(each) for each in (silicon, held, along)]
    assert [[a.is_same(b) for a in three] for b in three] == np.eye(3, dtype=bool).tolist()
    other = bulk("Si")[[1, 0]]
    other.set_constraint(FixAtoms([1]))
    assert three[1].is_same(Primitive.of(other))
