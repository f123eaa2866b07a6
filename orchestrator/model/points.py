"""Points of a space: made from what a person writes, held against everything that binds them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.errors import InputError, ResultRefused, UnknownName
from orchestrator.model.expression import compile_expression
from orchestrator.model.quantity import quantity_in
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
    Value,
    is_open,
    parameter_units,
    point_values,
    words_of,
)

ROUNDING = 1e-9
"""Sums and constraints are met within this share of what is added up."""
NOTEWORTHY = 0.01
"""How far, as a share of its range, a point lies outside of the space before that is said."""


def point_from(space: SearchSpace, given: Mapping[str, Any], context: Point | None = None) -> Point:
    """The whole point. A number without a unit is in the parameter's own.

    A parameter that does not exist there may be left out, and so may a context: it has the value in
    `context`, or the one assumed. Whether the point belongs to the space is not asked.

    Raises:
        InputError: a value is missing, unknown, or of the wrong kind.
    """
    unknown = [name for name in given if name not in space.names]
    if unknown:
        raise UnknownName("parameter of this campaign", unknown[0], space.names)
    point: Point = {}
    for parameter in space.parameters:
        name = parameter.name
        if name in given:
            point[name] = value_from(parameter, given[name])
        elif isinstance(parameter, Context):
            point[name] = (context or {}).get(name, parameter.assumed)
    for condition in space.conditions:
        if point.get(condition.parent) not in condition.values:
            point.setdefault(condition.name, condition.otherwise)
    missing = [name for name in space.names if name not in point]
    if missing:
        raise InputError(f"there is no value of '{missing[0]}'", hint=f"add {missing[0]}=...")
    return {name: point[name] for name in space.names}


def met_at(space: SearchSpace, point: Point, context: Point) -> Point:
    """The point with every context as it is now: as in `context`, or as assumed."""
    contexts = [p for p in space.parameters if isinstance(p, Context)]
    return {**point, **{p.name: context.get(p.name, p.assumed) for p in contexts}}


def value_from(parameter: Parameter, given: Any) -> Value:
    """A parameter's value from a word, a quantity or a number. Raises InputError."""
    name, words = parameter.name, words_of(parameter)
    if words is not None:
        if given not in words and not (is_open(parameter) and isinstance(given, str) and given):
            raise UnknownName(f"value of '{name}'", str(given), words)
        return str(given)
    number = _number(name, given, getattr(parameter, "unit", ""))
    if isinstance(parameter, Integer):
        if not number.is_integer():
            raise InputError(f"'{name}' is a whole number, not {number:g}")
        return int(number)
    if isinstance(parameter, Ordinal):
        near = [float(v) for v in parameter.levels if abs(float(v) - number) <= 1e-9 * abs(number)]
        return near[0] if near else number
    return number


def _number(name: str, given: Any, unit: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise InputError(f"'{name}' is a number, not {given!r}")
    if not isinstance(given, str):
        return float(given)
    try:
        return float(given)
    except ValueError:
        return quantity_in(given, unit)


def faults_of(space: SearchSpace, point: Point) -> Iterator[str]:
    """Why a point does not belong to a space, as what comes after "somebody proposed": a value that
    is missing, unknown or outside, a condition, a mixture or a known constraint that it breaks."""
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


def outside_words(space: SearchSpace, points: Sequence[Point]) -> str:
    """That points lie outside of the space by more than rounding, which is allowed, and perhaps
    not meant; '' where none does."""
    faults = [fault for point in points if (fault := next(_far_outside(space, point), ""))]
    if not faults:
        return ""
    many = f"{len(faults)} of {len(points)} points lie outside of the space"
    return f"{many}, the first with {faults[0]}: is it in the unit of the space?"


def context_words(space: SearchSpace, context: Point) -> str:
    """That what cannot be chosen lies outside of what is expected of it; '' where it does not."""
    far = [said for name, value in context.items() if (said := _far(space[name], value))]
    if not far:
        return ""
    return f"{', '.join(far)} is not what the space expects: is it in the unit of the space?"


def _far_outside(space: SearchSpace, point: Point) -> Iterator[str]:
    absent = {c.name for c in space.conditions if point.get(c.parent) not in c.values}
    for parameter in space.parameters:
        if parameter.name not in absent and (said := _far(parameter, point.get(parameter.name))):
            yield said
    for mixture in space.mixtures:
        total = math.fsum(float(point[name]) for name in mixture.components)
        if abs(total - mixture.total) > NOTEWORTHY * mixture.total:
            yield f"'{mixture.name}' with a sum of {total:g} instead of {mixture.total:g}"


def _far(parameter: Parameter, value: Value | None) -> str:
    """A value that lies outside of its range by more than rounding, in words; '' of any other."""
    if not isinstance(parameter, Real | Integer | Context) or not isinstance(value, float | int):
        return ""
    low, high = parameter.low, parameter.high
    is_log = isinstance(parameter, Real) and parameter.scale == "log"
    below, above = (
        (NOTEWORTHY * low, NOTEWORTHY * high) if is_log else (NOTEWORTHY * (high - low),) * 2
    )
    is_near = low - below <= value <= high + above
    return "" if is_near else f"{parameter.name} = {value:g} {parameter.unit}".rstrip()


def _belongs(parameter: Parameter, value: Any) -> bool:
    match parameter:
        case Real(low=low, high=high):
            return _is_number(value) and low <= value <= high
        case Context():
            return _is_number(value)  # what is measured may lie outside of what was expected
        case Integer(low=low, high=high):
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return is_whole and low <= value <= high
        case Pool() if is_open(parameter):
            return isinstance(value, str) and bool(value)
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
