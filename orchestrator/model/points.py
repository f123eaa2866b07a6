"""A point from what a person writes: words and quantities by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.errors import InputError, UnknownName
from orchestrator.model.quantity import quantity_in
from orchestrator.model.space import (
    Context,
    Integer,
    Ordinal,
    Parameter,
    Point,
    SearchSpace,
    Value,
    words_of,
)


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


def value_from(parameter: Parameter, given: Any) -> Value:
    """A parameter's value from a word, a quantity or a number. Raises InputError."""
    name, words = parameter.name, words_of(parameter)
    if words is not None:
        if given not in words:
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
