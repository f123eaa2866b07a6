"""Structures as text, checked before anything is spent on them."""

from __future__ import annotations

import functools
import io
import warnings
from typing import Any

from orchestrator.errors import InputError
from orchestrator.model.cif import (
    FULL,
    is_cif,
    read_by_group_or_operations,
    refuse_unclear,
    refuse_unfit,
)
from orchestrator.model.cif_sites import refuse_many_sites, refuse_moments
from orchestrator.model.poscar import refuse_more_places
from orchestrator.model.unreadable import reason_of
from simulators.atomistic.electron_words import refuse_unread

CLOSEST = 0.4
"""Of the sum of their covalent radii: atoms nearer than that overlap."""
FEW = 200
"""So many atoms have all their distances computed."""
MOST_IMAGES = 1000
"""So many cells are looked through as they are written; else they are made less skew first."""
SMALL = 0.05
"""Angstrom; a cell that came to rest is not quite upright."""
FLAT = 1e-3
"""Cubic angstrom; a cell of less has no volume."""
KEPT = 64
"""So many texts are not read again, which takes seconds for large ones."""


def atoms_of(text: str) -> Any:
    """The `ase.Atoms` of a CIF, POSCAR or (extended) XYZ text.

    Raises:
        InputError: it cannot be read, holds no atom or several structures, an unknown element, a
            site that is not full or a place that is none, a cell without a volume, or one that its
            symmetry does not leave as it is, or a group without its origin; a charge or moments of
            a kind that nobody would read; or atoms overlap.
    """
    atoms = _read(text).copy()
    if len(atoms) == 0:
        raise InputError("the structure holds no atom")
    if (atoms.numbers == 0).any():
        raise InputError(f"{atoms.get_chemical_formula()} has an element that does not exist")
    _refuse_no_places(atoms, text)
    if not atoms.pbc.any() and not _volume(atoms) > FLAT:
        atoms.set_cell(None)  # vectors that nothing repeats along, and that span no box
    _refuse_flat(atoms, text)
    _refuse_shared_sites(atoms, text)
    refuse_unread(atoms, text, _named(text))
    _refuse_overlap(atoms)
    return atoms


