"""What an action returned, made fit for the journal; and the hash of what it was given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import DeviceError
from orchestrator.ports.action import ActionSpec, Bound, ResultSpec, result_values


def named_results(resource: str, spec: ActionSpec, returned: Any) -> dict[str, Any]:
    """The declared results by name, as float, int, str, list or `Bound`; None where there is none.

    Numbers of numpy become Python's own.

    Raises:
        DeviceError: one is of another kind than declared.
    """
    values = {name: _own(value) for name, value in result_values(spec, returned).items()}
    for declared in spec.results:
        value = values.get(declared.name)
        if value is not None and not _fits(declared, value):
            raise DeviceError(
                resource,
                f"{spec.name} gave {value!r} as '{declared.name}' ({declared.kind})",
                hint="this is a fault of the driver",
            )
    return {declared.name: values.get(declared.name) for declared in spec.results}


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
            return isinstance(value, int)
        case "real":
            return isinstance(value, Bound) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results as JSON can hold them: a `Bound` becomes {"value", "side"}."""
    return {
        name: {"value": v.value, "side": v.side} if isinstance(v, Bound) else v
        for name, v in results.items()
    }


def hash_of(arguments: Mapping[str, Any]) -> str:
    """sha256 of the arguments' canonical JSON, 16 digits."""
    text = json.dumps(dict(arguments), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
