"""The models of a history: one process per metric, and what weighs on the worth beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.planner.censoring import with_bounds
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.measured import Evidence, Measured
from orchestrator.planner.options import ModelOptions
from orchestrator.planner.survival import Survival, survival
from orchestrator.planner.worth import Weight


@dataclass(frozen=True)
class Models:
    """Processes in the order of the question's names, and the classifier of failures."""

    processes: tuple[GaussianProcess, ...]
    survival: Survival | None

    @property
    def weights(self) -> tuple[Weight, ...]:
        """Further factors of the worth."""
        return (self.survival,) if self.survival else ()


def models(
    encoding: Encoding, seen: Evidence, names: tuple[str, ...], options: ModelOptions
) -> Models:
    """Fits what a history can say."""
    processes = tuple(_process(encoding, seen, seen.measured[n], options) for n in names)
    found = None
    if seen.blamed:
        found = survival(
            seen.features[list(seen.survived)],
            seen.features[list(seen.blamed)],
            encoding.groups,
            options.kernel,
        )
    return Models(processes, found)


def _process(
    encoding: Encoding, seen: Evidence, measured: Measured, options: ModelOptions
) -> GaussianProcess:
    n = len(measured.y)
    x = seen.features[list(measured.rows)]
    data = Data(
        x, measured.y, encoding.groups, measured.shares, measured.known, np.zeros((0, n, n))
    )
    n_groups = int(encoding.groups.max()) + 1
    return with_bounds(fit(data, options.kernel, default_priors(n_groups)), measured.sides)
