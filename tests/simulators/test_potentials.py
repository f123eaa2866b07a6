"""What learned potentials have never seen is told, and what they cannot take is given otherwise."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import fcc111, molecule
from structure_kinds import asked, calculator

from orchestrator.errors import InputError
from simulators.atomistic.structures import text_of

needs_chgnet = pytest.mark.skipif(
    importlib.util.find_spec("chgnet") is None, reason="needs chgnet (the extra 'potentials')"
)
PACKAGES = {"chgnet": "chgnet", "sevennet": "sevenn"}


def crystal_of(element: str) -> str:
    return text_of(Atoms(element, cell=[3.4] * 3, pbc=True))


@pytest.mark.parametrize("kind", PACKAGES)
@pytest.mark.parametrize("element", ["Po", "Ra", "Cm"])
def test_elements_that_a_potential_never_saw_are_refused(
    kind: str, element: str, tmp_path: Path
) -> None:
    if importlib.util.find_spec(PACKAGES[kind]) is None:
        pytest.skip(f"needs {PACKAGES[kind]} (the extra 'potentials')")
    with calculator(tmp_path, kind) as resource:
        resource.check("energy", {"structure": crystal_of("Pu")})
        with pytest.raises(InputError, match=f"'{element}' is not an? element of calc"):
            resource.check("energy", {"structure": crystal_of(element)})


@needs_chgnet
def test_a_model_of_fewer_elements_says_which_it_does_not_know(tmp_path: Path) -> None:
    with calculator(tmp_path, "chgnet") as resource:
        resource.check("energy", {"structure": crystal_of("Yb")})
    with (
        calculator(tmp_path, "chgnet", model="r2scan") as resource,
        pytest.raises(InputError, match="the model r2scan of 'calc' knows no Yb"),
    ):
        resource.check("energy", {"structure": crystal_of("Yb")})


@pytest.mark.slow
@needs_chgnet
def test_chgnet_computes_what_brings_no_cell_as_in_a_large_one(tmp_path: Path) -> None:
    water, slab = molecule("H2O"), fcc111("Cu", (1, 1, 3))
    slab.info.clear()
    for bare in (water, slab):
        boxed = bare.copy()
        boxed.center(vacuum=9.0, axis=[axis for axis in range(3) if not bare.pbc[axis]])
        found = [
            asyncio.run(asked(tmp_path / f"{bare.symbols}-{n}", "chgnet", "energy", text_of(atoms)))
            for n, atoms in enumerate((bare, boxed))
        ]
        assert found[0].energy == pytest.approx(found[1].energy, abs=1e-4)
