"""Source and target as one Gaussian process with two outputs [intrinsic coregionalisation, Bonilla
et al. 2008]: observations of either stand at their own features, and how far the outputs agree
(r from -1 to 1) is learnt with the rest.

    cov(y_i(x), y_j(x')) = A [i = j = target] + sqrt(v_i v_j) (r or 1) k(x, x') + noise_i
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats, Layout, Shape, correlation, pairwise_squares
from orchestrator.planner.transfer.affine import LEVEL_VARIANCE
from orchestrator.planner.transfer.bases import Spacing, groups_of, spacing
from orchestrator.planner.transfer.exact import Prior, Solution, most_probable, solve
from orchestrator.planner.transfer.surrogate import LeftOut, Scale, scale_of

MAX_SOURCE = 150
LIKELY_AGREEMENTS = (0.8, -0.8)
"""Of the outputs: whence a fit climbs."""


@dataclass(frozen=True)
class _Terms:
    """Theta: log v_target, log v_source, log noise_target, log noise_source, atanh r, log widths.

    `is_target` says of each observation (n) which output it is of.
    """

    groups: NDArray[np.intp]
    shape: Shape
    is_target: NDArray[np.bool_]

    @property
    def priors(self) -> list[Prior]:
        width = Prior(math.log(int(self.groups.max()) + 1) / 2.0 - 0.2, 1.0)
        plain = [Prior(-0.3, 0.7), Prior(-0.3, 0.7), Prior(-2.5, 1.5), Prior(-2.5, 1.5)]
        return [*plain, Prior(0.0, 1.0), *([width] * (int(self.groups.max()) + 1))]

    def amplitudes(self, theta: Floats) -> tuple[Floats, Floats]:
        """Of each observation (n): the part of its output that both share with the target, and the
        rest, so that cov = (p p' + q q') k."""
        own, r = np.exp(0.5 * theta[:2]), math.tanh(float(theta[4]))
        shared = np.where(self.is_target, own[0], r * own[1])
        rest = np.where(self.is_target, 0.0, math.sqrt(1.0 - r * r) * own[1])
        return shared, rest

    def correlations(self, theta: Floats, a: Floats, b: Floats) -> Floats:
        """Of features a (m x d) with b (n x d)."""
        widths = np.exp(theta[5:])[self.groups]
        a, b = a / widths, b / widths
        squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2.0 * a @ b.T
        return correlation(np.maximum(squared, 0.0), self.shape)[0]


class _Covariance:
    """Of all observations, with slopes by theta."""

    def __init__(self, terms: _Terms, x: Floats) -> None:
        self._terms = terms
        n, g = len(x), int(terms.groups.max()) + 1
        self._squares = pairwise_squares(x, Layout(terms.groups)).reshape(g, n, n)
        self._target = terms.is_target.astype(float)

    def __call__(self, theta: Floats) -> tuple[Floats, Floats]:
        terms, target = self._terms, self._target
        scaled = self._squares / np.exp(2.0 * theta[5:])[:, None, None]
        k, slope = correlation(scaled.sum(axis=0), terms.shape)
        p, q = terms.amplitudes(theta)
        both = np.outer(p, p) + np.outer(q, q)
        signal = both * k
        noise = np.exp(theta[2]) * target, np.exp(theta[3]) * (1.0 - target)
        level = LEVEL_VARIANCE * np.outer(target, target)
        half = 0.5 * (target[:, None] + target[None, :])
        across = np.abs(target[:, None] - target[None, :])
        own = np.exp(0.5 * theta[:2])
        by_r = own[0] * own[1] / math.cosh(float(theta[4])) ** 2 * across * k
        slopes = [half * signal, (1.0 - half) * signal, np.diag(noise[0]), np.diag(noise[1]), by_r]
        slopes += list(both * (-2.0 * slope * scaled))
        return level + signal + np.diag(noise[0] + noise[1]), np.array(slopes)


@dataclass(frozen=True)
class FittedMultiTask:
    """Both outputs with their observations; the target's come first."""

    terms: _Terms
    theta: Floats
    x: Floats
    solution: Solution
    spacing: Spacing
    scale: Scale
    n_target: int

    @property
    def agreement(self) -> float:
        """Correlation r of the two outputs."""
        return math.tanh(float(self.theta[4]))

    @property
    def noise_sd(self) -> float:
        """Of the target, in its unit."""
        return math.exp(0.5 * float(self.theta[2])) * float(self.scale.spread)

    @property
    def left_out(self) -> LeftOut:
        """The target's outcomes, each from all others and all of the source's."""
        mean, sd = (part[: self.n_target] for part in self.solution.left_out())
        unit = self.scale.in_unit
        y = self.solution.y[: self.n_target]
        return LeftOut(unit(y), unit(mean), sd * float(self.scale.spread))

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`; f is not looked at."""
        p, _ = self.terms.amplitudes(self.theta)
        own = math.exp(float(self.theta[0]))
        cross = math.sqrt(own) * p * self.terms.correlations(self.theta, self.spacing(x), self.x)
        cross[:, : self.n_target] += LEVEL_VARIANCE
        mean, sd = self.solution.posterior(cross, np.full(len(x), own + LEVEL_VARIANCE))
        return self.scale.in_unit(mean), sd * float(self.scale.spread)


@dataclass(frozen=True)
class MultiTaskSurrogate:
    """Learns with observations of a source.

    Of a larger source `MAX_SOURCE` observations are kept: those next to target observations, each
    in turn, so that the rest of the source is not known to it. (For a source of thousands its
    prediction as a prior mean or a feature uses all of it.)

    Attributes:
        source_x, source_y: features (m x d, as the target's) and outcomes (m) of the source.
    """

    source_x: Floats
    source_y: Floats
    name: str = "multi-task"
    shape: Shape = "matern"

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedMultiTask:
        """With the most probable hyperparameters; f is not looked at."""
        groups = groups_of(x.shape[1])
        spaced = spacing(np.concatenate([x, self.source_x]), groups)
        near = nearest_rows(spaced(self.source_x), spaced(x), MAX_SOURCE)
        everywhere = spaced(np.concatenate([x, self.source_x[near]]))
        scale, source_y = scale_of(y), self.source_y[near]
        source = scale_of(self.source_y).standardised(source_y)
        outcomes = np.concatenate([scale.standardised(y), source])
        terms = _Terms(groups, self.shape, np.arange(len(outcomes)) < len(y))
        covariance, priors = _Covariance(terms, everywhere), terms.priors
        starts = [np.array([p.loc for p in priors]) for _ in LIKELY_AGREEMENTS]
        for start, r in zip(starts, LIKELY_AGREEMENTS, strict=True):
            start[4] = math.atanh(r)
        theta = most_probable(covariance, outcomes, priors, starts)
        solution, _ = solve(covariance(theta)[0], outcomes)
        return FittedMultiTask(terms, theta, everywhere, solution, spaced, scale, len(y))


def nearest_rows(source: Floats, target: Floats, n: int) -> NDArray[np.intp]:
    """Up to n rows of source (m x d): the nearest to each row of target, then the next, and so on;
    ascending."""
    if len(source) <= n:
        return np.arange(len(source))
    squared = ((source * source).sum(axis=1)[None, :]) - 2.0 * target @ source.T
    in_turn = np.argsort(squared, axis=1, kind="stable").T.reshape(-1)
    first = np.sort(np.unique(in_turn, return_index=True)[1])[:n]
    return np.sort(in_turn[first])
