"""How alike two materials of a pool are, by the counts that its descriptor gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from orchestrator import plugins
from orchestrator.errors import HaganeError
from orchestrator.model.candidates import is_made, material_of
from orchestrator.model.space import Described, Pool
from orchestrator.ports.depiction import Kin

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = "NDArray[np.float64]"


@dataclass
class Alike:
    """Compares materials of a pool, those of its table and those that were made."""

    pool: Pool
    _vectors: dict[str, Floats | None] = field(default_factory=dict)

    def kin(self, candidate: str) -> Kin | None:
        """The candidate of the table that is most like one that was made; None without counts, or
        where it cannot be described here."""
        vector, said = self._vector(candidate), self._counted
        if vector is None or said is None:
            return None
        found = _similarities(said, vector)
        best = int(found.argmax())
        return Kin(self.pool.names[best], float(found[best]))

    def between(self, one: str, other: str) -> float | None:
        """Tanimoto's similarity of two candidates; None as for `kin`."""
        a, b = self._vector(one), self._vector(other)
        if a is None or b is None:
            return None
        shared = float(a @ b)
        return shared / max(float(a @ a + b @ b) - shared, 1e-12)

    @property
    def _counted(self) -> Described | None:
        return next((said for said in self.pool.described if said.counts is not None), None)

    def _vector(self, candidate: str) -> Floats | None:
        if candidate not in self._vectors:
            self._vectors[candidate] = self._described(candidate)
        return self._vectors[candidate]

    def _described(self, candidate: str) -> Floats | None:
        said = self._counted
        if said is None or said.counts is None:
            return None
        if is_made(self.pool, candidate):
            return self._described_anew(said, material_of(self.pool, candidate))
        import numpy as np

        row = self.pool.names.index(candidate)
        counts = said.counts.only([row])
        vector = np.zeros(counts.width)
        vector[list(counts.places)] = list(counts.values)
        return vector

    def _described_anew(self, said: Described, material: str) -> Floats | None:
        try:
            maker = plugins.descriptor(said.descriptor, said.options)
            vector: Floats = maker.describe([material])[0]
        except HaganeError:
            return None  # it is shown without the comparison
        return vector


def _similarities(said: Described, vector: Floats) -> Floats:
    """Tanimoto's similarity (n) of a vector (d) to each candidate of the table, as in the planner's
    kernel."""
    import numpy as np

    counts = said.counts
    assert counts is not None
    ends, places = np.array(counts.ends, dtype=int), np.array(counts.places, dtype=int)
    values = np.array(counts.values, dtype=float)
    rows = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    shared = np.bincount(rows, values * vector[places], len(ends))
    sizes = np.bincount(rows, values * values, len(ends)) + vector @ vector
    return np.asarray(shared / np.maximum(sizes - shared, 1e-12))
