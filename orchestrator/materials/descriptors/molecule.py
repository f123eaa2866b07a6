"""Molecules: circular and dictionary fingerprints, RDKit's quantities, and chosen fragments."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.materials.chemistry import canonical_smiles, molecule, rdkit
from orchestrator.materials.descriptors.ring_sides import sides
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Morgan:
    """How often each circular neighbourhood of up to `radius` bonds occurs, folded to `size`.

    With `chirality` R and S, E and Z, and cis and trans of a ring are two; of a molecule that has
    none of them, as of any without `chirality`, the counts are the same.
    """

    radius: int = 2
    size: int = 2048
    chirality: bool = False

    content: ClassVar[Content] = "counts"
    source: ClassVar[str] = "Rogers & Hahn 2010, doi:10.1021/ci100050t"

    def __post_init__(self) -> None:
        if not (0 <= self.radius <= 6 and 16 <= self.size <= 65536):
            raise InputError(
                "a Morgan fingerprint has a radius of 0 to 6 and a size of 16 to 65536"
            )

    @property
    def names(self) -> Sequence[str]:
        """`morgan2[17]`: the place in the folded fingerprint."""
        return [f"morgan{self.radius}[{i}]" for i in range(self.size)]

    @property
    def units(self) -> Sequence[str]:
        """Counts have none."""
        return [""] * self.size

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x size counts. Raises InputError."""
        out = np.empty((len(materials), self.size))
        for row, smiles in enumerate(materials):
            out[row] = self.counts(molecule(smiles))
        return out

    def counts(self, found: Any, atoms: Sequence[int] = ()) -> Floats:
        """The counts (size) of one rdkit molecule, of the neighbourhoods of `atoms` only if any are
        given."""
        own = _told_apart(found) if self.chirality else []
        counted = self._maker.GetCountFingerprintAsNumPy(
            found, fromAtoms=list(atoms), customAtomInvariants=own
        )
        return np.asarray(counted, dtype=np.float64)

    @functools.cached_property
    def _maker(self) -> Any:
        return rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(
            radius=self.radius, fpSize=self.size, includeChirality=self.chirality
        )


def _told_apart(found: Any) -> list[int]:
    """RDKit's numbers of the atoms (n), other ones for centres on the sides of a ring; none where a
    molecule has no two in one."""
    beside = sides(found)
    if not beside:
        return []
    numbers = rdkit("Chem.rdMolDescriptors").GetConnectivityInvariants(found)
    return [number ^ beside.get(place, 0) for place, number in enumerate(numbers)]


@dataclass(frozen=True)
class Maccs:
    """Which of the 166 MACCS keys a molecule has."""

    content: ClassVar[Content] = "bits"
    source: ClassVar[str] = "Durant et al. 2002, doi:10.1021/ci010132r"
    names: ClassVar[Sequence[str]] = tuple(f"maccs[{i}]" for i in range(1, 167))
    units: ClassVar[Sequence[str]] = ("",) * 166

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
    **dict.fromkeys(("MolWt", "HeavyAtomMolWt", "ExactMolWt"), "g/mol"),
    **dict.fromkeys(("TPSA", "LabuteASA"), "angstrom^2"),
}
_LEFT_OUT = ("Ipc", "AvgIpc", "SPS")  # without bound in the size of a molecule; no hydrogen
_OFTEN_UNDEFINED = ("PartialCharge", "BCUT2D_")  # need Gasteiger's charges: no metal has them


