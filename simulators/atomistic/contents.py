"""What structures hold, kept of all that were read, so that a pool is not read at every command."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.keeping import keep, recalled
from orchestrator.model import cif, cif_sites, poscar
from simulators.atomistic import electron_words, structures
from simulators.atomistic.structures import atoms_of
from simulators.atomistic.vacuum import boxed, gaps_of

if TYPE_CHECKING:
    from orchestrator.keeping import Arrays

LEAST = 100
"""Fewer structures are read sooner than a file is written."""
MOST_FILES = 200
LEAST_CHARGE = 0.5
"""Less is what the rounding of partial charges leaves."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The atoms of a structure without their places: atomic numbers, and along which of the three
    vectors it repeats; the sums of charges and of moments (Bohr magnetons), and whether it brings
    any moment; the volume of its cell, and with a box around what has no period (cubic angstrom),
    and the widest space between its planes of atoms (angstrom); see `simulators.atomistic.vacuum`.
    """

    numbers: bytes
    pbc: tuple[bool, bool, bool]
    charge: float = 0.0
    moment: float = 0.0
    is_magnetic: bool = False
    volume: float = 0.0
    boxed: float = 0.0
    gap: float = 0.0

    @classmethod
    def of(cls, atoms: Any) -> Contents:
        """Those of `ase.Atoms`."""
        a, b, c = (bool(each) for each in atoms.pbc)
        charge = float(atoms.get_initial_charges().sum())
        moments = atoms.get_initial_magnetic_moments()
        sums = (charge, float(moments.sum()), bool(moments.any()))
        box = float(boxed(atoms).cell.volume)
        volume = float(atoms.cell.volume) if atoms.cell.rank == 3 else box
        space = (volume, box, max(gaps_of(atoms)))
        return cls(bytes(atoms.numbers.tolist()), (a, b, c), *sums, *space)

    @property
    def symbols(self) -> list[str]:
        """Of each atom."""
        from ase.data import chemical_symbols

        return [chemical_symbols[number] for number in self.numbers]

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def formula(self) -> str:
        """As ASE writes it."""
        from ase import Atoms

        return str(Atoms(list(self.numbers)).get_chemical_formula())


def refuse_beyond(name: str, held: Contents, elements: Collection[str], most: int) -> None:
    """Raises InputError: the resource of this name knows only these elements, or all where it names
    none, and takes so many atoms at most."""
    for element in dict.fromkeys(held.symbols):
        if elements and element not in elements:
            raise UnknownName(f"element of {name}", element, elements)
    if len(held) > most:
        raise InputError(
            f"{held.formula} has {len(held)} atoms, '{name}' takes {most} at most",
            hint="take a smaller cell, or a cheaper method",
        )


def refuse_charged(name: str, held: Contents) -> None:
    """Raises InputError: it has a charge, of which the resource of this name knows nothing."""
    if abs(held.charge) > LEAST_CHARGE:
        raise InputError(
            f"{held.formula} has a charge of {held.charge:+g}, '{name}' computes what is neutral",
            hint="leave `initial_charges` away, or have them sum up to zero",
        )


class Seen:
    """Texts of which it is known that they are structures, and what these hold."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is where it is kept; with None it is known to this process alone."""
        self._folder = folder
        self._known: dict[str, Contents] = {}

    def learn(self, texts: Sequence[str]) -> None:
        """Reads them, or what was kept of the same texts. Those that are no structures stay
        unknown: whoever reads them learns why."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(new) < LEAST:
            return
        file = None if self._folder is None else self._folder / f"{_digest(new)}.npz"
        arrays = None if file is None else recalled(file)
        found = None if arrays is None else _unpacked(arrays)
        if found is None or len(found) != len(new):
            found = [_read(text) for text in new]
            if file is not None:
                keep(file, _packed(found), file.parent, MOST_FILES)
        self._known.update((text, each) for text, each in zip(new, found, strict=True) if each)

    def contents(self, text: str) -> Contents:
        """What a text holds, which is read where it is not known.

        Raises:
            InputError: it is no structure; see `structures.atoms_of`.
        """
        known = self._known.get(text)
        return Contents.of(atoms_of(text)) if known is None else known


def _read(text: str) -> Contents | None:
    try:
        return Contents.of(atoms_of(text))
    except InputError:
        return None


def _packed(found: Sequence[Contents | None]) -> Arrays:
    import numpy as np

    numbers = b"".join(each.numbers for each in found if each)
    return {
        "sizes": np.array([len(each) if each else 0 for each in found], np.uint32),
        "numbers": np.frombuffer(numbers, np.uint8),
        "pbc": np.array([each.pbc if each else (False,) * 3 for each in found], bool),
        "sums": np.array([(each.charge, each.moment) if each else (0.0, 0.0) for each in found]),
        "volumes": np.array([(c.volume, c.boxed, c.gap) if c else (0.0,) * 3 for c in found]),
        "magnetic": np.array([bool(each and each.is_magnetic) for each in found]),
    }


def _unpacked(arrays: Arrays) -> list[Contents | None] | None:
    """None where they are not what `_packed` gives."""
    if arrays.keys() != {"sizes", "numbers", "pbc", "sums", "volumes", "magnetic"}:
        return None
    numbers, found, begin = arrays["numbers"].tobytes(), list[Contents | None](), 0
    columns = (arrays[name].tolist() for name in ("sizes", "pbc", "sums", "magnetic", "volumes"))
    for size, (a, b, c), (charge, moment), is_magnetic, spaces in zip(*columns, strict=True):
        held = numbers[begin : begin + size]
        one = Contents(held, (a, b, c), charge, moment, is_magnetic, *spaces)
        found.append(one if size else None)
        begin += size
    return found if begin == len(numbers) else None


def _digest(texts: Sequence[str]) -> str:
    """Of texts, and of all that decides whether they are structures."""
    whole = hashlib.sha256(_reader().encode())
    for text in texts:
        whole.update(f"{len(text)}:{text}".encode())
    return whole.hexdigest()[:40]


@functools.cache
def _reader() -> str:
    versions = [importlib.metadata.version(name) for name in ("ase", "numpy")]
    modules = (structures, electron_words, cif, cif_sites, poscar)
    return "\n".join([*versions, *map(inspect.getsource, modules)])
