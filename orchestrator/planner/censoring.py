"""Outcomes that are only bounds (over range): what they say about the model.

Expectation propagation [Minka 2001; Rasmussen & Williams 2006, section 3.6]: each bound is replaced
by the outcome and noise that have the same effect as "the true value lies beyond it".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.improvement import log_probability
from orchestrator.planner.kernel import Floats

MAX_SWEEPS = 20
DAMPING = 0.7
VAGUE = 1e6


def with_bounds(process: GaussianProcess, sides: Floats) -> GaussianProcess:
    """The process with its outcomes of non-zero side (n: +1 above `y`, -1 below) taken as bounds.

    The hyperparameters stay.
    """
    rows = np.flatnonzero(sides)
    if not len(rows):
        return process
    bounds, noise, side = process.y[rows], process.noise[rows], sides[rows]
    y, variance = process.y.copy(), process.noise.copy()
    variance[rows] = VAGUE
    current = replace(process, y=y, noise=variance)
    for _ in range(MAX_SWEEPS):
        mean, spread = current.leave_one_out()
        mean, spread = mean[rows], np.maximum(spread[rows] - current.noise[rows], 1e-10)
        site_y, site_variance = _site(mean, spread, bounds, noise, side)
        precision = DAMPING / site_variance + (1 - DAMPING) / current.noise[rows]
        pulled = DAMPING * site_y / site_variance
        pulled += (1 - DAMPING) * current.y[rows] / current.noise[rows]
        y, variance = current.y.copy(), current.noise.copy()
        y[rows], variance[rows] = pulled / precision, 1.0 / precision
        moved = float(np.abs(y[rows] - current.y[rows]).max())
        moved += float(np.abs(np.log(variance[rows] / current.noise[rows])).max())
        current = replace(process, y=y, noise=variance)
        if moved < 1e-4:
            break
    return current


def _site(
    mean: Floats, variance: Floats, bound: Floats, noise: Floats, side: Floats
) -> tuple[Floats, Floats]:
    """Outcome and noise variance that stand for the bound, given all other outcomes."""
    total = variance + noise
    z = side * (mean - bound) / np.sqrt(total)
    _, ratio = log_probability(z)
    new_mean = mean + side * variance * ratio / np.sqrt(total)
    new_variance = variance - variance**2 * ratio * (z + ratio) / total
    new_variance = np.clip(new_variance, 1e-12, variance * (1 - 1e-9))
    site_variance = 1.0 / (1.0 / new_variance - 1.0 / variance)
    site_y = site_variance * (new_mean / new_variance - mean / variance)
    return site_y, np.minimum(site_variance, VAGUE)
