"""Whether outcomes would be predicted better by their decades than as they are."""

from __future__ import annotations

import math

import numpy as np

from orchestrator.planner.fitting import Data
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.generalising import log_densities
from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Measured

MIN_OUTCOMES = 12
MAX_OUTCOMES = 300
"""Of more, the two fits would take seconds."""


def gain_by_decades(process: GaussianProcess, measured: Measured) -> float | None:
    """Mean log probability of an outcome predicted from all the others, more where the model is of
    log10 of the outcomes than where it is of the outcomes as they are, or as they are bent; all as
    densities of the outcome itself. None of few or very many outcomes, of such as are not all
    positive, and of bounds, rungs and metrics on a log scale.
    """
    raw = measured.raw
    if (
        not MIN_OUTCOMES <= len(raw) <= MAX_OUTCOMES
        or measured.metric.scale == "log"
        or measured.sides.any()
        or len(measured.stretch)
        or not (raw > 0.0).all()
        or np.unique(raw).size < MIN_OUTCOMES
    ):
        return None
    logs = np.log10(raw)
    spread = float(logs.std(ddof=1))
    by_decades = _score(process, measured, (logs - logs.mean()) / spread, spread)
    by_decades -= float(np.log(raw * math.log(10.0)).mean())
    now = _score(process, measured, measured.y, measured.spread)
    if measured.bend is not None:
        now += float(np.log(measured.bend.slope(raw)).mean())
    return by_decades - now


def _score(process: GaussianProcess, measured: Measured, y: Floats, spread: float) -> float:
    """Mean log density of standardised outcomes (n), each predicted from all the others."""
    n = len(y)
    data = Data(process.x, y, process.layout, measured.parts.run, np.zeros(n), np.zeros((0, n, n)))
    return float(log_densities(data, process.shape).mean()) - math.log(spread)
