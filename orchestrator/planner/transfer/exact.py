"""Exact Gaussian processes with any covariance that can say its slopes. Outcomes are standardised
and have mean zero: what is constant is a term of the covariance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from orchestrator.planner.kernel import Floats
from orchestrator.planner.likelihood import factor

MIN_VARIANCE = 1e-12
MAX_ITERATIONS = 80
FAR = 1e10

Covariance = Callable[[Floats], tuple[Floats, Floats]]
"""Of theta (p): the covariance of the outcomes (n x n), noise included, and its slopes (p x n x n).
"""


@dataclass(frozen=True)
class Prior:
    """Of one element of theta: normal, and bounded at so many standard deviations."""

    loc: float
    scale: float
    reach: float = 5.0


@dataclass(frozen=True)
class Solution:
    """Outcomes y (n) under a covariance: its inverse (n x n), and the inverse times y (n)."""

    y: Floats
    inverse: Floats
    solved: Floats

    def posterior(self, cross: Floats, prior: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (m each), from covariances with the outcomes (m x n) and
        prior variances (m)."""
        variance = prior - np.einsum("ij,ij->i", cross @ self.inverse, cross)
        return cross @ self.solved, np.sqrt(np.maximum(variance, MIN_VARIANCE))

    def left_out(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation (n each) of every outcome, noise included, from all the
        others [Rasmussen & Williams 2006, eq. 5.12]."""
        precision = self.inverse.diagonal()
        return self.y - self.solved / precision, 1.0 / np.sqrt(precision)


def solve(covariance: Floats, y: Floats) -> tuple[Solution, float]:
    """The solution, and minus the log density of y but for a constant. Raises LinAlgError."""
    lower = factor(covariance)
    inverse, _ = lapack.dpotri(lower, lower=1)
    inverse = np.asarray(inverse)
    inverse = inverse + np.tril(inverse, -1).T
    solved = inverse @ y
    value = 0.5 * float(y @ solved) + float(np.log(lower.diagonal()).sum())
    return Solution(y, inverse, solved), value


def most_probable(
    covariance: Covariance, y: Floats, priors: Sequence[Prior], starts: Sequence[Floats]
) -> Floats:
    """Theta of the largest posterior density, climbing from each of the starts; the first start
    where no climb succeeds."""
    from scipy.optimize import fmin_l_bfgs_b

    loc, scale = np.array([p.loc for p in priors]), np.array([p.scale for p in priors])
    bounds = [(p.loc - p.reach * p.scale, p.loc + p.reach * p.scale) for p in priors]

    def value(theta: Floats) -> tuple[float, Floats]:
        total, slopes = covariance(theta)
        try:
            solution, minus_log = solve(total, y)
        except np.linalg.LinAlgError:
            return FAR, np.zeros_like(theta)
        pull = 0.5 * (solution.inverse - np.outer(solution.solved, solution.solved))
        z = (theta - loc) / scale
        gradient = slopes.reshape(len(theta), -1) @ pull.reshape(-1)
        return minus_log + 0.5 * float(z @ z), gradient + z / scale

    best, lowest = starts[0], np.inf
    for start in starts:
        theta, found, _ = fmin_l_bfgs_b(value, start, bounds=bounds, maxiter=MAX_ITERATIONS)
        if found < lowest and np.isfinite(theta).all():
            best, lowest = theta, found
    return np.asarray(best)
