"""Whether a proposed point belongs to the space: asked before anything is done with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from orchestrator.errors import PlanningError, ResultRefused
from orchestrator.model.expression import compile_expression
from orchestrator.model.space import (
    Choice,
    Context,
    Fidelity,
    Integer,
    Mixture,
    Ordinal,
    Parameter,
    Point,
    Pool,
    Real,
    SearchSpace,
    parameter_units,
    point_values,
)

PLANNER = "the planner"
ROUNDING = 1e-9
"""Sums and constraints are met within this share of what is added up."""


def refuse_outside(space: SearchSpace, point: Point, by: str = PLANNER) -> None:
    """Accepts a point that gives every parameter a value that it may have, and nothing else, and
    that no condition, mixture or known constraint forbids.

    Raises:
        PlanningError: naming the first value that is missing, unknown or not possible; `by` says
            whose point it is.
    """
    fault = next(_faults(space, point), None)
    if fault is not None:
        hint = "this is a fault of the planner; nothing was done with the point"
        raise PlanningError(f"{by} proposed {fault}", hint=hint if by == PLANNER else "")


def _faults(space: SearchSpace, point: Point) -> Iterator[str]:
    conditions = {condition.name: condition for condition in space.conditions}
    for parameter in space.parameters:
        name = parameter.name
        if name not in point:
            yield f"no value of '{name}'"
            return
        condition, value = conditions.get(name), point[name]
        if condition is not None and point.get(condition.parent) not in condition.values:
            if value != condition.otherwise:
                where = f"{condition.parent} = {point.get(condition.parent)!r}"
                yield f"{name} = {value!r} at {where}, where it can only be {condition.otherwise!r}"
        elif not _belongs(parameter, value):
            yield f"{name} = {value!r}, outside of the space"
    unknown = sorted(set(point) - set(space.names))
    if unknown:
        yield f"'{unknown[0]}', which is no parameter"
    for mixture in space.mixtures:
        yield from _mixture_faults(mixture, point)
    yield from _broken_constraints(space, point)


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


def _mixture_faults(mixture: Mixture, point: Point) -> Iterator[str]:
    shares = {name: float(point[name]) for name in mixture.components}
    slack = ROUNDING * mixture.total
    total = math.fsum(shares.values())
    if abs(total - mixture.total) > slack * len(shares):
        yield f"'{mixture.name}' with a sum of {total:g} instead of {mixture.total:g}"
    present = {name: share for name, share in shares.items() if share > slack}
    fewest, most = mixture.present
    if not fewest <= len(present) <= most:
        yield f"'{mixture.name}' with {len(present)} components instead of {fewest} to {most}"
    for name, share in present.items():
        if share < mixture.least - slack:
            yield f"{name} = {share:g}, less than the {mixture.least:g} of what is present"


def _broken_constraints(space: SearchSpace, point: Point) -> Iterator[str]:
    if not space.constraints:
        return
    units, values = parameter_units(space), point_values(space, point)
    for known in space.constraints:
        expression = compile_expression(known.expression, units, known.unit)
        try:
            excess = expression.evaluate(values)
            slack = ROUNDING * expression.magnitude(values)
        except ResultRefused as refused:
            yield f"a point for which '{known.text}' has no value: {refused}"
            continue
        if float(excess) > slack:  # type: ignore[arg-type]
            yield f"a point that breaks '{known.text}'"
