"""Surrogates that know of no source: a Gaussian process, a ridge regression, any estimator."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Layout, Shape
from orchestrator.planner.likelihood import LogNormal, Priors
from orchestrator.planner.transfer.surrogate import TYPICAL_SQUARE, LeftOut, Scale, scale_of

MAX_OWN_WIDTHS = 6
"""With more columns than that, all of them share one length scale."""
UNEXPLAINED = LogNormal(-2.5, 1.5, of_log=True)
"""Noise variance of standardised outcomes where features tell a part of the matter only."""


def groups_of(n_columns: int) -> NDArray[np.intp]:
    """The length scale that each column uses (d): its own where they are few, else one for all."""
    if n_columns <= MAX_OWN_WIDTHS:
        return np.arange(n_columns)
    return np.zeros(n_columns, dtype=np.intp)


@dataclass(frozen=True)
class Spacing:
    """Divides the columns of each group by one number (d), so that two rows lie about as far apart
    as two points of the planner do."""

    divisors: Floats

    def __call__(self, x: Floats) -> Floats:
        """Features (m x d), scaled."""
        return np.asarray(x / self.divisors)


def spacing(x: Floats, groups: NDArray[np.intp]) -> Spacing:
    """Of features (n x d)."""
    divisors = np.ones(x.shape[1])
    for group in np.unique(groups):
        square = 2.0 * float(x[:, groups == group].var(axis=0).sum())
        divisors[groups == group] = math.sqrt(square / TYPICAL_SQUARE) if square > 0.0 else 1.0
    return Spacing(divisors)


Sees = Literal["features", "sources", "both"]


@dataclass(frozen=True)
class View:
    """What a process gets to see of features and source predictions, as columns about as far apart
    as points of the planner are.

    Attributes:
        sources: scale of the source predictions (s).
        groups: the length scale that each column uses.
        spacing: of the columns.
    """

    sees: Sees
    sources: Scale
    groups: NDArray[np.intp]
    spacing: Spacing

    def __call__(self, x: Floats, f: Floats) -> Floats:
        """Columns of features (m x d) and source predictions (m x s)."""
        return self.spacing(_columns(self.sees, x, self.sources.standardised(f)))


def view(sees: Sees, x: Floats, f: Floats, sources: Scale | None = None) -> View:
    """Of features (n x d) and source predictions (n x s), of the given scale or their own."""
    own, theirs = groups_of(x.shape[1]), groups_of(f.shape[1])
    groups = {
        "features": own,
        "sources": theirs,
        # beside the features the sources share one length scale
        "both": np.concatenate([own, np.full(f.shape[1], own.max(initial=-1) + 1, dtype=np.intp)]),
    }[sees]
    sources = scale_of(f) if sources is None else sources
    columns = _columns(sees, x, sources.standardised(f))
    return View(sees, sources, groups, spacing(columns, groups))


def _columns(sees: Sees, x: Floats, f: Floats) -> Floats:
    if sees == "both":
        return np.concatenate([x, f], axis=1)
    return x if sees == "features" else f


@dataclass(frozen=True)
class FittedProcess:
    """A Gaussian process on standardised outcomes, asked in their own unit."""

    process: GaussianProcess
    view: View
    scale: Scale

    @property
    def noise_sd(self) -> float:
        """In the unit of y."""
        return math.sqrt(self.process.hyper.noise) * float(self.scale.spread)

    @property
    def left_out(self) -> LeftOut:
        """With the hyperparameters of the full fit."""
        mean, variance = self.process.leave_one_out()
        unit = self.scale.in_unit
        return LeftOut(unit(self.process.y), unit(mean), np.sqrt(variance) * self.scale.spread)

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`."""
        mean, sd = self.process.posterior(self.view(x, f))
        return self.scale.in_unit(mean), sd * float(self.scale.spread)


@dataclass(frozen=True)
class ProcessSurrogate:
    """The planner's Gaussian process.

    Attributes:
        sees: the features, the source predictions in their place, or both side by side.
        sources: scale of the source predictions (s); None: that at the outcomes.
    """

    name: str = "no transfer"
    sees: Sees = "features"
    sources: Scale | None = None
    shape: Shape = "matern"

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedProcess:
        """With the most probable hyperparameters."""
        seen, scale = view(self.sees, x, f, self.sources), scale_of(y)
        n = len(y)
        data = Data(
            seen(x, f),
            scale.standardised(y),
            Layout(seen.groups),
            np.ones(n),
            np.zeros(n),
            np.zeros((0, n, n)),
        )
        width = default_priors(int(seen.groups.max()) + 1)[0].width
        priors = (Priors(width, UNEXPLAINED, min_noise=1e-6),)
        return FittedProcess(fit(data, self.shape, priors), seen, scale)


def augmented(name: str = "augmented", sources: Scale | None = None) -> ProcessSurrogate:
    """A process to which source predictions are further features."""
    return ProcessSurrogate(name, "both", sources)


