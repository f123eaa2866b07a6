"""Mixtures: the mean of another descriptor over the parts, weighted by their fractions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import UnknownName
from orchestrator.materials.descriptors.composition import Composition
from orchestrator.materials.descriptors.molecule import Fragments, Maccs, Morgan, RdkitQuantities
from orchestrator.materials.descriptors.weighted import joined, parts_of
from orchestrator.ports.descriptor import Content, Descriptor

MIXED: Mapping[str, Callable[[], Descriptor]] = {
    "morgan": Morgan,
    "maccs": Maccs,
    "rdkit": RdkitQuantities,
    "fragments": Fragments,
    "composition": Composition,
}
"""What the parts may be described by, by name. Polymers have copolymers of their own."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The weighted mean of `of`, a name in `MIXED` or any descriptor.

    A material is `0.3 CCO | 0.7 O`: fractions that sum to one, each with a material of `of`. What
    the fractions are of (moles, mass, volume) is what the table of the user says they are.

    Raises:
        UnknownName: there is no such name.
    """

    of: str | Descriptor = "morgan"

    content: ClassVar[Content] = "dense"

    def __post_init__(self) -> None:
        if isinstance(self.of, str) and self.of not in MIXED:
            raise UnknownName("descriptor of parts", self.of, MIXED)

    @functools.cached_property
    def _of(self) -> Descriptor:
        return MIXED[self.of]() if isinstance(self.of, str) else self.of

    @property
    def names(self) -> Sequence[str]:
        """Those of the parts."""
        return self._of.names

    @property
    def units(self) -> Sequence[str]:
        """Those of the parts."""
        return self._of.units

    @property
    def source(self) -> str:
        """That of the parts."""
        return self._of.source

    @property
    def identifies(self) -> bool:
        """As of the parts."""
        return bool(getattr(self._of, "identifies", True))

    def canonical(self, material: str) -> str:
        """Canonical parts, equal ones put together, in alphabetical order; a pure one alone.

        Raises:
            InputError: a part cannot be read, or the fractions do not sum to one.
        """
        parts = parts_of(material)
        return joined((fraction, self._of.canonical(part)) for fraction, part in parts)

    def describe(self, materials: Sequence[str]) -> NDArray[np.float64]:
        """n mixtures -> n x d means. Each distinct part is described once. Raises InputError."""
        mixtures = [parts_of(material) for material in materials]
        distinct = list(dict.fromkeys(part for parts in mixtures for _, part in parts))
        place = {part: row for row, part in enumerate(distinct)}
        vectors = self._of.describe(distinct)
        out = np.zeros((len(materials), vectors.shape[1]))
        for row, parts in enumerate(mixtures):
            for fraction, part in parts:
                out[row] += fraction * vectors[place[part]]
        return out
