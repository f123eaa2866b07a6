"""Fits Gaussian processes by the most probable hyperparameters, and gets one out of any history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout, Shape
from orchestrator.planner.likelihood import Hyper, Likelihood, LogNormal, Priors

MIN_TO_FIT = 2
MAX_TO_FIT = 300
MAX_ITERATIONS = 60
TOLERANCE = 1e-5
"""Of the log posterior per outcome: what is gained below it only drives the length scales of inert
parameters further out."""


@dataclass(frozen=True)
class Data:
    """What a process is fitted to.

    Attributes:
        x, y: features (n x d) and standardised outcomes (n).
        layout: what the columns of x are.
        shares: the part of the noise variance that each outcome has (n).
        known: known noise variances (n), zero where none is known.
        terms: further covariances (t x n x n), each with a variance to be fitted.
    """

    x: Floats
    y: Floats
    layout: Layout
    shares: Floats
    known: Floats
    terms: Floats

    def rows(self, which: NDArray[np.intp]) -> Data:
        """The data of some outcomes."""
        return Data(
            self.x[which],
            self.y[which],
            self.layout,
            self.shares[which],
            self.known[which],
            self.terms[:, which][:, :, which],
        )


NOISY = LogNormal(-4.0, 1.0, of_log=True)
EXACT = LogNormal(-11.0, 2.0, of_log=True)
"""What the variance of the noise may be, in standardised outcomes: a measurement's, or next to none
as in a simulation. No single prior serves both; the more probable of the two is taken."""


def default_priors(n_groups: int) -> tuple[Priors, ...]:
    """Length scales that grow with the square root of the number of parameters [Hvarfner 2024], if
    less broadly than there (docs/decisions/0011), and either kind of noise."""
    width = LogNormal(math.log(max(1, n_groups)) / 2.0 - 0.2, 1.0)
    return Priors(width, NOISY), Priors(width, EXACT)


def fit(data: Data, shape: Shape, priors: Sequence[Priors]) -> GaussianProcess:
    """The process with the most probable hyperparameters under any of the priors; with too few
    outcomes, those of the first."""
    likelihood = _likelihood(data, shape, priors[0])
    note = ""
    if len(data.y) < MIN_TO_FIT:
        hyper, note = (
            likelihood.hyper(likelihood.start),
            "one measurement, so the model is the prior's",
        )
    else:
        hyper, note = _most_probable(data, shape, priors)
    extra = None
    if len(data.terms):
        extra = np.asarray(np.tensordot(hyper.terms, data.terms, axes=1))
    noise = hyper.noise * data.shares + data.known
    return GaussianProcess(data.x, data.y, noise, data.layout, shape, hyper, extra, note)


def _likelihood(data: Data, shape: Shape, priors: Priors) -> Likelihood:
    return Likelihood(
        data.x, data.y, data.layout, priors, shape, data.shares, data.known, data.terms
    )


def _most_probable(data: Data, shape: Shape, priors: Sequence[Priors]) -> tuple[Hyper, str]:
    from scipy.optimize import fmin_l_bfgs_b

    subset = data if len(data.y) <= MAX_TO_FIT else data.rows(representative(data.y))
    found: tuple[float, Hyper] | None = None
    for prior in priors:
        likelihood = _likelihood(subset, shape, prior)
        try:
            theta, value, _ = fmin_l_bfgs_b(
                likelihood,
                likelihood.start,
                bounds=likelihood.bounds,
                maxiter=MAX_ITERATIONS,
                factr=TOLERANCE * len(subset.y) / np.finfo(float).eps,
                pgtol=1e-4,
            )
            if np.isfinite(theta).all() and (found is None or value < found[0]):
                found = (float(value), likelihood.hyper(theta))
        except np.linalg.LinAlgError:
            continue
    if found is None:
        first = _likelihood(data, shape, priors[0])
        return first.hyper(first.start), "the fit failed, so the model is the prior's"
    return found[1], ""


def representative(y: Floats) -> NDArray[np.intp]:
    """Which outcomes stand for all when hyperparameters are sought: half of them the largest in
    size, since the ends of the scale matter, and half spread evenly over the rest; ascending."""
    order = np.argsort(-np.abs(y - np.median(y)), kind="stable")
    extreme, rest = order[: MAX_TO_FIT // 2], np.sort(order[MAX_TO_FIT // 2 :])
    spread = rest[np.linspace(0, len(rest) - 1, MAX_TO_FIT - len(extreme)).astype(int)]
    return np.sort(np.concatenate([extreme, spread]))
