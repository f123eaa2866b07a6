"""Fits Gaussian processes by the most probable hyperparameters, and gets one out of any history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.condensed import CondensedProcess
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout, Shape
from orchestrator.planner.ladder import LadderProcess, without_levels
from orchestrator.planner.ladder_fit import LadderLikelihood, RungData, most_probable
from orchestrator.planner.likelihood import Hyper, Likelihood, LogNormal, Priors
from orchestrator.planner.measured import ALL_EQUAL
from orchestrator.planner.rungs import Rungs

MIN_TO_FIT = 2
MAX_TO_FIT = 300
MAX_ON_RUNGS = 120
"""The same on rungs: cheap outcomes are many, and a fit must not take longer than they do."""
MAX_EXACT = 2000
"""Of more outcomes a process takes too long; they are seen through anchors."""
N_ANCHORS = 1000
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
        rungs: where x says on which rung an outcome was found, of a space with a fidelity.
    """

    x: Floats
    y: Floats
    layout: Layout
    shares: Floats
    known: Floats
    terms: Floats
    rungs: Rungs | None = None

    def rows(self, which: NDArray[np.intp]) -> Data:
        """The data of some outcomes."""
        return Data(
            self.x[which],
            self.y[which],
            self.layout,
            self.shares[which],
            self.known[which],
            self.terms[:, which][:, :, which],
            self.rungs,
        )


NOISY = LogNormal(-4.0, 1.0, of_log=True)
EXACT = LogNormal(-11.0, 2.0, of_log=True)
"""What the variance of the noise may be, in standardised outcomes: a measurement's, or next to none
as in a simulation. No single prior serves both; the more probable of the two is taken."""

FURTHER = 1.1
"""The logarithm of how much further apart two materials are, 1.26 at a similarity of 0.2 as is
usual, than two points along a parameter: 0.41, the root of a sixth."""
ALIKE = 0.5
"""How much the logarithms of two parameters' length scales are expected to go together."""


def default_priors(n_groups: int, counted: Sequence[int] = ()) -> tuple[Priors, ...]:
    """Length scales that grow with the square root of the number of parameters [Hvarfner 2024], if
    less broadly than there, and are short or long together in part: how rugged an outcome is, is
    not chance of each parameter (docs/decisions/0011). Those of groups that are `counted` are
    longer by as much as materials are further apart. And either kind of noise."""
    likely: float | Floats = math.log(max(1, n_groups)) / 2.0 - 1.2
    if counted:
        likely = likely + np.where(np.isin(np.arange(n_groups), counted), FURTHER, 0.0)
    width = LogNormal(likely, 1.0, of_log=True, alike=ALIKE)
    return Priors(width, NOISY), Priors(width, EXACT)


MAINS = LogNormal(-1.0, 2.0, of_log=True)
"""What the odds of main effects may be (see `kernel`)."""


def with_mains(priors: Sequence[Priors], layout: Layout) -> tuple[Priors, ...]:
    """The priors with main effects, where a trial is put together from several parts."""
    if len(layout.parts) < 2:
        return tuple(priors)
    return tuple(replace(prior, mains=MAINS) for prior in priors)


def fit(data: Data, shape: Shape, priors: Sequence[Priors]) -> GaussianProcess:
    """The process with the most probable hyperparameters under any of the priors; with too few
    outcomes, or such as are all equal, those of the first."""
    if data.rungs is not None:
        return _fit_on_rungs(data, data.rungs, shape, priors)
    if len(data.y) < MIN_TO_FIT or np.ptp(data.y) < ALL_EQUAL:
        # equal outcomes do not say how far they reach; the variance being given, the most probable
        # length scales would be those of a function that is flat everywhere
        likelihood = _likelihood(data, shape, priors[0])
        hyper = likelihood.hyper(likelihood.start)
        what = "one measurement" if len(data.y) < MIN_TO_FIT else "all outcomes are equal"
        note = f"{what}, so the model is the prior's"
    else:
        hyper, note = _most_probable(data, shape, priors)
    extra = None
    if len(data.terms):
        extra = np.asarray(np.tensordot(hyper.terms, data.terms, axes=1))
    noise = hyper.noise * data.shares + data.known
    said = (data.x, data.y, noise, data.layout, shape, hyper, extra, note)
    if len(data.y) <= MAX_EXACT or extra is not None:
        return GaussianProcess(*said)
    return CondensedProcess(*said, chosen=representative(data.y, N_ANCHORS))


def log_posterior(data: Data, shape: Shape, priors: Priors, hyper: Hyper) -> float:
    """How probable hyperparameters are, up to a constant."""
    likelihood = _likelihood(data, shape, priors)
    return -likelihood(likelihood.theta(hyper))[0]


def _fit_on_rungs(
    data: Data, rungs: Rungs, shape: Shape, priors: Sequence[Priors]
) -> LadderProcess:
    rung = rungs.of(data.x)
    y, levels = without_levels(data.y, rung, rungs.n)
    counts, kept = rung == rungs.n - 1, np.arange(len(y))
    if len(y) > MAX_ON_RUNGS:
        first = np.flatnonzero(counts)
        first = first[representative(y[first], MAX_ON_RUNGS // 2)]
        rest = np.setdiff1d(kept, first)
        others = rest[representative(y[rest], MAX_ON_RUNGS - len(first))]
        kept = np.sort(np.concatenate([first, others]))
    some = data.rows(kept)
    of_some = RungData(
        some.x,
        y[kept],
        rung[kept],
        rungs.n,
        some.layout,
        some.shares,
        some.known,
        some.terms,
        rungs.places(some.x),
    )
    hyper, note = most_probable(of_some, shape, priors, levels, MAX_ITERATIONS), ""
    if hyper is None:
        first_one = LadderLikelihood(of_some, priors[0], shape)
        hyper = first_one.hyper(first_one.start([1.0] * (rungs.n - 1)), levels)
        note = "the fit failed, so the model is the prior's"
    extra = np.asarray(np.tensordot(hyper.terms, data.terms, axes=1)) if len(data.terms) else None
    noise = hyper.noise * data.shares + data.known
    return LadderProcess(data.x, y, noise, data.layout, shape, hyper, extra, note, rungs=rungs)


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
        first = _likelihood(subset, shape, priors[0])
        return first.hyper(first.start), "the fit failed, so the model is the prior's"
    return found[1], ""


def representative(y: Floats, n: int = MAX_TO_FIT) -> NDArray[np.intp]:
    """Which up to n outcomes stand for all when hyperparameters are sought: half of them the
    largest in size, as the ends of the scale matter, half spread over the rest; ascending."""
    if len(y) <= n:
        return np.arange(len(y))
    order = np.argsort(-np.abs(y - np.median(y)), kind="stable")
    extreme, rest = order[: n // 2], np.sort(order[n // 2 :])
    spread = rest[np.linspace(0, len(rest) - 1, n - len(extreme)).astype(int)]
    return np.sort(np.concatenate([extreme, spread]))
