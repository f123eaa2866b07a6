"""Interpolation and extrapolation told apart: how well outcomes are predicted that lie among
others, and those of a whole cluster of which none is known.

Outcomes are left out in groups: for a group C the residual is (K^-1)_CC^-1 (K^-1 (y - m))_C,
and its covariance (K^-1)_CC^-1 [after Rasmussen & Williams 2006, eq. 5.12]. The constant level m is
that of the others alone, as is the mean with which the predictions are compared; length scales,
noise and what was learnt from sources stay those of the full fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.fitting import Data, default_priors, fit, with_mains
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Shape
from orchestrator.ports.planner import Generalisation, HeldOut

MIN_OUTCOMES = 8
"""Of fewer, clusters would be single points."""
N_FOLDS = 5
Z_90 = 1.6448536269514722
EDGE_SHARE = 0.05
SAME = 1e-12
"""Of the squared scaled distance between repetitions of a point: rounding."""
CHUNK = 1000
Labels = NDArray[np.intp]
Apart: TypeAlias = Callable[[Floats, Floats], float]
"""The root-mean-square difference of standardised outcomes (n), in a unit."""


@dataclass(frozen=True)
class Predicted:
    """Outcomes (n) as predicted without their group, with variances that include noise."""

    mean: Floats
    variance: Floats
    constant: Floats


def left_out(process: GaussianProcess, labels: Labels) -> Predicted:
    """Every outcome predicted from those with another label, about a level that is estimated from
    these (by generalised least squares, as in the fit); `constant` is their plain mean."""
    basis = process.basis
    constant_part = process.hyper.mean if basis is None else process.hyper.mean * basis
    y = process.y - (process.level(process.x) - constant_part)  # without a trend
    of_one = process.weighed(np.ones(len(y)) if basis is None else basis)
    of_y = process.weighed(y)
    weight = of_one.sum() if basis is None else float(basis @ of_one)
    total = float(of_one @ y)
    mean, variance, constant = (np.empty(len(process.y)) for _ in range(3))
    for label in np.unique(labels):
        group = labels == label
        covariance = np.linalg.inv(process.precision(group))
        # v^T K_R^-1 w of the rest R is v^T K^-1 w less (K^-1 v)_C^T (K^-1)_CC^-1 (K^-1 w)_C
        taken = of_one[group] @ covariance
        left = weight - taken @ of_one[group]
        level = (total - taken @ of_y[group]) / left if left else process.hyper.mean
        mean[group] = process.y[group] - covariance @ (of_y[group] - level * of_one[group])
        variance[group] = covariance.diagonal()
        constant[group] = process.y[~group].mean()
    return Predicted(mean, variance, constant)


def log_densities(data: Data, shape: Shape) -> Floats:
    """Log densities (n) of outcomes, each predicted from the others by what is fitted to all."""
    layout = data.layout
    priors = with_mains(default_priors(layout.n_groups, layout.counted), layout)
    held = left_out(fit(data, shape, priors), np.arange(len(data.y)))
    squared = (data.y - held.mean) ** 2 / held.variance
    return np.asarray(-0.5 * (squared + np.log(2.0 * np.pi * held.variance)))


def folds(n: int, seed: int) -> Labels:
    """Random groups of n outcomes, as equal in size as can be."""
    return np.random.default_rng([seed, 0xF01D]).permutation(n) % N_FOLDS


def clusters(process: GaussianProcess) -> Labels:
    """Groups of neighbouring outcomes, by the distance that the kernel sees: seeds are picked
    farthest first [Gonzalez 1985], and the others join the nearest."""
    x, squared = process.x, process.kernel.squared
    n_clusters = max(2, min(N_FOLDS, len(process.y) // 4))
    far = [squared(some, x).mean(axis=1) for some in _chunks(x)]
    seeds = [int(np.argmax(np.concatenate(far)))]
    apart = squared(x, x[seeds])
    while len(seeds) < n_clusters:
        nearest = apart.min(axis=1)
        if nearest.max() <= 0.0:
            break
        seeds.append(int(np.argmax(nearest)))
        apart = squared(x, x[seeds])
    return np.asarray(np.argmin(apart, axis=1), dtype=np.intp)


def _chunks(x: Floats) -> Iterator[Floats]:
    """The rows of x in parts whose distances from all the others can be held."""
    return (x[at : at + CHUNK] for at in range(0, len(x), CHUNK))


def generalisation(process: GaussianProcess, apart: Apart, seed: int) -> Generalisation | None:
    """Both scores, with errors by `apart`; None of too few outcomes or a single cluster."""
    n = len(process.y)
    if n < MIN_OUTCOMES:
        return None
    labels = clusters(process)
    n_clusters = len(np.unique(labels))
    if n_clusters < 2:
        return None
    return Generalisation(
        interpolating=_held_out(process, folds(n, seed), apart),
        extrapolating=_held_out(process, labels, apart),
        n_clusters=n_clusters,
    )


def _held_out(process: GaussianProcess, labels: Labels, apart: Apart) -> HeldOut:
    found = left_out(process, labels)
    error = np.abs(process.y - found.mean)
    return HeldOut(
        rmse=apart(process.y, found.mean),
        constant_rmse=apart(process.y, found.constant),
        coverage_90=float((error <= Z_90 * np.sqrt(found.variance)).mean()),
    )


def excess(process: GaussianProcess) -> float:
    """How many times the variance of a prediction outside of the domain should be larger than it
    is: the mean square of what clusters that are left out miss, over what was said; at least 1."""
    if len(process.y) < MIN_OUTCOMES:
        return 1.0
    labels = clusters(process)
    if len(np.unique(labels)) < 2:
        return 1.0
    found = left_out(process, labels)
    ratio = float(((process.y - found.mean) ** 2 / found.variance).mean())
    return max(1.0, ratio) if math.isfinite(ratio) else 1.0


def is_outside(process: GaussianProcess, x: Floats) -> bool | None:
    """Whether a point (1 x d) lies farther from the nearest outcome than all but a few outcomes do
    from theirs, repetitions of a point left aside; None with too few outcomes to say."""
    known = process.x if process.basis is None else process.x[process.basis > 0]
    if len(known) < MIN_OUTCOMES:
        return None
    nearest = []
    for some in _chunks(known):
        apart = process.kernel.squared(some, known)
        apart[apart < SAME] = np.inf
        nearest.append(apart.min(axis=1))
    distances = np.concatenate(nearest)
    if not np.isfinite(distances).all():  # all is one point
        return None
    edge = float(np.quantile(distances, 1.0 - EDGE_SHARE))
    return bool(process.kernel.squared(x, known).min() > edge * (1.0 + 1e-9))
