"""Structures that bring magnetic moments: what stands beside them has a spin, too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk, molecule
from ase.io import write
from dft_play import espresso, needs_pw

from orchestrator.errors import InputError
from orchestrator.ports.action import Ticket
from simulators.atomistic.dft_settings import start_moments
from simulators.atomistic.structures import atoms_of, text_of

IRON = text_of(bulk("Fe"))  # ASE gives it 2.3 Bohr magnetons


def relaxed_texts(resource: Any) -> dict[str, str]:
    """What the resource is asked to relax from now on, by the part's name; all energies are 0."""
    asked: dict[str, str] = {}

    async def relax(structure: str, ticket: Ticket, **_: bool) -> Mapping[str, Any]:
        asked[str(ticket).partition("-")[2]] = structure
        n = len(atoms_of(structure))
        known = {"energy": 0.0, "volume": 1.0, "atoms": n, "structure": structure}
        return {**known, "seconds": 0.0, "reused": 0, "cures": "", "altered": 0, "matched": ""}

    resource._relaxed = relax
    return asked


def started(text: str, moments: Mapping[str, float]) -> list[float]:
    """The moments with which a structure is computed."""
    atoms = atoms_of(text)
    start_moments(atoms, moments, "ferromagnetic")
    return [float(moment) for moment in atoms.get_initial_magnetic_moments()]


@needs_pw
@pytest.mark.parametrize("moments", ["", "Ni=0.6", "Fe=2.2"])
def test_iron_with_a_moment_of_its_own_has_a_reference_with_one(
    moments: str, tmp_path: Path
) -> None:
    with espresso(tmp_path, moments=moments) as resource:
        asked = relaxed_texts(resource)
        asyncio.run(resource.formation_energy(structure=IRON, ticket=Ticket("t")))
        said = resource._settings["moments"]
    assert set(asked) == {"compound", "Fe"}
    assert all(any(started(text, said)) for text in asked.values())
    bare = atoms_of(IRON)
    bare.set_initial_magnetic_moments([0.0])
    with espresso(tmp_path) as resource:
        asked = relaxed_texts(resource)
        asyncio.run(resource.formation_energy(structure=text_of(bare), ticket=Ticket("t")))
    assert not any(any(started(text, {})) for text in asked.values())


@needs_pw
def test_a_slab_keeps_its_spin_under_an_adsorbate_that_brings_one(tmp_path: Path) -> None:
    bare = atoms_of(IRON)
    bare.set_initial_magnetic_moments([0.0])
    told = {"adsorbate": "OH", "facet": "110", "layers": 2, "separation": 2.0}
    with espresso(tmp_path, moments="Fe=2.2") as resource:
        asked = relaxed_texts(resource)
        asyncio.run(resource.adsorption_energy(structure=text_of(bare), ticket=Ticket("t"), **told))
    slab, covered = (started(asked[name], {"Fe": 2.2}) for name in ("slab", "covered"))
    assert set(slab) == {2.2}
    assert covered[: len(slab)] == slab
    assert covered[len(slab) :] == list(molecule("OH").get_initial_magnetic_moments())


@needs_pw
def test_an_entry_of_a_hull_without_spin_is_refused_beside_a_candidate_with_one(
    tmp_path: Path,
) -> None:
    entries, own = tmp_path / "bare.extxyz", tmp_path / "own.extxyz"
    write(own, bulk("Fe"))
    bare = bulk("Fe")
    bare.arrays.pop("initial_magmoms")
    write(entries, bare)
    said = {"structure": IRON, "entries": str(entries)}
    with espresso(tmp_path) as resource:
        with pytest.raises(InputError, match=r"moments of Fe, and the entry .* has none") as caught:
            resource.check("energy_above_hull", said)
        assert "`moments: Fe=...`" in caught.value.hint
        with pytest.raises(InputError, match="without spin"):
            asyncio.run(resource.energy_above_hull(**said, ticket=Ticket("t")))
        resource.check("energy_above_hull", {**said, "entries": str(own)})
    with espresso(tmp_path, moments="Fe=2.2") as resource:
        resource.check("energy_above_hull", said)


@needs_pw
def test_a_molecule_of_an_odd_number_of_electrons_without_a_moment_is_remarked_upon(
    tmp_path: Path,
) -> None:
    bare = molecule("NO")
    bare.arrays.pop("initial_magmoms")
    with espresso(tmp_path) as resource:
        for atoms in (molecule("NO"), molecule("N2")):
            resource.check("energy", {"structure": text_of(atoms)})
        assert resource.remarks() == []
        resource.check("energy", {"structure": text_of(bare)})
        [said] = resource.remarks()
    assert "computes NO without spin, of which each has an odd number of electrons" in said
    with espresso(tmp_path, moments="N=1") as resource:
        resource.check("energy", {"structure": text_of(bare)})
        assert resource.remarks() == []
