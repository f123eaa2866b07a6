"""How probable the outcomes are under hyperparameters, with the exact gradient.

Log marginal likelihood of a Gaussian process [Rasmussen & Williams 2006, eq. 5.8 and 5.9] with its
constant mean at the best value (generalised least squares), plus the priors of the hyperparameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from orchestrator.planner.kernel import Floats, Layout, Shape, correlation, mixed, pairwise_squares

LOG_2PI = math.log(2.0 * math.pi)
MOST_ODDS = 8.0
"""Logarithm of the largest odds of main effects, and of the smallest, negated."""


@dataclass(frozen=True)
class LogNormal:
    """A prior: log(value) is normal with `loc` and `scale`.

    What is most probable is the value (as in BoTorch), or its logarithm with `of_log`. Both
    numbers may be arrays, one for each value. `alike` is the correlation of any two logarithms.
    """

    loc: float | Floats
    scale: float | Floats
    of_log: bool = False
    alike: float = 0.0

    @property
    def log_mode(self) -> float | Floats:
        """Logarithm of the most probable value."""
        return self.loc if self.of_log else self.loc - self.scale**2

    def log_density(self, log_value: Floats) -> tuple[Floats, Floats]:
        """Log density of the values (or of their logarithms), in parts of which the sum is that of
        all, and its derivatives by log(value)."""
        z, own = (log_value - self.loc) / self.scale, 1.0 - self.alike
        ratio = self.alike / (own + z.size * self.alike)  # Sherman and Morrison
        pulled = (z - ratio * z.sum()) / own
        volume = np.log(own) - np.log1p(-ratio * z.size) / max(1, z.size)
        density = -0.5 * (z * pulled + volume + LOG_2PI) - np.log(self.scale)
        slope = -pulled / self.scale
        return (density, slope) if self.of_log else (density - log_value, slope - 1.0)


@dataclass(frozen=True)
class Priors:
    """Priors of length scales, noise variance, signal variance (None: the variance is 1), and the
    odds of main effects in it (None: there are none)."""

    width: LogNormal
    noise: LogNormal
    variance: LogNormal | None = None
    min_noise: float = 1e-7
    mains: LogNormal | None = None


@dataclass(frozen=True)
class Hyper:
    """Hyperparameters: length scale per group (g), noise variance, signal variance, constant mean,
    the variances of the additive `terms`, and the share of main effects."""

    scales: Floats
    noise: float
    variance: float
    mean: float
    terms: Floats = field(default_factory=lambda: np.zeros(0))
    mains: float = 0.0


class _Parts(NamedTuple):
    """The covariance of the outcomes (n x n), the correlation (n*n), its derivatives by the squared
    distance (n*n; with main effects by that of each part, p x n*n), and by how much main effects
    differ from the rest (n*n)."""

    total: Floats
    k: Floats
    slopes: Floats
    apart: Floats


@dataclass
class Likelihood:
    """Minus the log posterior of theta = log (scales, noise[, variance][, odds of main effects],
    terms), up to a constant.

    Attributes:
        x, y: features (n x d) and standardised outcomes (n).
        layout: what the columns of x are.
        shares: what part of the noise variance each outcome has (n), 1 / (samples averaged).
        known: known noise variances (n).
        terms: further covariance matrices (t x n x n), each with a variance to be fitted.
    """

    x: Floats
    y: Floats
    layout: Layout
    priors: Priors
    shape: Shape
    shares: Floats
    known: Floats
    terms: Floats
    n_groups: int = 0

    def __post_init__(self) -> None:
        self.n_groups = self.layout.n_groups
        self._squares = pairwise_squares(self.x, self.layout)
        self._diagonal = np.arange(len(self.y)) * (len(self.y) + 1)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of theta."""
        widths = [(math.log(1e-2), math.log(1e4))] * self.n_groups
        noise = [(math.log(self.priors.min_noise), math.log(10.0))]
        variance = [(math.log(1e-2), math.log(1e2))] if self.priors.variance else []
        mains = [(-MOST_ODDS, MOST_ODDS)] if self.priors.mains else []
        return (
            widths + noise + variance + mains + [(math.log(1e-6), math.log(10.0))] * len(self.terms)
        )

    @property
    def start(self) -> Floats:
        """Theta at the modes of the priors."""
        variance = [0.0] if self.priors.variance else []
        modes = np.broadcast_to(self.priors.width.log_mode, self.n_groups).tolist()
        noise = [max(math.log(self.priors.min_noise), float(self.priors.noise.log_mode))]
        mains = [float(self.priors.mains.log_mode)] if self.priors.mains else []
        return np.array(modes + noise + variance + mains + [math.log(0.05)] * len(self.terms))

    def split(self, theta: Floats) -> Hyper:
        """The hyperparameters of theta, but for the mean, which is 0."""
        g = self.n_groups
        values = np.exp(theta)
        at = g + 1
        variance, mains = 1.0, 0.0
        if self.priors.variance:
            variance, at = float(values[at]), at + 1
        if self.priors.mains:
            mains, at = float(values[at] / (1.0 + values[at])), at + 1
        return Hyper(values[:g], float(values[g]), variance, 0.0, values[at:], mains)

    def theta(self, at: Hyper) -> Floats:
        """What `split` makes these hyperparameters of."""
        variance = [at.variance] if self.priors.variance else []
        odds = [at.mains / (1.0 - at.mains)] if self.priors.mains else []
        return np.asarray(np.log(np.concatenate([at.scales, [at.noise], variance, odds, at.terms])))

    def hyper(self, theta: Floats) -> Hyper:
        """The hyperparameters of theta, with the mean that goes with them."""
        found = self.split(theta)
        return replace(found, mean=self._mean(factor(self._covariance(found).total))[0])

    def _covariance(self, at: Hyper) -> _Parts:
        n = len(self.y)
        by_scale = 1.0 / at.scales**2
        if at.mains:
            squares = [by_scale[part] @ self._squares[part] for part in self.layout.parts]
            k, slopes, apart = mixed(np.stack(squares), at.mains, self.layout, self.shape)
        else:
            (k, slopes), apart = correlation(by_scale @ self._squares, self.shape), np.zeros(0)
        total = at.variance * k
        for weight, term in zip(at.terms, self.terms, strict=True):
            total += weight * term.reshape(-1)
        total[self._diagonal] += at.noise * self.shares + self.known
        return _Parts(total.reshape(n, n), k, slopes, apart)

    def _mean(self, lower: Floats) -> tuple[float, Floats]:
        """The constant mean, and the solution of covariance @ s = y - mean."""
        both, _ = lapack.dpotrs(lower, np.stack([self.y, np.ones_like(self.y)], axis=1), lower=1)
        mean = float(both[:, 0].sum() / both[:, 1].sum())
        return mean, both[:, 0] - mean * both[:, 1]

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Minus the log posterior, and its gradient (the envelope theorem spares the mean's)."""
        at = self.split(theta)
        parts = self._covariance(at)
        lower = factor(parts.total)
        mean, solved = self._mean(lower)
        fit = float((self.y - mean) @ solved)
        value = 0.5 * fit + float(np.log(lower.diagonal()).sum()) + 0.5 * len(self.y) * LOG_2PI
        inverse, _ = lapack.dpotri(lower, lower=1)
        inverse = np.asarray(inverse)
        inverse = inverse + np.tril(inverse, -1).T
        pull = 0.5 * (inverse - np.outer(solved, solved)).reshape(-1)
        if at.mains:
            weights = (pull * parts.slopes)[self.layout.part_of]
            by_scale = np.einsum("gi,gi->g", self._squares, weights)
        else:
            by_scale = self._squares @ (pull * parts.slopes)
        gradient = [(-2.0 * at.variance) * by_scale / at.scales**2]
        gradient.append(np.array([at.noise * (pull[self._diagonal] @ self.shares)]))
        if self.priors.variance:
            gradient.append(np.array([at.variance * (pull @ parts.k)]))
        if self.priors.mains:
            by_odds = at.mains * (1.0 - at.mains)
            gradient.append(np.array([by_odds * at.variance * (pull @ parts.apart)]))
        gradient.append(
            np.array(
                [w * (pull @ t.reshape(-1)) for w, t in zip(at.terms, self.terms, strict=True)]
            )
        )
        prior, by_prior = self._log_prior(theta)
        return value - prior, np.concatenate(gradient) - by_prior

    def _log_prior(self, theta: Floats) -> tuple[float, Floats]:
        g = self.n_groups
        kinds = [(slice(0, g), self.priors.width), (slice(g, g + 1), self.priors.noise)]
        at = g + 1
        for prior in (self.priors.variance, self.priors.mains):
            if prior is not None:
                kinds.append((slice(at, at + 1), prior))
                at += 1
        return log_prior(theta, kinds)


def log_prior(theta: Floats, kinds: Iterable[tuple[slice, LogNormal]]) -> tuple[float, Floats]:
    """Log density of independent priors of some places of theta, and its gradient."""
    total, gradient = 0.0, np.zeros_like(theta)
    for place, prior in kinds:
        density, slope = prior.log_density(theta[place])
        total += float(density.sum())
        gradient[place] = slope
    return total, gradient


def factor(covariance: Floats) -> Floats:
    """Lower Cholesky factor; jitter is added where rounding makes it necessary.

    Raises:
        LinAlgError: the matrix is far from positive definite, or not finite.
    """
    size = float(covariance.diagonal().mean())
    for jitter in (0.0, 1e-10, 1e-8, 1e-6, 1e-4):
        tried = covariance + jitter * size * np.eye(len(covariance)) if jitter else covariance
        lower, fault = lapack.dpotrf(tried, lower=1, clean=1)
        if not fault:
            return np.asarray(lower)
    raise np.linalg.LinAlgError("a covariance is not positive definite")
