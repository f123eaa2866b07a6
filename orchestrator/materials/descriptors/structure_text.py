"""The text of a crystal structure, CIF, POSCAR or extended XYZ, as ASE's atoms."""

from __future__ import annotations

import functools
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestrator.errors import InputError
from orchestrator.model.cif import (
    FULL,
    is_cif,
    read_by_group_or_operations,
    refuse_unclear,
    refuse_unfit,
)
from orchestrator.model.cif_sites import refuse_many_sites, refuse_moments
from orchestrator.model.poscar import is_vector, refuse_more_places
from orchestrator.model.unreadable import reason_of

if TYPE_CHECKING:
    from ase import Atoms

KEPT = 64
"""So many texts are not read again, which takes seconds for large ones."""


def crystal_of(material: str | Atoms) -> Atoms:
    """The atoms of a text, or the atoms themselves, checked to be a crystal.

    Raises:
        InputError: the text cannot be read, is not periodic in three dimensions, holds no atom, or
            has sites that several elements share.
    """
    atoms = _read(material).copy() if isinstance(material, str) else material
    return _checked(atoms, material)


def spaced(material: str | Atoms, vacuum: float) -> Atoms:
    """As `crystal_of`; a molecule, a wire or a layer stands in a cell of its own, with so much
    vacuum (angstrom) between its images."""
    atoms = _read(material).copy() if isinstance(material, str) else material.copy()
    open_axes = [int(axis) for axis in np.flatnonzero(~atoms.pbc)]
    if open_axes and len(atoms) and np.isfinite(atoms.positions).all():
        atoms.center(vacuum=vacuum / 2, axis=open_axes)
        atoms.pbc = True
    return _checked(atoms, material)


def _checked(atoms: Any, material: str | Atoms) -> Atoms:
    if len(atoms) == 0:
        raise InputError(f"the structure {named(material)} holds no atom")
    if not all(atoms.pbc) or abs(atoms.cell.volume) < 1e-3:
        raise InputError(
            f"the structure {named(material)} is not periodic in three dimensions",
            hint="a crystal needs a cell of three vectors",
        )
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise InputError(f"the structure {named(material)} has a position that is not a number")
    _refuse_shared_sites(atoms, material)
    return atoms  # type: ignore[no-any-return]


def named(material: str | Atoms) -> str:
    """How a sentence calls a structure: by its formula, or by the first line of its text."""
    if not isinstance(material, str):
        return str(material.get_chemical_formula())
    lines = [line.strip() for line in material.splitlines() if line.strip()]
    return f"that begins with '{lines[0][:40]}'" if lines else "of an empty text"


def format_of(text: str) -> str:
    """ASE's name of the format: a CIF has a data block, an extended XYZ begins with the number of
    its atoms; what is left is taken for a POSCAR (with an empty comment its first number is the
    scale of the cell, whose three vectors follow)."""
    if is_cif(text):
        return "cif"
    first, *following = text.lstrip("\n").split("\n", 4)[:4]
    is_cell = len(following) == 3 and all(is_vector(line.split()) for line in following)
    return "extxyz" if first.strip().isdigit() and not is_cell else "vasp"


@functools.lru_cache(maxsize=KEPT)
def _read(text: str) -> Any:
    """What stands in the cache: take a copy of it."""
    if not text.strip():
        raise InputError("the structure of an empty text cannot be read")
    text = text.lstrip("\ufeff")
    form = format_of(text)
    name = {"cif": "CIF", "extxyz": "extended XYZ", "vasp": "POSCAR"}[form]
    _refuse_before(text, form)
    lines = text.lstrip("\n") if form == "extxyz" else text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of labels and symmetry that ASE decides by itself
            several = _read_by_ase(lines, form)
    except Exception as error:  # ASE raises whatever its parsers stumble over
        if isinstance(error, KeyError) and str(error.args[0])[:1].isalpha():
            raise InputError(
                f"the structure {named(text)} has '{error.args[0]}', which is not an element"
            ) from error
        raise InputError(
            f"the structure {named(text)} cannot be read as {name}: {reason_of(error)}",
            hint="give the text of a CIF, a POSCAR or an extended XYZ file",
        ) from error
    if len(several) > 1:
        raise InputError(
            f"the structure {named(text)} cannot be read as one: it holds {len(several)}",
            hint="give each of them a text of its own",
        )
    if not several:
        raise InputError(f"the structure {named(text)} cannot be read as {name}: it is incomplete")
    if form == "cif":
        refuse_unfit(several[0], text, named(text))
    return several[0]


def _refuse_before(text: str, form: str) -> None:
    """What ASE would read as something else, or for minutes. Raises InputError."""
    if form == "cif":
        refuse_many_sites(text, named(text))
        refuse_moments(text, named(text))
        refuse_unclear(text, named(text))
    elif form == "vasp":
        refuse_more_places(text, named(text))


def _read_by_ase(text: str, form: str) -> Any:
    from ase.io import read

    def by_ase(said: str) -> Any:
        return read(io.StringIO(said), format=form, index=":")

    return read_by_group_or_operations(by_ase, text) if form == "cif" else by_ase(text)


def _refuse_shared_sites(atoms: Atoms, material: str | Atoms) -> None:
    for site in atoms.info.get("occupancy", {}).values():
        said = {e: share for e, share in site.items() if isinstance(share, int | float)}
        if len(said) > 1 or min(said.values(), default=1.0) < FULL:
            shared = ", ".join(f"{element} {share:g}" for element, share in said.items())
            raise InputError(
                f"the structure {named(material)} has a site that is not full ({shared})",
                hint="order it first; its composition alone can be described by 'composition'",
            )
