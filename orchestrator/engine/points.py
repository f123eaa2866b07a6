"""Whether a proposed point belongs to the space: asked before anything is done with it."""

from __future__ import annotations

from orchestrator.errors import PlanningError
from orchestrator.model.points import faults_of
from orchestrator.model.space import Point, SearchSpace
from orchestrator.ports.planner import History

PLANNER = "the planner"


def refuse_outside(space: SearchSpace, point: Point, by: str = PLANNER) -> None:
    """Accepts a point that gives every parameter a value that it may have, and nothing else, and
    that no condition, mixture or known constraint forbids.

    Raises:
        PlanningError: naming the first value that is missing, unknown or not possible; `by` says
            whose point it is.
    """
    fault = next(faults_of(space, point), None)
    if fault is not None:
        hint = "this is a fault of the planner; nothing was done with the point"
        raise PlanningError(f"{by} proposed {fault}", hint=hint if by == PLANNER else "")


def refuse_refused(history: History, point: Point) -> None:
    """Accepts a point of no candidate that people had refused when the planner was asked.

    Raises:
        PlanningError: naming the candidate.
    """
    for pair in point.items():
        if pair in history.refused:
            raise PlanningError(
                f"{PLANNER} proposed {pair[0]} = '{pair[1]}', which people refused",
                hint="this planner does not heed votes; nothing was done with the point",
            )
