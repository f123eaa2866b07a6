"""The start of a space with a fidelity: the least exact rung shows where the further ones begin.

A trial on a dear rung costs as much at a place that is known to be poor as at one that looks good,
and tells as much about how far the rungs agree.
"""

from __future__ import annotations

from orchestrator.model.points import faults_of
from orchestrator.model.space import Context, Fidelity, Point
from orchestrator.ports.planner import Evaluated, History, PlanningTask

N_LIFTED = 2
"""Trials on each further rung: no fewer show what they cost, and no model is made before."""
MIN_BELOW = 2


def place_and_rung(number: int, n_start: int, n_rungs: int) -> tuple[int, int]:
    """Of trial `number` of a start of `n_start`. Where these are too few, and after them, each
    place is tried on every rung, one after the other."""
    n_below = n_start - N_LIFTED * (n_rungs - 1)
    if n_below < MIN_BELOW:
        return divmod(number, n_rungs)
    if number >= n_start:
        place, rung = divmod(number - n_start, n_rungs)
        return n_below + place, rung
    if number < n_below:
        return number, 0
    place, above = divmod(number - n_below, n_rungs - 1)
    return place, 1 + above


def best_below(
    task: PlanningTask, fidelity: Fidelity, history: History, place: int, level: str
) -> Point | None:
    """The best point on the least exact rung that was not tried on `level` yet, on that one; of
    several goals each has its turn. None where no outcome is known."""
    used = [*(e.point for e in history.evaluated), *history.pending]
    goals = task.objective.goals
    goal, refused = goals[place % len(goals)], set(history.refused)
    now = {
        p.name: history.context.get(p.name, p.assumed)
        for p in task.space.parameters
        if isinstance(p, Context)
    }
    known: list[tuple[int, float, int, Point]] = []
    for tried in history.evaluated:
        point: Point = {**tried.point, **now, fidelity.name: level}
        is_known = not tried.failed and goal.metric in tried.outcomes
        if not is_known or tried.point.get(fidelity.name) != fidelity.levels[0]:
            continue
        # a row of a table, or a point of a person, may lie outside
        may_be = refused.isdisjoint(point.items()) and not any(faults_of(task.space, point))
        if point not in used and may_be:
            loss = goal.loss(tried.outcomes[goal.metric].value)
            known.append((_broken(task, tried), loss, tried.trial, point))
    return min(known, key=lambda one: one[:3])[3] if known else None


def _broken(task: PlanningTask, tried: Evaluated) -> int:
    """How many limits a trial did not keep."""
    values = [
        (limit, tried.outcomes[limit.metric].value)
        for limit in task.objective.constraints
        if limit.metric in tried.outcomes
    ]
    return sum((v > c.bound) if c.sense == "<=" else (v < c.bound) for c, v in values)
