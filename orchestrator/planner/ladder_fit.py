"""Fits a process on rungs by its most probable hyperparameters, as `fitting` does one without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from orchestrator.planner.kernel import Floats, Layout, Shape, correlation, pairwise_squares
from orchestrator.planner.ladder import LEVEL_VARIANCE, LadderHyper
from orchestrator.planner.likelihood import LOG_2PI, LogNormal, Priors, factor, log_prior

SCALES = LogNormal(0.0, 1.0, of_log=True)
"""Of a rung's scale: outcomes are standardised by the spread of a typical rung."""
ROUGHNESS = LogNormal(0.0, 0.7, of_log=True)
AGREEMENT = LogNormal(1.1, 0.8, of_log=True)
"""Prior of atanh(rho), normal: rungs are expected to agree well (rho = 0.8), since otherwise a
cheap one would not be tried often enough to show whether it does."""
APART = LogNormal(-6.0, 2.5, of_log=True)
"""Of what places have to themselves: mostly next to nothing, but as much as the data say."""
STEP = 1e-3


@dataclass(frozen=True)
class RungData:
    """Outcomes on rungs: features (n x d), outcomes without the levels of lower rungs (n), the rung
    of each (n), the rest as in `fitting.Data`, and numbers of their places (n)."""

    x: Floats
    y: Floats
    rung: NDArray[np.intp]
    n_rungs: int
    layout: Layout
    shares: Floats
    known: Floats
    terms: Floats
    places: Floats


