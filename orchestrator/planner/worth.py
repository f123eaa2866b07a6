"""What a trial at a point is worth: the expected gain over what is believed to be reached.

Noisy outcomes and points in flight are taken into account as in the noisy expected improvement
[Letham et al. 2019]: possible noise-free outcomes at the best measured points and at those in
flight are drawn from the joint posterior (quasi-random, seeded), the process is conditioned on
them, and the closed-form gains are averaged. Unlike a Monte Carlo acquisition it has no noise of
its own in the point that is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.gain import Gain
from orchestrator.planner.gaussian import Belief
from orchestrator.planner.kernel import Floats

CHUNK = 4096
SCREENED = 16_384
MAX_NUMBERS = 8_000_000
"""Features that are held at once while many points are screened."""
MAX_CLOSELY = 2048


class Weight(Protocol):
    """A further factor of the worth."""

    def __call__(self, codes: Floats, x: Floats) -> Floats:
        """Its logarithms (m) at codes (m x p) with features (m x d)."""
        ...

    def pull(self, codes: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x k) by the real parameters."""
        ...


@dataclass(frozen=True)
class Worth:
    """Logarithm of the expected gain, times further weights, at codes.

    The gain is that of the same point at the highest fidelity. `rough` is quicker, without draws.
    """

    encoding: Encoding
    beliefs: tuple[Belief, ...]
    gain: Gain
    weights: tuple[Weight, ...] = ()
    rough: Worth | None = None

    def best_of(self, codes_of: Callable[[int, int], Floats], n: int) -> tuple[Floats, Floats]:
        """Codes (k x p) and values (k) of those that may be the best of `n` points, numbers a to b
        of which `codes_of(a, b)` gives; NaN rows are left out.

        Many are screened in chunks by the rough worth, in single precision; the best of them are
        looked at closely.
        """
        if self.rough is None or n <= MAX_CLOSELY:
            codes = codes_of(0, n)
            return codes, self.score(codes)
        kept, scores = np.zeros((0, self.encoding.n_parameters)), np.zeros(0)
        step = max(CHUNK // 8, min(SCREENED, MAX_NUMBERS // self.encoding.width))
        for start in range(0, n, step):
            codes = codes_of(start, min(n, start + step))
            found = self.rough._score(codes, np.float32)
            kept, scores = np.concatenate([kept, codes]), np.concatenate([scores, found])
            if len(scores) > MAX_CLOSELY:
                top = np.sort(np.argpartition(-scores, MAX_CLOSELY)[:MAX_CLOSELY])
                kept, scores = kept[top], scores[top]
        return kept, self.score(kept)

    def score(self, codes: Floats) -> Floats:
        """Values (m) at codes (m x p), snapped; in chunks."""
        parts = [self._score(codes[i : i + CHUNK]) for i in range(0, len(codes), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, codes: Floats, kind: type = np.float64) -> Floats:
        logs, _ = self.gain(*self._moments(self._aimed_at(codes).astype(kind, copy=False)))
        value = _log_mean(logs)[0]
        x = self.encoding.features(codes) if self.weights else None
        for weight in self.weights:
            assert x is not None
            value = value + weight(codes, x)
        return np.where(np.isnan(value), -np.inf, value)

    def _aimed_at(self, codes: Floats) -> Floats:
        return self.encoding.features(self.encoding.at_highest_fidelity(codes))

    def _moments(self, x: Floats) -> tuple[Sequence[Floats], Sequence[Floats]]:
        moments = [belief.moments(x) for belief in self.beliefs]
        return [m for m, _ in moments], [np.sqrt(v)[:, None] for _, v in moments]

    def pull(self, codes: Floats) -> tuple[Floats, Floats]:
        """Values (m) at codes (m x p), and their gradient (m x k) by the real parameters."""
        x = self._aimed_at(codes)
        means, sds = self._moments(x)
        logs, by = self.gain(means, sds)
        value, shares = _log_mean(logs)
        full = np.zeros_like(x)
        for column, (by_mean, by_sd) in by.items():
            sd = sds[column]
            mean_part = _fold(shares * by_mean, means[column].shape[1])
            sd_part = (shares * by_sd).sum(axis=1)
            full += self.beliefs[column].pull(x, mean_part, sd_part / (2.0 * sd[:, 0]))
        gradient = full[:, self.encoding.movable[1]]
        own = self.encoding.features(codes) if self.weights else x
        for weight in self.weights:
            extra, slope = weight.pull(codes, own)
            value = value + extra
            gradient = gradient + slope
        absent = self.encoding.absent(codes)[:, self.encoding.movable[0]]
        return value, np.where(absent, 0.0, gradient)


def _log_mean(logs: Floats) -> tuple[Floats, Floats]:
    """Log of the mean of exp(logs) over draws (m x s), and each draw's share in it."""
    if logs.shape[1] == 1:
        return logs[:, 0], np.ones_like(logs)
    top = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - top)
    total = shares.sum(axis=1, keepdims=True)
    return (top + np.log(total / logs.shape[1]))[:, 0], shares / total


def _fold(by_mean: Floats, n_draws: int) -> Floats:
    """Sums over draws (m x s) where a belief has a single one."""
    return by_mean if by_mean.shape[1] == n_draws else by_mean.sum(axis=1, keepdims=True)
