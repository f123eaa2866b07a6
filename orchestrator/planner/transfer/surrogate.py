"""The one shape of everything that learns a target with the help of sources.

A surrogate is fitted on features x (n x d), outcomes y (n) in their own unit, and source
predictions f (n x s, s may be 0: what s other models say at the same places, each in its own unit).
It then predicts anywhere, and says how well it predicts each of its outcomes from the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import gammaln

from orchestrator.planner.kernel import Floats

MIN_SHARE = 1e-3
"""The least standard deviation of a prediction, as a share of that of the outcomes: what is said
with more confidence than that is not believed when predictions are compared."""
LEAST_FREEDOM = 10
"""Degrees of freedom at which outcomes are judged at least: with fewer, so broad are the tails, a
source that extrapolates well is told too late from one that does not."""
TYPICAL_SQUARE = 1.0 / 6.0
"""Mean squared distance of two uniform points in [0, 1]: features are brought to it, so that the
planner's priors of length scales fit them."""


@dataclass(frozen=True)
class LeftOut:
    """Each of n outcomes predicted from all the others.

    Attributes:
        y: the outcomes (n).
        mean, sd: predicted, noise included (n each), in the unit of y.
        n_known: from how many outcomes each was predicted; all the others, where nothing is said.
    """

    y: Floats
    mean: Floats
    sd: Floats
    n_known: int | None = None

    @property
    def log_densities(self) -> Floats:
        """Log of the predicted density of each outcome (n), per unit of y: Student's t, since a
        deviation that few outcomes taught is itself uncertain. By the normal density, one outcome
        that is missed by ten of them outweighs all that are hit."""
        least = MIN_SHARE * max(float(self.y.std()), 1e-300)
        sd = np.maximum(self.sd, least)
        z = (self.y - self.mean) / sd
        known = len(self.y) - 1 if self.n_known is None else self.n_known
        freedom = max(known - 1, LEAST_FREEDOM)
        peak = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - 0.5 * math.log(freedom * math.pi)
        return np.asarray(peak - (freedom + 1) / 2 * np.log1p(z * z / freedom) - np.log(sd))

    @property
    def rmse(self) -> float:
        """Root-mean-square error, in the unit of y."""
        return math.sqrt(float(np.mean((self.y - self.mean) ** 2)))


class Fitted(Protocol):
    """A surrogate that has seen its data."""

    @property
    def noise_sd(self) -> float:
        """Standard deviation of what no point can explain, in the unit of y."""
        ...

    @property
    def left_out(self) -> LeftOut:
        """Each outcome predicted from the others."""
        ...

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation (m each) of the noise-free outcome, in the unit of y, at
        features (m x d) with source predictions (m x s)."""
        ...


class Surrogate(Protocol):
    """What can be fitted."""

    @property
    def name(self) -> str:
        """As a report calls it."""
        ...

    def fit(self, x: Floats, y: Floats, f: Floats) -> Fitted:
        """Learns from features (n x d), outcomes (n) and source predictions (n x s)."""
        ...


@dataclass(frozen=True)
class Scale:
    """Takes centre and spread out of numbers, and puts them back. Either may be arrays."""

    centre: Floats
    spread: Floats

    def standardised(self, values: Floats) -> Floats:
        """Without centre and spread."""
        return np.asarray((values - self.centre) / self.spread)

    def in_unit(self, values: Floats) -> Floats:
        """With both again."""
        return np.asarray(values * self.spread + self.centre)


def scale_of(values: Floats) -> Scale:
    """Mean and standard deviation of outcomes (n), or of each column (n x k); spread 1 where all
    are equal."""
    centre = values.mean(axis=0)
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros_like(centre)
    flat = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    return Scale(centre, np.where(flat, 1.0, spread))


def no_sources(x: Floats) -> Floats:
    """Source predictions (n x 0) where there are none."""
    return np.zeros((len(x), 0))
