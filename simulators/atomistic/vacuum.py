"""Emptiness in a periodic cell: whether it holds a slab or a molecule, and what it costs where the
method fills it with plane waves."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

from orchestrator.errors import InputError

OF_CRYSTALS = ("equation_of_state", "elastic_constants", "adsorption_energy")
VACUUM = 7.0
"""Angstrom without the centre of an atom from one face of the cell to the other: layers of crystals
are half as far apart, and images of slabs twice."""
BOX_ANGSTROM = 6.0
"""Of vacuum around a molecule that brings no cell, on each side."""
MOST_WAVES = 500_000
"""Plane waves of one state, such as 200 atoms have with as much vacuum beside them. Half as
many took pw.x 2.5 GB and 47 s of CPU time, for the energy of one hydrogen atom."""
_WAVES = 0.512317**3 / (6.0 * math.pi**2)
"""Per cubic angstrom and eV^(3/2): a sphere of radius sqrt(2 m E) / h-bar, over (2 pi)^3."""


def gaps_of(atoms: Any) -> tuple[float, float, float]:
    """Along each vector of the cell the widest space, in angstrom, between planes that hold atoms
    and are parallel to the other two; 0 where there is no period."""
    import numpy as np

    found = [0.0, 0.0, 0.0]
    if not atoms.pbc.any():
        return 0.0, 0.0, 0.0
    inverse = np.linalg.inv(atoms.cell.complete().array)
    for axis in np.flatnonzero(atoms.pbc):
        places = np.sort((atoms.positions @ inverse[:, axis]) % 1.0)
        widest = np.diff(places, append=places[0] + 1.0).max()
        found[axis] = float(widest / np.linalg.norm(inverse[:, axis]))
    return found[0], found[1], found[2]


def boxed(atoms: Any) -> Any:
    """A copy with vacuum along the vectors without a period, whatever cell there was."""
    found = atoms.copy()
    open_axes = [axis for axis in range(3) if not atoms.pbc[axis]]
    if open_axes:
        found.center(vacuum=BOX_ANGSTROM, axis=open_axes)
    return found


def refuse_empty(name: str, formula: str, volume: float, cutoff_ev: float) -> None:
    """Raises InputError: a cell of this volume (cubic angstrom) takes too many plane waves."""
    waves = _WAVES * volume * cutoff_ev**1.5
    if waves > MOST_WAVES:
        raise InputError(
            f"the cell of {formula} has {volume:,.0f} cubic angstrom, which are {waves:,.0f} plane "
            f"waves up to {cutoff_ev:g} eV; '{name}' takes {MOST_WAVES:,} at most",
            hint="plane waves cost in a vacuum, too: 6 angstrom to each side are enough for most",
        )


def refuse_no_crystal(task: str, formula: str, pbc: Sequence[bool], gap: float) -> None:
    """Raises InputError: the task is one of crystals, and this has no period, or a vacuum."""
    if task in OF_CRYSTALS and not (all(pbc) and gap <= VACUUM):
        why = f"has a vacuum of {gap:.0f} angstrom" if all(pbc) else "has no period"
        hint = "`relax` has the energy and the cell of a layer or a molecule"
        if task == "adsorption_energy":
            hint = "`relax` a slab of your own with and without the adsorbate, and subtract"
        raise InputError(f"{formula} {why} and is no crystal, which {task} is of", hint=hint)


def kept_words(gapped: Collection[str]) -> list[str]:
    """A sentence on the formulas of cells with a vacuum, which are relaxed."""
    if not gapped:
        return []
    first, *others = sorted(gapped)
    also = f" (and {len(others)} more)" if others else ""
    return [
        f"relaxing leaves the cell of {first}{also} as it is across its vacuum, and wholly where "
        'atoms are fixed (`pbc="T T F"` in an extended XYZ keeps it wholly, too)'
    ]


def cell_at_rest(atoms: Any) -> Any:
    """What an optimiser moves: the atoms, and the cell of a crystal. A cell stays as it is across a
    vacuum, and wholly where there is none but vacuum, or where atoms beside a vacuum are held, as
    those of a slab that stands for a crystal."""
    import numpy as np
    from ase.filters import FrechetCellFilter

    if not all(atoms.pbc):
        return atoms
    is_kept = np.array(gaps_of(atoms)) > VACUUM
    if not is_kept.any():
        return FrechetCellFilter(atoms)
    if is_kept.all() or atoms.constraints:
        return atoms
    vectors = np.linalg.qr(atoms.cell.array[~is_kept].T)[0]
    within = vectors @ vectors.T

    class Within(FrechetCellFilter):
        """Strains within the line or plane of the vectors that move."""

        def get_forces(self, **told: Any) -> Any:
            forces = super().get_forces(**told)  # type: ignore[no-untyped-call]
            forces[-3:] = within @ forces[-3:] @ within
            return forces

    return Within(atoms)  # type: ignore[no-untyped-call]
