"""Small finite spaces and pools: what was tried is a candidate, too, as outcomes may scatter.

Expected improvement gives nothing for what is measured again. The knowledge gradient counts by how
much the best expected outcome of what has been tried is expected to rise, whatever is measured
[Frazier, Powell & Dayanik 2009, over correlated beliefs]. How loud the noise is, a few outcomes do
not say: it is averaged over processes with next to none, with a measurement's, and with as much as
what is measured, by how probable they are.

In a pool that is done only where the last kind of noise is the most probable one: candidates are
many and far apart, and where outcomes scatter less, what is new tells more (docs/decisions/0011).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from orchestrator.model.space import Context, Fidelity
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data, default_priors, fit, log_posterior, with_mains
from orchestrator.planner.gaussian import GaussianProcess
from orchestrator.planner.kernel import Floats, Shape
from orchestrator.planner.likelihood import LogNormal, Priors
from orchestrator.ports.planner import PlanningTask

MAX_POINTS = 500
MAX_CANDIDATES = 1000
"""Of a pool."""
LOUD = LogNormal(-0.7, 0.7, of_log=True)
AHEAD = 1e-3
"""In standardised outcomes; by less than that a repetition is not worth more than a new point."""
N_OUTCOMES = 32

Weighed = Sequence[tuple[float, GaussianProcess]]


def may_repeat(task: PlanningTask, encoding: Encoding) -> bool:
    """Whether a space is finite and small, and nothing counts but its goals."""
    objective = task.objective
    most = MAX_POINTS if encoding.sole_pool is None else MAX_CANDIDATES
    return (
        0 < math.prod(encoding.cells) <= most
        and not encoding.places(Context, Fidelity)
        and not encoding.setting_sds.any()
        and not (objective.constraints or objective.cost or objective.by_preference)
        and not task.sources
    )


def is_loud(found: Weighed) -> bool:
    """Whether noise as loud as what is measured is more probable than all less of it."""
    return found[-1][0] > 0.5


def with_any_noise(data: Data, shape: Shape) -> Weighed:
    """Processes with each kind of noise, the loudest last, and how probable they are.

    What is probable at its most probable hyperparameters counts times the width of what the noise
    may be [after Laplace]: few outcomes narrow it little.
    """
    priors = default_priors(data.layout.n_groups, data.layout.counted)
    priors = with_mains((*priors, Priors(priors[0].width, LOUD)), data.layout)
    found = [fit(data, shape, (one,)) for one in priors]
    logs = [
        log_posterior(data, shape, one, process.hyper) + math.log(float(one.noise.scale))
        for one, process in zip(priors, found, strict=True)
    ]
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    return [(float(w), process) for w, process in zip(weights, found, strict=True)]


def expected(found: Weighed, x: Floats) -> Floats:
    """The noise-free outcomes (m) expected at features (m x d)."""
    return np.asarray(sum(w * process.posterior(x)[0] for w, process in found))


def most_telling(found: Weighed, fresh: Floats, tried: Floats, sign: float) -> tuple[int, float]:
    """Which of the points (features, those not tried before those tried) tells most, and by how
    much the best expected outcome is expected to rise, standardised, as a logarithm."""
    x = np.concatenate([fresh, tried])
    gain = sum(w * knowledge_gradient(process, x, len(fresh), sign) for w, process in found)
    gain = np.asarray(gain)
    best = int(np.argmax(gain - AHEAD * (np.arange(len(x)) >= len(fresh))))
    if not len(fresh) and gain[best] < AHEAD:  # nothing is left to be learnt
        best = int(np.argmax(sign * expected(found, x)))
    return best, math.log(max(float(gain[best]), 1e-300))


def knowledge_gradient(process: GaussianProcess, x: Floats, first: int, sign: float) -> Floats:
    """By how much one more measurement at each feature (m x d) is expected to raise the best of
    sign * (the expected outcomes) of itself and of those from row `first` on, which were tried."""
    mean, covariance = process.joint(x)
    merit = sign * mean
    total = np.maximum(covariance.diagonal(), 0.0) + process.scatter**2
    moved = covariance / np.sqrt(np.maximum(total, 1e-12))
    z = ndtri((np.arange(N_OUTCOMES) + 0.5) / N_OUTCOMES)
    rise = merit[:, None] + moved.diagonal()[:, None] * z
    for row in range(first, len(x)):
        rise = np.maximum(rise, merit[row] + moved[row][:, None] * z)
    return np.asarray(rise.mean(axis=1) - merit[first:].max())
