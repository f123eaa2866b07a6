"""One quantity on several rungs (fidelities): the covariance, and the process of it.

With the standardised outcome y of rung r at x, and the rung t that counts,

    y_r(x) = level_r + a_r (rho_r g(x) + sqrt(1 - rho_r^2) h_r(x)),    rho_t = 1,

g and all h_r being independent processes of the same length scales, those of h `roughness` times as
long, and each with a part, of the variance `apart`, that differs from place to place: what the
description of a candidate does not say, but every rung sees. So each rung has a bias (its level), a
scale, a correlation rho_r with the rung that counts, of either sign, and errors of its own, which
other rungs do not share: an autoregressive model [Kennedy & O'Hagan 2000] whose rungs hang on the
last one in place of on each other, so that a bad rung spoils no other. Levels of rungs below are
normal around their mean outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.gaussian import MIN_VARIANCE, GaussianProcess
from orchestrator.planner.kernel import Floats, Kernel, correlation
from orchestrator.planner.likelihood import Hyper
from orchestrator.planner.rungs import Rungs

LEVEL_VARIANCE = 1.0
"""Of a rung's level about its mean outcome, in standardised outcomes."""


@dataclass(frozen=True)
class LadderHyper(Hyper):
    """Also the scales a and correlations rho of the rungs (both r; the last rho is 1), and how many
    times longer the length scales of their own errors are. `apart` is the variance of what places
    have to themselves, as a multiple of that of what varies with the features. `rho_sd` is the
    standard deviation of atanh(rho) (r - 1); `levels` are the mean outcomes of rungs (r, the last
    one 0)."""

    amplitudes: Floats = field(default_factory=lambda: np.ones(1))
    rho: Floats = field(default_factory=lambda: np.ones(1))
    roughness: float = 1.0
    rho_sd: Floats = field(default_factory=lambda: np.zeros(0))
    levels: Floats = field(default_factory=lambda: np.zeros(1))
    apart: float = 0.0


@dataclass(frozen=True)
class LadderKernel(Kernel):
    """The covariance of points on rungs; `variance` is that of the rung that counts."""

    rungs: Rungs = field(kw_only=True)
    hyper: LadderHyper = field(kw_only=True)

    def _weights(self, p: NDArray[np.intp], q: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        """What the correlations of g and of h are multiplied with, and what is added; for rungs p
        and q that broadcast."""
        scale = self.hyper.amplitudes[p] * self.hyper.amplitudes[q]
        same = p == q
        own = np.where(same, 1.0 - self.hyper.rho[p] ** 2, 0.0)
        levels = np.where(same & (p < self.rungs.n - 1), LEVEL_VARIANCE, 0.0)
        return scale * self.hyper.rho[p] * self.hyper.rho[q], scale * own, levels

    def _parts(self, squared: Floats, p: Any, q: Any, same: Any) -> tuple[Floats, Floats]:
        """Covariances of points on rungs p and q, `same` where they are at one place, and the
        derivatives by the squared distance."""
        shared, own, levels = self._weights(p, q)
        k, slope = correlation(squared, self.shape)
        beside = levels + (shared + own) * self.hyper.apart * same
        if not own.any():
            return shared * k + beside, shared * slope
        stretch = self.hyper.roughness**-2
        k_own, slope_own = correlation(squared * stretch, self.shape)
        return shared * k + own * k_own + beside, shared * slope + own * (slope_own * stretch)

    def __call__(self, a: Floats, b: Floats) -> Floats:
        """As `Kernel`."""
        return self.with_slope(a, b)[0]

    def with_slope(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """As `Kernel.with_slope`."""
        p, q = self.rungs.of(a)[:, None], self.rungs.of(b)[None, :]
        same = self.rungs.places(a)[:, None] == self.rungs.places(b)[None, :]
        return self._parts(self.squared(a, b), p, q, same)

    def between(self, a: Floats, b: Floats) -> Floats:
        """Covariances (m) of features a with b (m x d each), row by row; they differ in their rungs
        alone."""
        return self._parts(np.zeros(len(a)), self.rungs.of(a), self.rungs.of(b), 1.0)[0]

    def variances(self, x: Floats) -> Floats:
        """Prior variances (m) at features (m x d)."""
        return self.between(x, x)


@dataclass(frozen=True)
class LadderProcess(GaussianProcess):
    """A process on rungs. `y` has the mean outcome of each lower rung taken out, as its fit did."""

    rungs: Rungs = field(kw_only=True)
    hyper: LadderHyper

    def _covariance(self) -> LadderKernel:
        # columns that are carried along have no length scale: any serves
        scales = np.append(self.hyper.scales, 1.0)
        return LadderKernel(
            scales[self.layout.groups],
            self.hyper.variance,
            self.shape,
            self.layout,
            rungs=self.rungs,
            hyper=self.hyper,
        )

    @property
    def basis(self) -> Floats:
        """What the constant mean is multiplied with in each outcome (n)."""
        return self.rungs.counting(self.x).astype(float)

    def level(self, x: Floats) -> Floats:
        """As `GaussianProcess.level`: lower rungs have theirs in the covariance."""
        trend = 0.0 if self.trend is None else self.trend(x)
        return np.asarray(self.hyper.mean * self.rungs.counting(x) + trend)

    def posterior(self, x: Floats) -> tuple[Floats, Floats]:
        """As `GaussianProcess.posterior`, of the outcome of each point's own rung."""
        kernel = self.kernel
        assert isinstance(kernel, LadderKernel)
        k = kernel(x, self.x)
        explained = k @ self.root
        variance = kernel.variances(x) - np.einsum("ij,ij->i", explained, explained)
        return self.level(x) + k @ self.solved, np.sqrt(np.maximum(variance, MIN_VARIANCE))

    def outcome(self, x: Floats) -> tuple[Floats, Floats]:
        """As `GaussianProcess.outcome`, with the mean outcomes of lower rungs."""
        mean, sd = self.posterior(x)
        return mean + self.hyper.levels[self.rungs.of(x)], sd

    def shared(self, here: Floats, there: Floats) -> Floats:
        """Which part (m) of the variance at features `there` (m x d), as far as it is not explained
        yet, an outcome at `here` explains; they differ in their rungs alone."""
        kernel = self.kernel
        assert isinstance(kernel, LadderKernel)
        explained_here = kernel(here, self.x) @ self.root
        explained_there = kernel(there, self.x) @ self.root
        across = kernel.between(here, there)
        across = across - np.einsum("ij,ij->i", explained_here, explained_there)
        own = kernel.variances(here) - np.einsum("ij,ij->i", explained_here, explained_here)
        other = kernel.variances(there) - np.einsum("ij,ij->i", explained_there, explained_there)
        own, other = np.maximum(own, 1e-12), np.maximum(other, 1e-12)
        return np.asarray(np.clip(across**2 / ((own + self.hyper.noise) * other), 1e-12, 1.0))


def without_levels(y: Floats, rung: NDArray[np.intp], n_rungs: int) -> tuple[Floats, Floats]:
    """Outcomes (n) without the mean outcome of each lower rung, and these means (r)."""
    levels = np.zeros(n_rungs)
    for r in range(n_rungs - 1):
        here = rung == r
        levels[r] = y[here].mean() if here.any() else 0.0
    return y - levels[rung], levels
