"""The units that nearly every file is written in, worked out ahead.

pint takes 0.3 s to come up, a third of the time in which a campaign is to start; so it is asked
only about units that are not in this table. A test asks it about these too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Dimension: TypeAlias = tuple[tuple[str, float], ...]
"""Exponents of the base dimensions, sorted by name; empty for a plain number."""


@dataclass(frozen=True)
class Familiar:
    """A unit: `slope * number + offset` is in base units (m, g, s, A, K, mol)."""

    slope: float
    offset: float
    dimension: Dimension


_SLOPES: Mapping[Dimension, Mapping[str, float]] = {
    (("[length]", 1.0),): {
        "nm": 1e-9,
        "um": 1e-6,
        "mm": 1e-3,
        "cm": 1e-2,
        "m": 1.0,
        "angstrom": 1e-10,
    },
    (("[time]", 1.0),): {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "d": 86400.0},
    (("[temperature]", 1.0),): {"K": 1.0, "degC": 1.0},
    (("[length]", 2.0), ("[mass]", 1.0), ("[time]", -3.0)): {"W": 1e3, "mW": 1.0, "kW": 1e6},
    (("[current]", -1.0), ("[length]", 2.0), ("[mass]", 1.0), ("[time]", -3.0)): {
        "V": 1e3,
        "mV": 1.0,
    },
    (("[current]", 1.0),): {"A": 1.0, "mA": 1e-3, "uA": 1e-6},
    (("[current]", -2.0), ("[length]", 2.0), ("[mass]", 1.0), ("[time]", -3.0)): {
        "ohm": 1e3,
        "ohm/sq": 1e3,
    },
    (("[current]", -2.0), ("[length]", 3.0), ("[mass]", 1.0), ("[time]", -3.0)): {
        "ohm*cm": 10.0,
        "ohm*m": 1e3,
    },
    (("[current]", 2.0), ("[length]", -3.0), ("[mass]", -1.0), ("[time]", 3.0)): {
        "S/cm": 0.1,
        "S/m": 1e-3,
    },
    (("[length]", -1.0), ("[mass]", 1.0), ("[time]", -2.0)): {
        "Pa": 1e3,
        "mbar": 1e5,
        "torr": 133322.36842105264,
        "bar": 1e8,
        "MPa": 1e9,
        "GPa": 1e12,
    },
    (("[substance]", 1.0), ("[time]", -1.0)): {
        "sccm": 7.435838900911722e-07,
        "slm": 0.0007435838900911721,
    },
    (("[length]", 3.0),): {"L": 1e-3, "mL": 1e-6, "uL": 1e-9},
    (("[length]", 3.0), ("[time]", -1.0)): {
        "mL/min": 1.6666666666666667e-08,
        "uL/min": 1.6666666666666667e-11,
    },
    (("[mass]", 1.0),): {"g": 1.0, "mg": 1e-3, "kg": 1e3},
    (("[substance]", 1.0),): {"mol": 1.0, "mmol": 1e-3},
    (("[length]", -3.0), ("[substance]", 1.0)): {"mol/L": 1e3},
    (("[length]", 2.0), ("[mass]", 1.0), ("[time]", -2.0)): {
        "eV": 1.602176634e-16,
        "meV": 1.602176634e-19,
        "J": 1e3,
    },
    (("[length]", 2.0), ("[mass]", 1.0), ("[substance]", -1.0), ("[time]", -2.0)): {"kJ/mol": 1e6},
    (("[time]", -1.0),): {"Hz": 1.0, "kHz": 1e3, "rpm": 0.10471975511965977},
    (("[length]", 1.0), ("[time]", -1.0)): {
        "nm/min": 1.6666666666666667e-11,
        "angstrom/s": 1e-10,
    },
    (): {"%": 0.01, "at.%": 0.01, "wt.%": 0.01},
    (("[length]", -1.0),): {"1/cm": 100.0},
}
_OFFSETS: Mapping[str, float] = {"degC": 273.15}

FAMILIAR: Mapping[str, Familiar] = {
    unit: Familiar(slope, _OFFSETS.get(unit, 0.0), dimension)
    for dimension, slopes in _SLOPES.items()
    for unit, slope in slopes.items()
}
