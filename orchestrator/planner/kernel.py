"""The covariance between points: stationary, with one length scale per parameter.

Features are columns of numbers; columns of one group (the one-hot block of a choice) share a length
scale, so that a choice counts as equal or different. All arrays are float64. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = Literal["matern", "gauss"]
_SQRT5 = 5.0**0.5


def correlation(squared: Floats, shape: Shape) -> tuple[Floats, Floats]:
    """Correlation and its derivative with respect to the squared scaled distance.

    Matern 5/2 [Rasmussen & Williams 2006, eq. 4.17] or the squared exponential.
    """
    if shape == "gauss":
        k = np.exp(-0.5 * squared)
        return k, -0.5 * k
    r = _SQRT5 * np.sqrt(squared)
    decay = np.exp(-r)
    slope = (r + 1.0) * decay
    return slope + (r * r / 3.0) * decay, slope * (-5.0 / 6.0)


@dataclass(frozen=True)
class Kernel:
    """`variance * correlation(distance)`.

    Attributes:
        widths: length scales (d), one per column of the features, in the units of the features.
        variance: covariance of a point with itself.
    """

    widths: Floats
    variance: float
    shape: Shape

    def squared(self, a: Floats, b: Floats) -> Floats:
        """Squared scaled distances (m x n) of features a (m x d) and b (n x d)."""
        a, b = a / self.widths, b / self.widths
        lengths = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None, :]
        return np.asarray(np.maximum(lengths - 2.0 * (a @ b.T), 0.0))

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """Covariances (m x n) of features a (m x d) and b (n x d)."""
        return np.asarray(self.variance * correlation(self.squared(a, b), self.shape)[0])

    def with_slope(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """Covariances (m x n), and their derivatives with respect to the squared distance."""
        k, slope = correlation(self.squared(a, b), self.shape)
        return self.variance * k, self.variance * slope

    def between(self, a: Floats, b: Floats) -> Floats:
        """Covariances (m) of features a with b (m x d each), row by row."""
        squared = (((a - b) / self.widths) ** 2).sum(axis=1)
        return np.asarray(self.variance * correlation(squared, self.shape)[0])

    def pull(self, a: Floats, b: Floats, weights: Floats) -> Floats:
        """Gradient (m x d) with respect to a of sum(covariance * w), given `weights` (m x n),
        which are w times the slope of `with_slope`."""
        moved = a * weights.sum(axis=1)[:, None] - weights @ b
        return np.asarray(2.0 * moved / self.widths**2)


def pairwise_squares(x: Floats, groups: NDArray[np.intp], n_groups: int) -> Floats:
    """Squared differences per group (g x n*n) of features x (n x d), not yet scaled."""
    n = len(x)
    out = np.zeros((n_groups, n, n))
    for column, group in enumerate(groups):
        difference = x[:, column, None] - x[None, :, column]
        out[group] += difference * difference
    return out.reshape(n_groups, n * n)
