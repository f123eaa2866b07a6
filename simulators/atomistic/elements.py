"""The elements as formation energies count from them: their forms at room temperature.

Most are ASE's with its lattice constants. Those of more than one site, of which ASE knows only the
cell, are here [Donohue, The Structures of the Elements, 1974; Mehl et al., AFLOW Library of
Crystallographic Prototypes, Comput. Mater. Sci. 136 (2017) S1]; bromine is its crystal, of 250 K.
Carbon is ASE's diamond, 0.02 eV per atom above graphite, which functionals without dispersion do
not hold together.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import InputError
from simulators.atomistic.adsorption import gas_of
from simulators.atomistic.structures import text_of

BONDS = {"Cl": 1.988}
"""Gases that ASE has as crystals: bond lengths, angstrom [Huber and Herzberg 1979]."""


@dataclass(frozen=True)
class _Crystal:
    """Space group, its setting, edges (angstrom), angle gamma (degree), fractional sites."""

    group: int
    edges: tuple[float, float, float]
    sites: tuple[tuple[float, float, float], ...]
    gamma: float = 90.0
    setting: int = 1


_CRYSTALS = {
    "B": _Crystal(
        166,
        (4.908, 4.908, 12.567),
        ((-0.21563, -0.43126, 0.22603), (-0.13723, -0.27447, 0.35783)),
        120.0,
    ),
    "P": _Crystal(64, (3.3136, 10.478, 4.3763), ((0.0, 0.10168, 0.08056),)),
    "S": _Crystal(
        70,
        (10.4646, 12.866, 24.486),
        (
            (0.14415, 0.04732, 0.0486),
            (0.29277, 0.2269, 0.25406),
            (0.21598, 0.28022, 0.32618),
            (0.21405, 0.15761, 0.37947),
        ),
        setting=2,
    ),
    "Mn": _Crystal(
        217,
        (8.911, 8.911, 8.911),
        (
            (0.0, 0.0, 0.0),
            (0.31787, 0.31787, 0.31787),
            (-0.08958, -0.08958, 0.28194),
            (0.64294, 0.64294, 0.03457),
        ),
    ),
    "Ga": _Crystal(64, (4.5192, 7.6586, 4.5258), ((0.0, 0.1549, 0.081),)),
    "Se": _Crystal(152, (4.366, 4.366, 4.954), ((0.2254, 0.0, 1.0 / 3.0),), 120.0),
    "Br": _Crystal(64, (6.67, 4.48, 8.72), ((0.0, 0.135, 0.11),)),
    "Te": _Crystal(152, (4.456, 4.456, 5.921), ((0.2636, 0.0, 1.0 / 3.0),), 120.0),
    "I": _Crystal(64, (7.27, 4.79, 9.79), ((0.0, 0.1543, 0.1174),)),
    "Pa": _Crystal(139, (3.92, 3.92, 3.234), ((0.0, 0.0, 0.0),)),
}


@functools.cache  # asked for every candidate that holds it
def element_text(element: str, moment: float = 0.0) -> str:
    """The structure of an element. The atoms of a crystal have `moment` (Bohr magnetons, see
    `moment_beside`); a molecule lies in a box without period, and oxygen's has the moments of its
    triplet.

    Raises:
        InputError: there is none of it.
    """
    from ase.build import bulk
    from ase.data import atomic_numbers, reference_states

    state: Any = reference_states[atomic_numbers[element]]
    bond = state["d"] if state and state["symmetry"] == "diatom" else BONDS.get(element)
    if bond is not None:
        return text_of(_molecule(element, bond))
    try:
        crystal = _crystal(element) if element in _CRYSTALS else bulk(element)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"there is no reference structure of {element}",
            hint="compute `energy_above_hull` from entries of your own",
        ) from error
    crystal.arrays.pop("initial_magmoms", None)  # of iron, cobalt and nickel
    if moment:
        crystal.set_initial_magnetic_moments([moment] * len(crystal))
    return text_of(crystal)


def moment_beside(atoms: Any, element: str, said: Mapping[str, float]) -> float:
    """What the atoms of an element's crystal begin with (Bohr magnetons), so that it has a spin
    where the structure beside it has one: the moment that ASE has of iron, cobalt and nickel, else
    the largest of that element in the structure, to a whole number. `said` are the moments of the
    lab file: an element that they name has its own from there."""
    import numpy as np
    from ase.data import atomic_numbers, reference_states

    symbols, moments = np.array(atoms.get_chemical_symbols()), atoms.get_initial_magnetic_moments()
    largest = float(np.abs(moments[symbols == element]).max(initial=0.0))
    has_spin = moments.any() or any(said.get(each) for each in symbols)
    if not has_spin or said.get(element) or (element in said and not largest):
        return 0.0
    state: Any = reference_states[atomic_numbers[element]] or {}
    return float(state.get("magmom_per_atom") or (largest and max(1, round(largest))))


def _molecule(element: str, bond: float) -> Any:
    from ase import Atoms

    pair: Any = Atoms(f"{element}2", [[0, 0, 0], [0, 0, bond]])
    if element == "O":
        pair.set_initial_magnetic_moments([1.0, 1.0])
    return gas_of(pair)


def _crystal(element: str) -> Any:
    from ase.spacegroup import crystal

    known = _CRYSTALS[element]
    made: Any = crystal(
        [element] * len(known.sites),
        known.sites,
        spacegroup=known.group,
        setting=known.setting,
        cellpar=(*known.edges, 90.0, 90.0, known.gamma),
        primitive_cell=True,
    )
    made.arrays.pop("spacegroup_kinds", None)
    made.info.clear()
    return made
