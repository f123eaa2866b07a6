"""Which materials a table has already, whatever their spelling.

Canonical forms of a whole table take long. The same material has the same description, so only
those rows are looked at whose description, projected onto one direction, is that of the material.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from orchestrator.model.space import Described
from orchestrator.planner.describing import array_of
from orchestrator.planner.kernel import Floats

if TYPE_CHECKING:
    from orchestrator.ports.descriptor import Descriptor

CLOSE = 1e-9


@dataclass
class Spellings:
    """The materials of a table (n), how `said` describes them, and what reads them."""

    materials: Sequence[str]
    said: Described
    reader: Descriptor
    _read: dict[int, str] = field(default_factory=dict)

    def unknown(self, made: Sequence[str]) -> list[str]:
        """Those of some materials that the table does not have. Raises InputError."""
        if not made:
            return []
        projected = self.reader.describe(made) @ self._direction
        pairs = zip(made, projected, strict=True)
        return [m for m, at in pairs if not self._rows_of(m, float(at))]

    def rows(self, material: str) -> list[int]:
        """The rows of the table that are a material. Raises InputError."""
        (at,) = self.reader.describe([material]) @ self._direction
        return self._rows_of(material, float(at))

    def _rows_of(self, material: str, at: float) -> list[int]:
        near = np.flatnonzero(np.isclose(self._projected, at, rtol=CLOSE, atol=CLOSE))
        if not len(near):
            return []
        canonical = self.reader.canonical(material)
        return [int(row) for row in near if self._canonical(int(row)) == canonical]

    def _canonical(self, row: int) -> str:
        if row not in self._read:
            self._read[row] = self.reader.canonical(self.materials[row])
        return self._read[row]

    @cached_property
    def _direction(self) -> Floats:
        return np.random.default_rng(0x5BE11).random(len(self.reader.names))

    @cached_property
    def _projected(self) -> Floats:
        """The descriptions of the table (n)."""
        counts = self.said.counts
        if counts is None:
            assert self.said.rows is not None, "a descriptor gives either"
            return np.asarray(array_of(self.said.rows) @ self._direction)
        rows = np.repeat(np.arange(len(counts)), np.diff(np.array(counts.ends), prepend=0))
        weights = np.array(counts.values) * self._direction[np.array(counts.places, dtype=int)]
        return np.bincount(rows, weights, len(counts)).astype(float)
