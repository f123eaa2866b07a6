"""What an action returned, by the names and of the kinds that it declares."""

from __future__ import annotations

import math
import reprlib
from typing import Any

from orchestrator.errors import DeviceError
from orchestrator.model.said import writable
from orchestrator.ports.action import ActionSpec, Bound, ResultSpec, result_values

_LARGEST_INTEGER = 2**63
_WANTED = {
    "text": "a text",
    "series": "a list of numbers",
    "integer": "a whole number of at most 64 bits",
    "real": "a number",
}


def named_results(resource: str, spec: ActionSpec, returned: Any) -> dict[str, Any]:
    """The declared results by name, as float, int, str, list or `Bound`; None where there is none.

    Numbers of numpy become Python's own, a `real` a float: infinity where it is too large for one.

    Raises:
        DeviceError: one is of another kind than declared.
    """
    given = result_values(spec, returned)
    found = {}
    for declared in spec.results:
        value = _own(given.get(declared.name))
        if value is not None and not _fits(declared, value):
            came = f"{spec.name} came to its end and gave {_shown(value)} as '{declared.name}'"
            raise DeviceError(
                resource,
                f"{came}, where {_WANTED[declared.kind]} belongs",
                hint="this is a fault of the driver",
            )
        found[declared.name] = None if value is None else _plain(declared, value)
    return found


def _own(value: Any) -> Any:
    """A number or an array of numpy, which has `tolist`, as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _fits(declared: ResultSpec, value: Any) -> bool:
    match declared.kind:
        case "text":
            return isinstance(value, str)
        case "series":
            return isinstance(value, list | tuple) and all(_is_number(v) for v in value)
        case "integer":
            return _is_number(value) and isinstance(value, int) and abs(value) < _LARGEST_INTEGER
        case "real":
            return _is_number(value.value if isinstance(value, Bound) else value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(declared: ResultSpec, value: Any) -> Any:
    match declared.kind:
        case "text":
            return writable(value)
        case "series":
            return [_real(v) for v in value]
        case "integer":
            return value
        case "real":
            is_bound = isinstance(value, Bound)
            return Bound(_real(value.value), value.side) if is_bound else _real(value)


def _real(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes out no number of more than 4300 digits
        return "a number without end"
