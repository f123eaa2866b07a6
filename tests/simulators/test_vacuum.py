"""Cells with a vacuum: what of them is relaxed, and where they cost more than they are worth."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms
from structure_kinds import asked, calculator

from orchestrator.errors import InputError
from orchestrator.ports.action import Ticket
from simulators.atomistic import gpaw_scf
from simulators.atomistic.contents import Contents
from simulators.atomistic.requests import Method, Request
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.vacuum import gaps_of

WITH_ITS_VACUUM, CRYSTAL = "564952265c65e02a", "ddd8cbecbd6948a7"
"""How keys began when cells relaxed across a vacuum, too."""


OF_GPAW = {
    **{"cutoff": 300.0, "xc": "PBE", "mesh": (1, 1, 1), "smearing": "gaussian", "width_ev": 0.1},
    **{"moments": {}, "magnetic_order": "ferromagnetic", "hubbard_u": {}, "max_iterations": 9},
    "cures": "all",
}


def film() -> Any:
    """Four layers of copper and 16 angstrom of vacuum, as a POSCAR has them: with a period."""
    made: Any = fcc111("Cu", (1, 1, 4), a=3.59, vacuum=8.0)
    made.pbc = True
    made.info.clear()
    made.rattle(0.02, seed=1)
    return made


def relaxed(folder: Path, atoms: Any) -> Any:
    return atoms_of(asyncio.run(asked(folder, "emt-structures", "relax", text_of(atoms))).structure)


def test_a_film_relaxes_within_its_plane_and_keeps_its_vacuum(tmp_path: Path) -> None:
    before = film()
    after = relaxed(tmp_path, before)
    assert after.cell[2] == pytest.approx(before.cell[2], abs=1e-6)
    assert after.cell.lengths()[:2] == pytest.approx([2.533, 2.533], abs=0.003)
    assert before.cell.lengths()[0] == pytest.approx(2.5385, abs=1e-3)


def test_a_film_may_lie_in_any_direction(tmp_path: Path) -> None:
    turned = film()
    turned.rotate(37.0, (1, 2, 3), rotate_cell=True)
    turned.set_cell(turned.cell.array[[2, 0, 1]])
    after = relaxed(tmp_path, turned)
    assert after.cell.lengths()[0] == pytest.approx(22.218, abs=1e-3)
    assert after.cell.lengths()[1:] == pytest.approx([2.533, 2.533], abs=0.003)
    normal = np.cross(turned.cell[1], turned.cell[2])
    assert np.cross(after.cell[1], after.cell[2]) @ normal == pytest.approx(
        np.linalg.norm(np.cross(after.cell[1], after.cell[2])) * np.linalg.norm(normal)
    )


def test_a_film_whose_lower_atoms_are_fixed_keeps_its_cell(tmp_path: Path) -> None:
    held = film()
    held.set_constraint(FixAtoms([0, 1]))
    after = relaxed(tmp_path, held)
    assert after.cell.array == pytest.approx(held.cell.array, abs=1e-6)
    assert after.positions[:2] == pytest.approx(held.positions[:2], abs=1e-6)
    assert np.abs(after.positions[2:] - held.positions[2:]).max() > 0.005


def test_a_molecule_in_a_box_moves_its_atoms_alone(tmp_path: Path) -> None:
    water: Any = molecule("H2O", vacuum=5.0, pbc=True)
    after = relaxed(tmp_path, water)
    assert after.cell.array == pytest.approx(water.cell.array, abs=1e-6)
    assert np.abs(after.positions - water.positions).max() > 0.01


def test_the_layers_of_a_crystal_are_no_vacuum(tmp_path: Path) -> None:
    graphite = Atoms("C2", cell=[2.46, 2.46, 6.7, 90, 90, 120], pbc=True)
    graphite.set_scaled_positions([[0, 0, 0], [1 / 3, 2 / 3, 0.5]])
    assert gaps_of(graphite)[2] == pytest.approx(3.35)
    skew: Any = bulk("Cu", a=3.6)
    skew.set_cell(np.array([[1, 0, 0], [5, 1, 0], [0, 3, 1]]) @ skew.cell.array)
    assert max(gaps_of(skew)) < 2.5
    assert gaps_of(molecule("H2O")) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("action", ["equation_of_state", "elastic_constants"])
@pytest.mark.parametrize(
    ("atoms", "said"),
    [(film(), "Cu4 has a vacuum of 16 angstrom"), (molecule("H2O"), "H2O has no period")],
    ids=["film", "molecule"],
)
def test_what_only_a_crystal_has_is_refused_before_it_is_computed(
    tmp_path: Path, action: str, atoms: Any, said: str
) -> None:
    whole = f"{said} and is no crystal"
    with (
        calculator(tmp_path, "emt-structures") as resource,
        pytest.raises(InputError, match=whole),
    ):
        resource.check(action, {"structure": text_of(atoms)})


def test_a_slab_of_ones_own_has_no_facets_to_cut(tmp_path: Path) -> None:
    """It is relaxed with and without the adsorbate. A slab of slabs was computed."""
    with_oxygen = {"structure": text_of(film()), "adsorbate": "O", "facet": "100"}
    with calculator(tmp_path, "emt-structures") as resource:
        with pytest.raises(InputError, match=r"Cu4 has a vacuum of 16 ang.* and is no cry") as told:
            resource.check("adsorption_energy", with_oxygen)
        assert "with and without the adsorbate" in told.value.hint
        with pytest.raises(InputError, match="is no crystal, which adsorption_energy is of"):
            asyncio.run(resource.adsorption_energy(**with_oxygen, ticket=Ticket("t")))


def test_that_a_vacuum_stays_is_said_before_anything_is_relaxed(tmp_path: Path) -> None:
    with calculator(tmp_path, "emt-structures") as resource:
        resource.check("energy", {"structure": text_of(film())})
        assert resource.remarks() == []
        resource.check("relax", {"structure": text_of(film())})
        resource.check("relax", {"structure": text_of(bulk("Cu"))})
        (said,) = resource.remarks()
    assert said.startswith("relaxing leaves the cell of Cu4 as it is across its vacuum")


def test_a_film_whose_vacuum_was_relaxed_is_another_result() -> None:
    def request(atoms: Any) -> Request:
        return Request("relax", text_of(atoms), Method("m:emt", {}, {"ase": "3"}), {})

    layer, crystal = (Atoms("Cu", cell=[2.5, 2.5, c], pbc=True) for c in (20.0, 2.5))
    assert not request(layer).key().startswith(WITH_ITS_VACUUM)
    assert request(crystal).key().startswith(CRYSTAL)
    assert request(crystal).kind()
    assert request(layer).kind() == ""


@pytest.mark.skipif(not shutil.which("pw.x"), reason="needs Debian's quantum-espresso")
def test_a_cell_of_nothing_but_vacuum_is_refused_before_it_costs(tmp_path: Path) -> None:
    box: Any = molecule("H2", vacuum=6.0, pbc=True)
    huge: Any = molecule("H2", vacuum=25.0, pbc=True)
    with calculator(tmp_path, "espresso", ecutwfc=400.0) as resource:
        resource.check("energy", {"structure": text_of(box)})
        with pytest.raises(InputError) as refused:
            resource.check("energy", {"structure": text_of(huge)})
    assert "the cell of H2 has 126,843 cubic angstrom" in str(refused.value)
    assert "plane waves up to 400 eV" in str(refused.value)


@pytest.mark.skipif(not shutil.which("pw.x"), reason="needs Debian's quantum-espresso")
def test_a_cell_that_is_left_away_costs_nothing(tmp_path: Path) -> None:
    """A molecule stands in a box of its own in pw.x, whatever cell it brings without a period."""
    wide: Any = molecule("H2", vacuum=25.0)
    slab: Any = fcc111("Cu", (6, 6, 4))
    slab.info.clear()
    with calculator(tmp_path, "espresso", ecutwfc=400.0) as resource:
        resource.check("energy", {"structure": text_of(wide)})
        resource.check("energy", {"structure": text_of(slab)})


def test_a_layer_without_a_third_vector_keeps_the_two_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer: Any = fcc111("Cu", (2, 2, 3))
    computed: list[Any] = []

    def run(_: gpaw_scf.Gpaw, atoms: Any, *rest: Any) -> dict[str, float]:
        computed.append(atoms)
        return {"energy": 0.0}

    monkeypatch.setattr(gpaw_scf.Gpaw, "_run", run)
    monkeypatch.chdir(tmp_path)
    gpaw_scf.gpaw(layer, **OF_GPAW).calculate(layer)
    (told,) = computed
    assert told.cell.array[:2] == pytest.approx(layer.cell.array[:2])
    assert told.cell.volume == pytest.approx(Contents.of(layer).volume)
