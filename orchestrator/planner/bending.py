"""Outcomes bent where they have long tails: near a limit's bound, or one end of a goal, they keep
their scale; far from it their decades count.

What breaks a limit a hundredfold would make the spread of all outcomes its own, and what tells
points that keep the limit from those that hardly break it would be lost in it; so it is with a goal
that goes over decades. Bent outcomes keep a limit where straight ones do, and are better where
those are [after the bilog transform of Eriksson & Poloczek 2021, SCBO].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.model.objective import PREFERENCE
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.fitting import Data
from orchestrator.planner.generalising import log_densities
from orchestrator.planner.kernel import Floats, Shape
from orchestrator.planner.measured import MOST_BENT, Bend, Evidence, Measured
from orchestrator.planner.options import MAX_GOALS
from orchestrator.ports.planner import PlanningTask

MIN_OUTCOMES = 4
TAIL = 5.0
"""Outcomes have a long tail where one is so many times farther away than half of them."""
MIN_OF_GOAL = 8
SIZES = (0.5, 0.15)
"""Within the distance of so many of the outcomes from the end of a goal they keep their scale."""
PLAINLY = 6.0
"""By so much larger has the logarithm of the probability of a goal's better half to be, and each
outcome of it twice as probable on average."""
MAX_OUTCOMES = 150
"""Of more, some show it as well, and all would take seconds."""


def goals_bent(
    task: PlanningTask,
    encoding: Encoding,
    seen: Evidence,
    shape: Shape,
    as_searched: Callable[[Evidence], Evidence],
) -> Evidence:
    """The evidence with the outcomes of goals bent about the best or the worst of them,
    standardised anew, where they have a long tail and the better half of them is then plainly
    predicted better from all others, `as_searched`. Others stay as for `bent`: values to be met,
    and what is limited as well."""
    objective = task.objective
    if encoding.rungs is not None or task.sources or len(objective.goals) > MAX_GOALS:
        return seen
    stay = {limit.metric for limit in objective.constraints} | {PREFERENCE}
    for goal in objective.goals:
        name = goal.metric
        if goal.direction == "match" or name in stay or not _is_long(seen.measured.get(name)):
            continue
        is_up = goal.direction == "maximise"
        found = _goal_bent(encoding, seen, name, shape, as_searched, is_up=is_up)
        seen = replace(seen, measured=seen.measured | {name: found})
    return seen


def _is_long(measured: Measured | None) -> bool:
    return (
        measured is not None
        and measured.metric.scale == "linear"
        and len(measured.raw) >= MIN_OF_GOAL
    )


def _goal_bent(
    encoding: Encoding,
    seen: Evidence,
    name: str,
    shape: Shape,
    as_searched: Callable[[Evidence], Evidence],
    *,
    is_up: bool,
) -> Measured:
    straight = seen.measured[name]
    merit = straight.raw if is_up else -straight.raw
    better = merit >= np.median(merit)

    def score(one: Measured) -> float:
        found = as_searched(replace(seen, measured=seen.measured | {name: one}))
        return _log_probability(encoding, found, found.measured[name], better, shape)

    plainly = max(PLAINLY, math.log(2.0) * int(better.sum()))
    return _most_probable(straight, [*_ends(straight.raw)], plainly, score)


def bent(task: PlanningTask, encoding: Encoding, seen: Evidence, shape: Shape) -> Evidence:
    """The evidence with the outcomes of limits bent about their bounds, standardised anew, where
    they have a long tail and are then predicted better from each other. Others stay: limits that
    are not to be crossed on the way (what lies between their outcomes and the bound is scatter as
    measured), metrics on a log scale, those on rungs or beside sources, and goals."""
    if encoding.rungs is not None or task.sources:
        return seen
    bounds: dict[str, list[float]] = {}
    for limit in task.objective.constraints:
        bounds.setdefault(limit.metric, []).append(limit.bound)
    stay = {goal.metric for goal in task.objective.goals}
    stay |= {limit.metric for limit in task.objective.constraints if limit.confidence is not None}
    found = {
        name: _limit_bent(encoding, seen, measured, bounds[name], shape)
        for name, measured in seen.measured.items()
        if name in bounds and name not in stay and measured.metric.scale == "linear"
    }
    return replace(seen, measured=seen.measured | found)


def _limit_bent(
    encoding: Encoding, seen: Evidence, measured: Measured, bounds: list[float], shape: Shape
) -> Measured:
    """Bent about the middle of its bounds, between which nothing is far, or as it is."""
    if len(measured.raw) < MIN_OUTCOMES:
        return measured
    at = 0.5 * (min(bounds) + max(bounds))
    size = max(float(np.median(np.abs(measured.raw - at))), max(bounds) - at)
    all_ = np.ones(len(measured.raw), dtype=bool)

    def score(one: Measured) -> float:
        return _log_probability(encoding, seen, one, all_, shape)

    return _most_probable(measured, [Bend(at, size)], 0.0, score)


def _ends(raw: Floats) -> Iterator[Bend]:
    """Ways to bend outcomes (n) about either end."""
    for at in (float(raw.min()), float(raw.max())):
        away = np.abs(raw - at)
        for share in SIZES:
            yield Bend(at, float(np.quantile(away[away > 0], share)) if away.any() else 0.0)


def _most_probable(
    straight: Measured, bends: Sequence[Bend], by: float, score: Callable[[Measured], float]
) -> Measured:
    """Outcomes as that of some ways bends them that scores highest; straight where these have no
    tail, or where none scores higher `by` so much."""
    curved = [straight.bent_by(bend) for bend in bends if _has_tail(straight.raw, bend)]
    if not curved:
        return straight
    scores = [score(one) for one in curved]
    best = int(np.argmax(scores))
    return curved[best] if scores[best] > score(straight) + by else straight


def _has_tail(raw: Floats, bend: Bend) -> bool:
    farthest = float(np.abs(raw - bend.at).max())
    return TAIL * bend.size < farthest < math.exp(MOST_BENT) * bend.size


def _log_probability(
    encoding: Encoding,
    seen: Evidence,
    measured: Measured,
    counting: NDArray[np.bool_],
    shape: Shape,
) -> float:
    """Of the outcomes that count (n), each predicted from all the others; of very many outcomes
    some are looked at, evenly by their size."""
    n, some = len(measured.y), np.arange(len(measured.y))
    if n > MAX_OUTCOMES:
        evenly = np.linspace(0, n - 1, MAX_OUTCOMES).astype(int)
        some = np.sort(np.argsort(measured.raw, kind="stable")[evenly])
    x, none = seen.features[list(measured.rows)], np.zeros((0, n, n))
    data = Data(x, measured.y, encoding.layout, measured.parts.run, measured.known, none)
    logs = log_densities(data.rows(some), shape) - math.log(measured.spread)
    if measured.bend is not None:
        logs = logs + np.log(measured.bend.slope(measured.raw[some]))
    return float(logs[counting[some]].sum())
