"""Gaussian processes: fitted, asked for means and variances, and conditioned on draws.

Everything is on standardised outcomes; features are n x d as `encoding` gives them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from orchestrator.planner.kernel import Floats, Kernel, Layout, Shape
from orchestrator.planner.likelihood import Hyper, factor

MAX_NUMBERS = 4_000_000
"""Covariances of moved features that are held at once."""
MIN_VARIANCE = 1e-12
SINGLE_VARIANCE = 1e-5
"""What single precision can tell from none."""


class Trend(Protocol):
    """What is expected anywhere before any outcome is known, but for a constant."""

    def __call__(self, x: Floats) -> Floats:
        """Standardised outcomes (m) at features (m x d)."""
        ...

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """Gradient (m x d) of a function with the given derivatives (m) by those outcomes."""
        ...


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process with its data.

    Attributes:
        x: features (n x d).
        y: standardised outcomes (n).
        noise: variance of the noise of each outcome (n).
        layout: what the columns of x are.
        extra: further covariance of the outcomes that is no part of what is predicted (n x n), or
            None (drift, blocks).
        note: what went wrong with the fit, if anything.
        excess: how many times larger the variance is where nothing is known (see `widened`).
        trend: the prior mean beside the constant one, or None.
    """

    x: Floats
    y: Floats
    noise: Floats
    layout: Layout
    shape: Shape
    hyper: Hyper
    extra: Floats | None = None
    note: str = ""
    excess: float = 1.0
    trend: Trend | None = None
    kernel: Kernel = field(init=False)
    root: Floats = field(init=False)
    solved: Floats = field(init=False)

    def __post_init__(self) -> None:
        kernel = self._covariance()
        covariance = kernel(self.x, self.x)
        if self.extra is not None:
            covariance = covariance + self.extra
        covariance[np.diag_indices_from(covariance)] += self.noise
        inverse = inverse_factor(covariance)
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "root", inverse.T)
        residual = self.y - self.level(self.x)
        object.__setattr__(self, "solved", self.weighed(residual))

    def _covariance(self) -> Kernel:
        widths = self.hyper.scales[self.layout.groups]
        return Kernel(widths, self.hyper.variance, self.shape, self.layout, self.hyper.mains)

    @property
    def basis(self) -> Floats | None:
        """What the constant mean is multiplied with in each outcome (n); None: with one."""
        return None

    def level(self, x: Floats) -> Floats | float:
        """The prior mean (m, or one number) at features (m x d)."""
        return self.hyper.mean + (0.0 if self.trend is None else self.trend(x))

    @property
    def anchors(self) -> Floats:
        """The points (a x d) with which predictions covary."""
        return self.anchored(self.x)

    def anchored(self, x: Floats) -> Floats:
        """The rows of x (n x d), the outcomes' points in any description, that are anchors."""
        return x

    @property
    def _inverse_root(self) -> Floats:
        """Its product with its transpose is the inverse of the outcomes' covariance (n x n), where
        a process holds one."""
        return self.root

    def weighed(self, v: Floats) -> Floats:
        """The inverse of the outcomes' covariance times v (n)."""
        return np.asarray(self._inverse_root @ (self._inverse_root.T @ v))

    def precision(self, rows: NDArray[np.bool_]) -> Floats:
        """The block of that inverse (k x k) of some outcomes (a mask, n)."""
        root = self._inverse_root[rows]
        return np.asarray(root @ root.T)

    def precisions(self) -> Floats:
        """The diagonal of that inverse (n)."""
        return np.asarray(np.einsum("ij,ij->i", self._inverse_root, self._inverse_root))

    def posterior(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (m each) of the noise-free outcome at features (m x d)."""
        k = self.kernel(x, self.anchors)
        explained = k @ self.root
        variance = self.kernel.variance - np.einsum("ij,ij->i", explained, explained)
        variance = widened(np.maximum(variance, MIN_VARIANCE), self.kernel.variance, self.excess)
        return self.level(x) + k @ self.solved, np.sqrt(variance)

    def outcome(self, x: Floats) -> tuple[Floats, Floats]:
        """As `posterior`, on the scale of the standardised outcomes that were measured."""
        return self.posterior(x)

    @property
    def scatter(self) -> float:
        """Standard deviation of a measurement around the noise-free outcome, as most have been."""
        return float(np.sqrt(np.median(self.noise)))

    def joint(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean (m) and covariance (m x m) of the noise-free outcomes at features (m x d)."""
        k = self.kernel(x, self.anchors)
        explained = k @ self.root
        return self.level(x) + k @ self.solved, self.kernel(x, x) - explained @ explained.T

    def leave_one_out(self) -> tuple[Floats, Floats]:
        """Mean and variance (n each) of every outcome, noise included, predicted from all the
        others with the hyperparameters of the full fit [Rasmussen & Williams 2006, eq. 5.12]."""
        precision = self.precisions()
        return self.y - self.weighed(self.y - self.level(self.x)) / precision, 1.0 / precision

    def with_outcomes(self, x: Floats, y: Floats, noise: Floats) -> Self:
        """The process with further outcomes and the same hyperparameters."""
        n, m = len(self.y), len(y)
        extra = None
        if self.extra is not None:
            extra = np.zeros((n + m, n + m))
            extra[:n, :n] = self.extra
        return replace(
            self,
            x=np.concatenate([self.x, x]),
            y=np.concatenate([self.y, y]),
            noise=np.concatenate([self.noise, noise]),
            extra=extra,
        )

    def expecting(self, x: Floats) -> Self:
        """The process once trials at features (m x d) have given what is expected of them: as
        certain as it will be, and expecting what it does now."""
        if not len(x):
            return self
        return self.with_outcomes(x, self.posterior(x)[0], np.full(len(x), self.hyper.noise))


def widened(variance: Floats, prior: float, excess: float) -> Floats:
    """Variances as they are where all is known, and `excess` times as large where nothing is."""
    return variance if excess == 1.0 else variance * (1.0 + (excess - 1.0) * variance / prior)


def inverse_factor(covariance: Floats) -> Floats:
    """Inverse of the lower Cholesky factor."""
    inverse, _ = lapack.dtrtri(factor(covariance), lower=1)
    return np.asarray(inverse)


@dataclass(frozen=True)
class Belief:
    """Mean and variance anywhere, as linear and quadratic forms of covariances with `anchors`.

    With several draws the process has been conditioned on as many possible sets of noise-free
    outcomes; the variance is the same for all. With `shifts` (p x d) what is believed is the mean
    over points moved by each of them.

    Attributes:
        anchors: features (a x d).
        weights: a x s, so that mean = level + covariances @ weights.
        root: a x r, so that variance = prior - |covariances @ root|^2.
    """

    kernel: Kernel
    level: float
    anchors: Floats
    weights: Floats
    root: Floats
    prior: float
    shifts: Floats | None = None
    excess: float = 1.0
    trend: Trend | None = None

    def moments(self, x: Floats) -> tuple[Floats, Floats]:
        """Means (m x s) and variances (m) at features (m x d); in single precision if `x` is."""
        if x.dtype == np.float32:
            return self._single.moments(x)
        k = self._covariances(x)
        explained = k @ self.root
        variance = self.prior - np.einsum("ij,ij->i", explained, explained)
        variance = widened(np.maximum(variance, MIN_VARIANCE), self.prior, self.excess)
        return self.level + self.expected(x) + k @ self.weights, variance

    def expected(self, x: Floats) -> Floats | float:
        """The trend (m x 1) at features (m x d), over where they may be moved; 0 without one."""
        if self.trend is None:
            return 0.0
        moved = [x] if self.shifts is None else [x + shift for shift in self.shifts]
        return np.asarray(np.mean([self.trend(at) for at in moved], axis=0)[:, None])

    @functools.cached_property
    def _single(self) -> _SingleBelief:
        return _SingleBelief(self)

    def _covariances(self, x: Floats) -> Floats:
        if self.shifts is None:
            return self.kernel(x, self.anchors)
        return np.concatenate([self._at_once(some)[0].mean(axis=1) for some in self._few(x)])

    def _few(self, x: Floats) -> list[Floats]:
        """Features (m x d) in parts whose covariances with all shifts can be held at once."""
        assert self.shifts is not None
        n = max(1, MAX_NUMBERS // (len(self.shifts) * len(self.anchors)))
        return [x[start : start + n] for start in range(0, len(x), n)] or [x]

    def _at_once(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Covariances of moved features with the anchors (m x s x a), their slopes as
        `Kernel.with_slope` gives them, and these features (ms x d)."""
        assert self.shifts is not None
        m, d = x.shape
        moved = (x[:, None, :] + self.shifts[None, :, :]).reshape(m * len(self.shifts), d)
        k, slope = self.kernel.with_slope(moved, self.anchors)
        return k.reshape(m, len(self.shifts), len(self.anchors)), slope, moved

    def pull(self, x: Floats, by_mean: Floats, by_variance: Floats) -> Floats:
        """Gradient (m x d) of a function with the given derivatives by means and variances."""
        pulled = self._pull(x, by_mean, by_variance)
        if self.trend is None:
            return pulled
        total = by_mean.sum(axis=1)
        moved = [x] if self.shifts is None else [x + shift for shift in self.shifts]
        return np.asarray(pulled + np.mean([self.trend.pull(at, total) for at in moved], axis=0))

    def _pull(self, x: Floats, by_mean: Floats, by_variance: Floats) -> Floats:
        if self.shifts is not None:
            k, slope, moved = self._at_once(x)
            by_k = self._by_covariance(k.mean(axis=1), by_mean, by_variance)
            weights = np.repeat(by_k, len(self.shifts), axis=0) * slope
            pulled = self.kernel.pull(moved, self.anchors, weights)
            return np.asarray(pulled.reshape(*k.shape[:2], -1).mean(axis=1))
        k, slope = self.kernel.with_slope(x, self.anchors)
        by_k = self._by_covariance(k, by_mean, by_variance)
        return self.kernel.pull(x, self.anchors, by_k * slope)

    def _by_covariance(self, k: Floats, by_mean: Floats, by_variance: Floats) -> Floats:
        explained = k @ self.root
        if self.excess != 1.0:
            variance = self.prior - np.einsum("ij,ij->i", explained, explained)
            by_variance = by_variance * (1.0 + 2.0 * (self.excess - 1.0) * variance / self.prior)
        by_k: Floats = by_mean @ self.weights.T
        by_k -= (2.0 * by_variance)[:, None] * (explained @ self.root.T)
        return by_k


class _SingleBelief:
    """A belief in single precision, for screening."""

    def __init__(self, exact: Belief) -> None:
        kernel, single = exact.kernel, np.float32
        self._kernel = replace(kernel, widths=kernel.widths.astype(single))
        self._anchors: Any = exact.anchors.astype(single)
        self._weights, self._root = exact.weights.astype(single), exact.root.astype(single)
        self._level, self._prior, self._excess = exact.level, exact.prior, exact.excess
        self._shifts: Any = exact.shifts
        self._expected = exact.expected

    def moments(self, x: Floats) -> tuple[Floats, Floats]:
        """As `Belief.moments`, in double precision again at the end."""
        if self._shifts is None:
            k = self._kernel(x, self._anchors)
        else:
            moved = [self._kernel(x + s.astype(np.float32), self._anchors) for s in self._shifts]
            k = np.mean(moved, axis=0)
        explained = k @ self._root
        variance = self._prior - np.einsum("ij,ij->i", explained, explained).astype(np.float64)
        mean = self._level + (k @ self._weights).astype(np.float64)
        mean = mean + self._expected(x.astype(np.float64))
        return mean, widened(np.maximum(variance, SINGLE_VARIANCE), self._prior, self._excess)


def belief(process: GaussianProcess, shifts: Floats | None = None) -> Belief:
    """What a process believes as it is."""
    prior = process.kernel.variance
    if shifts is not None:
        prior = float(process.kernel(shifts, shifts).mean())
    return Belief(
        process.kernel,
        process.hyper.mean,
        process.anchors,
        process.solved[:, None],
        process.root,
        prior,
        shifts,
        process.excess,
        process.trend,
    )


def drawn_belief(process: GaussianProcess, at: Floats, normal: Floats) -> tuple[Belief, Floats]:
    """What a process would believe, had it seen noise-free outcomes at features (b x d).

    The outcomes are drawn from its posterior with standard normal numbers (b x s); they are given
    back (b x s) with the belief.
    """
    cross = process.kernel(at, process.anchors)
    explained = cross @ process.root
    mean = process.level(at) + cross @ process.solved
    covariance = process.kernel(at, at) - explained @ explained.T
    covariance[np.diag_indices_from(covariance)] += 1e-9 * process.kernel.variance
    inverse = inverse_factor(covariance)
    outcomes = mean[:, None] + np.linalg.solve(inverse, normal)
    # covariance with the drawn outcomes, given the data: k_at - k_x root explained^T
    n, b = len(process.solved), len(at)
    map_ = np.zeros((n + b, b))
    map_[:n] = -process.root @ explained.T @ inverse.T
    map_[n:] = inverse.T
    width = process.root.shape[1]
    root = np.zeros((n + b, width + b))
    root[:n, :width] = process.root
    root[:, width:] = map_
    weights = map_ @ normal
    weights[:n] += process.solved[:, None]
    anchors = np.concatenate([process.anchors, at])
    kernel, level = process.kernel, process.hyper.mean
    found = Belief(kernel, level, anchors, weights, root, kernel.variance)
    return replace(found, excess=process.excess, trend=process.trend), outcomes
