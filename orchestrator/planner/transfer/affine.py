"""Affine transfer as an exact Gaussian process, and its simpler relative with a linear source.

y = a + b.f + (c + d f) g(x) + h(x) + noise [Minami et al. 2023, there without an uncertainty]. With
a ~ N(0, A), b ~ N(0, B) and processes g and h of covariances k_g and v k_h, y is Gaussian:

    cov(y, y') = A + B f.f' + (c + d f)(c + d f') k_g(x, x') + v k_h(x, x') + noise

With several sources the modulation is that of independent processes, c g_0 + sum_j d f_j g_j, of
covariance (c^2 + d^2 f.f') k_g: as many fitted slopes as sources would fit few outcomes too well.
Simpler relatives: without g, a process around a linear function of the sources; and with d = 0 and
g a process of the source predictions, a + b.f + c g(f) + h(x). Outcomes and source predictions are
standardised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats, Kernel, Layout, Shape, correlation, pairwise_squares
from orchestrator.planner.transfer.bases import View, view
from orchestrator.planner.transfer.exact import Prior, Solution, most_probable, solve
from orchestrator.planner.transfer.surrogate import LeftOut, Scale, scale_of

LEVEL_VARIANCE = 1.0
Kind = Literal["linear", "affine", "additive"]


@dataclass(frozen=True)
class Terms:
    """The covariance, element by element of theta:

    log B, log v, log noise, log widths of h; with g log c and log widths of g; if that is affine d
    (of several sources log d).
    """

    kind: Kind
    n_sources: int
    groups: NDArray[np.intp]
    groups_g: NDArray[np.intp]
    shape: Shape

    @property
    def n_widths(self) -> tuple[int, int]:
        """How many length scales h and g have."""
        return int(self.groups.max()) + 1, int(self.groups_g.max()) + 1

    @property
    def priors(self) -> list[Prior]:
        """Of theta. What is shared by many sources is split among them."""
        share = math.log(max(1, self.n_sources))
        widths, widths_g = ([Prior(math.log(n) / 2.0 - 0.2, 1.0)] * n for n in self.n_widths)
        linear = [Prior(-1.0 - share, 1.5), Prior(-1.0, 1.0), Prior(-2.5, 1.5), *widths]
        if self.kind == "linear":
            return linear
        slope = Prior(0.0, 0.4) if self.n_sources == 1 else Prior(-1.0 - share / 2.0, 0.7)
        return [*linear, Prior(-0.5, 0.7), *widths_g, *([slope] if self.kind == "affine" else [])]

    def split(self, theta: Floats) -> _Values:
        """The values of theta."""
        h, g = self.n_widths
        slope, variance, noise = np.exp(theta[:3])
        widths, c, d, widths_g = np.exp(theta[3 : 3 + h]), 0.0, 0.0, np.ones(g)
        if self.kind != "linear":
            c, widths_g = math.exp(theta[3 + h]), np.exp(theta[4 + h : 4 + h + g])
        if self.kind == "affine":
            d = float(theta[-1]) if self.n_sources == 1 else math.exp(theta[-1])
        return _Values(slope, variance, noise, widths, c, d, widths_g)

    def amplitude(self, at: _Values, f: Floats, other: Floats) -> Floats:
        """What k_g is multiplied with (m x n), given source predictions (m x s) and (n x s)."""
        if self.n_sources == 1:
            return np.outer(at.c + at.d * f[:, 0], at.c + at.d * other[:, 0])
        return np.asarray(at.c**2 + at.d**2 * (f @ other.T))

    def between(self, theta: Floats, a: _Points, b: _Points) -> Floats:
        """Covariances (m x n) of noise-free outcomes."""
        at = self.split(theta)
        total = LEVEL_VARIANCE + at.slope * (a.f @ b.f.T)
        total = total + at.variance * _correlation(a.h, b.h, at.widths[self.groups], self.shape)
        if self.kind != "linear":
            k_g = _correlation(a.g, b.g, at.widths_g[self.groups_g], self.shape)
            total = total + self.amplitude(at, a.f, b.f) * k_g
        return np.asarray(total)

    def variances(self, theta: Floats, f: Floats) -> Floats:
        """Prior variances (m) of noise-free outcomes."""
        at = self.split(theta)
        square = (f * f).sum(axis=1)
        own = at.c**2 + at.d**2 * square
        if self.n_sources == 1:
            own = own + 2.0 * at.c * at.d * f[:, 0]
        return np.asarray(LEVEL_VARIANCE + at.slope * square + at.variance + own)


def _correlation(a: Floats, b: Floats, widths: Floats, shape: Shape) -> Floats:
    return Kernel(widths, 1.0, shape, Layout(np.arange(len(widths))))(a, b)


@dataclass(frozen=True)
class _Values:
    slope: float
    variance: float
    noise: float
    widths: Floats
    c: float
    d: float
    widths_g: Floats


@dataclass(frozen=True)
class _Points:
    """What h sees, what g sees, and standardised source predictions."""

    h: Floats
    g: Floats
    f: Floats


class _Covariance:
    """Of the outcomes at points, with slopes by theta."""

    def __init__(self, terms: Terms, points: _Points) -> None:
        self._terms, self._f = terms, points.f
        n, (h, g) = len(points.f), terms.n_widths
        self._squares = pairwise_squares(points.h, Layout(terms.groups)).reshape(h, n, n)
        self._squares_g = pairwise_squares(points.g, Layout(terms.groups_g)).reshape(g, n, n)
        self._linear = points.f @ points.f.T

    def __call__(self, theta: Floats) -> tuple[Floats, Floats]:
        at = self._terms.split(theta)
        k, by_width = self._stationary(self._squares, at.widths)
        noise = at.noise * np.eye(len(self._f))
        linear = at.slope * self._linear
        total = LEVEL_VARIANCE + linear + at.variance * k + noise
        slopes = [linear, at.variance * k, noise, *(at.variance * by_width)]
        if self._terms.kind != "linear":
            k, by_width = self._stationary(self._squares_g, at.widths_g)
            both = self._terms.amplitude(at, self._f, self._f)
            by_c, by_d = self._by_modulation(at)
            total = total + both * k
            slopes += [by_c * k, *(both * by_width)]
            slopes += [by_d * k] if self._terms.kind == "affine" else []
        return total, np.array(slopes)

    def _by_modulation(self, at: _Values) -> tuple[Floats, Floats]:
        """Slopes (n x n) of the amplitude by log c and by d or log d."""
        if self._terms.n_sources > 1:
            return np.full_like(self._linear, 2.0 * at.c**2), 2.0 * at.d**2 * self._linear
        f = self._f[:, 0]
        own = at.c + at.d * f
        crossed = np.outer(f, own)
        return at.c * (own[:, None] + own[None, :]), crossed + crossed.T

    def _stationary(self, squares: Floats, widths: Floats) -> tuple[Floats, Floats]:
        """Correlations (n x n), and their slopes by the log widths (g x n x n)."""
        scaled = squares / (widths**2)[:, None, None]
        k, slope = correlation(scaled.sum(axis=0), self._terms.shape)
        return k, -2.0 * slope * scaled


@dataclass(frozen=True)
class FittedAffine:
    """The process with its data."""

    terms: Terms
    theta: Floats
    points: _Points
    solution: Solution
    view_h: View
    view_g: View
    scale: Scale

    @property
    def noise_sd(self) -> float:
        """In the unit of y."""
        return math.sqrt(self.terms.split(self.theta).noise) * float(self.scale.spread)

    @property
    def left_out(self) -> LeftOut:
        """With the hyperparameters of the full fit."""
        mean, sd = self.solution.left_out()
        unit = self.scale.in_unit
        return LeftOut(unit(self.solution.y), unit(mean), sd * float(self.scale.spread))

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`."""
        standard = self.view_h.sources.standardised(f)
        at = _Points(self.view_h(x, f), self.view_g(x, f), standard)
        cross = self.terms.between(self.theta, at, self.points)
        mean, sd = self.solution.posterior(cross, self.terms.variances(self.theta, at.f))
        return self.scale.in_unit(mean), sd * float(self.scale.spread)


