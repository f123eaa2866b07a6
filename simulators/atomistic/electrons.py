"""What is known of a molecule's electrons, and of methods that compute them, before it is computed.

PySCF is imported by what asks it: that takes a second.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orchestrator.errors import InputError
from simulators.atomistic import methods
from simulators.atomistic.contents import Contents
from simulators.atomistic.requests import Method

_LAST_OF_GFN = 86
_LANTHANIDES = range(57, 72)
"""Of three electrons each in GFN: those of f are in the core."""
_NO_CORES = {"def2": 36}
"""By the beginning of a basis set's name: up to this atomic number all electrons are computed."""
_LEAST_CORE = 10
_LAST_WITHOUT_CORE = 2
_STEEP = 1.5
"""Of the squared atomic number: the largest exponent of any set for all electrons is beyond it, as
the first of STO-3G is at 1.8 to 2.2; sets for pseudopotentials stay below 1."""


def refuse_unpaired(held: Contents, *, counts_f: bool = True, may_begin_odd: bool = False) -> None:
    """Accepts atoms of which so many electrons can be unpaired as their moments say.

    `may_begin_odd` is that of a method that leaves one unpaired by itself where no moment is given.
    Raises InputError.
    """
    n = sum(held.numbers) - round(held.charge)
    is_odd = n % 2
    if not counts_f:
        core = sum(number - 3 for number in held.numbers if number in _LANTHANIDES)
        is_odd = (n - core) % 2
    unpaired = abs(round(held.moment))
    if unpaired % 2 == is_odd and unpaired <= n:
        return
    if unpaired == 0 and may_begin_odd:
        return
    how = f"of which {unpaired} cannot be unpaired" if unpaired else "which cannot all be paired"
    raise InputError(
        f"{held.formula} has an {('even', 'odd')[is_odd]} number of electrons, {how}",
        hint="the moments of its atoms sum up to the unpaired ones, their charges to its charge: "
        "`initial_magmoms` and `initial_charges` of an extended XYZ",
    )


def refuse_beyond_gfn(name: str, held: Contents) -> None:
    """Raises InputError: the resource of this name, GFN-xTB, has no parameters of an element, or
    the moments do not fit the electrons."""
    heavy = [s for s, n in zip(held.symbols, held.numbers, strict=True) if n > _LAST_OF_GFN]
    if heavy:
        raise InputError(f"'{name}' knows elements up to radon, and not {heavy[0]}")
    refuse_unpaired(held, counts_f=False, may_begin_odd=True)


def refuse_no_words_of_pyscf(method: str, basis: str) -> None:
    """Raises InputError: PySCF has no such method or basis set, or not without another package."""
    try:
        methods.known_to_pyscf(method, basis)
    except ValueError as error:
        raise InputError(str(error), hint="PySCF's own names, such as PBE and def2-svp") from error
    except ModuleNotFoundError as error:
        raise InputError(str(error), hint="pip install pyscf-dispersion") from error


def refuse_without_basis(name: str, basis: str, symbols: Iterable[str]) -> None:
    """Raises InputError: a basis set lacks one of the elements."""
    lacking = [element for element in sorted(set(symbols)) if not _has(basis, element)]
    if lacking:
        raise InputError(
            f"the basis set {basis} of '{name}' has no {' and no '.join(lacking)}",
            hint="give another `basis`",
        )


def refuse_without_core(name: str, basis: str, symbols: Iterable[str]) -> None:
    """Raises InputError: a basis set has no orbitals for the core of one of the elements, and PySCF
    knows no potential in place of that."""
    hollow = [element for element in sorted(set(symbols)) if not _has_core(basis, element)]
    if hollow:
        raise InputError(
            f"the basis set {basis} of '{name}' has no orbitals for the core of "
            f"{' and '.join(hollow)}, and PySCF knows no potential that belongs to it",
            hint="give another `basis`, such as def2-svp",
        )


@functools.cache
def _has_core(basis: str, element: str) -> bool:
    """Whether a basis set reaches the innermost electrons, or a potential takes their place."""
    from ase.data import atomic_numbers
    from pyscf import gto

    from simulators.atomistic.quantum import cores_of

    number = atomic_numbers[element]
    if number <= _LAST_WITHOUT_CORE or not _has(basis, element) or cores_of(basis, {element}):
        return True
    shells = gto.basis.load(basis, element)
    steepest = max(row[0] for shell in shells for row in shell[1:] if isinstance(row, list | tuple))
    return bool(steepest > _STEEP * number**2)


@functools.cache
def _has(basis: str, element: str) -> bool:
    from pyscf import gto

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where else there are basis sets
        try:
            gto.basis.load(basis, element)
        except gto.basis.BasisNotFoundError:
            return False
    return True


def with_cores(method: Method, basis: str, atoms: Any) -> Method:
    """The method, told from what it was where its basis set may come with potentials in place of
    the cores of these atoms: these were not used once."""
    word = basis.lower().replace("-", "")
    most = next((n for begin, n in _NO_CORES.items() if word.startswith(begin)), _LEAST_CORE)
    cores = {"cores": basis} if max(atoms.numbers) > most else {}
    return replace(method, versions={**method.versions, **cores})
