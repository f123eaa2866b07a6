"""Limits are checked before a byte leaves, whatever was checked earlier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.errors import ExecutionError, LimitExceeded, UnknownName
from orchestrator.model.lab import Limit
from orchestrator.ports.action import ActionSpec, ArgSpec


def check_arguments(
    resource: str, spec: ActionSpec, arguments: Mapping[str, Any], limits: Iterable[Limit]
) -> None:
    """Refuses arguments that the declaration or the lab file does not allow.

    The lab's limits also hold for what the driver takes where an argument is left away.

    Raises:
        LimitExceeded: a number lies outside its limits or is not finite.
        UnknownName: an argument that the action does not have, or a word it does not know.
    """
    for name, value in arguments.items():
        declared = spec.arg(name)
        if declared is None:
            raise UnknownName("argument", name, [a.name for a in spec.args])
        what = f"{resource}.{spec.name} {name}"
        if declared.kind in ("real", "integer"):
            _check_number(what, declared, value)
        elif declared.choices and value not in declared.choices:
            raise UnknownName(f"word for {what}", str(value), declared.choices)
    missing = [a.name for a in spec.args if a.required and a.name not in arguments]
    if missing:
        raise ExecutionError(f"{resource}.{spec.name} needs '{missing[0]}'")
    _check_limits(resource, spec, arguments, limits)


def _check_limits(
    resource: str, spec: ActionSpec, arguments: Mapping[str, Any], limits: Iterable[Limit]
) -> None:
    for limit in limits:
        declared = spec.arg(limit.argument)
        if (limit.resource, limit.action) != (resource, spec.name) or declared is None:
            continue
        value = arguments.get(limit.argument, declared.default)
        if value is not None:
            what = f"{resource}.{spec.name} {limit.argument}"
            _check_range(what, float(value), limit.low, limit.high, declared.unit)


def _check_number(what: str, declared: ArgSpec, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExecutionError(f"{what} must be a number, not {value!r}")
    if declared.kind == "integer" and math.isfinite(value) and value != int(value):
        raise ExecutionError(f"{what} must be a whole number, not {value!r}")
    _check_range(what, float(value), declared.low, declared.high, declared.unit)


def _check_range(what: str, value: float, low: float | None, high: float | None, unit: str) -> None:
    is_inside = (low is None or value >= low) and (high is None or value <= high)
    if not math.isfinite(value) or not is_inside:
        raise LimitExceeded(what, value, low, high, unit)
