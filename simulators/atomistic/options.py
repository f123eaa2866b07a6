"""Options of a lab file that hold one value per element or per name: `Fe=2.2, Ni=0.6`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.quantity import quantity_in

MAGNETIC = ("Cr", "Mn", "Fe", "Co", "Ni", "Gd")
"""Elements that have a moment in most of their crystals."""
SPIN_WORDS = {
    "system.nspin",
    "system.noncolin",
    "system.tot_magnetization",
    "ispin",
    "lnoncollinear",
}


def pairs(option: str, text: str) -> dict[str, str]:
    """`{"Fe": "2.2", "Ni": "0.6"}`. Raises InputError."""
    found: dict[str, str] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, sign, value = (p.strip() for p in part.partition("="))
        if not (name and sign and value):
            raise InputError(
                f"'{part}' in '{option}' is no pair of a name and a value",
                hint=f"write `{option}: A=..., B=...`",
            )
        if name in found:
            raise InputError(f"'{name}' stands twice in '{option}'")
        found[name] = value
    return found


def by_element(option: str, text: str) -> dict[str, str]:
    """Pairs whose names are elements. Raises InputError."""
    from ase.data import atomic_numbers

    found = pairs(option, text)
    for name in found:
        if name not in atomic_numbers:
            raise InputError(f"'{name}' in '{option}' is no element")
    return found


def quantities(option: str, text: str, unit: str) -> dict[str, float]:
    """Of elements, in `unit`, which must be written where it is not empty. Raises InputError."""
    return {
        element: quantity_in(value, unit) for element, value in by_element(option, text).items()
    }


def of_elements(values: Mapping[str, float], atoms: Any) -> dict[str, float]:
    """Those of the elements that a structure has: nothing else concerns its result."""
    return {element: values[element] for element in sorted(set(atoms.symbols) & set(values))}


def idle_of(resource: str, settings: Mapping[str, Any], present: set[str]) -> list[str]:
    """Sentences on options of elements of which none is `present`."""
    names = {"moments": "moments", "hubbard": "hubbard_u", "hubbard_u": "hubbard_u"}
    return [
        f"'{name}' of '{resource}' is said of {', '.join(idle)}, which no candidate has"
        for setting, name in names.items()
        if present and (idle := sorted(set(settings.get(setting, ())) - present))
    ]


def unspun_of(resource: str, settings: Mapping[str, Any], bare: set[str]) -> list[str]:
    """A sentence on elements that are often magnetic and will be computed without spin: `bare` are
    those of candidates without moments."""
    said = settings.get("moments")
    if settings.get("input", {}).keys() & SPIN_WORDS:
        said = None  # the code's own words say it
    unsaid = [] if said is None else [each for each in MAGNETIC if each in bare - set(said)]
    if not unsaid:
        return []
    return [
        f"'{resource}' computes {', '.join(unsaid)} without spin, since neither the lab file nor "
        f"each candidate says its moment; `moments: {unsaid[0]}=...` starts with one, "
        f"`{unsaid[0]}=0` keeps it so"
    ]


def odd_of(resource: str, settings: Mapping[str, Any], odd: Mapping[str, set[str]]) -> list[str]:
    """A sentence on molecules (by their formulas, with their elements) of an odd number of
    electrons that will be computed without spin."""
    said = settings.get("moments")
    if said is None or settings.get("input", {}).keys() & SPIN_WORDS:
        return []
    without = sorted(formula for formula in odd if not any(said.get(e) for e in odd[formula]))
    if not without:
        return []
    return [
        f"'{resource}' computes {', '.join(without)} without spin, of which each has an odd number "
        "of electrons; give their atoms moments, in a column `initial_magmoms`"
    ]


def value(text: str) -> bool | int | float | str:
    """As Fortran would read it: `.true.`, `4`, `1d-8`, `cg`."""
    word = text.strip("'\"")
    if word.lower() in (".true.", ".false.", "true", "false"):
        return "true" in word.lower()
    for kind in (int, float):
        try:
            number = kind(word.lower().replace("d", "e") if kind is float else word)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return word


def one_of(option: str, word: str, known: tuple[str, ...]) -> None:
    """Raises UnknownName."""
    if word not in known:
        raise UnknownName(f"word for '{option}'", word, known)
