"""Whether a proposed point belongs to the space: asked before anything is done with it."""

from __future__ import annotations

from orchestrator.errors import PlanningError
from orchestrator.model.points import faults_of
from orchestrator.model.space import Point, SearchSpace

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
