"""A metric and the values of a source as one process of two outputs, as the search uses any other.

The covariance is that of `multitask` [intrinsic coregionalisation, Bonilla et al. 2008]:

    cov(y_i(x), y_j(x')) = A [i = j = metric] + sqrt(v_i v_j) (r or 1) k(x, x') + noise_i

with v of the source, which is standardised, 1. Given its values at points S the metric is again a
process of the same features, with c = r sqrt(v) and Q = k(S, S) + noise of the source:

    mean        level + c k(x, S) Q^-1 y_S               (the trend)
    covariance  v k(x, x') - c^2 k(x, S) Q^-1 k(S, x')
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from orchestrator.planner.fitting import Data, default_priors
from orchestrator.planner.gaussian import GaussianProcess, inverse_factor
from orchestrator.planner.kernel import (
    Floats,
    Kernel,
    Shape,
    correlation,
    pairwise_squares,
)
from orchestrator.planner.likelihood import Hyper
from orchestrator.planner.transfer.affine import LEVEL_VARIANCE
from orchestrator.planner.transfer.exact import Prior, most_probable
from orchestrator.planner.transfer.multitask import LIKELY_AGREEMENTS

MAX_BESIDE = 100
"""Values of a source that stand beside the outcomes; of more, as many stand for all."""
MAX_OUTCOMES = 300
"""Of more outcomes a source's values add little, and the fit would take too long."""


@dataclass(frozen=True)
class Observed:
    """What a source was seen to be: standardised values y (m) at features x (m x d) of the space,
    m being `MAX_BESIDE` at most."""

    x: Floats
    y: Floats


@dataclass(frozen=True)
class Partner:
    """A source as it stands beside a metric: its values with the variance of their noise, and its
    correlation r with the metric."""

    seen: Observed
    noise: float
    agreement: float


@dataclass(frozen=True)
class SaidBeside:
    """The trend: what the source's values say of the metric, `kernel(x, points) @ weights`."""

    kernel: Kernel
    points: Floats
    weights: Floats

    def __call__(self, x: Floats) -> Floats:
        """As `gaussian.Trend`."""
        return np.asarray(self.kernel(x, self.points) @ self.weights)

    def pull(self, x: Floats, by_mean: Floats) -> Floats:
        """As `gaussian.Trend`."""
        _, slope = self.kernel.with_slope(x, self.points)
        by_k = by_mean[:, None] * self.weights
        return self.kernel.pull(x, self.points, by_k * slope)


@dataclass(frozen=True)
class TwoOutputProcess(GaussianProcess):
    """A process as `GaussianProcess`, given the values of a source too; its trend is made here."""

    partner: Partner = field(kw_only=True)
    own: Floats = field(init=False)
    """`_inverse_root`: `root` also has what the source's values say (a x (m + n))."""

    def __post_init__(self) -> None:
        kernel, partner = self._covariance(), self.partner
        points, factor = partner.seen.x, partner.agreement / math.sqrt(kernel.variance)
        of_source = kernel(points, points) / kernel.variance
        of_source[np.diag_indices_from(of_source)] += partner.noise
        known = factor * inverse_factor(of_source)  # its square is c^2 Q^-1 for k without v
        weights = known.T @ (known @ partner.seen.y) / factor if factor else 0.0 * partner.seen.y
        across = known @ kernel(points, self.x)
        covariance = kernel(self.x, self.x) - across.T @ across
        if self.extra is not None:
            covariance = covariance + self.extra
        covariance[np.diag_indices_from(covariance)] += self.noise
        own = inverse_factor(covariance).T
        # what an outcome says is led to the points of the source, where it is subtracted again
        led = np.concatenate([np.eye(len(self.y)), -known.T @ across])
        of_values = np.concatenate([np.zeros((len(self.y), len(points))), known.T])
        object.__setattr__(self, "kernel", kernel)
        object.__setattr__(self, "trend", SaidBeside(kernel, points, weights))
        object.__setattr__(self, "own", own)
        object.__setattr__(self, "root", np.concatenate([of_values, led @ own], axis=1))
        residual = self.y - self.level(self.x)
        object.__setattr__(self, "solved", led @ self.weighed(residual))

    def anchored(self, x: Floats) -> Floats:
        """As `GaussianProcess.anchored`, and the points of the source."""
        return np.concatenate([x, self.partner.seen.x])

    @property
    def _inverse_root(self) -> Floats:
        """As `GaussianProcess._inverse_root`."""
        return self.own


