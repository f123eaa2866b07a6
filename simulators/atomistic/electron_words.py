"""What a structure says of its charge and its spin where no calculation would look for it."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import InputError

CHARGES = ("charge", "total_charge", "tot_charge", "net_charge")
MULTIPLICITIES = ("multiplicity", "spin_multiplicity", "mult")
SPINS = ("spin", "total_spin")
"""Some write the multiplicity so, some how many electrons are unpaired, and some half of that."""
COLUMNS = (
    *("spin", "spins", "moment", "moments", "magnetic_moment", "magnetic_moments"),
    *("initial_magmom", "initial_moments", "initial_magnetic_moments"),
)
_PAIR = re.compile(r"\s*([+-]?\d{1,2})\s+(\d{1,2})\s*")
_MOST_CHARGE, _MOST_MULTIPLICITY = 9, 15
"""Larger pairs of numbers count frames, and no electrons."""


def refuse_unread(atoms: Any, text: str, name: str) -> None:
    """Accepts what the charges and moments of the atoms say, too: these count, and all that stands
    elsewhere would be left away. `name` is how a sentence calls the structure. Raises InputError.
    """
    moments = atoms.get_initial_magnetic_moments()
    if moments.ndim > 1:
        raise InputError(
            f"{name} has moments with a direction, which no method here computes",
            hint="give one number an atom, up or down",
        )
    for column in COLUMNS:
        if column in atoms.arrays and atoms.arrays[column].any() and not moments.any():
            raise InputError(
                f"{name} has a column '{column}', which no calculation starts from",
                hint="call it `initial_magmoms`: Bohr magnetons, one number an atom, up or down",
            )
    charge, moment = float(atoms.get_initial_charges().sum()), float(moments.sum())
    for said, value in _charges(atoms, text):
        if abs(value - charge) > 0.5:
            raise InputError(
                f"{name} has {said}, and the charges of its atoms sum up to {charge:g}",
                hint="give each atom its own in a column `initial_charges`",
            )
    for said, unpaired in _unpaired(atoms, text):
        if min(abs(each - abs(moment)) for each in unpaired) > 0.5:
            raise InputError(
                f"{name} has {said}, and the moments of its atoms sum up to {moment:g}",
                hint="give each atom its own in a column `initial_magmoms`, of unpaired electrons",
            )


def _charges(atoms: Any, text: str) -> Iterator[tuple[str, float]]:
    """What is said of the charge, and how much that is."""
    yield from _numbers(atoms, CHARGES)
    pair = _pair(text)
    if pair is not None:
        yield f"'{pair[0]} {pair[1]}' (charge and multiplicity) in its second line", pair[0]


def _unpaired(atoms: Any, text: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    """What is said of the spin, and how many unpaired electrons that may mean."""
    for said, value in _numbers(atoms, MULTIPLICITIES):
        yield said, (value - 1,)
    for said, value in _numbers(atoms, SPINS):
        yield said, (value - 1, abs(value), 2 * abs(value))
    pair = _pair(text)
    if pair is not None:
        yield f"'{pair[0]} {pair[1]}' (charge and multiplicity) in its second line", (pair[1] - 1,)


def _numbers(atoms: Any, words: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    for word in words:
        said = atoms.info.get(word)
        if isinstance(said, numbers.Real) and not isinstance(said, bool):
            yield f"{word}={said:g}", float(said)


def _pair(text: str) -> tuple[int, int] | None:
    """Charge and multiplicity, as programs for molecules write them above the atoms."""
    first, _, rest = text.lstrip("\ufeff\n").partition("\n")
    found = _PAIR.fullmatch(rest.partition("\n")[0]) if first.strip().isdigit() else None
    if found is None:
        return None
    charge, multiplicity = int(found[1]), int(found[2])
    is_one = abs(charge) <= _MOST_CHARGE and 0 < multiplicity <= _MOST_MULTIPLICITY
    return (charge, multiplicity) if is_one else None
