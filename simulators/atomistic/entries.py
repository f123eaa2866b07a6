"""Reference structures of the user: the entries of a convex hull."""

from __future__ import annotations

import csv
import functools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import ExecutionError, InputError
from simulators.atomistic.electron_words import refuse_unread
from simulators.atomistic.structures import atoms_of, text_of

_FORMATS = (".csv", ".db", ".xyz", ".extxyz")


@dataclass(frozen=True)
class Entry:
    """A reference structure. `shares` are its elements' shares of the atoms. `energy` (eV per atom)
    is there if the file says by which `method` it was computed."""

    name: str
    structure: str
    shares: Mapping[str, float]
    energy: float | None = None
    method: str = ""


def read_entries(path: str) -> tuple[Entry, ...]:
    """The entries of a CSV table (columns `structure`, and `name`, `energy` and `method` if it
    likes), an ase.db or an extended XYZ file with many structures. Read once as long as the file
    does not change.

    Raises:
        InputError: there is no such file, it cannot be read, or has energies of no method.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"there is no file of entries '{path}'", hint="give its path")
    if file.suffix.lower() not in _FORMATS:
        raise InputError(
            f"entries cannot be read from '{file.name}'",
            hint=f"a table or a collection of structures: {', '.join(_FORMATS)}",
        )
    status = file.stat()
    return _read(file, status.st_mtime_ns, status.st_size)


def refuse_changed(path: str, known: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries, as long as they are those that were known at first. Raises as `read_entries`,
    and ExecutionError."""
    if read_entries(path) != known:
        raise ExecutionError(
            f"'{Path(path).name}' was changed while the campaign runs: its values before and "
            "after would be above different hulls",
            hint="put it back, or start another campaign",
        )
    return known


@functools.lru_cache(maxsize=8)
def _read(file: Path, changed: int, size: int) -> tuple[Entry, ...]:
    is_table = file.suffix.lower() == ".csv"
    found = tuple(_of_table(file) if is_table else _of_collection(file))
    if not found:
        raise InputError(f"'{file.name}' holds no entry")
    return found


def _of_table(file: Path) -> Iterator[Entry]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        table = csv.DictReader(lines)
        if "structure" not in (table.fieldnames or ()):
            has = ", ".join(table.fieldnames or ()) or "none"
            raise InputError(
                f"'{file.name}' has no column 'structure'",
                hint=f"the text of a CIF, POSCAR or XYZ file in each row; its columns: {has}",
            )
        for number, row in enumerate(table, start=2):
            where = f"row {number} of '{file.name}'"
            try:
                atoms = atoms_of(row["structure"] or "")
            except InputError as error:
                raise InputError(f"{where}: {error}", hint=error.hint) from error
            energy = _number(row.get("energy") or "", where)
            method = (row.get("method") or "").strip()
            if energy is not None and not method:
                raise InputError(
                    f"{where} has an energy, but does not say by which method",
                    hint="leave the column 'energy' away: what is not known is computed, once; "
                    "or give in 'method' what a result of this action calls so",
                )
            yield Entry(
                _name(row.get("name"), atoms),
                row["structure"],
                shares_of(atoms.symbols),
                energy,
                method,
            )


def _of_collection(file: Path) -> Iterator[Entry]:
    try:
        several = _rows(file) if file.suffix.lower() == ".db" else _frames(file)
    except Exception as error:  # ASE raises whatever its parsers stumble over
        raise InputError(f"the entries '{file.name}' cannot be read: {error}") from error
    for number, (atoms, said) in enumerate(several, start=1):
        where = f"structure {number} of '{file.name}'"
        atoms.info.update(said)
        refuse_unread(atoms, "", where)
        method, energy = str(said.get("method", "")), None
        if method and atoms.calc is not None and "energy" in atoms.calc.results:
            total = float(atoms.calc.results["energy"])
            energy = _finite(total / len(atoms), where)
        text = text_of(_bare(atoms))
        try:
            read_again = atoms_of(text)
        except InputError as error:
            raise InputError(f"{where}: {error}", hint=error.hint) from error
        yield Entry(
            _name(said.get("name"), atoms), text, shares_of(read_again.symbols), energy, method
        )


def _rows(file: Path) -> list[tuple[Any, Mapping[str, Any]]]:
    from ase.db import connect

    with connect(file) as store:
        return [(row.toatoms(), row.key_value_pairs) for row in store.select()]


def _frames(file: Path) -> list[tuple[Any, Mapping[str, Any]]]:
    from ase.io import read

    several: Any = read(file, index=":", format="extxyz")
    return [(atoms, atoms.info) for atoms in several]


def _bare(atoms: Any) -> Any:
    """Without what was computed."""
    bare = atoms.copy()
    bare.info.clear()
    return bare


def _name(given: Any, atoms: Any) -> str:
    """What it is called, or else its formula."""
    formula = str(atoms.get_chemical_formula("metal", empirical=True))
    return str(given or "").strip() or formula


def shares_of(symbols: Iterable[str]) -> dict[str, float]:
    """Each element's share of the atoms."""
    counts = Counter(symbols)
    return {element: counts[element] / counts.total() for element in sorted(counts)}


def _number(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        return _finite(float(text), where)
    except ValueError as error:
        raise InputError(f"the energy of {where} is no number: '{text}'") from error


def _finite(energy: float, where: str) -> float:
    if not math.isfinite(energy):
        raise InputError(
            f"the energy of {where} is {energy}", hint="leave it away: it is computed, once"
        )
    return energy
