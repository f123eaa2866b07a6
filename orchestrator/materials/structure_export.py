"""Calculated structures as files of ASE: extended XYZ, and ASE's database."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import InputError

SUFFIXES = (".extxyz", ".xyz", ".db")


@dataclass(frozen=True)
class Calculated:
    """A structure that a step gave: an extended XYZ, and what is known of it. `values` are numbers
    and words by names of letters, digits and '_'."""

    structure: str
    values: Mapping[str, float | int | str]


def write_structures(found: Iterable[Calculated], path: Path) -> int:
    """Writes them into one file, by its suffix; how many.

    Raises:
        InputError: there is no such format, the file exists (a database would grow), or a
            structure cannot be read.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"structures are not written as '{path.suffix}'", hint=f"known: {', '.join(SUFFIXES)}"
        )
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    read = [(_atoms(one.structure), _free(one.values)) for one in found]
    if path.suffix == ".db":
        if path.exists():
            raise InputError(f"{path} exists already", hint="name another file, or remove it")
        return _write_database(read, path)
    from ase.io import write

    for atoms, values in read:
        atoms.info.update(values)
    with path.open("w") as out:
        write(out, [atoms for atoms, _ in read], format="extxyz")
    return len(read)


def _free(values: Mapping[str, float | int | str]) -> dict[str, float | int | str]:
    """Values under names that ASE has no use for itself: with a `_` behind those that it has."""
    from ase.calculators.calculator import all_properties
    from ase.db.core import reserved_keys

    taken = {*reserved_keys, *all_properties}
    return {f"{k}_" if k in taken else k: value for k, value in values.items()}


def _atoms(text: str) -> Any:
    from ase.io import read

    try:
        return read(io.StringIO(text), format="extxyz")
    except Exception as error:
        raise InputError(f"a structure cannot be read: {error}") from error


def _write_database(read: Sequence[tuple[Any, Mapping[str, Any]]], path: Path) -> int:
    from ase.db import connect

    with connect(path, append=False) as database:
        for atoms, values in read:
            numbers = {k: v for k, v in values.items() if not isinstance(v, str)}
            # a word that looks like a number is refused as a key's value
            words = {k: v for k, v in values.items() if isinstance(v, str) and not _is_number(v)}
            database.write(atoms, key_value_pairs={**numbers, **words}, data=dict(values))
    return len(read)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("True", "False")
    return True
