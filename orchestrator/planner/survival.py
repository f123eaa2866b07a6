"""Where trials give data at all: a classifier learnt from failures that the parameters caused.

A Gaussian process on a latent score with a probit link and Laplace's approximation [Rasmussen &
Williams 2006, sections 3.4 and 3.6]; its length scales are those of a regression on the labels. On
rungs of a fidelity one half of the score is that of all of them, one quarter of each alone, and one
quarter the same everywhere on a rung: what fails on one may well be computed on another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import Belief, inverse_factor
from orchestrator.planner.improvement import log_probability
from orchestrator.planner.kernel import Floats, Kernel, Shape, correlation
from orchestrator.planner.rungs import Rungs

LATENT_VARIANCE = 25.0
CAUTION = 2.0
"""By which power of the probability to give data a trial is worth less."""
MAX_NEWTON = 30
SHARED, OWN, LEVEL = 0.5, 0.25, 0.25
"""Of the score's variance: of all rungs, of each alone, and of each the same everywhere."""


@dataclass(frozen=True)
class RungKernel(Kernel):
    """The covariance of scores of points on rungs."""

    rungs: Rungs = field(kw_only=True)

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """As `Kernel`."""
        return self.with_slope(a, b)[0]

    def with_slope(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """As `Kernel.with_slope`."""
        k, slope = correlation(self.squared(a, b), self.shape)
        same = self.rungs.of(a)[:, None] == self.rungs.of(b)[None, :]
        alike = self.variance * (SHARED + OWN * same)
        return alike * k + self.variance * LEVEL * same, alike * slope


@dataclass(frozen=True)
class Survival:
    """Log of the factor by which the worth of a trial is less for the risk that it gives no data.

    `movable` are the feature columns of the real parameters.
    """

    latent: Belief
    movable: NDArray[np.intp]

    def probability(self, x: Floats) -> Floats:
        """At features (m x d)."""
        return np.exp(self._log(x)[0])

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Logarithms (m) at features (m x d)."""
        return CAUTION * self._log(x)[0]

    def _log(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        means, variance = self.latent.moments(x)
        total = 1.0 + variance
        z = means[:, 0] / np.sqrt(total)
        return *log_probability(z), z, total

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x k) by the real parameters."""
        value, slope, z, total = self._log(x)
        by_mean = CAUTION * (slope / np.sqrt(total))[:, None]
        gradient = self.latent.pull(x, by_mean, -0.5 * CAUTION * slope * z / total)
        return CAUTION * value, gradient[:, self.movable]


def survival(encoding: Encoding, survived: Floats, blamed: Floats, shape: Shape) -> Survival:
    """Learns from features of trials that gave data (n x d) and of those that failed (m x d)."""
    layout = encoding.layout
    x = np.concatenate([survived, blamed])
    labels = np.concatenate([np.ones(len(survived)), -np.ones(len(blamed))])
    n = len(labels)
    zeros = np.zeros(n)
    data = Data(x, labels - labels.mean(), layout, np.ones(n), zeros, np.zeros((0, n, n)))
    scales = fit(data, shape, default_priors(layout.n_groups, layout.counted)).hyper.scales
    widths, rungs = np.append(scales, 1.0)[layout.groups], encoding.rungs
    kernel = Kernel(widths, LATENT_VARIANCE, shape, layout)
    if rungs is not None:
        kernel = RungKernel(widths, LATENT_VARIANCE, shape, layout, rungs=rungs)
    # the mean of the latent score far from all trials is that of the share that survived, between
    # which and a coin's toss two further trials stand
    level = float(ndtri((len(survived) + 1.0) / (n + 2.0))) * np.sqrt(1.0 + LATENT_VARIANCE) * 0.5
    return Survival(_laplace(x, labels, kernel, level), encoding.movable[1])


def _laplace(x: Floats, labels: Floats, kernel: Kernel, level: float) -> Belief:
    covariance = kernel(x, x)
    latent = np.full(len(labels), level)
    for _ in range(MAX_NEWTON):
        _, slope = log_probability(labels * latent)
        gradient = labels * slope
        curvature = np.maximum(slope * (slope + labels * latent), 1e-10)
        pull = curvature * (latent - level) + gradient
        root = np.sqrt(curvature)
        inner = np.eye(len(labels)) + root[:, None] * covariance * root[None, :]
        solved = pull - root * np.linalg.solve(inner, root * (covariance @ pull))
        moved = level + covariance @ solved
        step = float(np.abs(moved - latent).max())
        latent = moved
        if step < 1e-8:
            break
    inverse = inverse_factor(inner)
    return Belief(
        kernel=kernel,
        level=level,
        anchors=x,
        weights=solved[:, None],
        root=(inverse * root[None, :]).T,
        prior=kernel.variance,
    )