def sources_alone(name: str = "sources alone", sources: Scale | None = None) -> ProcessSurrogate:
    """A process of the source predictions: what the target has in common with many sources."""
    return ProcessSurrogate(name, "sources", sources)


@dataclass(frozen=True)
class FittedRidge:
    """A ridge regression with an intercept that is not shrunk.

    Attributes:
        centre: means of the features (d).
        weights: of the centred features (d).
        inverse: (X'X + penalty)^-1 of the centred features (d x d).
    """

    centre: Floats
    level: float
    weights: Floats
    inverse: Floats
    noise_sd: float
    left_out: LeftOut

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`, the weights' and the intercept's uncertainty as of the Bayesian
        linear model; f is not looked at."""
        centred = x - self.centre
        variance = np.einsum("ij,ij->i", centred @ self.inverse, centred) + 1.0 / len(
            self.left_out.y
        )
        return self.level + centred @ self.weights, self.noise_sd * np.sqrt(variance)


PENALTIES = tuple(float(p) for p in 10.0 ** np.linspace(-4, 4, 17))


@dataclass(frozen=True)
class RidgeSurrogate:
    """Minimises |y - a - x w|^2 + penalty |w|^2.

    Attributes:
        penalty: in squared units of x; None: a multiple of the mean square of the centred columns,
            the one with the least squared leave-one-out error.
    """

    name: str = "ridge"
    penalty: float | None = None

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedRidge:
        """In closed form; f is not looked at."""
        if self.penalty is not None:
            return _ridge(x, y, self.penalty)
        size = max(float(((x - x.mean(axis=0)) ** 2).sum()), 1e-12)
        tried = [_ridge(x, y, p * size) for p in PENALTIES]
        return min(tried, key=lambda found: found.left_out.rmse)


def _ridge(x: Floats, y: Floats, penalty: float) -> FittedRidge:
    centre, level = x.mean(axis=0), float(y.mean())
    centred = x - centre
    inverse = _inverse(centred, penalty)
    weights = inverse @ (centred.T @ (y - level))
    hat = np.einsum("ij,ij->i", centred @ inverse, centred) + 1.0 / len(y)
    kept = np.maximum(1.0 - hat, 1e-9)
    missed = (y - level - centred @ weights) / kept
    noise_sd = math.sqrt(float(np.mean(missed**2 * kept)))
    left_out = LeftOut(y, y - missed, noise_sd / np.sqrt(kept))
    return FittedRidge(centre, level, weights, inverse, noise_sd, left_out)


def _inverse(centred: Floats, penalty: float) -> Floats:
    """(X'X + penalty)^-1 (d x d), by the smaller of the two Gram matrices [Woodbury]."""
    n, d = centred.shape
    if penalty <= 0.0 or d <= n:
        return np.asarray(np.linalg.pinv(centred.T @ centred + penalty * np.eye(d)))
    small = np.linalg.inv(centred @ centred.T + penalty * np.eye(n))
    return np.asarray((np.eye(d) - centred.T @ small @ centred) / penalty)


class Estimator(Protocol):
    """What scikit-learn calls a regressor."""

    def fit(self, x: Floats, y: Floats) -> object:
        """Learns."""
        ...

    def predict(self, x: Floats) -> Floats:
        """Predicts (m)."""
        ...


@dataclass(frozen=True)
class FittedEstimator:
    """An estimator, with a spread from outcomes that it had not seen. What of it is noise cannot be
    told: all of it counts as not known."""

    estimator: Estimator
    left_out: LeftOut
    noise_sd: float = 0.0

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`, with the same deviation everywhere; f is not looked at."""
        mean = np.asarray(self.estimator.predict(x), dtype=float)
        return mean, np.full(len(x), float(self.left_out.sd[0]))


@dataclass(frozen=True)
class EstimatorSurrogate:
    """Any object with scikit-learn's `fit` and `predict`; copied, never changed.

    Attributes:
        n_folds: outcomes are predicted from those of the other folds.
    """

    estimator: Estimator
    name: str = "estimator"
    n_folds: int = 5
    seed: int = 0

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedEstimator:
        """Fits once for each fold, and once to everything; f is not looked at."""
        n = len(y)
        order = np.random.default_rng(self.seed).permutation(n)
        mean = np.zeros(n)
        for fold in np.array_split(order, min(self.n_folds, n)):
            rest = np.setdiff1d(order, fold)
            mean[fold] = self._fitted(x[rest], y[rest]).predict(x[fold])
        sd = math.sqrt(float(np.mean((y - mean) ** 2)))
        return FittedEstimator(self._fitted(x, y), LeftOut(y, mean, np.full(n, sd)))

    def _fitted(self, x: Floats, y: Floats) -> Estimator:
        fresh = copy.deepcopy(self.estimator)
        fresh.fit(x, y)
        return fresh
