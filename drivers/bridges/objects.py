"""Objects of another layer: found by `module:Class`, their parts and methods by dotted names."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Mapping
from typing import Any

from drivers.protocols.framing import Refused
from orchestrator.errors import HaganeError, InputError

_DOTTED = re.compile(r"[A-Za-z]\w*(\.([A-Za-z]\w*|\d+))*")


def found_class(name: str, device: str) -> Any:
    """The class or function `module:Class` of a resource.

    Raises:
        InputError: there is none of that name.
        HaganeError: its module needs another one, which is not installed.
    """
    module, _, member = device.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), member)
    except (ImportError, ValueError, AttributeError) as error:
        said = f"{name}: the device '{device}' cannot be imported: {error}"
        is_of_another = isinstance(error, ModuleNotFoundError) and not (
            f"{module}.".startswith(f"{error.name}.")
        )
        if is_of_another:
            raise HaganeError(said, hint="install what it needs") from error
        raise InputError(said, hint="write module:Class, of a module that is installed") from error
    return found


def part_of(thing: Any, dotted: str) -> Any:
    """A part by its name, `motor.setpoint`, `wells.0`, none that is private. Raises Refused."""
    if not _DOTTED.fullmatch(dotted):
        raise Refused(f"'{dotted}' is no name of a part")
    for step in dotted.split("."):
        try:
            thing = thing[int(step)] if step.isdigit() else getattr(thing, step)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise Refused(f"there is no '{dotted}': {error}") from error
    return thing


async def done(outcome: Any) -> Any:
    """What came of a call, awaited where it has to be."""
    return await outcome if inspect.isawaitable(outcome) else outcome


def plain(value: Any) -> Any:
    """A value without numpy: what has an `item` is one number, what has a `tolist` is a list."""
    if isinstance(value, str | bool | int | float | list | tuple | Mapping) or value is None:
        return value
    if getattr(value, "shape", None) == ():
        return value.item()
    return value.tolist() if hasattr(value, "tolist") else value
