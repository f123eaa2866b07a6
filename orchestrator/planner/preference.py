"""What people prefer: a latent utility learnt from which of two trials was better.

A Gaussian process on the utility, a probit of its differences, Laplace's approximation [Chu &
Ghahramani 2005]; the length scales are those of a regression on wins less losses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.improvement import log_probability
from orchestrator.planner.kernel import Floats, Kernel, Layout, Shape
from orchestrator.planner.likelihood import Hyper

JUDGEMENT_SD = 0.3
"""How far apart, as a share of the spread of utilities, two trials are told apart for certain."""
MAX_NEWTON = 50
VAGUE = 1e-4


def preference(
    x: Floats, pairs: Sequence[tuple[int, int]], layout: Layout, shape: Shape
) -> GaussianProcess:
    """The utility, as a process that has Laplace's posterior.

    Args:
        x: features of the compared trials (n x d).
        pairs: places in x, the better one first.
        layout: what the columns of x are.
    """
    n = len(x)
    compared = np.zeros((len(pairs), n))
    for row, (better, worse) in enumerate(pairs):
        compared[row, better] += 1.0
        compared[row, worse] -= 1.0
    scales = _scales(x, compared.sum(axis=0), layout, shape)
    covariance = Kernel(scales[layout.groups], 1.0, shape, layout)(x, x) + 1e-9 * np.eye(n)
    utility = np.zeros(n)
    width = np.sqrt(2.0) * JUDGEMENT_SD
    for _ in range(MAX_NEWTON):
        z = compared @ utility / width
        _, ratio = log_probability(z)
        slope = compared.T @ ratio / width
        curvature = compared.T @ ((ratio * (ratio + z))[:, None] * compared) / width**2
        curvature += VAGUE * np.eye(n)
        moved = np.linalg.solve(
            np.eye(n) + covariance @ curvature, covariance @ (curvature @ utility + slope)
        )
        step = float(np.abs(moved - utility).max())
        utility = moved
        if step < 1e-9:
            break
    spread = np.linalg.inv(curvature)
    outcomes = utility + spread @ np.linalg.solve(covariance, utility)
    hyper = Hyper(scales, JUDGEMENT_SD**2, 1.0, 0.0)
    return GaussianProcess(x, outcomes, np.zeros(n), layout, shape, hyper, spread)


def _scales(x: Floats, score: Floats, layout: Layout, shape: Shape) -> Floats:
    n = len(x)
    size = float(score.std()) or 1.0
    y = (score - score.mean()) / size
    data = Data(x, y, layout, np.ones(n), np.zeros(n), np.zeros((0, n, n)))
    return fit(data, shape, default_priors(layout.n_groups, layout.counted)).hyper.scales
