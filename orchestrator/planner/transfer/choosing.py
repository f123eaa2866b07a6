"""A choice among surrogates that bounds what a useless source can cost.

Candidates are judged by the log density of each outcome predicted from the others. "No transfer" is
always among them and has the benefit of the doubt: another one counts only as far as it is likely
to predict better by more than a margin. Weights are those of Bayesian-bootstrapped stacking of
scores [pseudo-BMA+, Yao et al. 2018].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.planner.kernel import Floats
from orchestrator.planner.transfer.surrogate import Fitted, LeftOut, Surrogate

MARGIN = 3.0
"""In log density over all outcomes: what a candidate must gain on no transfer to break even."""
N_BOOTSTRAP = 1000
MIN_WEIGHT = 0.02
MIN_OUTCOMES = 4


@dataclass(frozen=True)
class Entry:
    """A candidate of a choice: `score` is the mean log density of an outcome predicted from the
    others, per unit of the outcome; `weight` its share in the predictions."""

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
    margin: float = MARGIN,
    seed: int = 0,
) -> Choice:
    """Fits no transfer (`plain`) and all candidates, and weighs them.

    With fewer than `MIN_OUTCOMES` outcomes no score says anything, and there is no transfer. A
    candidate that cannot be fitted has no weight.
    """
    fitted = [plain.fit(x, y, f)]
    names = [plain.name]
    for candidate in candidates:
        try:
            fitted.append(candidate.fit(x, y, f))
        except np.linalg.LinAlgError:
            continue
        names.append(candidate.name)
    scores = np.stack([one.left_out.log_densities for one in fitted], axis=1)
    nothing = np.eye(len(fitted))[0]
    weights = weights_of(scores, margin, seed) if len(y) >= MIN_OUTCOMES else nothing
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