@functools.lru_cache(maxsize=KEPT)
def _read(text: str) -> Any:
    """What stands in the cache: take a copy of it."""
    if not text.strip():
        raise InputError("the structure of an empty text cannot be read")
    text = text.lstrip("\ufeff")
    form = _format_of(text)
    if form == "cif":
        refuse_many_sites(text, _begins(text))
        refuse_moments(text, _begins(text))
        refuse_unclear(text, _begins(text))
    elif form == "vasp":
        refuse_more_places(text, _begins(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of labels and symmetry that ASE decides by itself
            several = _read_by_ase(text.lstrip("\n"), form)
    except Exception as error:  # ASE raises whatever its parsers stumble over
        raise InputError(
            f"{_named(text)} cannot be read as {form}: {reason_of(error)}",
            hint="give the text of a CIF, a POSCAR or an XYZ file",
        ) from error
    if len(several) != 1:
        raise InputError(
            f"{_named(text)} cannot be read as one: it holds {len(several) or 'no'} structures",
            hint="give each of them a text of its own",
        )
    if form == "cif":
        refuse_unfit(several[0], text, _begins(text))
    return several[0]


def _read_by_ase(text: str, form: str) -> Any:
    from ase.io import read

    def by_ase(said: str) -> Any:
        return read(io.StringIO(said), format=form, index=":")

    return read_by_group_or_operations(by_ase, text) if form == "cif" else by_ase(text)


def _named(text: str) -> str:
    """How a sentence calls a structure."""
    return f"the structure {_begins(text)}"


def _begins(text: str) -> str:
    return f"that begins with '{text.strip().splitlines()[0][:40]}'"


def text_of(atoms: Any) -> str:
    """An extended XYZ: cell, positions (to eight decimals), what is held, and what was computed."""
    from ase.io import write

    out, constraints = io.StringIO(), atoms.constraints
    try:
        atoms.set_constraint(_held_upright(atoms))
        write(out, atoms, format="extxyz")
    finally:
        atoms.set_constraint(constraints)
    return out.getvalue()


def _format_of(text: str) -> str:
    if is_cif(text):
        return "cif"
    first = text.lstrip("\n").partition("\n")[0].strip()
    return "extxyz" if first.isdigit() else "vasp"


def _refuse_no_places(atoms: Any, text: str) -> None:
    import numpy as np

    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise InputError(f"{_named(text)} has a position that is not a number")


def _refuse_flat(atoms: Any, text: str) -> None:
    has_vectors = atoms.cell.array[atoms.pbc].any(axis=1).all()
    if atoms.pbc.any() and not (has_vectors and _volume(atoms) > FLAT):
        raise InputError(
            f"{_named(text)} has a cell without a volume", hint="check the vectors of its cell"
        )


def _whole(cell: Any) -> Any:
    """Three vectors, of which those that are missing are of length one and upright."""
    return cell.complete().array


def _volume(atoms: Any) -> float:
    """Cubic angstrom; of the cell, in which vectors that are missing are of length one."""
    import numpy as np

    vectors = atoms.cell.array[atoms.cell.array.any(axis=1)]
    return float(np.linalg.svd(vectors, compute_uv=False).prod())


def _held_upright(atoms: Any) -> list[Any]:
    """Constraints, of which what is held along vectors of the cell, as a POSCAR says it, is held
    along x, y and z where that is the same: an extended XYZ has words for that alone."""
    import numpy as np
    from ase.constraints import FixCartesian, FixScaled

    found = []
    for each in atoms.constraints:
        is_upright = isinstance(each, FixScaled) and not np.any(
            np.abs(atoms.cell.array[~each.mask][:, each.mask]) > SMALL
        )
        found.append(FixCartesian(each.index, each.mask) if is_upright else each)
    return found


def _refuse_shared_sites(atoms: Any, text: str) -> None:
    # ASE keeps what a CIF says of its sites when it writes an extended XYZ
    for site in atoms.info.get("occupancy", {}).values():
        if len(site) > 1 or min(site.values(), default=1.0) < FULL:
            shared = ", ".join(f"{element} {share:g}" for element, share in site.items())
            raise InputError(
                f"{_named(text)} has a site that is not full ({shared})", hint="order it first"
            )


def _refuse_overlap(atoms: Any) -> None:
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    radii = CLOSEST * covalent_radii[atoms.numbers]
    if len(atoms) <= FEW:
        i, j, apart = _overlapping(atoms, radii)
    else:
        i, j, apart = neighbor_list("ijd", atoms, cutoff=radii)
    if len(i):
        k = int(apart.argmin())
        a, b = atoms.symbols[int(i[k])], atoms.symbols[int(j[k])]
        raise InputError(
            f"{atoms.get_chemical_formula()} has {a} and {b} only {apart[k]:.2f} angstrom apart",
            hint="check the cell and the units of the positions",
        )


def _overlapping(atoms: Any, radii: Any) -> tuple[Any, Any, Any]:
    """Pairs nearer than the sum of their radii (angstrom), and how near; all images at once, which
    is quick for few atoms."""
    import itertools

    import numpy as np
    from ase.geometry import minkowski_reduce

    cell, pbc = _whole(atoms.cell), atoms.pbc
    reach = _reach(cell, pbc, radii)
    if np.prod(2 * reach + 1, dtype=float) > MOST_IMAGES:
        cell = _whole(atoms.cell.new(minkowski_reduce(atoms.cell, pbc)[0]))
        reach = _reach(cell, pbc, radii)
    fractions = atoms.positions @ np.linalg.inv(cell)
    apart = fractions[None, :, :] - fractions[:, None, :]
    apart -= np.where(pbc, np.round(apart), 0)
    shifts = np.array(list(itertools.product(*(range(-k, k + 1) for k in reach))), float)
    places = (apart @ cell)[:, :, None, :] + (shifts @ cell)[None, None, :, :]
    distances = np.linalg.norm(places, axis=3)
    itself = np.arange(len(atoms))
    distances[itself, itself, len(shifts) // 2] = np.inf
    i, j, s = np.nonzero(distances < (radii[:, None] + radii[None, :])[:, :, None])
    return i, j, distances[i, j, s]


def _reach(cell: Any, pbc: Any, radii: Any) -> Any:
    """How many cells to either side images are within the sum of two radii."""
    import numpy as np

    normals = np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0))
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(normals, axis=1)
    return np.where(pbc, np.floor(2 * radii.max() / heights + 0.5), 0).astype(int)
