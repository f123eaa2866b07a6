"""What outcomes with given means and standard deviations are worth: logarithms of expected gains.

A gain takes, per metric, the means (m points x s draws) and standard deviations (m x 1) of
independent normal outcomes, and gives the logarithm of the expected gain (m x s) with its
derivatives by each metric's mean and standard deviation.

Sources: expected improvement [Jones et al. 1998] in logarithms [Ament et al. 2023]; constraints
[Gardner et al. 2014]; hypervolume of independent outcomes over disjoint boxes [Yang et al. 2019].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.improvement import log_expected_improvement, log_probability
from orchestrator.planner.kernel import Floats

LEAST_APPROACH = 1e-4
"""In standardised outcomes; what is nearer than that to a band is in it."""

Derivatives: TypeAlias = dict[int, tuple[Floats, Floats]]
"""By metric: the derivatives by its mean and by its standard deviation."""


class Gain(Protocol):
    """See the module."""

    def __call__(
        self, means: Sequence[Floats], sds: Sequence[Floats]
    ) -> tuple[Floats, Derivatives]: ...


@dataclass(frozen=True)
class Improvement:
    """Of `sign * outcome` over `best` (s)."""

    column: int
    sign: float
    best: Floats

    def __call__(
        self, means: Sequence[Floats], sds: Sequence[Floats]
    ) -> tuple[Floats, Derivatives]:
        """Logarithm of the expected improvement."""
        mean, sd = self.sign * means[self.column], sds[self.column]
        value, by_mean, by_sd = log_expected_improvement(mean, sd, self.best)
        return value, {self.column: (self.sign * by_mean, by_sd)}


@dataclass(frozen=True)
class CloserToBand:
    """How much nearer than `best` (s) an outcome comes to the band between `low` and `high`."""

    column: int
    low: float
    high: float
    best: Floats

    def __call__(
        self, means: Sequence[Floats], sds: Sequence[Floats]
    ) -> tuple[Floats, Derivatives]:
        """Logarithm of the expected approach."""
        mean, sd = means[self.column], sds[self.column]
        value, by_mean, by_sd = _log_approach(mean, sd, self.low, self.high, self.best)
        return value, {self.column: (by_mean, by_sd)}


@dataclass(frozen=True)
class Boxes:
    """The region of outcomes that nothing seen dominates, as disjoint boxes.

    `lower` and `upper` are b x k for k metrics whose signed outcomes are to be large. `grown` are
    the logarithms of how many times larger they are (b) where outcomes are bent, once straight.
    """

    lower: Floats
    upper: Floats
    grown: Floats

    def cut(self, place: int, level: float) -> Boxes:
        """With those that have a level of one metric inside, in two."""
        inside = (self.lower[:, place] < level) & (level < self.upper[:, place])
        if not inside.any():
            return self
        above, below = self.lower[inside].copy(), self.upper.copy()
        above[:, place] = below[inside, place] = level
        return Boxes(
            np.concatenate([self.lower, above]),
            np.concatenate([below, self.upper[inside]]),
            np.concatenate([self.grown, self.grown[inside]]),
        )


@dataclass(frozen=True)
class HypervolumeImprovement:
    """Expected growth of the dominated hypervolume; one `Boxes` per draw.

    `bands` has, per metric, the bounds of a value to be met (its merit is less the distance), or
    None where `sign * outcome` is to be large.
    """

    columns: tuple[int, ...]
    signs: tuple[float, ...]
    bands: tuple[tuple[float, float] | None, ...]
    boxes: tuple[Boxes, ...]

    def __call__(
        self, means: Sequence[Floats], sds: Sequence[Floats]
    ) -> tuple[Floats, Derivatives]:
        """Logarithm of the expected growth."""
        m, s = len(sds[0]), len(self.boxes)
        values = np.empty((m, s))
        by = {c: (np.empty((m, s)), np.empty((m, s))) for c in self.columns}
        for draw, boxes in enumerate(self.boxes):
            logs = np.tile(boxes.grown, (m, 1))
            slopes = []
            axes = zip(self.columns, self.signs, self.bands, strict=True)
            for j, (column, sign, band) in enumerate(axes):
                mean, sd = means[column][:, draw % means[column].shape[1], None], sds[column]
                lower, upper = boxes.lower[:, j], boxes.upper[:, j]
                if band is None:
                    part, by_mean, by_sd = _log_between(sign * mean, sd, lower, upper)
                    by_mean = sign * by_mean
                else:
                    part, by_mean, by_sd = _log_nearer(mean, sd, band, lower, upper)
                logs += part
                slopes.append((column, by_mean, by_sd))
            top = logs.max(axis=1, keepdims=True)
            weights = np.exp(logs - top)
            total = weights.sum(axis=1, keepdims=True)
            values[:, draw] = (top + np.log(total))[:, 0]
            weights /= total
            for column, by_mean, by_sd in slopes:
                by[column][0][:, draw] = (weights * by_mean).sum(axis=1)
                by[column][1][:, draw] = (weights * by_sd).sum(axis=1)
        return values, dict(by)


def _log_between(
    mean: Floats, sd: Floats, lower: Floats, upper: Floats
) -> tuple[Floats, Floats, Floats]:
    """log (E[(y - lower)+] - E[(y - upper)+]) with its derivatives; `upper` may be infinite."""
    low, low_by_mean, low_by_sd = log_expected_improvement(mean, sd, lower)
    open_ = np.isinf(upper)
    closed = np.where(open_, lower + 1.0, upper)
    beyond = log_expected_improvement(mean, sd, closed)
    return _log_less((low, low_by_mean, low_by_sd), beyond, ~open_)


def _log_approach(
    mean: Floats, sd: Floats, low: float, high: float, best: Floats
) -> tuple[Floats, Floats, Floats]:
    """log of how much nearer than `best` an outcome is expected to come to the band from `low` to
    `high`, with its derivatives: the mean of a trapezium of height `best` over the band, what is
    gained on the way up to it, less what is lost on the way down. Seen from the nearer side of the
    band both are accurate however far it is."""
    if math.isinf(low) or math.isinf(high):
        flip = np.full(mean.shape, math.isinf(low))
    else:
        flip = mean > 0.5 * (low + high)
    side = np.where(flip, -1.0, 1.0)
    near, far = np.where(flip, -high, low), np.where(flip, -low, high)
    up = _log_between(side * mean, sd, near - best, near)
    if np.isfinite(far).all():
        up = _log_less(up, _log_between(side * mean, sd, far, far + best), np.array(True))
    return up[0], side * up[1], up[2]


def _log_nearer(
    mean: Floats, sd: Floats, band: tuple[float, float], lower: Floats, upper: Floats
) -> tuple[Floats, Floats, Floats]:
    """As `_log_between` for the merit of a value to be met, which is less its distance to `band`
    and so never above zero; `upper` may be infinite."""
    low, high = band
    near = _log_approach(mean, sd, low, high, np.maximum(-lower, LEAST_APPROACH))
    beyond = _log_approach(mean, sd, low, high, np.maximum(-upper, LEAST_APPROACH))
    return _log_less(near, beyond, upper < 0.0)


def _log_less(
    whole: tuple[Floats, Floats, Floats],
    part: tuple[Floats, Floats, Floats],
    counts: NDArray[np.bool_],
) -> tuple[Floats, Floats, Floats]:
    """log (exp(whole) - exp(part)) with its derivatives, the part left out where it does not count;
    of a part as large as the whole a trace is kept."""
    ratio = np.where(counts, np.exp(np.minimum(part[0] - whole[0], -1e-12)), 0.0)
    rest = 1.0 - ratio
    value = whole[0] + np.log(rest)
    by_mean, by_sd = ((w - ratio * p) / rest for w, p in zip(whole[1:], part[1:], strict=True))
    return value, by_mean, by_sd


@dataclass(frozen=True)
class WithinLimits:
    """A gain that counts only where every limit holds: `sign * outcome >= sign * bound`."""

    gain: Gain
    limits: tuple[tuple[int, float, float], ...]

    def __call__(
        self, means: Sequence[Floats], sds: Sequence[Floats]
    ) -> tuple[Floats, Derivatives]:
        """Logarithm of the gain times the probabilities."""
        value, by = self.gain(means, sds)
        for column, sign, bound in self.limits:
            mean, sd = means[column], sds[column]
            z = sign * (mean - bound) / sd
            log_p, slope = log_probability(z)
            value = value + log_p
            old_mean, old_sd = by.get(column, (0.0, 0.0))
            by[column] = (old_mean + slope * sign / sd, old_sd - slope * z / sd)
        return value, by


def undominated(outcomes: Floats) -> Floats:
    """Rows of outcomes (n x k, large is good) that no other row dominates, each once."""
    kept = np.unique(outcomes, axis=0)
    worse = np.asarray((kept[:, None, :] <= kept[None, :, :]).all(axis=2))
    np.fill_diagonal(worse, False)
    return np.asarray(kept[~np.any(worse, axis=1)])


def open_boxes(front: Floats, reference: Floats) -> Boxes:
    """The part of outcome space above `reference` (k) that a front (n x k) does not dominate."""
    above = front[(front > reference).all(axis=1)]
    pairs = _slabs(undominated(above) if len(above) else above, reference)
    lower = np.array([low for low, _ in pairs])
    return Boxes(lower, np.array([high for _, high in pairs]), np.zeros(len(pairs)))


def _slabs(front: Floats, reference: Floats) -> list[tuple[Floats, Floats]]:
    """Cuts along the last metric; in each slab the points above it bound the other metrics."""
    k = len(reference)
    if k == 1:
        low = front.max() if len(front) else reference[0]
        return [(np.array([low]), np.array([np.inf]))]
    edges = np.unique(front[:, -1]) if len(front) else np.zeros(0)
    lows, highs = np.append(reference[-1], edges), np.append(edges, np.inf)
    out = []
    for low, high in zip(lows, highs, strict=True):
        inner = front[front[:, -1] >= high, :-1] if np.isfinite(high) else front[:0, :-1]
        for a, b in _slabs(undominated(inner) if len(inner) else inner, reference[:-1]):
            out.append((np.append(a, low), np.append(b, high)))
    return out
