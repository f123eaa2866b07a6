"""Made-up targets with a source that has to do with them, and with one that has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.transfer.bases import ProcessSurrogate
from orchestrator.planner.transfer.surrogate import Surrogate

Floats = NDArray[np.float64]
Draw = Callable[[int], tuple[Floats, Floats, Floats]]
"""Of a seed: features (n x 2), outcomes (n) and source predictions (n x 1); the first ten are to be
learnt from, the others to be predicted."""
N_LEARNT = 10
NOISE_SD = 0.05


def _waves(x: Floats) -> Floats:
    return np.asarray(np.sin(7.0 * x[:, 0]) * np.cos(5.0 * x[:, 1]))


def _points(seed: int) -> tuple[Floats, np.random.Generator]:
    random = np.random.default_rng([seed, 77])
    return random.random((N_LEARNT + 200, 2)), random


def related(seed: int) -> tuple[Floats, Floats, Floats]:
    """The target is the source, shifted by something smooth."""
    x, random = _points(seed)
    f = _waves(x)
    y = f + 0.5 + 0.4 * x[:, 0] + NOISE_SD * random.normal(size=len(x))
    return x, y, f[:, None]


def unrelated(seed: int) -> tuple[Floats, Floats, Floats]:
    """The source is another function altogether."""
    x, random = _points(seed)
    a, b = random.uniform(4.0, 8.0, size=2)
    f = np.cos(a * x[:, 1] + 1.0) + np.sin(b * x[:, 0] * x[:, 1])
    y = np.sin(3.0 * x[:, 0]) + x[:, 1] ** 2 + NOISE_SD * random.normal(size=len(x))
    return x, y, f[:, None]


def _missed(surrogate: Surrogate, sample: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Errors (200) and predicted deviations with noise (200)."""
    x, y, f = sample
    fitted = surrogate.fit(x[:N_LEARNT], y[:N_LEARNT], f[:N_LEARNT])
    mean, sd = fitted.predict(x[N_LEARNT:], f[N_LEARNT:])
    return y[N_LEARNT:] - mean, np.sqrt(sd**2 + fitted.noise_sd**2)


def gain(surrogate: Surrogate, draw: Draw, seeds: Iterable[int]) -> float:
    """How much lower the mean RMSE over seeds is than without transfer, as a share."""
    ours, plain = [], []
    for seed in seeds:
        ours.append(_rms(_missed(surrogate, draw(seed))[0]))
        plain.append(_rms(_missed(ProcessSurrogate(), draw(seed))[0]))
    return 1.0 - float(np.mean(ours)) / float(np.mean(plain))


def coverage_90(surrogate: Surrogate, draw: Draw, seeds: Iterable[int]) -> float:
    """The share of outcomes within their 90 % interval."""
    pairs = [_missed(surrogate, draw(seed)) for seed in seeds]
    return float(np.mean([np.abs(error) <= 1.6448536 * sd for error, sd in pairs]))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
