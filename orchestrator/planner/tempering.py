"""Outcomes far worse than the others, as bounds: how bad a bad point is, does not matter.

One spoilt measurement, or a goal that falls by decades, would make the spread of all outcomes its
own, and what tells good points from better ones would be lost in it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from orchestrator.planner.measured import Evidence, Measured
from orchestrator.ports.planner import PlanningTask

FAR = 5.0
"""So many robust standard deviations below the median are far."""
BAD = 0.15
"""Never more than this share of outcomes is far: a search that has found a good place measures most
of them there, and is not to forget by how much other places are worse."""
NORMAL_BAD = 1.0364
"""By how many standard deviations that quantile of a normal distribution is below the median."""
MIN_OUTCOMES = 8


def tempered(task: PlanningTask, seen: Evidence) -> Evidence:
    """The evidence with far worse outcomes of a single goal as bounds (no better than that),
    standardised anew. Others stay: of a value to be met or kept within limits it matters how far
    off it is, of several goals one may be bad for the sake of another, and on rungs and beside
    sources outcomes are compared with others on their scale."""
    goal, *more = task.objective.goals
    limited = {limit.metric for limit in task.objective.constraints}
    measured = seen.measured.get(goal.metric)
    if (
        measured is None
        or more
        or task.objective.by_preference
        or goal.direction == "match"
        or goal.metric in limited
        or task.sources
        or measured.stretch
    ):
        return seen
    found = _bounded(measured, 1.0 if goal.direction == "maximise" else -1.0)
    return replace(seen, measured=seen.measured | {goal.metric: found})


def _bounded(measured: Measured, sign: float) -> Measured:
    merit = sign * measured.y
    if len(merit) < MIN_OUTCOMES:
        return measured
    low, middle = np.quantile(merit, [BAD, 0.5])
    least = middle - FAR * (middle - low) / NORMAL_BAD
    # a bound on the good side, however low, is no bound on the bad one
    far = (merit < least) & (measured.sides * sign <= 0.0)
    if middle <= low or not far.any():
        return measured
    y = np.where(far, sign * least, measured.y)
    centre, spread = float(y.mean()), float(y.std(ddof=1))
    return replace(
        measured,
        y=(y - centre) / spread,
        known=measured.known / spread**2,
        sides=np.where(far, -sign, measured.sides),
        centre=measured.centre + centre * measured.spread,
        spread=spread * measured.spread,
        n_far=int(np.count_nonzero(far & (measured.sides == 0.0))),
    )
