"""A ranking-weighted ensemble of the target's own process and its sources [RGPE, Feurer et al.
2018]: who orders the target's outcomes best has the largest say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from orchestrator.planner.kernel import Floats
from orchestrator.planner.transfer.surrogate import Fitted, LeftOut, Surrogate, no_sources

N_BOOTSTRAP = 500
DILUTION_QUANTILE = 0.95


@dataclass(frozen=True)
class FittedRanking:
    """The target's own surrogate and lines over the sources, with their shares.

    Attributes:
        weights: of each source (s), then of the target's own.
        levels, slopes: what turns a source's predictions into the target's unit (s each).
        spreads: how far outcomes lie off those lines (s), in the unit of y.
    """

    own: Fitted
    weights: Floats
    levels: Floats
    slopes: Floats
    spreads: Floats
    left_out: LeftOut

    @property
    def noise_sd(self) -> float:
        """That of the target's own surrogate."""
        return self.own.noise_sd

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`."""
        mean, sd = self.own.predict(x, no_sources(x))
        means = np.concatenate([self.levels + self.slopes * f, mean[:, None]], axis=1)
        off = np.broadcast_to(self.spreads, f.shape)
        sds = np.concatenate([off, sd[:, None]], axis=1)
        return means @ self.weights, np.sqrt((sds * sds) @ self.weights**2)


@dataclass(frozen=True)
class RankingSurrogate:
    """Weighs by how often each model makes the fewest mistakes in the order of the outcomes, over
    bootstrap samples of them.

    The target's own model is judged by its leave-one-out predictions, and so are the lines that
    turn source predictions into the target's unit. A source is dropped if its median number of
    mistakes lies above most of the target's own [the guard against dilution, ibid. section 4.3].
    """

    own: Surrogate
    name: str = "ranking"
    seed: int = 0

    def fit(self, x: Floats, y: Floats, f: Floats) -> FittedRanking:
        """Fits the target's own surrogate, and weighs."""
        own = self.own.fit(x, y, no_sources(x))
        levels, slopes, predicted = _lines(f, y)
        spreads = np.sqrt(((predicted - y[:, None]) ** 2).mean(axis=0))
        means = np.concatenate([predicted, own.left_out.mean[:, None]], axis=1)
        weights = ranking_weights(means, y, self.seed)
        alone = np.broadcast_to(spreads, f.shape)
        sds = np.concatenate([alone, own.left_out.sd[:, None]], axis=1)
        left_out = LeftOut(y, means @ weights, np.sqrt((sds * sds) @ weights**2))
        return FittedRanking(own, weights, levels, slopes, spreads, left_out)


def _lines(f: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Level and slope of y over each column of f (n x s), and what the lines through all other
    outcomes predict of each (n x s)."""
    n = len(y)
    centred, off = f - f.mean(axis=0), y - y.mean()
    square = np.maximum((centred * centred).sum(axis=0), 1e-300)
    slopes = (off @ centred) / square
    levels = y.mean() - slopes * f.mean(axis=0)
    hat = centred * centred / square + 1.0 / n
    missed = (y[:, None] - levels - slopes * f) / np.maximum(1.0 - hat, 1e-9)
    return levels, slopes, y[:, None] - missed


def ranking_weights(means: Floats, y: Floats, seed: int) -> Floats:
    """Shares of models whose predictions of outcomes y (n) are the columns of means (n x k); the
    last one is the target's own."""
    n, k = means.shape
    wrong = (means[:, None, :] < means[None, :, :]) != (y[:, None] < y[None, :])[:, :, None]
    wrong &= (y[:, None] != y[None, :])[:, :, None]
    random = np.random.default_rng(seed)
    counts = random.multinomial(n, np.full(n, 1.0 / n), size=N_BOOTSTRAP).astype(float)
    losses = np.stack([_mistakes(counts, wrong[:, :, j]) for j in range(k)], axis=1)
    limit = np.quantile(losses[:, -1], DILUTION_QUANTILE)
    dropped = np.median(losses, axis=0) > limit
    dropped[-1] = False
    losses = np.where(dropped, math.inf, losses)
    # of those that make the fewest mistakes, the target's own comes first [ibid. section 4.1]
    first = k - 1 - np.argmin(losses[:, ::-1], axis=1)
    return np.asarray(np.bincount(first, minlength=k) / N_BOOTSTRAP)


def _mistakes(counts: Floats, wrong: Floats) -> Floats:
    """Pairs in the wrong order (b) in samples that hold each outcome so often (b x n)."""
    return np.asarray(((counts @ wrong) * counts).sum(axis=1))
