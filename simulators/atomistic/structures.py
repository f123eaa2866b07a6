"""Structures as text, checked before anything is spent on them."""

from __future__ import annotations

import io
import warnings
from typing import Any

from orchestrator.errors import InputError
from orchestrator.model.cif import is_cif, refuse_unclear

CLOSEST = 0.4
"""Of the sum of their covalent radii: atoms nearer than that overlap."""
FEW = 200
"""So many atoms have all their distances computed."""


def atoms_of(text: str) -> Any:
    """The `ase.Atoms` of a CIF, POSCAR or (extended) XYZ text.

    Raises:
        InputError: it cannot be read, is a CIF that says no one ordered crystal, holds no atom or
            an unknown element, or atoms overlap.
    """
    from ase.io import read

    form = _format_of(text)
    if form == "cif":
        refuse_unclear(text, f"that begins with '{text.strip()[:40]}'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of labels and symmetry that ASE decides by itself
            atoms: Any = read(io.StringIO(text.lstrip("\n")), format=form)
    except KeyError as error:
        raise InputError(
            f"the structure that begins with '{text.strip()[:40]}' cannot be read as {form}: "
            f"it has {error}, which is not an element"
        ) from error
    except Exception as error:  # ASE raises whatever its parsers stumble over
        raise InputError(
            f"the structure that begins with '{text.strip()[:40]}' cannot be read as {form}: "
            f"{str(error) or 'it is incomplete'}",
            hint="give the text of a CIF, a POSCAR or an XYZ file",
        ) from error
    if len(atoms) == 0:
        raise InputError("the structure holds no atom")
    if (atoms.numbers == 0).any():
        raise InputError(f"{atoms.get_chemical_formula()} has an element that does not exist")
    _refuse_overlap(atoms)
    return atoms


def text_of(atoms: Any) -> str:
    """An extended XYZ: cell, positions (to eight decimals), and what was computed."""
    from ase.io import write

    out = io.StringIO()
    write(out, atoms, format="extxyz")
    return out.getvalue()


def _format_of(text: str) -> str:
    if is_cif(text):
        return "cif"
    first = text.lstrip("\n").partition("\n")[0].strip()
    return "extxyz" if first.isdigit() else "vasp"


def _refuse_overlap(atoms: Any) -> None:
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    radii = CLOSEST * covalent_radii[atoms.numbers]
    if len(atoms) <= FEW:
        i, j, apart = _overlapping(atoms, radii)
    else:
        i, j, apart = neighbor_list("ijd", atoms, cutoff=radii)
    if len(i):
        a, b = atoms.symbols[int(i[0])], atoms.symbols[int(j[0])]
        raise InputError(
            f"{atoms.get_chemical_formula()} has {a} and {b} only {apart[0]:.2f} angstrom apart",
            hint="check the cell and the units of the positions",
        )


def _overlapping(atoms: Any, radii: Any) -> tuple[Any, Any, Any]:
    """Pairs nearer than the sum of their radii (angstrom), and how near; all images at once, which
    is quick for few atoms."""
    import itertools

    import numpy as np

    cell = atoms.cell.complete().array
    normals = np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0))
    heights = abs(np.linalg.det(cell)) / np.linalg.norm(normals, axis=1)
    reach = np.where(atoms.pbc, np.floor(2 * radii.max() / heights + 0.5), 0).astype(int)
    fractions = atoms.positions @ np.linalg.inv(cell)
    apart = fractions[None, :, :] - fractions[:, None, :]
    apart -= np.where(atoms.pbc, np.round(apart), 0)
    shifts = np.array(list(itertools.product(*(range(-k, k + 1) for k in reach))), float)
    places = (apart @ cell)[:, :, None, :] + (shifts @ cell)[None, None, :, :]
    distances = np.linalg.norm(places, axis=3)
    itself = np.arange(len(atoms))
    distances[itself, itself, len(shifts) // 2] = np.inf
    i, j, s = np.nonzero(distances < (radii[:, None] + radii[None, :])[:, :, None])
    return i, j, distances[i, j, s]
