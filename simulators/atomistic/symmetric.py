"""The symmetry that a structure has but for its digits: of a text that says 0.3333, and of what a
potential in single precision has relaxed."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import InputError
from simulators.atomistic.options import one_of
from simulators.atomistic.requests import said_of_cell
from simulators.atomistic.structures import atoms_of, text_of
from simulators.atomistic.vacuum import VACUUM, gaps_of

CELLS = ("given", "primitive")
"""Which cell of a crystal is computed."""

WITHIN_ANGSTROM = 5e-4
"""What atoms and vectors may be off: a microelectronvolt; strains and displacements that somebody
wants are ten times larger."""
MOST_ATOMS = 500
"""In larger cells there is little symmetry, and looking for it takes seconds."""


def on_its_symmetry(atoms: Any) -> Any:
    """A copy whose atoms and cell stand where the symmetry that they nearly have would have them;
    electrons cost as many times less as there are more operations [spglib: Togo et al. 2024,
    doi:10.1080/27660400.2024.2384822]. As given where there is none, or no period."""
    found = atoms.copy()
    if not atoms.pbc.any() or atoms.cell.rank < 3 or len(atoms) > MOST_ATOMS:
        return found
    import numpy as np
    from ase import Atoms
    from ase.spacegroup.symmetrize import get_symmetrized_atoms

    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)  # nothing held
    try:
        ideal, _ = get_symmetrized_atoms(bare, symprec=WITHIN_ANGSTROM, final_symprec=1e-6)
    except Exception:  # noqa: BLE001  spglib raises whatever it stumbles over
        return found
    moved = ideal.cell.array - atoms.cell.array, ideal.positions - atoms.positions
    if not all(np.abs(each).max() <= 2.0 * WITHIN_ANGSTROM for each in moved):
        return found
    found.set_cell(ideal.cell, apply_constraint=False)
    found.set_positions(ideal.positions, apply_constraint=False)
    return found


def refuse_cell(resource: str, cell: str, settings: Mapping[str, Any]) -> None:
    """Raises InputError: the settings of the resource of this name are of the cell that is given,
    and not of a primitive one; UnknownName: there is no such cell."""
    one_of("cell", cell, CELLS)
    if cell == "primitive" and (said := said_of_cell(settings)):
        raise InputError(
            f"'{resource}' has `cell: primitive` beside `{said[0]}`, which is said of the cell "
            "that is given",
            hint="leave one of them away",
        )


@functools.lru_cache(maxsize=256)
def primitive_text(structure: str) -> str:
    """The text of a crystal in its primitive cell, turned as it was given; the same text where
    that is no smaller, and of what is no crystal, or has moments, charges, or atoms that are held.

    Raises:
        InputError: it is no structure; see `structures.atoms_of`.
    """
    import numpy as np
    from ase import Atoms
    from ase.utils import spglib_new_errorhandling

    atoms = atoms_of(structure)
    is_marked = atoms.get_initial_magnetic_moments().any() or atoms.get_initial_charges().any()
    is_crystal = all(atoms.pbc) and not max(gaps_of(atoms)) > VACUUM
    if is_marked or atoms.constraints or not is_crystal or len(atoms) > MOST_ATOMS:
        return structure
    import spglib

    given = atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers
    told = {"to_primitive": True, "no_idealize": True, "symprec": WITHIN_ANGSTROM}
    try:
        cell, places, numbers = spglib_new_errorhandling(spglib.standardize_cell)(given, **told)
    except Exception:  # noqa: BLE001  spglib raises whatever it stumbles over
        return structure
    if len(numbers) >= len(atoms) or not np.isclose(
        abs(np.linalg.det(cell)) * len(atoms), atoms.cell.volume * len(numbers), rtol=1e-3
    ):
        return structure
    return text_of(Atoms(numbers, cell=cell, scaled_positions=places, pbc=True))
