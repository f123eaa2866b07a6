"""The table of the elements: 94 of them, 58 features, as XenonPy completed it.

Where it comes from and under what licence stands beside it in `elements.LICENSE`.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError, did_you_mean

_BY_UNIT = {
    "pm": (
        "atomic_radius atomic_radius_rahm covalent_radius_cordero covalent_radius_pyykko "
        "covalent_radius_pyykko_double covalent_radius_pyykko_triple covalent_radius_slater "
        "vdw_radius vdw_radius_alvarez vdw_radius_mm3 vdw_radius_uff"
    ),
    "angstrom": "gs_est_bcc_latcnt gs_est_fcc_latcnt lattice_constant",
    "angstrom^3": "gs_volume_per icsd_volume Polarizability",
    "bohr^3": "dipole_polarizability",
    "hartree*bohr^6": "c6_gb",
    "bohr_magneton": "gs_mag_moment",
    "cm^3/mol": "atomic_volume molar_volume",
    "g/mol": "atomic_weight",
    "g/cm^3": "density",
    "K": "boiling_point melting_point",
    "GPa": "bulk_modulus",
    "eV": "electron_affinity en_allen first_ion_en gs_bandgap gs_energy",
    "kJ/mol": "evaporation_heat fusion_enthalpy heat_of_formation",
    "J/g/K": "heat_capacity_mass specific_heat",
    "J/mol/K": "heat_capacity_molar",
    "W/m/K": "thermal_conductivity",
    "m/s": "sound_velocity",
}
UNITS: Mapping[str, str] = {name: unit for unit, all_ in _BY_UNIT.items() for name in all_.split()}
"""Unit of each feature that has one [XenonPy, Table S1 of its element features]. Those of `gs_...`
and `icsd_volume` are per atom."""

_BEYOND = re.findall("[A-Z][a-z]", "AmCmBkCfEsFmMdNoLrRfDbSgBhHsMtDsRgCnNhFlMcLvTsOg")


@dataclass(frozen=True)
class ElementTable:
    """Features of elements: `values` is elements x features, rows found by symbol in `rows`."""

    features: Sequence[str]
    rows: Mapping[str, int]
    values: NDArray[np.float64]

    def row(self, symbol: str, material: str) -> int:
        """Where the element is.

        Raises:
            InputError: it is none, or there are no features of it.
        """
        if symbol in self.rows:
            return self.rows[symbol]
        if symbol in _BEYOND:
            raise InputError(
                f"'{material}' holds {symbol}, of which too little is known to describe it",
                hint="elements up to plutonium (94) can be described",
            )
        raise InputError(
            f"'{symbol}' in '{material}' is not an element{_written_out(material)}",
            hint=_meant(symbol, self.rows),
        )

    def column(self, feature: str) -> NDArray[np.float64]:
        """One feature of all elements, by atomic number from 1."""
        return self.values[:, self.features.index(feature)]


def _written_out(material: str) -> str:
    """What to write for the abbreviations of hybrid perovskites; '' where there is none."""
    found = [name for name in _GROUPS if re.search(rf"{name}(?![a-z])", material)]
    return "".join(f" (write {_GROUPS[name]} for {name})" for name in found)


def _meant(symbol: str, known: Mapping[str, int]) -> str:
    if symbol in ("D", "T"):
        return "did you mean 'H'? Isotopes are not told apart"
    alike = [name for name in known if name.lower() == symbol.lower()]
    return did_you_mean(symbol, alike or [name for name in known if name[0] == symbol[0]] or known)


_GROUPS = {"MA": "CH3NH3", "FA": "CH(NH2)2"}


@functools.cache
def element_table() -> ElementTable:
    """The table that is shipped, read once."""
    here = importlib.resources.files("orchestrator.materials.descriptors")
    lines = (here / "elements.csv").read_text(encoding="utf-8").splitlines()
    (_, *features), *rows = csv.reader(lines)
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    values.flags.writeable = False
    return ElementTable(tuple(features), {row[0]: i for i, row in enumerate(rows)}, values)
