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
from typing import Literal, NamedTuple, TypeAlias

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
        choices: groups that say which word of a choice it is.
    """

    groups: NDArray[np.intp]
    counted: tuple[int, ...] = ()
    choices: tuple[int, ...] = ()

    @property
    def n_groups(self) -> int:
        """How many length scales there are."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    @functools.cached_property
    def parts(self) -> tuple[NDArray[np.intp], ...]:
        """The groups of each part that has a main effect: all but choices at once, and each choice
        alone. One part is all there is."""
        rest = np.setdiff1d(np.arange(self.n_groups), self.choices)
        return (*([rest] if len(rest) else []), *(np.array([group]) for group in self.choices))

    @functools.cached_property
    def part_of(self) -> NDArray[np.intp]:
        """The part of each group (g)."""
        out = np.zeros(self.n_groups, dtype=np.intp)
        for number, groups in enumerate(self.parts):
            out[groups] = number
        return out

    @functools.cached_property
    def quantities_of_parts(self) -> tuple[NDArray[np.intp], ...]:
        """The columns of each part that are quantities."""
        counts = np.isin(self.groups, self.counted)
        return tuple(np.flatnonzero(np.isin(self.groups, p) & ~counts) for p in self.parts)

    @functools.cached_property
    def stretches(self) -> Floats:
        """By what the squared distance of each part (p) is multiplied to be as large as that of all
        is when all groups differ alike."""
        return self.n_groups / np.array([len(groups) for groups in self.parts], dtype=float)

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


class Mixed(NamedTuple):
    """A correlation with main effects (m), its derivatives by the squared distance of each part
    (p x m), and by how much main effects alone differ from the rest (m)."""

    k: Floats
    slopes: Floats
    apart: Floats


def mixed(squares: Floats, mains: float, layout: Layout, shape: Shape) -> Mixed:
    """The correlation at squared scaled distances of each part (p x ...): (1 - mains) times that of
    all parts together, and for the rest the mean of those of each part alone."""
    stretches = layout.stretches.astype(squares.dtype).reshape(-1, *(1,) * (squares.ndim - 1))
    k, slope = correlation(squares.sum(axis=0), shape)
    alone, steep = correlation(squares * stretches, shape)
    apart = alone.mean(axis=0) - k
    slopes = slope + mains * (steep * (stretches / len(squares)) - slope)
    return Mixed(k + mains * apart, slopes, apart)


@dataclass(frozen=True)
class Kernel:
    """`variance * correlation(distance)`; the share `mains` of it is that of main effects,
    a correlation for each part of the layout. They vary as quickly with one part as all does when
    all parameters are moved alike.

    Attributes:
        widths: length scales (d), one per column of the features, in the units of the features.
        variance: covariance of a point with itself.
        layout: what the columns are.
        mains: the share of the variance that main effects have, 0 to 1.
    """

    widths: Floats
    variance: float
    shape: Shape
    layout: Layout
    mains: float = 0.0

    def squared(self, a: Floats, b: Floats) -> Floats:
        """Squared scaled distances (m x n) of features a (m x d) and b (n x d)."""
        chosen = self.layout.quantities
        if chosen is None:
            return self._of_quantities(a, b, slice(None))
        return self._of_quantities(a, b, chosen) + self._of_counts(a, b)

    def _of_quantities(self, a: Floats, b: Floats, chosen: NDArray[np.intp] | slice) -> Floats:
        widths = self.widths[chosen]
        a, b = a[:, chosen] / widths, b[:, chosen] / widths
        lengths = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None, :]
        return np.asarray(np.maximum(lengths - 2.0 * (a @ b.T), 0.0))

    def _of_counts(self, a: Floats, b: Floats) -> Floats:
        blocks = self.layout.blocks
        found = (unlikeness(a[:, k], b[:, k]) / self.widths[k.start] ** 2 for k in blocks)
        return np.asarray(sum(found, np.zeros((), dtype=a.dtype)))

    def _by_part(self, a: Floats, b: Floats) -> list[Floats]:
        """The squared scaled distances (m x n) of each part."""
        out = [self._of_quantities(a, b, columns) for columns in self.layout.quantities_of_parts]
        if self.layout.counted:
            out[0] = out[0] + self._of_counts(a, b)
        return out

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """Covariances (m x n) of features a (m x d) and b (n x d)."""
        if not self.mains:
            return np.asarray(self.variance * correlation(self.squared(a, b), self.shape)[0])
        return self._with_mains(a, b)[0]

    def with_slope(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """Covariances (m x n), and their derivatives with respect to the squared distance (m x n),
        with main effects to that of each part (p x m x n)."""
        if self.mains:
            return self._with_mains(a, b)
        k, slope = correlation(self.squared(a, b), self.shape)
        return self.variance * k, self.variance * slope

    def _with_mains(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        found = mixed(np.stack(self._by_part(a, b)), self.mains, self.layout, self.shape)
        return self.variance * found.k, self.variance * found.slopes

    def pull(self, a: Floats, b: Floats, weights: Floats) -> Floats:
        """Gradient (m x d) with respect to a of sum(covariance * w), given `weights` (m x n, or
        p x m x n), which are w times the slope of `with_slope`; counts cannot be moved, and have
        none."""
        if weights.ndim == 2:
            moved = a * weights.sum(axis=1)[:, None] - weights @ b
        else:
            parts = self.layout.part_of[self.layout.groups]
            moved = a * weights.sum(axis=2)[parts].T
            for part in range(len(weights)):
                moved[:, parts == part] -= weights[part] @ b[:, parts == part]
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
