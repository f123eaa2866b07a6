"""A search by expected improvement, with the process of an earlier campaign as its source.

What a source costs is counted in trials: how many more, or fewer, until a candidate of the best
percent of the pool has been tried.
"""

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
from orchestrator.planner.transfer.two_outputs import Observed

SEEDS = range(1000, 1020)
N_POOL, N_SOURCE, N_START, N_TRIALS = 400, 40, 4, 14
MOST_TRIALS = 40
"""A search that has found none of the best percent by then is counted as if the next one were."""
BEST_SHARE = 0.01
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
    "with multi-task, judged beyond": lambda data, source: (
        informed(data, _both(source), "matern", default_priors(2), sign=1.0).process
    ),
}


def campaign_row() -> dict[str, Any]:
    """Gaps to the optimum (in standard deviations of the pool) after `N_TRIALS`, and trials to the
    best percent, of each task, way and seed."""
    gaps: dict[str, dict[str, list[float]]] = {}
    trials: dict[str, dict[str, list[int]]] = {}
    for name, draw in TASKS.items():
        for way in WAYS:
            found = [_played(draw, way, seed) for seed in SEEDS]
            gaps.setdefault(name, {})[way] = [gap for gap, _ in found]
            trials.setdefault(name, {})[way] = [count for _, count in found]
    said = {"seeds": len(SEEDS), "trials": N_TRIALS, "pool": N_POOL, "most_trials": MOST_TRIALS}
    return {"gaps": gaps, "trials_to_best": trials, **said}


def _played(draw: Callable[..., Sample], way: str, seed: int) -> tuple[float, int]:
    """The gap after `N_TRIALS`, and how many trials it takes to the best percent."""
    random = np.random.default_rng([seed, 23])
    x, truth, f = draw(random.random((N_POOL + N_SOURCE, 2)), random)
    earlier = slice(N_POOL, None)
    noisy = f[earlier, 0] + NOISE_SD * random.normal(size=N_SOURCE)
    source = ProcessSource(fit(_data(x[earlier], noisy), "matern", default_priors(2)))
    y = truth + NOISE_SD * random.normal(size=len(truth))
    pool = truth[:N_POOL]
    wanted = np.sort(pool)[-round(BEST_SHARE * N_POOL)]
    tried = random.choice(N_POOL, size=N_START, replace=False)
    while len(tried) < N_TRIALS or (
        len(tried) < MOST_TRIALS and trials_to(wanted, pool[tried]) > MOST_TRIALS
    ):
        process = WAYS[way](_data(x[tried], y[tried]), source)
        tried = np.append(tried, _next(process, x[:N_POOL], tried))
    gap = float((pool.max() - pool[tried[:N_TRIALS]].max()) / pool.std())
    return round(gap, 5), trials_to(wanted, pool[tried])


def trials_to(wanted: float, values: Floats) -> int:
    """How many of the values, in turn, it takes to one of at least `wanted`; if there is none, one
    more than `MOST_TRIALS`."""
    reached = np.flatnonzero(values >= wanted)
    return int(reached[0]) + 1 if len(reached) else MOST_TRIALS + 1


def _both(source: ProcessSource) -> dict[str, ProcessSource | Observed]:
    """The source as a trend, and its values beside the outcomes."""
    process = source.process
    return {"earlier": source, "earlier, multi-task": Observed(process.x, process.y)}


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