@dataclass(frozen=True)
class RdkitQuantities:
    """RDKit's two-dimensional descriptors that exist for every molecule.

    Left out are those that have no number for metals and many ions (partial charges and what is
    made of them, BCUT2D) and those that grow without bound with the size of a molecule (Ipc).
    """

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = "RDKit, https://www.rdkit.org, rdkit.Chem.Descriptors"

    @functools.cached_property
    def names(self) -> Sequence[str]:
        """RDKit's names."""
        return tuple(self._functions)

    @property
    def units(self) -> Sequence[str]:
        """Of masses and areas; the rest has none."""
        return [_UNITS.get(name, "") for name in self.names]

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x d numbers.

        Raises:
            InputError: a SMILES cannot be read, or RDKit has no number for it.
        """
        out = np.empty((len(materials), len(self.names)))
        for row, smiles in enumerate(materials):
            out[row] = self.quantities(molecule(smiles), smiles)
        return out

    def quantities(self, found: Any, material: str) -> Floats:
        """The numbers (d) of one rdkit molecule, called `material` in the sentence of an error.

        Raises:
            InputError: RDKit has no finite number for it.
        """
        values = np.array([float(compute(found)) for compute in self._functions.values()])
        if not np.isfinite(values).all():
            name = self.names[int(np.argmin(np.isfinite(values)))]
            raise InputError(f"RDKit has no finite {name} of '{material}'")
        return values

    @functools.cached_property
    def _functions(self) -> Mapping[str, Any]:
        return {
            name: compute
            for name, compute in rdkit("Chem.Descriptors").descList
            if name not in _LEFT_OUT and not any(part in name for part in _OFTEN_UNDEFINED)
        }


GROUPS: Mapping[str, str] = {
    "aromatic ring atom": "a",
    "alcohol": "[OX2H][CX4]",
    "phenol": "[OX2H]c",
    "ether": "[OX2]([#6;!$(C=O)])[#6;!$(C=O)]",
    "aldehyde": "[CX3H1](=O)[#6]",
    "ketone": "[#6][CX3](=O)[#6]",
    "carboxylic acid": "[CX3](=O)[OX2H,OX1-]",
    "ester": "[#6][CX3](=O)[OX2H0][#6]",
    "amide": "[NX3][CX3](=O)[#6]",
    "amine": "[NX3;!$(N-C=[O,S,N]);!$(N[S,P]);!$(N=*);!$(N#*)]",
    "nitrile": "[CX2]#[NX1]",
    "nitro": "[$([NX3](=O)=O),$([NX3+](=O)[O-])]",
    "sulfone": "[SX4](=O)(=O)",
    "thiol": "[SX2H]",
    "siloxane": "[Si][OX2][Si]",
    "halogen": "[F,Cl,Br,I]",
}
"""Functional groups in SMARTS, the fragments that are counted where none are asked for."""

MOST_MATCHES = 100_000
"""Where RDKit stops counting (its own 1000 is reached by a long chain)."""


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """How often each fragment, a SMARTS, occurs in a molecule (sets of atoms, not their orders).

    `smarts` is a list, whose SMARTS are the names, or a mapping of names to SMARTS.

    Raises:
        InputError: none is given, one occurs twice, or one is not a SMARTS.
    """

    smarts: Sequence[str] | Mapping[str, str] = field(default_factory=lambda: dict(GROUPS))

    content: ClassVar[Content] = "counts"
    source: ClassVar[str] = "Daylight Theory Manual, chapter 4, https://www.daylight.com"

    def __post_init__(self) -> None:
        if isinstance(self.smarts, str) or not self.smarts:
            raise InputError("fragments are a list of SMARTS, of at least one")
        if len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise InputError(f"the fragment '{twice}' is given twice")

    @property
    def names(self) -> tuple[str, ...]:
        """The fragments."""
        return tuple(self.smarts)

    @property
    def units(self) -> Sequence[str]:
        """Counts have none."""
        return [""] * len(self.names)

    def canonical(self, material: str) -> str:
        """RDKit's SMILES. Raises InputError."""
        return canonical_smiles(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n SMILES -> n x d counts. Raises InputError."""
        out = np.empty((len(materials), len(self.names)))
        for row, smiles in enumerate(materials):
            found = molecule(smiles)
            out[row] = [
                len(found.GetSubstructMatches(each, maxMatches=MOST_MATCHES))
                for each in self._patterns
            ]
        return out

    @functools.cached_property
    def _patterns(self) -> Sequence[Any]:
        smarts = self.smarts.values() if isinstance(self.smarts, Mapping) else self.smarts
        return [_pattern(text) for text in smarts]


def _pattern(smarts: str) -> Any:
    found = rdkit().MolFromSmarts(smarts) if smarts.strip() else None
    if found is None or found.GetNumAtoms() == 0:
        raise InputError(f"the fragment '{smarts}' is not a SMARTS")
    return found
