"""The covariance between points: stationary, with one length scale per parameter.

Features are columns of numbers; columns of one group (the one-hot block of a choice) share a length
scale, so that a choice counts as equal or different. A group of counts of fragments is compared by
Tanimoto's similarity T instead: 2 (1 - T) is the squared distance of two sets in the space of that
kernel [Ralaivola et al. 2005], so that it adds to the squared differences of other columns, and a
material times its process has a product of kernels (with the squared exponential exactly). All
arrays are float64. numpy only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = Literal["matern", "gauss"]
_SQRT5 = 5.0**0.5
CARRIED = -1


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
class Layout:
    """What the columns of features are.

    Attributes:
        groups: the length scale that each column uses (d); `CARRIED` for one that is only carried
            along, and makes no difference.
        counted: groups whose columns, which lie side by side, are counts.
    """

    groups: NDArray[np.intp]
    counted: tuple[int, ...] = ()

    @property
    def n_groups(self) -> int:
        """How many length scales there are."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    @functools.cached_property
    def blocks(self) -> tuple[slice, ...]:
        """The columns of each counted group."""
        places = [np.flatnonzero(self.groups == group) for group in self.counted]
        return tuple(slice(int(p[0]), int(p[-1]) + 1) for p in places)

    @functools.cached_property
    def quantities(self) -> NDArray[np.intp] | None:
        """The columns that are quantities; None where all are."""
        chosen = np.flatnonzero(~np.isin(self.groups, (*self.counted, CARRIED)))
        return None if len(chosen) == len(self.groups) else chosen

    def distances(self, a: Floats, b: Floats) -> Floats:
        """Unscaled distances (m x n) of features a (m x d) and b (n x d)."""
        total = np.zeros((len(a), len(b)))
        for column in range(a.shape[1]) if self.quantities is None else self.quantities:
            total += (a[:, column, None] - b[None, :, column]) ** 2
        for block in self.blocks:
            total += unlikeness(a[:, block], b[:, block])
        return np.sqrt(total)


def unlikeness(a: Floats, b: Floats) -> Floats:
    """2 (1 - T) (m x n) of counts a (m x d) and b (n x d), with Tanimoto's similarity
    T = ab / (aa + bb - ab); two without any count are alike."""
    shared = a @ b.T
    sizes = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None, :]
    either = sizes - shared
    alike = np.divide(shared, either, out=np.ones_like(shared), where=either > 0)
    return np.asarray(np.maximum(2.0 - 2.0 * alike, 0.0))


@dataclass(frozen=True)
class Kernel:
    """`variance * correlation(distance)`.

    Attributes:
        widths: length scales (d), one per column of the features, in the units of the features.
        variance: covariance of a point with itself.
        layout: what the columns are.
    """

    widths: Floats
    variance: float
    shape: Shape
    layout: Layout

    def squared(self, a: Floats, b: Floats) -> Floats:
        """Squared scaled distances (m x n) of features a (m x d) and b (n x d)."""
        chosen = self.layout.quantities
        if chosen is None:
            return self._of_quantities(a / self.widths, b / self.widths)
        widths = self.widths[chosen]
        total = self._of_quantities(a[:, chosen] / widths, b[:, chosen] / widths)
        for block in self.layout.blocks:
            total += unlikeness(a[:, block], b[:, block]) / self.widths[block.start] ** 2
        return total

    def _of_quantities(self, a: Floats, b: Floats) -> Floats:
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
        if self.layout.quantities is not None:
            rows = [self.squared(p[None, :], q[None, :])[0, 0] for p, q in zip(a, b, strict=True)]
            squared = np.array(rows)
        else:
            squared = (((a - b) / self.widths) ** 2).sum(axis=1)
        return np.asarray(self.variance * correlation(squared, self.shape)[0])

    def pull(self, a: Floats, b: Floats, weights: Floats) -> Floats:
        """Gradient (m x d) with respect to a of sum(covariance * w), given `weights` (m x n),
        which are w times the slope of `with_slope`; counts cannot be moved, and have none."""
        moved = a * weights.sum(axis=1)[:, None] - weights @ b
        chosen = self.layout.quantities
        if chosen is not None:
            moved[:, np.setdiff1d(np.arange(a.shape[1]), chosen)] = 0.0
        return np.asarray(2.0 * moved / self.widths**2)


def pairwise_squares(x: Floats, layout: Layout) -> Floats:
    """Squared differences per group (g x n*n) of features x (n x d), not yet scaled."""
    n = len(x)
    out = np.zeros((layout.n_groups, n, n))
    chosen = range(x.shape[1]) if layout.quantities is None else layout.quantities
    for column in chosen:
        difference = x[:, column, None] - x[None, :, column]
        out[layout.groups[column]] += difference * difference
    for group, block in zip(layout.counted, layout.blocks, strict=True):
        out[group] = unlikeness(x[:, block], x[:, block])
    return out.reshape(layout.n_groups, n * n)
