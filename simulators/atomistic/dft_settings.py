"""What kinds of density functional theory are asked alike, whatever code computes.

A lab file says `k_density`, `smearing` and `width`, `moments` and `magnetic_order`, `hubbard_u` in
the same words for each of them; the code's own module says what it makes of them.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from orchestrator.errors import InputError
from simulators.atomistic.options import one_of, quantities

SMEARINGS = ("cold", "fermi-dirac", "gaussian", "methfessel-paxton", "none")
"""How levels near the Fermi level are occupied; cold is Marzari's and Vanderbilt's."""
ORDERS = ("ferromagnetic", "antiferromagnetic")
"""How the moments start; the calculation is free to change them."""
MOST_MOMENT, MOST_U_EV = 14.0, 30.0
"""Beyond it, in Bohr magnetons or eV, a number is mistaken: a shell of f has seven orbitals."""
_F_SHELL = (*range(57, 72), *range(89, 104))
_NOBLE = (2, 10, 18, 36, 54, 86)
_D_SHELL = (*range(21, 31), *range(39, 49), *range(72, 81))


@dataclass(frozen=True)
class DftSettings:
    """Read and checked, as a lab file gives them. `width_ev` is the smearing's; `moments` are in
    Bohr magnetons for an atom of the element; `hubbard_u` is in eV [Dudarev 1998,
    doi:10.1103/PhysRevB.57.1505]."""

    k_density: float
    smearing: str
    width_ev: float
    moments: Mapping[str, float]
    magnetic_order: str
    hubbard_u: Mapping[str, float]

    def plain(self) -> dict[str, Any]:
        """As JSON; a part of what a result depends on."""
        return asdict(self)


def dft_settings(
    k_density: float, smearing: str, width: float, moments: str, magnetic_order: str, hubbard_u: str
) -> DftSettings:
    """From the options of a lab file, `moments: Fe=2.2, O=0` and `hubbard_u: Fe=4 eV`.

    Raises:
        InputError: a word or an element is not known, or two of them contradict.
    """
    one_of("smearing", smearing, SMEARINGS)
    one_of("magnetic_order", magnetic_order, ORDERS)
    started = moments_of(moments)
    if magnetic_order == "antiferromagnetic" and not any(started.values()):
        raise InputError(
            "'magnetic_order' is given, but no element has a moment to start from",
            hint="write `moments: Fe=2.2`, in Bohr magnetons an atom",
        )
    width_ev = 0.0 if smearing == "none" else width
    u = hubbard_of(hubbard_u)
    return DftSettings(k_density, smearing, width_ev, started, magnetic_order, u)


def moments_of(text: str) -> dict[str, float]:
    """Bohr magnetons of `Fe=2.2, O=0`. Raises InputError."""
    return _within("moments", quantities("moments", text, ""), MOST_MOMENT, "Bohr magnetons")


def hubbard_of(text: str) -> dict[str, float]:
    """U in eV of `Fe=4 eV`. Raises InputError."""
    return _within("hubbard_u", quantities("hubbard_u", text, "eV"), MOST_U_EV, "eV")


def _within(option: str, values: dict[str, float], most: float, unit: str) -> dict[str, float]:
    for element, value in values.items():
        if abs(value) > most:
            raise InputError(
                f"'{option}' of {element} is {value:g} {unit}, beyond all that atoms have "
                f"({most:g} {unit})"
            )
    return values


def shell_of(element: str) -> str:
    """The shell that a Hubbard U acts on: f of lanthanides and actinides, d of transition metals,
    s of hydrogen, p of all others (as Quantum ESPRESSO chooses it)."""
    from ase.data import atomic_numbers

    number = atomic_numbers[element]
    if number in _F_SHELL:
        return "f"
    if number in _D_SHELL:
        return "d"
    return "s" if element == "H" else "p"


def manifold_of(element: str) -> str:
    """The same with its principal quantum number, such as 3d of iron."""
    from ase.data import atomic_numbers

    period = 1 + bisect.bisect_left(_NOBLE, atomic_numbers[element])
    shell = shell_of(element)
    return f"{period - max(0, 'spdf'.index(shell) - 1)}{shell}"


def start_moments(atoms: Any, moments: Mapping[str, float], order: str) -> None:
    """Gives the atoms their moments to start from; those that a structure brings stay.

    Antiferromagnetic is up and down in turn, for each element, in the order of the atoms.
    """
    if not moments or atoms.get_initial_magnetic_moments().any():
        return
    turned: dict[str, int] = {}
    started = []
    for symbol in atoms.symbols:
        turned[symbol] = turned.get(symbol, -1) + 1
        is_down = order == "antiferromagnetic" and turned[symbol] % 2 == 1
        started.append((-1.0 if is_down else 1.0) * moments.get(symbol, 0.0))
    atoms.set_initial_magnetic_moments(started)


def own_spins(atoms: Any, said: Mapping[str, float]) -> set[str]:
    """Elements with a moment that the atoms bring, and that `said` does not give."""
    moments = zip(atoms.symbols, atoms.get_initial_magnetic_moments(), strict=True)
    return {symbol for symbol, moment in moments if moment and not said.get(symbol)}
