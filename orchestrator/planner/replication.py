"""What was replicated decides which variances an outcome has, and how much of each.

    y = f(point) + block + run + sample

A trial is a run. The mean over n samples of one run has all of the run's deviation and one n-th of
the variance between samples; that over n runs one n-th of both; that over n blocks one n-th of
what lies between blocks as well [nested random effects: Searle, Casella & McCulloch 1992].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats
from orchestrator.ports.planner import Outcome


@dataclass(frozen=True)
class Parts:
    """Of each outcome (n), which part of three unknown variances is its own.

    Attributes:
        run: of that between runs. A run's one sample has its deviation within, so that without any
            replication this is all the noise there is.
        sample: of that between samples of a run; 0 where it was measured.
        block: of that between blocks; less than 1 only where several were averaged.
    """

    run: Floats
    sample: Floats
    block: Floats

    @classmethod
    def alone(cls, n: int) -> Parts:
        """Of so many outcomes of one sample each."""
        return cls(np.ones(n), np.ones(n), np.ones(n))

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], sds: Sequence[float | None]) -> Parts:
        """As outcomes say, with the standard deviations of those whose noise is known.

        A known one of a single sample, or over runs or blocks, is the whole noise of the outcome;
        one over samples of a run knows nothing of other runs.
        """
        told = list(zip(outcomes, sds, strict=True))
        return cls(
            run=np.array([_of_runs(o, sd) for o, sd in told]),
            sample=np.array([1.0 / o.n_samples if sd is None else 0.0 for o, sd in told]),
            block=np.array([_of_blocks(o, sd) for o, sd in told]),
        )

    @property
    def tells_samples_apart(self) -> bool:
        """Whether the variance between samples is not the same part of every outcome's noise."""
        has = self.run > 0
        return bool(has.any() and np.ptp(self.sample[has] / self.run[has]) > 0)

    def samples(self) -> Floats:
        """What comes of samples, for a variance of one (n x n)."""
        return np.asarray(np.diag(self.sample))

    def blocks(self, names: Sequence[str]) -> Floats:
        """What comes of blocks, for a variance of one (n x n); '' is a block that is not known."""
        named = np.array(names, dtype=object)
        single = (self.block == 1.0) & (named != "")
        same: NDArray[np.bool_] = named[:, None] == named[None, :]
        found = np.asarray(same & single[:, None] & single[None, :], dtype=np.float64)
        np.fill_diagonal(found, self.block)
        return found


def _of_runs(outcome: Outcome, sd: float | None) -> float:
    if outcome.n_samples > 1 and outcome.level == "sample":
        return 1.0
    return 0.0 if sd is not None else 1.0 / outcome.n_samples


def _of_blocks(outcome: Outcome, sd: float | None) -> float:
    if outcome.n_samples == 1 or outcome.level != "block":
        return 1.0
    return 0.0 if sd is not None else 1.0 / outcome.n_samples
