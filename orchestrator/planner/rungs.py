"""The rungs (levels of the fidelity) that points are on. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats


@dataclass(frozen=True)
class Rungs:
    """Where features say which rung a point is on: a column for each, the one that counts last."""

    columns: slice

    @property
    def n(self) -> int:
        """How many rungs there are."""
        return int(self.columns.stop - self.columns.start)

    def of(self, x: Floats) -> NDArray[np.intp]:
        """The rung (m) of features (m x d); where none is said (a mere shift), the last."""
        marks = x[:, self.columns][:, ::-1]
        return np.asarray(self.n - 1 - np.argmax(marks, axis=1), dtype=np.intp)

    def places(self, x: Floats) -> Floats:
        """A number (m) for the place of each of features (m x d), the same on every rung."""
        # roots of whole numbers, so that no two places have the same sum
        weights = np.sqrt(np.arange(2.0, x.shape[1] + 2.0))
        weights[self.columns] = 0.0
        return np.asarray((x * weights).sum(axis=1))

    def counting(self, x: Floats) -> NDArray[np.bool_]:
        """Which features (m x d) are on the rung that counts."""
        return np.asarray(self.of(x) == self.n - 1)
