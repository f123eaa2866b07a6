"""Structures that are symmetric but for their digits, as plane waves are given them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms
from ase.spacegroup.symmetrize import check_symmetry
from dft_play import needs_pw
from structure_kinds import asked, calculator

from orchestrator.clock import WallClock
from orchestrator.errors import InputError
from orchestrator.executor.known import KnownResults
from orchestrator.executor.local import LocalCompute
from orchestrator.ports.action import Ticket
from orchestrator.ports.resource import Bench
from simulators.atomistic.calculators import EmtStructures, StructureCalculator
from simulators.atomistic.contents import Contents
from simulators.atomistic.met import Met
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.symmetric import (
    WITHIN_ANGSTROM,
    on_its_symmetry,
    primitive_text,
    refuse_cell,
)


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


def test_a_primitive_cell_is_the_same_crystal_turned_as_it_was() -> None:
    for given, n in (
        (bulk("Cu", cubic=True), 1),
        (bulk("NaCl", "rocksalt", a=5.6, cubic=True), 2),
        (bulk("Si", cubic=True).repeat((2, 1, 1)), 2),
    ):
        given.rotate(20.0, (1, 2, 3), rotate_cell=True)
        found = atoms_of(primitive_text(text_of(given)))
        assert len(found) == n
        vectors = np.linalg.solve(found.cell.array.T, given.cell.array.T)
        assert vectors == pytest.approx(np.round(vectors), abs=1e-6)
        for place, number in zip(found.positions, found.numbers, strict=True):
            apart = np.linalg.solve(given.cell.array.T, (given.positions - place).T).T
            is_there = np.abs(apart - np.round(apart)).max(axis=1) < 1e-6
            assert given.numbers[is_there].tolist() == [number]


def test_what_has_moments_or_is_no_crystal_stays_in_its_cell() -> None:
    magnetic, held = bulk("Fe", cubic=True), bulk("Cu", cubic=True)
    magnetic.set_initial_magnetic_moments([2.0, -2.0])
    held.set_constraint(FixAtoms([0]))
    slab = fcc111("Cu", (2, 2, 2), vacuum=6.0, periodic=True)
    slab.info.clear()
    for given in (magnetic, held, slab, molecule("H2O"), bulk("Si")):
        assert primitive_text(text_of(given)) == text_of(given)


class Primitive(EmtStructures):
    """Effective medium theory in primitive cells, which saves it nothing."""

    def __init__(self, bench: Bench) -> None:
        StructureCalculator.__init__(self, bench, {}, [], cell="primitive")


def test_a_facet_is_of_the_cell_that_is_given(tmp_path: Path) -> None:
    """The (111) of an L1_0 alloy in four atoms is a (101) of its primitive cell."""
    sites = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    given = text_of(
        Atoms("Cu2Au2", scaled_positions=sites, cell=[3.96, 3.96, 3.67], pbc=True),
    )
    assert len(atoms_of(primitive_text(given))) == 2
    where = {"adsorbate": "H", "facet": "111", "layers": 2, "separation": 0.0}

    async def computed() -> Any:
        clock = WallClock()
        compute = LocalCompute(tmp_path / "a", clock, results=KnownResults(tmp_path / "results"))
        try:
            resource = Primitive(Bench(name="calc", clock=clock, compute=compute))
            return await resource.adsorption_energy(structure=given, ticket=Ticket("t"), **where)
        finally:
            compute.close()

    assert asyncio.run(computed()).atoms == 9


def test_what_is_said_of_the_cell_that_is_given_is_refused_beside_primitive_ones() -> None:
    """A charge of four cells would be that of one."""
    for settings, said in (
        ({"input": {"system.tot_charge": 1}}, "tot_charge"),
        ({"input": {"nelect": 31}}, "nelect"),
        ({"magnetic_order": "antiferromagnetic"}, "magnetic_order: antiferromagnetic"),
    ):
        with pytest.raises(InputError, match=f"'dft' has `cell: primitive` beside `{said}`"):
            refuse_cell("dft", "primitive", settings)
        refuse_cell("dft", "given", settings)
    refuse_cell("dft", "primitive", {"input": {"system.tot_charge": 0}})


def test_check_names_larger_cells_where_primitive_ones_would_be_the_same() -> None:
    met, settings = Met(), {"k_density": 3.0}
    for edge in (5.4, 5.5, 5.6):
        cubic = bulk("Si", a=edge, cubic=True)
        met.add("relax", Contents.of(cubic), text_of(cubic))
    (said,) = met.remarks("dft", settings, "given")
    assert said.startswith("'dft' computes Si8 in a cell of 4 primitive ones (and 2 more likewise)")
    assert not met.remarks("dft", settings, "primitive")
    assert not met.remarks("dft", settings | {"input": {"system.tot_charge": 1}}, "given")
    facets = Met()
    facets.add("adsorption_energy", Contents.of(cubic), text_of(cubic))
    assert not facets.remarks("dft", settings, "given")


@needs_pw
def test_a_crystal_is_computed_in_its_primitive_cell_where_the_lab_says_so(tmp_path: Path) -> None:
    options = {"ecutwfc": 160.0, "k_density": 2.0}
    cubic = text_of(bulk("Si", cubic=True))
    with calculator(tmp_path, "espresso", **options) as resource:
        resource.check("energy", {"structure": text_of(bulk("Si"))})
        assert resource.remarks() == []
        resource.check("energy", {"structure": cubic})
        (said,) = resource.remarks()
        assert said.startswith("'calc' computes Si8 in a cell of 4 primitive ones, ")
    with calculator(tmp_path, "espresso", cell="primitive", **options) as resource:
        resource.check("energy", {"structure": cubic})
        assert resource.remarks() == []
    given = asyncio.run(asked(tmp_path, "espresso", "energy", cubic, options=options))
    options |= {"cell": "primitive"}
    found = asyncio.run(asked(tmp_path, "espresso", "energy", cubic, ticket="t2", options=options))
    assert (given.atoms, found.atoms) == (8, 2)
    assert found.energy == pytest.approx(given.energy, abs=0.02)
    again = asyncio.run(
        asked(
            tmp_path,
            "espresso",
            "energy",
            text_of(atoms_of(primitive_text(cubic))),
            ticket="t3",
            options=options,
        )
    )
    assert again.reused == 1, "the primitive cell is the same calculation"
