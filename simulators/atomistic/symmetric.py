"""The symmetry that a structure has but for its digits: of a text that says 0.3333, and of what a
potential in single precision has relaxed."""

from __future__ import annotations

from typing import Any

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
