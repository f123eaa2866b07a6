"""Outcomes of limits, bent where they have long tails: near the bound they keep their scale, far
from it their decades count.

What breaks a limit a hundredfold would make the spread of all outcomes its own, and what tells
points that keep the limit from those that hardly break it would be lost in it. Bent outcomes keep a
limit where straight ones do [after the bilog transform of Eriksson & Poloczek 2021, SCBO].
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data
from orchestrator.planner.generalising import log_density
from orchestrator.planner.kernel import Shape
from orchestrator.planner.measured import MOST_BENT, Bend, Evidence, Measured
from orchestrator.ports.planner import PlanningTask

MIN_OUTCOMES = 4
TAIL = 5.0
"""Outcomes have a long tail where one is so many times farther from the bound than half of them."""


def bent(task: PlanningTask, encoding: Encoding, seen: Evidence, shape: Shape) -> Evidence:
    """The evidence with the outcomes of limits bent about their bounds, standardised anew, where
    they have a long tail and are then predicted better from each other. Others stay: goals, limits
    that are not to be crossed on the way (what lies between their outcomes and the bound is scatter
    as measured), metrics on a log scale, and those on rungs or beside sources."""
    if encoding.rungs is not None or task.sources:
        return seen
    bounds: dict[str, list[float]] = {}
    for limit in task.objective.constraints:
        bounds.setdefault(limit.metric, []).append(limit.bound)
    stay = {goal.metric for goal in task.objective.goals}
    stay |= {limit.metric for limit in task.objective.constraints if limit.confidence is not None}
    found = {
        name: _if_better(encoding, seen, measured, bounds[name], shape)
        for name, measured in seen.measured.items()
        if name in bounds and name not in stay and measured.metric.scale == "linear"
    }
    return replace(seen, measured=seen.measured | found)


def _if_better(
    encoding: Encoding, seen: Evidence, measured: Measured, bounds: list[float], shape: Shape
) -> Measured:
    """Bent about the middle of its bounds, between which nothing is far, or as it is."""
    raw = measured.raw
    at = 0.5 * (min(bounds) + max(bounds))
    away = np.abs(raw - at)
    size = max(float(np.median(away)), max(bounds) - at)
    if len(raw) < MIN_OUTCOMES or not TAIL * size < away.max() < math.exp(MOST_BENT) * size:
        return measured
    bend = Bend(at, size)
    curved = measured.bent_by(bend)
    gained = _log_density(encoding, seen, curved, shape) + float(np.log(bend.slope(raw)).mean())
    return curved if gained > _log_density(encoding, seen, measured, shape) else measured


def _log_density(encoding: Encoding, seen: Evidence, measured: Measured, shape: Shape) -> float:
    """Mean log density of the outcomes, each predicted from all the others."""
    n = len(measured.y)
    x, none = seen.features[list(measured.rows)], np.zeros((0, n, n))
    data = Data(x, measured.y, encoding.layout, measured.parts.run, measured.known, none)
    return log_density(data, shape) - float(np.log(measured.spread))
