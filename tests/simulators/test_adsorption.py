"""Adsorbates on slabs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111, molecule
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.optimize import BFGS
from structure_kinds import asked, calculator

from orchestrator.errors import InputError
from orchestrator.ports.action import Ticket
from simulators.atomistic.adsorption import indices_of, place_of, slab_of
from simulators.atomistic.structures import text_of


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("111", (1, 1, 1)),
        ("(1-10)", (1, -1, 0)),
        ("1 -1 0", (1, -1, 0)),
        ("10 1 0", (10, 1, 0)),
        ("10-10", (1, 0, 0)),
        ("0001", (0, 0, 1)),
    ],
)
def test_facets_are_written_as_people_write_them(text: str, indices: tuple[int, ...]) -> None:
    assert indices_of(text) == indices


@pytest.mark.parametrize("text", ["", "000", "11", "1111", "abc", "1.0 1 1", "1 1"])
def test_what_is_no_facet_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no facet"):
        indices_of(text)


@pytest.mark.parametrize("facet", ["111", "100", "110"])
@pytest.mark.parametrize("lattice", ["fcc", "bcc"])
def test_a_facet_is_of_the_cube_in_whatever_cell_the_crystal_is_given(
    facet: str, lattice: str
) -> None:
    name = "Cu" if lattice == "fcc" else "Fe"
    small, large = (slab_of(bulk(name, cubic=cubic), facet, 3, 5.0) for cubic in (False, True))
    assert len(small) == len(large)
    assert small.cell.lengths() == pytest.approx(large.cell.lengths())
    spread = [float(np.ptp(slab.positions[:, 2])) for slab in (small, large)]
    assert spread[0] == pytest.approx(spread[1])
    assert list(small.pbc) == [True, True, False]


def test_a_hollow_is_the_fcc_site_of_a_close_packed_facet() -> None:
    slab = slab_of(bulk("Cu", a=3.6), "111", 4, 2.0)
    site = np.array(place_of(slab, "hollow"))
    apart = slab.positions[:, :2] - site
    shifts = [
        i * slab.cell[0, :2] + j * slab.cell[1, :2] for i in range(-2, 3) for j in range(-2, 3)
    ]
    flat = np.min([np.linalg.norm(apart + shift, axis=1) for shift in shifts], axis=0)
    levels = np.round((slab.positions[:, 2].max() - slab.positions[:, 2]) / (3.6 / 3**0.5))
    nearest = [flat[levels == level].min() for level in range(4)]
    side = 3.6 / 2**0.5 / 3**0.5
    assert nearest == pytest.approx([side, side, 0.0, side], abs=1e-3)
    bridge = np.array(place_of(slab, "bridge")) - slab.positions[levels == 0][:, :2]
    assert np.linalg.norm(bridge, axis=1).min() == pytest.approx(3.6 / 2**0.5 / 2, abs=1e-3)


def rest(atoms: Any) -> float:
    atoms.calc = EMT()
    BFGS(atoms, logfile=None).run(fmax=0.01)
    return float(atoms.get_potential_energy())


def test_oxygen_sits_as_deep_as_on_a_slab_that_ase_builds(tmp_path: Path) -> None:
    found = asyncio.run(
        asked(
            tmp_path,
            "emt-structures",
            "adsorption_energy",
            text_of(bulk("Cu", a=3.6)),
            adsorbate="O",
            facet="111",
            site="hollow",
            height=1.2,
        )
    )
    slab = fcc111("Cu", (2, 2, 4), a=3.590, vacuum=8.0)
    slab.set_constraint(FixAtoms([a.index for a in slab if a.tag > 2]))
    both = slab.copy()
    add_adsorbate(both, "O", 1.2, "fcc")
    gas = rest(molecule("O2")) / 2.0
    assert found.adsorption_energy == pytest.approx(rest(both) - rest(slab) - gas, abs=0.02)
    assert found.atoms == 17
    assert 0.5 < found.height < 1.6
    assert found.reused == 0


def test_slab_and_gas_are_computed_once_for_all_sites(tmp_path: Path) -> None:
    text = text_of(bulk("Pt", cubic=True))

    async def sites() -> list[Any]:
        with calculator(tmp_path, "emt-structures") as resource:
            return [
                await resource.adsorption_energy(
                    text, "CO", "100", Ticket(site), site=site, layers=2, separation=3.5
                )
                for site in ("ontop", "hollow")
            ]

    ontop, hollow = asyncio.run(sites())
    assert len(list((tmp_path / "results").glob("*/*.json"))) == 5
    assert ontop.adsorption_energy != pytest.approx(hollow.adsorption_energy, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"adsorbate": "COO"}, "'COO' is not an adsorbate"),
        ({"facet": "1"}, "'1' is no facet"),
        ({"adsorbate": "SO2"}, "'S' is not an element of calc"),
        ({"molecule": True}, "has no period and is no crystal"),
        ({"facet": "100", "layers": 20, "separation": 40.0}, "'calc' takes 10000 at most"),
    ],
)
def test_what_cannot_be_adsorbed_is_told_before_it_costs(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    crystal = Atoms("N2", [[0, 0, 0], [0, 0, 1.1]]) if "molecule" in changed else bulk("Cu")
    given = {"adsorbate": "CO", "facet": "111", **changed}
    given.pop("molecule", None)
    with (
        calculator(tmp_path, "emt-structures") as resource,
        pytest.raises(InputError, match=said),
    ):
        resource.check("adsorption_energy", {"structure": text_of(crystal), **given})
    with pytest.raises(InputError, match=said):
        asyncio.run(
            asked(tmp_path, "emt-structures", "adsorption_energy", text_of(crystal), **given)
        )
    assert not (tmp_path / "a").exists()
