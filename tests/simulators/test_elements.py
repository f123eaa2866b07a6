"""The reference structures of the elements: neighbours, bond lengths, densities."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_masses, atomic_numbers
from ase.neighborlist import neighbor_list

from orchestrator.errors import InputError
from simulators.atomistic.computing import run
from simulators.atomistic.elements import element_text, moment_beside
from simulators.atomistic.structures import atoms_of, text_of

G_PER_CM3 = 1.66054
"""Of one unit of mass per cubic angstrom."""


@pytest.mark.parametrize(
    ("element", "n_atoms", "within", "neighbours", "shortest", "density"),
    [
        ("B", 12, 1.95, {5, 6}, 1.71, 2.46),
        ("P", 4, 2.5, {3}, 2.22, 2.69),
        ("S", 32, 2.3, {2}, 2.04, 2.07),
        ("Mn", 29, 3.0, {12, 13, 16}, 2.26, 7.47),
        ("Ga", 4, 2.6, {1}, 2.48, 5.91),
        ("Se", 3, 2.6, {2}, 2.37, 4.81),
        ("Br", 4, 2.6, {1}, 2.27, 4.05),
        ("Te", 3, 3.0, {2}, 2.84, 6.24),
        ("I", 4, 3.0, {1}, 2.73, 4.94),
        ("Pa", 1, 3.3, {10}, 3.21, 15.4),
    ],
)
def test_an_element_of_several_sites_has_the_bonds_and_the_density_of_handbooks(
    element: str, n_atoms: int, within: float, neighbours: set[int], shortest: float, density: float
) -> None:
    atoms = atoms_of(element_text(element))
    first, distances = neighbor_list("id", atoms, within)
    assert len(atoms) == n_atoms
    assert set(np.bincount(first, minlength=n_atoms)) == neighbours
    assert distances.min() == pytest.approx(shortest, abs=0.01)
    mass = n_atoms * atomic_masses[atomic_numbers[element]]
    assert mass / atoms.get_volume() * G_PER_CM3 == pytest.approx(density, rel=0.02)


@pytest.mark.parametrize(("element", "bond"), [("O", 1.21), ("F", 1.42), ("Cl", 1.99), ("N", 1.10)])
def test_a_gas_is_a_molecule_alone(element: str, bond: float) -> None:
    atoms = atoms_of(element_text(element))
    assert not atoms.pbc.any()
    assert atoms.get_distance(0, 1) == pytest.approx(bond, abs=0.01)


@pytest.mark.parametrize("element", ["Fe", "Co", "Ni", "Cu", "Mn"])
def test_the_reference_of_a_metal_brings_no_spin_of_its_own(element: str) -> None:
    assert not atoms_of(element_text(element)).get_initial_magnetic_moments().any()


def magnetic(symbols: str, moments: list[float]) -> Any:
    atoms = Atoms(symbols, cell=[9.0] * 3, pbc=True)
    atoms.set_initial_magnetic_moments(moments)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "element", "said", "moment"),
    [
        (bulk("Fe"), "Fe", {}, 2.3),
        (bulk("Fe"), "Fe", {"Ni": 0.6}, 2.3),
        (bulk("Fe"), "Fe", {"Fe": 2.2}, 0.0),  # the lab file gives it one
        (magnetic("FeCo", [2.0, 0.0]), "Co", {}, 1.2),
        (magnetic("MnAl", [-2.6, 0.0]), "Mn", {}, 3.0),
        (magnetic("MnAl", [0.2, 0.0]), "Mn", {}, 1.0),
        (magnetic("MnAl", [2.6, 0.0]), "Al", {}, 0.0),
        (magnetic("FeCo", [0.0, 0.0]), "Co", {"Fe": 2.2}, 1.2),
        (magnetic("FeCo", [0.0, 0.0]), "Co", {"Fe": 2.2, "Co": 0.0}, 0.0),
        (magnetic("FeCo", [0.0, 0.0]), "Co", {}, 0.0),
    ],
)
def test_an_element_has_a_spin_where_the_structure_beside_it_has_one(
    atoms: Any, element: str, said: dict[str, float], moment: float
) -> None:
    assert moment_beside(atoms, element, said) == moment
    beside = atoms_of(element_text(element, moment))
    assert set(beside.get_initial_magnetic_moments()) == {moment}


def test_an_element_that_nobody_has_described_is_said_to_have_no_reference() -> None:
    with pytest.raises(InputError, match="no reference structure of Pm"):
        element_text("Pm")


@pytest.mark.skipif(
    importlib.util.find_spec("sevenn") is None, reason="needs sevenn (the extra 'potentials')"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("formula", "crystal", "constant", "measured"),
    [
        ("NaCl", "rocksalt", 5.64, -2.13),
        ("ZnS", "zincblende", 5.41, -1.06),
        ("GaAs", "zincblende", 5.65, -0.37),
        ("CsI", "cesiumchloride", 4.57, -1.80),
    ],
)
def test_a_learned_potential_has_formation_energies_near_those_of_calorimeters(
    formula: str, crystal: str, constant: float, measured: float
) -> None:
    def energy(text: str) -> float:
        maker = "simulators.atomistic.methods:sevennet"
        return float(run("energy", text, maker, {"model": "7net-0"})["energy"])

    compound = bulk(formula, crystal, a=constant)
    elements = [energy(element_text(symbol)) for symbol in compound.symbols]
    formed = energy(text_of(compound)) - sum(elements) / len(elements)
    assert formed == pytest.approx(measured, abs=0.35)
