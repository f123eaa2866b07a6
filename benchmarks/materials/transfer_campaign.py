"""A search by expected improvement, with the process of an earlier campaign as its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from benchmarks.materials.synthetic import (
    NOISE_SD,
    Floats,
    Sample,
    bent,
    other_surface,
    other_waves,
    shifted,
)
from orchestrator.planner.fitting import Data, default_priors, fit
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Layout
from orchestrator.planner.transfer.campaign import ProcessSource, informed

SEEDS = range(1000, 1020)
N_POOL, N_SOURCE, N_START, N_TRIALS = 400, 40, 4, 14
TASKS: dict[str, Callable[..., Sample]] = {
    "shifted": shifted,
    "bent": bent,
    "other waves": other_waves,
    "other surface": other_surface,
}
WAYS: dict[str, Callable[[Data, ProcessSource], GaussianProcess]] = {
    "no transfer": lambda data, source: fit(data, "matern", default_priors(2)),
    "informed": lambda data, source: (
        informed(data, {"earlier": source}, "matern", default_priors(2)).process
    ),
    "informed, judged beyond": lambda data, source: (
        informed(data, {"earlier": source}, "matern", default_priors(2), sign=1.0).process
    ),
}


def campaign_row() -> dict[str, Any]:
    """Gaps to the optimum (in standard deviations of the pool) of each task, way and seed."""
    gaps: dict[str, dict[str, list[float]]] = {}
    for name, draw in TASKS.items():
        gaps[name] = {way: [_gap(draw, way, seed) for seed in SEEDS] for way in WAYS}
    return {"gaps": gaps, "seeds": len(SEEDS), "trials": N_TRIALS, "pool": N_POOL}


def _gap(draw: Callable[..., Sample], way: str, seed: int) -> float:
    random = np.random.default_rng([seed, 23])
    x, truth, f = draw(random.random((N_POOL + N_SOURCE, 2)), random)
    earlier = slice(N_POOL, None)
    noisy = f[earlier, 0] + NOISE_SD * random.normal(size=N_SOURCE)
    source = ProcessSource(fit(_data(x[earlier], noisy), "matern", default_priors(2)))
    y = truth + NOISE_SD * random.normal(size=len(truth))
    tried = random.choice(N_POOL, size=N_START, replace=False)
    for _ in range(N_TRIALS - N_START):
        process = WAYS[way](_data(x[tried], y[tried]), source)
        tried = np.append(tried, _next(process, x[:N_POOL], tried))
    pool = truth[:N_POOL]
    return round(float((pool.max() - pool[tried].max()) / pool.std()), 5)


def _next(process: GaussianProcess, x: Floats, tried: NDArray[np.intp]) -> int:
    mean, sd = process.posterior(x)
    lead = mean - process.posterior(process.x)[0].max()
    gain = lead * norm.cdf(lead / sd) + sd * norm.pdf(lead / sd)
    gain[tried] = -np.inf
    return int(np.argmax(gain))


def _data(x: Floats, y: Floats) -> Data:
    n = len(y)
    z = (y - y.mean()) / y.std(ddof=1)
    return Data(x, z, Layout(np.arange(2)), np.ones(n), np.zeros(n), np.zeros((0, n, n)))
