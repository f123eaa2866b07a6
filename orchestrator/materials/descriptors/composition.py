"""Compositions: 58 features of the elements in five statistics, XenonPy's 290 descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.descriptors.elements import UNITS, element_table
from orchestrator.materials.descriptors.formula import formula_counts, formula_text
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]

STATISTICS = ("ave", "sum", "var", "max", "min")
"""Over the elements of a formula: mean and variance weighted by fractions, the sum by the numbers
as written (it doubles from Fe2O3 to Fe4O6), the greatest and the least."""


@dataclass(frozen=True)
class Composition:
    """XenonPy's `Compositions`: each of five statistics of each of 58 features of the elements."""

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = "Liu et al. 2021, XenonPy, https://github.com/yoshida-lab/XenonPy"
    identifies: ClassVar[bool] = False

    @property
    def names(self) -> Sequence[str]:
        """`ave:atomic_number`, as XenonPy labels them."""
        return [f"{each}:{name}" for each in STATISTICS for name in element_table().features]

    @property
    def units(self) -> Sequence[str]:
        """Those of the features, squared for a variance."""
        plain = [UNITS.get(name, "") for name in element_table().features]
        squared = [f"({unit})^2" if unit else "" for unit in plain]
        return [unit for each in STATISTICS for unit in (squared if each == "var" else plain)]

    def canonical(self, material: str) -> str:
        """The formula without brackets, in Hill's order; its numbers stay (H2O2 is not HO).

        Raises:
            InputError: it is no formula, or holds an element that is not in the table.
        """
        counts = formula_counts(material)
        for element in counts:
            element_table().row(element, material)
        return formula_text(counts)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n formulas -> n x 290 numbers. Raises InputError as `canonical`."""
        out = np.empty((len(materials), len(self.names)))
        for row, formula in enumerate(materials):
            out[row] = composition_vector(formula_counts(formula), formula)
        return out


def composition_vector(counts: Mapping[str, float], material: str) -> Floats:
    """The 290 numbers of so many atoms of each element; `material` is for the sentence of an error.

    Raises:
        InputError: an element is not in the table.
    """
    table = element_table()
    features = table.values[[table.row(element, material) for element in counts]]
    n = np.array(list(counts.values()))
    fractions = n / n.sum()
    mean = fractions @ features
    variance = fractions @ (features - mean) ** 2
    return np.concatenate((mean, n @ features, variance, features.max(0), features.min(0)))
