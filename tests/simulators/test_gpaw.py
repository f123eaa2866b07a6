"""GPAW, where it is installed."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from structure_kinds import asked

from orchestrator.errors import CalculationFailed, InputError
from orchestrator.plugins import capability, resource_kind
from simulators.atomistic.gpaw_waves import of_layers
from simulators.atomistic.requests import Method
from simulators.atomistic.structures import text_of

IS_THERE = importlib.util.find_spec("gpaw") is not None
needs_gpaw = pytest.mark.skipif(not IS_THERE, reason="needs gpaw (the extra 'gpaw')")


def test_gpaw_does_what_the_capability_says() -> None:
    found = resource_kind("gpaw")
    assert found.implements == ("StructureCalculation",)
    for name, spec in capability("StructureCalculation").items():
        assert found.actions[name].results == spec.results
    assert found.options["cutoff"].unit == "eV"


def test_a_layer_is_never_given_what_was_computed_of_it_in_a_box() -> None:
    plain, layer = Method("gpaw", {}, {"gpaw": "26"}), fcc111("Cu", (1, 1, 3))
    assert of_layers(plain, layer).versions == {"gpaw": "26", "layers": "repeat"}
    layer.center(vacuum=6.0, axis=2)
    for atoms in (layer, bulk("Cu"), molecule("N2")):
        assert of_layers(plain, atoms) == plain


@pytest.mark.skipif(IS_THERE, reason="gpaw is installed")
def test_without_gpaw_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs gpaw, which is not installed") as caught:
        asyncio.run(asked(tmp_path, "gpaw", "energy", text_of(bulk("Si"))))
    assert "hagane[gpaw]" in caught.value.hint


@needs_gpaw
@pytest.mark.slow
@pytest.mark.parametrize(
    ("element", "options", "length", "modulus"),
    [
        # at 400 eV and k-density 3.5: 5.4757 and 88.7, 4.038 and 77.9
        ("Si", {"cutoff": 300.0, "k_density": 2.0}, 5.476, 88.7),
        ("Al", {"cutoff": 250.0, "k_density": 3.0}, 4.038, 77.9),
    ],
)
def test_elements_have_the_volume_and_stiffness_that_pbe_gives_them(
    tmp_path: Path, element: str, options: dict[str, Any], length: float, modulus: float
) -> None:
    """Cheaper than what the values are from, hence 0.015 angstrom and 5 GPa."""
    found = asyncio.run(
        asked(tmp_path, "gpaw", "equation_of_state", text_of(bulk(element)), options=options)
    )
    n = 8 if element == "Si" else 4
    assert (n * found.volume) ** (1 / 3) == pytest.approx(length, abs=0.015)
    assert found.bulk_modulus == pytest.approx(modulus, abs=5.0)


CHEAP: dict[str, Any] = {"cutoff": 250.0, "k_density": 1.0}


@needs_gpaw
@pytest.mark.slow
def test_iron_is_lower_with_its_moment_and_u_changes_it(tmp_path: Path) -> None:
    iron = text_of(
        Atoms("Fe", cell=[[-1.43, 1.43, 1.43], [1.43, -1.43, 1.43], [1.43, 1.43, -1.43]], pbc=True)
    )
    energies = [
        asyncio.run(asked(tmp_path, "gpaw", "energy", iron, options={**CHEAP, **more})).energy
        for more in ({}, {"moments": "Fe=2.2"}, {"moments": "Fe=2.2", "hubbard_u": "Fe=3 eV"})
    ]
    assert energies[1] < energies[0] - 0.1
    assert abs(energies[2] - energies[1]) > 0.5
    assert len(list((tmp_path / "results").glob("*/*.json"))) == 3, "each has a key of its own"


@needs_gpaw
@pytest.mark.slow
def test_electrons_that_do_not_converge_are_given_more_steps_and_the_record_says_so(
    tmp_path: Path,
) -> None:
    silicon, short = text_of(bulk("Si")), {**CHEAP, "max_iterations": 4}
    cured = asyncio.run(asked(tmp_path, "gpaw", "energy", silicon, options=short))
    assert cured.cures == "GPAW: not converged, more steps (maxiter 4 -> 200)"
    assert cured.altered == 0
    usual = asyncio.run(asked(tmp_path / "usual", "gpaw", "energy", silicon, options=CHEAP))
    assert usual.cures == ""
    assert cured.energy == pytest.approx(usual.energy, abs=1e-4)
    with pytest.raises(CalculationFailed, match="GPAW: not converged"):
        asyncio.run(asked(tmp_path, "gpaw", "energy", silicon, options={**short, "cures": "none"}))


@needs_gpaw
def test_what_gpaw_has_not_is_told_before_it_costs(tmp_path: Path) -> None:
    polonium = text_of(bulk("Po", "sc", a=3.3))
    with pytest.raises(InputError, match="GPAW has no PBE setup of Po"):
        asyncio.run(asked(tmp_path, "gpaw", "energy", polonium))
    with pytest.raises(InputError, match="'B3LYP' is not a functional"):
        asyncio.run(asked(tmp_path, "gpaw", "energy", polonium, options={"xc": "B3LYP"}))
    assert not (tmp_path / "a").exists()
