"""Outcomes far worse than the others, as bounds: how bad a bad point is, does not matter.

One spoilt measurement, or a goal that falls by decades, would make the spread of all outcomes its
own, and what tells good points from better ones would be lost in it. One that is far better than
all others is a discovery or spoilt: it is measured again, and where it is not found again it says
nothing any more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
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
VAGUE = 1e4
"""Variance of the noise of an outcome that says nothing."""
SAME_PLACE = 0.03
"""What was measured so near, in every code, has been measured again: a lab rounds what it sets."""
EXACTLY = 1e-6


def tempered(task: PlanningTask, encoding: Encoding, seen: Evidence) -> Evidence:
    """The evidence with far worse outcomes of a single goal as bounds (no better than that), and
    without a far better one that was not found again, standardised anew. Others stay: of a value to
    be met or kept within limits it matters how far off it is, of several goals one may be bad for
    the sake of another, and on rungs and beside sources outcomes are compared with others on their
    scale."""
    if (goal := _single_goal(task, seen)) is None:
        return seen
    name, sign = goal
    measured, at = seen.measured[name], seen.codes[list(seen.measured[name].rows)]
    measured = _unless_found_again(encoding, at, measured, sign)
    return replace(seen, measured=seen.measured | {name: _bounded(measured, sign)})


def surprise(task: PlanningTask, encoding: Encoding, seen: Evidence) -> int | None:
    """The row of the best trial of a single goal where it is far better than all others and was
    made once; None where there is no such one."""
    if (goal := _single_goal(task, seen)) is None:
        return None
    name, sign = goal
    measured, rows = seen.measured[name], list(seen.measured[name].rows)
    merit, at = sign * measured.y, seen.codes[rows]
    best = int(np.argmax(merit))
    others = merit[~is_same(encoding, at, at[best])]
    if len(others) < MIN_OUTCOMES or measured.sides[best]:
        return None
    _, below, above = _reach(others)
    if not 0.0 < 0.5 * (below + above) < merit[best] - others.max():
        return None
    return rows[best] if is_same(encoding, seen.codes, at[best]).sum() == 1 else None


def is_same(
    encoding: Encoding, codes: Floats, point: Floats, within: float = SAME_PLACE
) -> NDArray[np.bool_]:
    """Which codes (n x p) are those of a point (p), whatever the context."""
    apart = np.abs(encoding.with_context(codes, point) - point)
    return np.asarray((apart <= within).all(axis=1))


def _single_goal(task: PlanningTask, seen: Evidence) -> tuple[str, float] | None:
    """The metric of the one goal, if it is to be large (+1) or small (-1) and nothing else."""
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
        return None
    return goal.metric, 1.0 if goal.direction == "maximise" else -1.0


def _unless_found_again(
    encoding: Encoding, at: Floats, measured: Measured, sign: float
) -> Measured:
    """The outcomes (n, at codes n x p), of which the best one says nothing any more if others at
    the very same point are far worse, and nearer to those elsewhere than to it."""
    merit = sign * measured.y
    best = int(np.argmax(merit))
    same = is_same(encoding, at, at[best], EXACTLY)
    again = same & (np.arange(len(merit)) != best)
    others = merit[~same]
    if len(others) < MIN_OUTCOMES or not again.any() or measured.sides[best]:
        return measured
    found, (_, _, above) = float(merit[again].max()), _reach(others)
    if merit[best] - found <= max(above, found - others.max()) or not above:
        return measured
    y, known = measured.y.copy(), measured.known.copy()
    y[best], known[best] = sign * found, VAGUE
    return replace(_anew(replace(measured, known=known), y), n_not_found=1)


def _reach(merit: Floats) -> tuple[float, float, float]:
    """The median, and how far below and above it is far, by robust standard deviations."""
    low, middle, high = (float(q) for q in np.quantile(merit, [BAD, 0.5, 1.0 - BAD]))
    return middle, FAR * (middle - low) / NORMAL_BAD, FAR * (high - middle) / NORMAL_BAD


def _bounded(measured: Measured, sign: float) -> Measured:
    merit = sign * measured.y
    if len(merit) < MIN_OUTCOMES:
        return measured
    middle, below, _ = _reach(merit)
    least = middle - below
    # a bound on the good side, however low, is no bound on the bad one
    far = (merit < least) & (measured.sides * sign <= 0.0)
    if below <= 0.0 or not far.any():
        return measured
    y = np.where(far, sign * least, measured.y)
    return replace(
        _anew(measured, y),
        sides=np.where(far, -sign, measured.sides),
        n_far=int(np.count_nonzero(far & (measured.sides == 0.0))),
    )


def _anew(measured: Measured, y: Floats) -> Measured:
    """With other outcomes (n) on the same scale, standardised."""
    centre, spread = float(y.mean()), float(y.std(ddof=1))
    return replace(
        measured,
        y=(y - centre) / spread,
        known=measured.known / spread**2,
        centre=measured.centre + centre * measured.spread,
        spread=spread * measured.spread,
    )