class _Covariance:
    """Of outcomes (n) and then a source's values, with slopes by theta: log v, log noise of the
    metric, log noise of the source, atanh r, log widths, log variances of the terms."""

    def __init__(self, data: Data, seen: Observed, shape: Shape) -> None:
        n, m = len(data.y), len(seen.y)
        total = n + m
        self._squares = pairwise_squares(np.concatenate([data.x, seen.x]), data.layout)
        self._squares = self._squares.reshape(data.layout.n_groups, total, total)
        self._target, self._shape = np.arange(total) < n, shape
        self._shares, self._known = np.zeros(total), np.zeros(total)
        self._shares[:n], self._known[:n] = data.shares, data.known
        self._terms = np.zeros((len(data.terms), total, total))
        self._terms[:, :n, :n] = data.terms

    def __call__(self, theta: Floats) -> tuple[Floats, Floats]:
        g, target = len(self._squares), self._target
        scaled = self._squares / np.exp(2.0 * theta[4 : 4 + g])[:, None, None]
        k, slope = correlation(scaled.sum(axis=0), self._shape)
        own, r = math.exp(0.5 * float(theta[0])), math.tanh(float(theta[3]))
        size = np.where(target, own, 1.0)
        across = target[:, None] != target[None, :]
        both = np.outer(size, size) * np.where(across, r, 1.0)
        halves = 0.5 * (target[:, None].astype(float) + target[None, :])
        noise = np.diag(math.exp(theta[1]) * self._shares)
        of_source = np.diag(math.exp(theta[2]) * (~target).astype(float))
        terms = np.exp(theta[4 + g :])[:, None, None] * self._terms
        total = both * k + noise + of_source + np.diag(self._known) + terms.sum(axis=0)
        total += LEVEL_VARIANCE * np.outer(target, target)
        by_r = own * across * k * (1.0 - r * r)
        slopes = [halves * both * k, noise, of_source, by_r, *(-2.0 * both * slope * scaled)]
        return total, np.array([*slopes, *terms])


def fit_beside(data: Data, seen: Observed, shape: Shape) -> TwoOutputProcess:
    """The process with the most probable hyperparameters, climbing from either agreement."""
    g = data.layout.n_groups
    width = default_priors(g, data.layout.counted)[0].width
    assert isinstance(width.scale, float)
    noises = [Prior(-4.0, 2.0), Prior(-2.5, 1.5)]
    widths = [Prior(float(loc), width.scale) for loc in np.broadcast_to(width.loc, g)]
    terms = [Prior(-3.0, 1.5)] * len(data.terms)
    priors = [Prior(0.0, 0.5), *noises, Prior(0.0, 1.0), *widths, *terms]
    starts = [np.array([p.loc for p in priors]) for _ in LIKELY_AGREEMENTS]
    for start, r in zip(starts, LIKELY_AGREEMENTS, strict=True):
        start[3] = math.atanh(r)
    both = np.concatenate([data.y, seen.y])
    theta = most_probable(_Covariance(data, seen, shape), both, priors, starts)
    variance, noise, of_source = np.exp(theta[:3])
    hyper = Hyper(
        np.exp(theta[4 : 4 + g]), float(noise), float(variance), 0.0, np.exp(theta[4 + g :])
    )
    extra = np.tensordot(hyper.terms, data.terms, axes=1) if len(data.terms) else None
    partner = Partner(seen, float(of_source), math.tanh(float(theta[3])))
    process = TwoOutputProcess(
        data.x,
        data.y,
        noise * data.shares + data.known,
        data.layout,
        shape,
        hyper,
        extra,
        partner=partner,
    )
    ones = process.weighed(np.ones(len(data.y)))
    level = float(ones @ (data.y - process.level(data.x)))
    level /= float(ones.sum()) + 1.0 / LEVEL_VARIANCE
    return replace(process, hyper=replace(hyper, mean=level))
