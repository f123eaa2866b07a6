"""How probable the outcomes are under hyperparameters, with the exact gradient.

Log marginal likelihood of a Gaussian process [Rasmussen & Williams 2006, eq. 5.8 and 5.9] with its
constant mean at the best value (generalised least squares), plus the priors of the hyperparameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import lapack

from orchestrator.planner.kernel import Floats, Layout, Shape, correlation, pairwise_squares

LOG_2PI = math.log(2.0 * math.pi)


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
    """Priors of length scales, noise variance and signal variance (None: the variance is 1)."""

    width: LogNormal
    noise: LogNormal
    variance: LogNormal | None = None
    min_noise: float = 1e-7


@dataclass(frozen=True)
class Hyper:
    """Hyperparameters: length scale per group (g), noise variance, signal variance, constant mean,
    and the variances of the additive `terms`."""

    scales: Floats
    noise: float
    variance: float
    mean: float
    terms: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass
class Likelihood:
    """Minus the log posterior of theta = log (scales, noise[, variance], terms), up to a constant.

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
        return widths + noise + variance + [(math.log(1e-6), math.log(10.0))] * len(self.terms)

    @property
    def start(self) -> Floats:
        """Theta at the modes of the priors."""
        variance = [0.0] if self.priors.variance else []
        modes = np.broadcast_to(self.priors.width.log_mode, self.n_groups).tolist()
        noise = [max(math.log(self.priors.min_noise), float(self.priors.noise.log_mode))]
        return np.array(modes + noise + variance + [math.log(0.05)] * len(self.terms))

    def split(self, theta: Floats) -> tuple[Floats, float, float, Floats]:
        """Length scales, noise variance, signal variance, variances of the terms."""
        g = self.n_groups
        values = np.exp(theta)
        at = g + 2 if self.priors.variance else g + 1
        variance = float(values[g + 1]) if self.priors.variance else 1.0
        return values[:g], float(values[g]), variance, values[at:]

    def hyper(self, theta: Floats) -> Hyper:
        """The hyperparameters of theta, with the mean that goes with them."""
        scales, noise, variance, terms = self.split(theta)
        lower = factor(self._covariance(scales, noise, variance, terms)[0])
        return Hyper(scales, noise, variance, self._mean(lower)[0], terms)

    def _covariance(
        self, scales: Floats, noise: float, variance: float, terms: Floats
    ) -> tuple[Floats, Floats, Floats]:
        n = len(self.y)
        squared = (1.0 / scales**2) @ self._squares
        k, slope = correlation(squared, self.shape)
        total = variance * k
        for weight, term in zip(terms, self.terms, strict=True):
            total += weight * term.reshape(-1)
        total[self._diagonal] += noise * self.shares + self.known
        return total.reshape(n, n), k, slope

    def _mean(self, lower: Floats) -> tuple[float, Floats]:
        """The constant mean, and the solution of covariance @ s = y - mean."""
        both, _ = lapack.dpotrs(lower, np.stack([self.y, np.ones_like(self.y)], axis=1), lower=1)
        mean = float(both[:, 0].sum() / both[:, 1].sum())
        return mean, both[:, 0] - mean * both[:, 1]

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Minus the log posterior, and its gradient (the envelope theorem spares the mean's)."""
        scales, noise, variance, terms = self.split(theta)
        total, k, slope = self._covariance(scales, noise, variance, terms)
        lower = factor(total)
        mean, solved = self._mean(lower)
        fit = float((self.y - mean) @ solved)
        value = 0.5 * fit + float(np.log(lower.diagonal()).sum()) + 0.5 * len(self.y) * LOG_2PI
        inverse, _ = lapack.dpotri(lower, lower=1)
        inverse = np.asarray(inverse)
        inverse = inverse + np.tril(inverse, -1).T
        pull = 0.5 * (inverse - np.outer(solved, solved)).reshape(-1)
        by_square = pull * slope
        gradient = [(-2.0 * variance) * (self._squares @ by_square) / scales**2]
        gradient.append(np.array([noise * (pull[self._diagonal] @ self.shares)]))
        if self.priors.variance:
            gradient.append(np.array([variance * (pull @ k)]))
        gradient.append(
            np.array([w * (pull @ t.reshape(-1)) for w, t in zip(terms, self.terms, strict=True)])
        )
        prior, by_prior = self._log_prior(theta)
        return value - prior, np.concatenate(gradient) - by_prior

    def _log_prior(self, theta: Floats) -> tuple[float, Floats]:
        g = self.n_groups
        kinds = [(slice(0, g), self.priors.width), (slice(g, g + 1), self.priors.noise)]
        if self.priors.variance:
            kinds.append((slice(g + 1, g + 2), self.priors.variance))
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