class LadderLikelihood:
    """Minus the log posterior of theta = (log widths, log noise, log roughness, log scales of the
    rungs, atanh rho of those below the last, log apart, log variances of the terms), with its
    gradient."""

    def __init__(self, data: RungData, priors: Priors, shape: Shape) -> None:
        self.data, self.priors, self.shape = data, priors, shape
        self.n_groups = g = data.layout.n_groups
        r = data.n_rungs
        ends = np.cumsum([0, g, 1, 1, r, r - 1, 1, len(data.terms)])
        self.places = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        n = len(data.y)
        self._i, self._j = np.tril_indices(n)
        self._squares = pairwise_squares(data.x, data.layout)[:, self._i * n + self._j]
        self._pair = data.rung[self._i] * r + data.rung[self._j]
        self._terms = data.terms[:, self._i, self._j]
        self._levels = LEVEL_VARIANCE * np.diag(np.arange(r) < r - 1).ravel()[self._pair]
        self._same = (data.places[self._i] == data.places[self._j]).astype(float)
        self._twice = np.where(self._i == self._j, 1.0, 2.0)
        self._counts = (data.rung == r - 1).astype(float)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of theta."""
        r, few = self.data.n_rungs, len(self.data.terms)
        return [
            *[(math.log(1e-2), math.log(1e4))] * self.n_groups,
            (math.log(self.priors.min_noise), math.log(10.0)),
            (math.log(0.1), math.log(10.0)),
            *[(math.log(1e-2), math.log(1e2))] * r,
            *[(-4.0, 4.0)] * (r - 1),
            (math.log(1e-7), math.log(10.0)),
            *[(math.log(1e-6), math.log(10.0))] * few,
        ]

    def start(self, signs: Sequence[float]) -> Floats:
        """Theta at the modes of the priors, with signs of the correlations (r - 1)."""
        widths = np.broadcast_to(self.priors.width.log_mode, self.n_groups)
        noise = max(math.log(self.priors.min_noise), float(self.priors.noise.log_mode))
        middle = [noise, 0.0, *[0.0] * self.data.n_rungs, *(AGREEMENT.loc * s for s in signs)]
        apart = float(APART.log_mode)
        return np.array([*widths, *middle, apart, *[math.log(0.05)] * len(self.data.terms)])

    def hyper(self, theta: Floats, levels: Floats) -> LadderHyper:
        """The hyperparameters of theta, with the mean that goes with them."""
        widths, noise, rough, scales, z, apart, terms = (theta[p] for p in self.places)
        lower = factor(self._covariance(theta)[0])
        scales = np.exp(scales)
        return LadderHyper(
            np.exp(widths),
            float(np.exp(noise[0])),
            float(scales[-1] ** 2),
            self._mean(lower)[0],
            np.exp(terms),
            amplitudes=scales,
            rho=np.append(np.tanh(z), 1.0),
            roughness=float(np.exp(rough[0])),
            rho_sd=self._sd_of_agreement(theta),
            levels=levels,
            apart=float(np.exp(apart[0])),
        )

    def _covariance(self, theta: Floats) -> tuple[Floats, dict[str, Floats]]:
        """The lower triangle (n x n), and parts of its derivatives, a number for each of its
        places."""
        data = self.data
        widths, noise, rough, scales, z, apart, terms = (theta[p] for p in self.places)
        squared = np.exp(-2.0 * widths) @ self._squares
        k, slope = correlation(squared, self.shape)
        stretch = math.exp(-2.0 * float(rough[0]))
        k_own, slope_own = correlation(squared * stretch, self.shape)
        alone = math.exp(float(apart[0])) * self._same
        k, k_own = k + alone, k_own + alone
        scale, rho = np.exp(scales), np.append(np.tanh(z), 1.0)
        both = np.outer(scale, scale)
        shared = (both * np.outer(rho, rho)).ravel()[self._pair]
        own = (both * np.diag(1.0 - rho**2)).ravel()[self._pair]
        signal = shared * k + own * k_own
        total = np.zeros((len(data.y), len(data.y)))
        total[self._i, self._j] = signal + self._levels + np.exp(terms) @ self._terms
        total[np.diag_indices_from(total)] += np.exp(noise[0]) * data.shares + data.known
        by_square = shared * slope + own * slope_own * stretch
        by_rough = own * slope_own * (-2.0 * stretch) * squared
        parts = {"k": k, "own": k_own, "signal": signal, "both": both}
        by_apart = (shared + own) * alone
        return total, parts | {"square": by_square, "rough": by_rough, "apart": by_apart}

    def _mean(self, lower: Floats) -> tuple[float, Floats]:
        """The mean of the rung that counts, and the solution of covariance @ s = y - mean."""
        sides = np.stack([self.data.y, self._counts], axis=1)
        both, _ = lapack.dpotrs(lower, sides, lower=1)
        weight = float(self._counts @ both[:, 1])
        mean = float(self._counts @ both[:, 0]) / weight if weight > 0 else 0.0
        return mean, both[:, 0] - mean * both[:, 1]

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """Minus the log posterior, and its gradient."""
        total, parts = self._covariance(theta)
        lower = factor(total)
        mean, solved = self._mean(lower)
        n, data = len(self.data.y), self.data
        fit = float((data.y - mean * self._counts) @ solved)
        value = 0.5 * fit + float(np.log(lower.diagonal()).sum()) + 0.5 * n * LOG_2PI
        inverse, _ = lapack.dpotri(lower, lower=1)
        i, j = self._i, self._j
        pull = 0.5 * (np.asarray(inverse)[i, j] - solved[i] * solved[j]) * self._twice
        widths, noise, _, _, z, _, terms = (theta[p] for p in self.places)
        scaled = np.exp(-2.0 * widths) * (self._squares @ (pull * parts["square"]))
        rho = np.append(np.tanh(z), 1.0)
        by_scale = self._by_rungs(pull * parts["signal"])
        by_k = self._by_rungs(pull * parts["k"]) * parts["both"]
        on_own = (self._by_rungs(pull * parts["own"]) * parts["both"]).diagonal()
        by_rho = (by_k + by_k.T) @ rho
        by_z = ((by_rho - 2.0 * rho * on_own) * (1.0 - rho**2))[:-1]
        gradient = np.concatenate(
            [
                -2.0 * scaled,
                [math.exp(float(noise[0])) * float(pull[i == j] @ data.shares)],
                [float(pull @ parts["rough"])],
                (by_scale + by_scale.T).sum(axis=1),
                by_z,
                [float(pull @ parts["apart"])],
                np.exp(terms) * (self._terms @ pull),
            ]
        )
        prior, by_prior = self._log_prior(theta)
        return value - prior, gradient - by_prior

    def _by_rungs(self, values: Floats) -> Floats:
        """Sums over the triangle by the rungs of its row and its column (r x r)."""
        r = self.data.n_rungs
        sums = np.asarray(np.bincount(self._pair, values, r * r), dtype=float)
        return sums.reshape(r, r)

    def _log_prior(self, theta: Floats) -> tuple[float, Floats]:
        all_ = (self.priors.width, self.priors.noise, ROUGHNESS, SCALES, AGREEMENT, APART)
        return log_prior(theta, zip(self.places[: len(all_)], all_, strict=True))

    def _sd_of_agreement(self, theta: Floats) -> Floats:
        """Standard deviations of atanh(rho) (r - 1), by the curvature at the optimum."""
        free = [i for i, (low, high) in enumerate(self.bounds) if low < theta[i] < high]
        curvature, (_, slope) = np.zeros((len(theta), len(theta))), self(theta)
        for i in free:
            moved = theta.copy()
            moved[i] += STEP
            curvature[i] = (self(moved)[1] - slope) / STEP
        curvature = 0.5 * (curvature + curvature.T)[np.ix_(free, free)]
        values, vectors = np.linalg.eigh(curvature)
        variances = (vectors**2) @ (1.0 / np.maximum(values, 1e-3))
        sd = np.full(len(theta), float(AGREEMENT.scale))
        sd[free] = np.sqrt(variances)
        return np.asarray(np.minimum(sd[self.places[4]], AGREEMENT.scale))


def most_probable(
    data: RungData, shape: Shape, priors: Sequence[Priors], levels: Floats, iterations: int
) -> LadderHyper | None:
    """The most probable hyperparameters under any of the priors, from starts of either sign of the
    correlations; None where no fit succeeded."""
    from scipy.optimize import fmin_l_bfgs_b

    best: tuple[float, LadderLikelihood, Floats] | None = None
    for prior in priors:
        likelihood = LadderLikelihood(data, prior, shape)
        for signs in _signs(data):
            try:
                theta, value, _ = fmin_l_bfgs_b(
                    likelihood,
                    likelihood.start(signs),
                    bounds=likelihood.bounds,
                    maxiter=iterations,
                    factr=1e-5 * len(data.y) / np.finfo(float).eps,
                    pgtol=1e-4,
                )
            except np.linalg.LinAlgError:
                continue
            if np.isfinite(theta).all() and (best is None or value < best[0]):
                best = (float(value), likelihood, theta)
    return None if best is None else best[1].hyper(best[2], levels)


def _signs(data: RungData) -> list[list[float]]:
    """Signs of the correlations to start from: all rungs agree, or where the same places were tried
    on a rung and on the last one, as it looks there."""
    last, plain = data.rung == data.n_rungs - 1, [1.0] * (data.n_rungs - 1)
    seen = list(plain)
    for r in range(data.n_rungs - 1):
        pairs = [
            (data.y[i], data.y[j])
            for i in np.flatnonzero(data.rung == r)
            for j in np.flatnonzero(last)
            if data.places[i] == data.places[j]
        ]
        below, above = np.array(pairs).reshape(-1, 2).T
        if len(pairs) > 2 and float((below - below.mean()) @ (above - above.mean())) < 0:
            seen[r] = -1.0
    return [plain] if seen == plain else [plain, seen]
