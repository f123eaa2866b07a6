"""Lattice thermal conductivity of binary compounds from balls and springs: a law, no calculation.

Bonds are as long as two covalent radii [Cordero 2008, as ASE has them], as stiff as Gordy's rule
says [Gordy 1946, J. Chem. Phys. 14, 305: k = 1.67 N (x_a x_b / d^2)^(3/4) + 0.30 mdyn/angstrom, by
Pauling's electronegativities, with N = 1]. The Debye temperature is twice hbar sqrt(k / m) / k_B,
m being the mean mass: 2,144 K for diamond and 901 K for silicon (measured 2,240 and 645). The
conductivity is Slack's [1973; kappa = A m theta^3 delta / (gamma^2 n^(2/3) T) with A = 3.1e-6, the
acoustic Debye temperature theta in K, m in atomic masses, delta in angstrom, n = 2, T = 300 K]; the
Grueneisen parameter grows from 0.7 of covalent to 1.7 of ionic bonds, by Pauling's ionicity. It
gives 1,380 W/m/K for diamond, 350 for silicon, 201 for gallium arsenide and 61 for rock salt
(measured some 2,200, 150, 45 and 7): an order, and no number to be trusted.

`phase_space` stands for the scattering phase space of a calculation of harmonic phonons, the cheap
quantity of Ju et al. 2021: it goes as 1 / theta, and grows with the ratio of the masses.
"""

from __future__ import annotations

import math
import re
from typing import Any

from orchestrator.capabilities.crystals import LatticeConductivity
from orchestrator.errors import InputError
from orchestrator.ports.action import Cancel, Effect, Ticket, action
from simulators.calculator import Calculator

FUNCTION = "simulators.atomistic.slack:conductivity"
HBAR, K_BOLTZMANN, ATOMIC_MASS_KG = 1.054571817e-34, 1.380649e-23, 1.66053906660e-27
TEMPERATURE_K = 300.0
_BINARY = re.compile(r"([A-Z][a-z]?)([A-Z][a-z]?)?")
ELECTRONEGATIVITY = {
    **{"Li": 0.98, "Be": 1.57, "B": 2.04, "C": 2.55, "N": 3.04, "O": 3.44, "F": 3.98},
    **{"Na": 0.93, "Mg": 1.31, "Al": 1.61, "Si": 1.90, "P": 2.19, "S": 2.58, "Cl": 3.16},
    **{"K": 0.82, "Ca": 1.00, "Zn": 1.65, "Ga": 1.81, "Ge": 2.01, "As": 2.18, "Se": 2.55},
    **{"Br": 2.96, "Rb": 0.82, "Sr": 0.95, "Cd": 1.69, "In": 1.78, "Sn": 1.96, "Sb": 2.05},
    **{"Te": 2.10, "I": 2.66, "Cs": 0.79, "Ba": 0.89, "Cu": 1.90, "Ag": 1.93},
}
"""Pauling's scale [CRC Handbook of Chemistry and Physics]."""


class SlackCalculator(Calculator):
    """Answers for elements and binary compounds of one atom each, such as `Si`, `GaAs`, `NaCl`."""

    implements = ("CrystalCalculation",)
    packages = ("ase",)
    method = "Gordy's and Slack's law"
    concurrent = 4

    @action(effect=Effect.QUERYABLE, cancel=Cancel.AT_ONCE)
    async def conductivity(self, formula: str, ticket: Ticket) -> LatticeConductivity:
        """At 300 K.

        Raises:
            InputError: it is no element or binary compound whose elements are known.
        """
        elements_of(formula)
        return LatticeConductivity(**await self._run(FUNCTION, {"formula": formula}, ticket))


def elements_of(formula: str) -> tuple[str, str]:
    """The two elements of a formula, the same twice of an element. Raises InputError."""
    found = _BINARY.fullmatch(formula)
    symbols = [s for s in found.groups() if s] if found else []
    unknown = [s for s in symbols if s not in ELECTRONEGATIVITY]
    if not symbols or unknown:
        why = f"'{unknown[0]}' is not among its elements" if unknown else "write it as GaAs or Si"
        raise InputError(f"'{formula}' is no binary compound that the law knows", hint=why)
    return symbols[0], symbols[-1]


def conductivity(formula: str) -> dict[str, float]:
    """Runs in the child: the fields of `LatticeConductivity`. Raises InputError."""
    from ase.data import atomic_masses, atomic_numbers, covalent_radii

    a, b = elements_of(formula)
    numbers = [atomic_numbers[a], atomic_numbers[b]]
    masses: Any = [float(atomic_masses[z]) for z in numbers]
    bond = float(sum(covalent_radii[z] for z in numbers))
    chi_a, chi_b = ELECTRONEGATIVITY[a], ELECTRONEGATIVITY[b]
    stiffness = 1.67 * (chi_a * chi_b / bond**2) ** 0.75 + 0.30  # mdyn/angstrom, 100 N/m
    mass = sum(masses) / 2.0
    theta = 2.0 * HBAR * math.sqrt(100.0 * stiffness / (mass * ATOMIC_MASS_KG)) / K_BOLTZMANN
    ionicity = 1.0 - math.exp(-((chi_a - chi_b) ** 2) / 4.0)
    grueneisen = 0.7 + ionicity
    # of zincblende: four bonds an atom, a cell of 4 / sqrt(3) bonds with eight atoms
    delta = (4.0 * bond / math.sqrt(3.0)) / 2.0
    acoustic = theta / 2.0 ** (1.0 / 3.0)
    kappa = 3.1e-6 * mass * acoustic**3 * delta
    kappa /= grueneisen**2 * 2.0 ** (2.0 / 3.0) * TEMPERATURE_K
    return {
        "thermal_conductivity": kappa,
        "debye_temperature": theta,
        "phase_space": 10.0 / theta * (max(masses) / min(masses)) ** 0.25,
    }
