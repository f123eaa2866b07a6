"""A choice among surrogates that bounds what a useless source can cost.

Candidates are judged by the log density of outcomes that they have not seen. "No transfer" is
always among them and has the benefit of the doubt: another one counts only as far as it is likely
to predict better by more than a margin. Weights are those of Bayesian-bootstrapped stacking of
scores [pseudo-BMA+, Yao et al. 2018].

Which outcomes are held back depends on what the model is for: each in turn, to predict among the
known; or the best of them, from those that are worse, to find better ones than any that is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats
from orchestrator.planner.transfer.surrogate import MIN_SHARE, Fitted, LeftOut, Surrogate

MARGIN = 3.0
"""In log density over all outcomes: what a candidate must gain on no transfer to break even, if
outcomes are many; with n of them n / (n - 2) times that, since scores of few outcomes flatter."""
N_BOOTSTRAP = 1000
MIN_WEIGHT = 0.02
MIN_OUTCOMES = 4
N_BLOCKS = 4


Judge = Callable[[Surrogate, Fitted, Floats, Floats, Floats], Floats]
"""Log densities of outcomes not seen (k), of a surrogate that was fitted to x, y and f."""


def among_the_known(
    surrogate: Surrogate, fitted: Fitted, x: Floats, y: Floats, f: Floats
) -> Floats:
    """Of each outcome, predicted from all the others."""
    return fitted.left_out.log_densities


@dataclass(frozen=True)
class BeyondTheKnown:
    """Of the better half of the outcomes, block by block, each predicted from all that are worse.

    Attributes:
        sign: +1 where large outcomes are good, -1 where small ones are.
    """

    sign: float = 1.0

    def __call__(
        self, surrogate: Surrogate, fitted: Fitted, x: Floats, y: Floats, f: Floats
    ) -> Floats:
        """Fits once for each block."""
        found = []
        for known, ahead in blocks_ahead(self.sign * y):
            before = surrogate.fit(x[known], y[known], f[known])
            mean, sd = before.predict(x[ahead], f[ahead])
            least = MIN_SHARE * float(y.std())
            sd = np.sqrt(sd**2 + before.noise_sd**2 + least**2)
            found.append(LeftOut(y[ahead], mean, sd, len(known)).log_densities)
        return np.concatenate(found)


def blocks_ahead(merit: Floats) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cuts outcomes of merit (n) where some are known and the next better ones are not: rows of
    each, which go through the better half."""
    order = np.argsort(merit, kind="stable")
    ahead = np.arange(len(merit) // 2, len(merit))
    parts = np.array_split(ahead, min(N_BLOCKS, len(ahead)))
    return [(order[: part[0]], order[part]) for part in parts]


@dataclass(frozen=True)
class Entry:
    """A candidate of a choice: `score` is the mean log density of outcomes not seen, per unit of
    the outcome; `rmse` that of each predicted from the others; `weight` its share."""

    name: str
    score: float
    rmse: float
    weight: float


@dataclass(frozen=True)
class Choice:
    """The candidates' mixture. `entries` are in the order of the candidates."""

    fitted: tuple[Fitted, ...]
    entries: tuple[Entry, ...]

    @property
    def best(self) -> Entry:
        """The one with the largest weight."""
        return max(self.entries, key=lambda entry: entry.weight)

    @property
    def noise_sd(self) -> float:
        """Of the mixture."""
        return math.sqrt(sum(w * f.noise_sd**2 for w, f in self._used()))

    @property
    def left_out(self) -> LeftOut:
        """Of the mixture, its weights being those of all outcomes."""
        parts = [(w, f.left_out.mean, f.left_out.sd) for w, f in self._used()]
        return LeftOut(self.fitted[0].left_out.y, *_mixed(parts))

    def predict(self, x: Floats, f: Floats) -> tuple[Floats, Floats]:
        """As `Fitted.predict`."""
        return _mixed([(w, *fitted.predict(x, f)) for w, fitted in self._used()])

    def sentence(self) -> str:
        """The weights as a report says them: 'no transfer: 0.42, affine: 0.58'."""
        shown = sorted((e for e in self.entries if e.weight > 0.0), key=lambda e: -e.weight)
        return ", ".join(f"{e.name}: {e.weight:.2f}" for e in shown)

    def _used(self) -> list[tuple[float, Fitted]]:
        pairs = zip(self.entries, self.fitted, strict=True)
        return [(entry.weight, fitted) for entry, fitted in pairs if entry.weight > 0.0]


def _mixed(parts: Sequence[tuple[float, Floats, Floats]]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a mixture of weights, means and deviations."""
    mean = np.asarray(sum(w * m for w, m, _ in parts))
    square = np.asarray(sum(w * (s * s + (m - mean) ** 2) for w, m, s in parts))
    return mean, np.sqrt(square)


def choose(
    plain: Surrogate,
    candidates: Sequence[Surrogate],
    x: Floats,
    y: Floats,
    f: Floats,
    *,
    judge: Judge = among_the_known,
    margin: float = MARGIN,
    seed: int = 0,
) -> Choice:
    """Fits no transfer (`plain`) and all candidates, and weighs them.

    With fewer than `MIN_OUTCOMES` outcomes no score says anything, and there is no transfer. A
    candidate that cannot be fitted is left out.
    """
    fitted, names, judged = [], [], []
    for surrogate in (plain, *candidates):
        try:
            one = surrogate.fit(x, y, f)
            judged.append(judge(surrogate, one, x, y, f))
        except np.linalg.LinAlgError:
            continue
        fitted.append(one)
        names.append(surrogate.name)
    scores = np.stack(judged, axis=1)
    nothing = np.eye(len(fitted))[0]
    n = len(y)
    enough = n >= MIN_OUTCOMES
    weights = weights_of(scores, margin * n / (n - 2), seed) if enough else nothing
    pairs = zip(names, fitted, scores.mean(axis=0), weights, strict=True)
    entries = tuple(Entry(n, float(s), o.left_out.rmse, float(w)) for n, o, s, w in pairs)
    return Choice(tuple(fitted), entries)


def weights_of(scores: Floats, margin: float, seed: int) -> Floats:
    """Shares (k) of candidates with log densities scores (n x k), the first being no transfer.

    The prior odds of no transfer against all others together are exp(margin).
    """
    n, k = scores.shape
    if k == 1:
        return np.ones(1)
    scores = np.where(np.isfinite(scores), scores, -1e6)
    shares = np.random.default_rng(seed).dirichlet(np.ones(n), size=N_BOOTSTRAP) * n
    logs = shares @ scores
    logs[:, 1:] -= margin + math.log(k - 1)
    logs -= logs.max(axis=1, keepdims=True)
    each = np.exp(logs)
    weights = (each / each.sum(axis=1, keepdims=True)).mean(axis=0)
    weights[weights < MIN_WEIGHT] = 0.0
    return np.asarray(weights / weights.sum())