@dataclass(frozen=True)
class AffineSurrogate:
    """A process with sources in it.

    Attributes:
        kind: "affine" as above; "linear" without g; "additive" with g of the source predictions.
        sources: centres and spreads of the source predictions wherever they may be asked (s);
            None: those at the outcomes, of which there may be too few to tell.
    """

    name: str = "affine"
    kind: Kind = "affine"
    sources: Scale | None = None
    shape: Shape = "matern"

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedAffine:
        """With the most probable hyperparameters."""
        view_h = view("features", x, f, self.sources)
        view_g = view("sources" if self.kind == "additive" else "features", x, f, self.sources)
        scale = scale_of(y)
        points = _Points(view_h(x, f), view_g(x, f), view_h.sources.standardised(f))
        terms = Terms(self.kind, f.shape[1], view_h.groups, view_g.groups, self.shape)
        outcomes = scale.standardised(y)
        covariance, priors = _Covariance(terms, points), terms.priors
        start = np.array([p.loc for p in priors])
        theta = most_probable(covariance, outcomes, priors, [start])
        solution, _ = solve(covariance(theta)[0], outcomes)
        return FittedAffine(terms, theta, points, solution, view_h, view_g, scale)


def prior_mean(name: str = "prior mean", sources: Scale | None = None) -> AffineSurrogate:
    """A process around a linear function of the source predictions."""
    return AffineSurrogate(name, "linear", sources)


def additive(name: str = "additive", sources: Scale | None = None) -> AffineSurrogate:
    """A linear function and a process of the source predictions, and one of the features."""
    return AffineSurrogate(name, "additive", sources)
