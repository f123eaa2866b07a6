"""`hagane new pool FILE`: a table of structures that are counted out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import InputError, UnknownName


@dataclass(frozen=True)
class NewPool:
    """How many candidates were written, and the columns that describe them."""

    path: Path
    n: int
    columns: tuple[str, ...]


def new_pool(
    path: Path,
    *,
    prototype: str | None = None,
    lattice: str | None = None,
    elements: Sequence[str] = (),
    atoms: int = 4,
    kinds: int = 2,
    tolerance: tuple[float, float] | None = None,
    octahedral: tuple[float, float] | None = None,
) -> NewPool:
    """Writes the compounds of a prototype that ions of the elements (else of all) could make, or
    the ordered alloys of `kinds` of the elements with up to `atoms` in a primitive cell.

    Raises:
        UnknownName: there is no such prototype, lattice or element.
        InputError: neither or both are asked for, nothing is left, or the file cannot be written.
    """
    from orchestrator.materials.enumeration.decorations import LATTICES, decorated
    from orchestrator.materials.enumeration.perovskites import (
        OCTAHEDRAL,
        PROTOTYPES,
        TOLERANCE,
    )
    from orchestrator.materials.enumeration.tables import write_rows

    if path.suffix.lower() != ".csv":
        raise InputError(f"'{path}' is no name of a table", hint=f"{path.with_suffix('.csv')}")
    if (prototype is None) == (lattice is None):
        raise InputError(
            "a pool is of a prototype or of a lattice that is decorated",
            hint=f"--prototype {' or '.join(PROTOTYPES)}; --lattice {' or '.join(LATTICES)}",
        )
    if lattice is not None:
        if not elements:
            raise InputError("which elements are to be on the lattice?", hint="--elements Cu,Ni,Pd")
        rows = decorated(lattice, elements, atoms, kinds)
    else:
        assert prototype is not None
        if prototype not in PROTOTYPES:
            raise UnknownName("prototype that can be filled", prototype, PROTOTYPES)
        rows = PROTOTYPES[prototype](elements, tolerance or TOLERANCE, octahedral or OCTAHEDRAL)
    write_rows(path, rows)
    return NewPool(path, len(rows), tuple(rows[0]))
