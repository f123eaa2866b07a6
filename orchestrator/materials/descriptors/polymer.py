"""Polymers and copolymers, from their repeat units.

A material is a repeat unit with two stars, `*CC(c1ccccc1)*`, or several with their fractions,
`0.3 *CC* | 0.7 *CCO*`, which count the units as written. All spellings of a unit (`repeat_unit`)
have one vector.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.materials.chemistry import rdkit
from orchestrator.materials.descriptors.molecule import Morgan, RdkitQuantities
from orchestrator.materials.descriptors.repeat_unit import (
    backbone_length,
    counted_unit,
    oligomer,
    stars_of,
)
from orchestrator.materials.descriptors.weighted import joined, parts_of
from orchestrator.ports.descriptor import Content

Floats = NDArray[np.float64]


def canonical_polymer(material: str) -> str:
    """The repeat unit, or the units with their fractions, in canonical form.

    Raises:
        InputError: a unit has not two stars, or the fractions do not sum to one.
    """
    return joined(_shortened(material))


def _shortened(material: str) -> list[tuple[float, str]]:
    """The canonical units with the fractions that count them, to eight digits as in their text:
    half `*CC*` and half `*CCO*` is two thirds `*C*`."""
    parts = [(fraction, *counted_unit(unit)) for fraction, unit in parts_of(material)]
    if all(n == 1.0 for _, _, n in parts):
        return [(fraction, unit) for fraction, unit, _ in parts]
    amounts = dict.fromkeys((unit for _, unit, _ in parts), 0.0)
    for fraction, unit, n in parts:
        amounts[unit] += fraction * n
    total = math.fsum(amounts.values())
    return [(float(f"{amount / total:.8g}"), unit) for unit, amount in amounts.items()]


def over_units(materials: Sequence[str], vector: Callable[[str], Floats], d: int) -> Floats:
    """The means of the units' vectors (n x d), weighted by their fractions. Raises InputError."""
    out = np.empty((len(materials), d))
    for row, material in enumerate(materials):
        out[row] = _mean_of_units(material, vector)
    return out


def _mean_of_units(material: str, vector: Callable[[str], Floats]) -> Floats:
    parts = _shortened(material)
    fractions = np.array([fraction for fraction, _ in parts])
    vectors = np.array([vector(unit) for _, unit in parts])
    mean: Floats = fractions @ vectors
    return mean


@dataclass(frozen=True, kw_only=True)
class PolymerMorgan:
    """Circular neighbourhoods of the atoms of one repeat unit within an endless chain.

    Enough units are put on both sides that no neighbourhood reaches an end, so that the counts
    depend neither on where the unit was cut nor on any cap. Those of a copolymer are weighted by
    the fractions, as if its units stood in blocks. Counter-ions are left out. `chirality` as of
    `Morgan`.
    """

    radius: int = 2
    size: int = 2048
    chirality: bool = False

    content: ClassVar[Content] = "counts"
    source: ClassVar[str] = (
        "Rogers & Hahn 2010, doi:10.1021/ci100050t; Kuenneth & Ramprasad 2023, "
        "doi:10.1038/s41467-023-39868-6"
    )

    def __post_init__(self) -> None:
        self._morgan  # noqa: B018  refuses what is out of range at once

    @functools.cached_property
    def _morgan(self) -> Morgan:
        return Morgan(radius=self.radius, size=self.size, chirality=self.chirality)

    @property
    def names(self) -> Sequence[str]:
        """`morgan2[17]`: the place in the folded fingerprint."""
        return self._morgan.names

    @property
    def units(self) -> Sequence[str]:
        """Counts have none."""
        return self._morgan.units

    def canonical(self, material: str) -> str:
        """As `canonical_polymer`. Raises InputError."""
        return canonical_polymer(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n polymers -> n x size counts per shortest repeat unit. Raises InputError."""
        return over_units(materials, self._of_unit, self.size)

    def _of_unit(self, unit: str) -> Floats:
        beside = math.ceil((self.radius + 1) / backbone_length(unit))
        chain, atoms = oligomer(unit, 2 * beside + 1)
        return self._morgan.counts(chain, atoms[beside])


@dataclass(frozen=True)
class PolymerQuantities:
    """RDKit's quantities of three canonical repeat units in a row, ends closed by hydrogen.

    Three, so that what lies between units counts as well as the units; quantities that grow with
    size are those of the whole trimer. Those of a copolymer are weighted by the fractions.
    """

    content: ClassVar[Content] = "dense"
    source: ClassVar[str] = "RDKit, https://www.rdkit.org, rdkit.Chem.Descriptors"

    @functools.cached_property
    def _quantities(self) -> RdkitQuantities:
        return RdkitQuantities()

    @property
    def names(self) -> Sequence[str]:
        """RDKit's names."""
        return self._quantities.names

    @property
    def units(self) -> Sequence[str]:
        """Of masses and areas; the rest has none."""
        return self._quantities.units

    def canonical(self, material: str) -> str:
        """As `canonical_polymer`. Raises InputError."""
        return canonical_polymer(material)

    def describe(self, materials: Sequence[str]) -> Floats:
        """n polymers -> n x d numbers. Raises InputError."""
        return over_units(materials, self._of_unit, len(self.names))

    def _of_unit(self, unit: str) -> Floats:
        return self._quantities.quantities(_closed(oligomer(unit, 3)[0]), unit)


def _closed(chain: Any) -> Any:
    """The molecule whose stars are hydrogen, as many as the bond of a star counts."""
    closed = rdkit().RWMol(chain)
    for star in stars_of(closed):
        closed.GetAtomWithIdx(star).SetAtomicNum(1)
        closed.GetAtomWithIdx(star).GetBonds()[0].SetBondType(rdkit().BondType.SINGLE)
    rdkit().SanitizeMol(closed)
    return rdkit().RemoveHs(closed)
