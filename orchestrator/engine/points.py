"""Whether a proposed point belongs to the space: asked before anything is done with it."""

from __future__ import annotations

import math
from typing import Any

from orchestrator.errors import PlanningError
from orchestrator.model.space import (
    Choice,
    Context,
    Fidelity,
    Integer,
    Ordinal,
    Parameter,
    Point,
    Pool,
    Real,
    SearchSpace,
)


def refuse_outside(space: SearchSpace, point: Point) -> None:
    """Accepts a point that gives every parameter a value that it may have, and nothing else.

    Raises:
        PlanningError: naming the first value that is missing, unknown or outside.
    """
    for parameter in space.parameters:
        if parameter.name not in point:
            raise PlanningError(f"the planner proposed no value of '{parameter.name}'")
        value = point[parameter.name]
        if not _belongs(parameter, value):
            raise PlanningError(
                f"the planner proposed {parameter.name} = {value!r}, outside of the space",
                hint="this is a fault of the planner; nothing was done with the point",
            )
    unknown = sorted(set(point) - set(space.names))
    if unknown:
        raise PlanningError(f"the planner proposed '{unknown[0]}', which is no parameter")


def _belongs(parameter: Parameter, value: Any) -> bool:
    match parameter:
        case Real(low=low, high=high):
            return _is_number(value) and low <= value <= high
        case Context():
            return _is_number(value)  # what is measured may lie outside of what was expected
        case Integer(low=low, high=high):
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return is_whole and low <= value <= high
        case Choice(options=words) | Pool(names=words) | Fidelity(levels=words):
            return isinstance(value, str) and value in words
        case Ordinal(levels=levels):
            return not isinstance(value, bool) and value in levels


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
