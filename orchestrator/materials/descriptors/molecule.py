"""Molecules: circular and dictionary fingerprints, and RDKit's quantities."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]


class Morgan:
    """How often each circular neighbourhood of up to `radius` bonds occurs, folded to `size`."""

    content: Content = "counts"
    source = "Rogers & Hahn 2010, doi:10.1021/ci100050t"

    def __init__(self, *, radius: int = 2, size: int = 2048) -> None:
        if not (0 <= radius <= 6 and 16 <= size <= 65536):
            raise InputError(
                "a Morgan fingerprint has a radius of 0 to 6 and a size of 16 to 65536"
            )
        self._radius, self._size = radius, size

    @property
    def names(self) -> Sequence[str]:
        """`morgan2[17]`: the place in the folded fingerprint."""
        return [f"morgan{self._radius}[{i}]" for i in range(self._size)]

    @property
    def units(self) -> Sequence[str]:
        """Counts have none."""
        return [""] * self._size

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x size counts. Raises InputError."""
        out = np.empty((len(materials), self._size))
        for row, smiles in enumerate(materials):
            out[row] = self._maker.GetCountFingerprintAsNumPy(molecule(smiles))
        return out

    @functools.cached_property
    def _maker(self) -> Any:
        return rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(
            radius=self._radius, fpSize=self._size
        )


class Maccs:
    """Which of the 166 MACCS keys a molecule has."""

    content: Content = "bits"
    source = "Durant et al. 2002, doi:10.1021/ci010132r"
    names: Sequence[str] = tuple(f"maccs[{i}]" for i in range(1, 167))
    units: Sequence[str] = ("",) * 166

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x 166 bits. Raises InputError."""
        make = rdkit("Chem.rdMolDescriptors").GetMACCSKeysFingerprint
        out = np.zeros((len(materials), 166))
        for row, smiles in enumerate(materials):
            on = [bit - 1 for bit in make(molecule(smiles)).GetOnBits()]
            out[row, on] = 1.0
        return out


_UNITS = {
    "g/mol": ("MolWt", "HeavyAtomMolWt", "ExactMolWt"),
    "angstrom^2": ("TPSA", "LabuteASA"),
    "eV": (),
}


class RdkitQuantities:
    """RDKit's two-dimensional descriptors, but those that may not be finite or that grow without
    bound with the size of a molecule (Ipc)."""

    content: Content = "dense"
    source = "RDKit, https://www.rdkit.org, rdkit.Chem.Descriptors"

    @functools.cached_property
    def names(self) -> Sequence[str]:
        """RDKit's names."""
        known = rdkit("Chem.Descriptors").descList
        return tuple(n for n, _ in known if n not in ("Ipc", "AvgIpc", "SPS"))

    @property
    def units(self) -> Sequence[str]:
        """Of masses and areas; the rest has none."""
        by_name = {name: unit for unit, names in _UNITS.items() for name in names}
        return [by_name.get(name, "") for name in self.names]

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x d numbers.

        Raises:
            InputError: a SMILES cannot be read, or RDKit has no number for it.
        """
        known = dict(rdkit("Chem.Descriptors").descList)
        out = np.empty((len(materials), len(self.names)))
        for row, smiles in enumerate(materials):
            found = molecule(smiles)
            for column, name in enumerate(self.names):
                value = float(known[name](found))
                if not math.isfinite(value):
                    raise InputError(f"RDKit has no finite {name} of '{smiles}'")
                out[row, column] = value
        return out
