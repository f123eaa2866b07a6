"""What a trial at a point is worth: the expected gain over what is believed to be reached.

Noisy outcomes and points in flight are taken into account as in the noisy expected improvement
[Letham et al. 2019]: possible noise-free outcomes at the best measured points and at those in
flight are drawn from the joint posterior (quasi-random, seeded), the process is conditioned on
them, and the closed-form gains are averaged. Unlike a Monte Carlo acquisition it has no noise of
its own in the point that is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orchestrator.planner.gain import Gain
from orchestrator.planner.gaussian import Belief
from orchestrator.planner.kernel import Floats

CHUNK = 4096


class Weight(Protocol):
    """A further factor of the worth: its logarithm at features, and the gradient."""

    def __call__(self, x: Floats) -> Floats:
        """Logarithms (m) at features (m x d)."""
        ...

    def pull(self, x: Floats) -> tuple[Floats, Floats]:
        """Logarithms (m), and their gradient (m x d)."""
        ...


@dataclass(frozen=True)
class Worth:
    """Logarithm of the expected gain at features, times further weights."""

    beliefs: tuple[Belief, ...]
    gain: Gain
    weights: tuple[Weight, ...] = ()

    def score(self, x: Floats) -> Floats:
        """Values (m) at features (m x d), in chunks."""
        parts = [self._score(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _score(self, x: Floats) -> Floats:
        logs, _ = self.gain(*self._moments(x))
        value = _log_mean(logs)[0]
        for weight in self.weights:
            value = value + weight(x)
        return value

    def _moments(self, x: Floats) -> tuple[Sequence[Floats], Sequence[Floats]]:
        moments = [belief.moments(x) for belief in self.beliefs]
        return [m for m, _ in moments], [np.sqrt(v)[:, None] for _, v in moments]

    def pull(self, x: Floats) -> tuple[Floats, Floats]:
        """Values (m) at features (m x d), and their gradient (m x d)."""
        means, sds = self._moments(x)
        logs, by = self.gain(means, sds)
        value, shares = _log_mean(logs)
        gradient = np.zeros_like(x)
        for column, (by_mean, by_sd) in by.items():
            sd = sds[column]
            mean_part = _fold(shares * by_mean, means[column].shape[1])
            sd_part = (shares * by_sd).sum(axis=1)
            gradient += self.beliefs[column].pull(x, mean_part, sd_part / (2.0 * sd[:, 0]))
        for weight in self.weights:
            extra, slope = weight.pull(x)
            value = value + extra
            gradient += slope
        return value, gradient


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
