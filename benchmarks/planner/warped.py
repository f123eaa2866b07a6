"""Outcomes and parameters on scales that are learnt: ablations only (see `variants`).

Outcomes by a power [Yeo & Johnson 2000]; parameters by Kumaraswamy's distribution [Snoek et al.
2014], w(x) = 1 - (1 - x^a)^b, with a and b fitted beside the length scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import fmin_l_bfgs_b

from orchestrator.planner import fitting
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Kernel, Shape
from orchestrator.planner.likelihood import Hyper, Likelihood, LogNormal, Priors, factor
from orchestrator.planner.measured import Measured

EDGE = 1e-6
BENT = LogNormal(0.0, 0.5, of_log=True)
columns: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
"""The columns of features that are warped."""


@dataclass(frozen=True)
class Powered(Measured):
    """Outcomes whose standardised values were raised to a power, and standardised again."""

    power: float = 1.0
    middle: float = 0.0
    width: float = 1.0

    def bent(self, y: Floats) -> Floats:
        """Of outcomes as they were standardised first."""
        return (_power(y, self.power) - self.middle) / self.width

    def slope(self, y: Floats) -> Floats:
        """Its derivative."""
        size, by = 1.0 + np.abs(y), np.where(y >= 0, self.power - 1.0, 1.0 - self.power)
        return np.asarray(size**by / self.width)

    def standardised(self, value: float) -> float:
        """As `Measured.standardised`."""
        return float(self.bent(np.array([super().standardised(value)]))[0])

    def in_unit(self, y: float) -> float:
        """As `Measured.in_unit`, by bisection."""
        low, high = -1e3, 1e3
        for _ in range(80):
            middle = 0.5 * (low + high)
            is_below = self.bent(np.array([middle]))[0] < y
            low, high = (middle, high) if is_below else (low, middle)
        return super().in_unit(low)


def _power(y: Floats, power: float) -> Floats:
    up, down = np.maximum(y, 0.0), np.maximum(-y, 0.0)
    above = np.log1p(up) if abs(power) < 1e-9 else ((1.0 + up) ** power - 1.0) / power
    rest = 2.0 - power
    below = np.log1p(down) if abs(rest) < 1e-9 else ((1.0 + down) ** rest - 1.0) / rest
    return np.where(y >= 0, above, -below)


def powered(measured: Measured, power: float) -> Powered:
    """Outcomes raised to a power."""
    bent = _power(measured.y, power)
    width = float(bent.std(ddof=1)) or 1.0
    said = {name: getattr(measured, name) for name in measured.__dataclass_fields__}
    y = (bent - bent.mean()) / width
    return Powered(**(said | {"y": y}), power=power, middle=float(bent.mean()), width=width)


def made_normal(measured: Measured) -> Powered:
    """The power that makes outcomes most probable as normally distributed ones."""

    def badness(power: float) -> float:
        one = powered(measured, power)
        return -float(np.log(one.slope(measured.y)).sum())

    return powered(measured, min(np.linspace(-1.0, 3.0, 81).tolist(), key=badness))


@dataclass(frozen=True)
class Bend:
    """Kumaraswamy's distribution on some columns, with `a` and `b` for each."""

    places: NDArray[np.intp]
    a: Floats
    b: Floats

    def __call__(self, x: Floats) -> Floats:
        """Features (m x d), warped."""
        out = x.copy()
        u = np.clip(x[:, self.places], EDGE, 1.0 - EDGE)
        out[:, self.places] = 1.0 - (1.0 - u**self.a) ** self.b
        return out

    def slopes(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Derivatives (m x k each) by x, log a and log b."""
        u = np.clip(x[:, self.places], EDGE, 1.0 - EDGE)
        ua = u**self.a
        rest = 1.0 - ua
        outer = self.b * rest ** (self.b - 1.0)
        by_b = -self.b * rest**self.b * np.log(rest)
        return outer * self.a * ua / u, outer * ua * np.log(u) * self.a, by_b


@dataclass(frozen=True)
class BentKernel(Kernel):
    """The covariance of warped points."""

    bend: Bend = field(kw_only=True)

    def squared(self, a: Floats, b: Floats) -> Floats:
        """As `Kernel.squared`."""
        return super().squared(self.bend(a), self.bend(b))

    def pull(self, a: Floats, b: Floats, weights: Floats) -> Floats:
        """As `Kernel.pull`."""
        pulled = super().pull(self.bend(a), self.bend(b), weights)
        pulled[:, self.bend.places] *= self.bend.slopes(a)[0]
        return pulled


@dataclass(frozen=True)
class BentProcess(GaussianProcess):
    """A process on warped parameters."""

    bend: Bend = field(kw_only=True)

    def _covariance(self) -> Kernel:
        widths = self.hyper.scales[self.layout.groups]
        return BentKernel(widths, self.hyper.variance, self.shape, self.layout, bend=self.bend)


@dataclass
class BentLikelihood:
    """Minus the log posterior of theta = log (scales, noise, a, b)."""

    data: fitting.Data
    priors: Priors
    shape: Shape
    places: NDArray[np.intp]

    def inner(self, bend: Bend) -> Likelihood:
        """With the parameters warped."""
        d = self.data
        said = (d.layout, self.priors, self.shape, d.shares, d.known, d.terms)
        return Likelihood(bend(d.x), d.y, *said)

    def bend(self, theta: Floats) -> Bend:
        """The warping of theta."""
        k = len(self.places)
        return Bend(self.places, np.exp(theta[-2 * k : -k]), np.exp(theta[-k:]))

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """With the gradient."""
        k, x, groups = len(self.places), self.data.x, self.data.layout.groups
        bend = self.bend(theta)
        inner = self.inner(bend)
        value, gradient = inner(theta[: -2 * k])
        at = inner.split(theta[: -2 * k])
        total, _, slope, _ = inner._covariance(at)
        lower = factor(total)
        _, solved = inner._mean(lower)
        inverse, _ = lapack.dpotri(lower, lower=1)
        inverse = np.asarray(inverse) + np.tril(np.asarray(inverse), -1).T
        pull = (inverse - np.outer(solved, solved)) * slope.reshape(total.shape)
        w = inner.x[:, self.places]
        by_w = 2.0 * (pull.sum(axis=1)[:, None] * w - pull @ w)
        by_w /= at.scales[groups[self.places]] ** 2
        _, by_a, by_b = bend.slopes(x)
        density, by_prior = BENT.log_density(theta[-2 * k :])
        bent = np.concatenate([(by_w * by_a).sum(axis=0), (by_w * by_b).sum(axis=0)]) - by_prior
        return value - float(density.sum()), np.concatenate([gradient, bent])


def fit_inputs(data: fitting.Data, shape: Shape, priors: Sequence[Priors]) -> GaussianProcess:
    """As `fitting.fit`, with a warping of the parameters, and without main effects."""
    priors = [replace(prior, mains=None) for prior in priors]
    known = fitting.fit(data, shape, priors)
    if len(data.y) < 4 or not len(columns):
        return known
    k, found = len(columns), None
    for prior in priors:
        posterior = BentLikelihood(data, prior, shape, columns)
        plain = posterior.inner(posterior.bend(np.zeros(2 * k)))
        try:
            theta, value, _ = fmin_l_bfgs_b(
                posterior,
                np.concatenate([plain.start, np.zeros(2 * k)]),
                bounds=plain.bounds + [(-2.0, 2.0)] * (2 * k),
                maxiter=fitting.MAX_ITERATIONS,
                factr=fitting.TOLERANCE * len(data.y) / np.finfo(float).eps,
                pgtol=1e-4,
            )
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(theta).all() and (found is None or value < found[0]):
            bend = posterior.bend(theta)
            hyper: Hyper = posterior.inner(bend).hyper(theta[: -2 * k])
            found = (float(value), hyper, bend)
    if found is None:
        return known
    said: dict[str, Any] = {n: getattr(known, n) for n in ("x", "y", "layout", "shape", "note")}
    noise = found[1].noise * data.shares + data.known
    return BentProcess(**said, noise=noise, hyper=found[1], bend=found[2])
