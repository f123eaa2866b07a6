"""What goes between an engine, the processes of its drivers and their guardian.

A frame is four bytes, the number of bytes that follow (big endian), and as many bytes of JSON in
UTF-8: an object. Not a number and the infinities are written as Python's `json` does. A result that
is a bound is `{"bound": [value, side]}`; an error is told by its types, the nearest first, what it
was made of, and its facts.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping
from typing import Any

from orchestrator.errors import DeviceError
from orchestrator.ports.action import Bound

_LENGTH = 4
_PLAIN = (str, int, float, bool, type(None))


def packed(said: Mapping[str, Any]) -> bytes:
    """A frame. Raises TypeError: it holds what JSON does not know."""
    text = json.dumps(said).encode()
    return len(text).to_bytes(_LENGTH, "big") + text


async def next_frame(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next frame; None when the other end is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
        said: dict[str, Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return said


def written(results: Mapping[str, Any]) -> dict[str, Any]:
    """Named results as JSON holds them."""
    return {
        name: {"bound": [v.value, v.side]} if isinstance(v, Bound) else v
        for name, v in results.items()
    }


def read(results: Mapping[str, Any]) -> dict[str, Any]:
    """Named results, as they were before `written`."""
    return {n: Bound(*v["bound"]) if isinstance(v, dict) else v for n, v in results.items()}


def told(error: BaseException) -> dict[str, Any]:
    """An error as JSON holds it: facts that are no plain values are left out."""
    types = [f"{kind.__module__}:{kind.__qualname__}" for kind in type(error).__mro__]
    facts = {name: value for name, value in vars(error).items() if _is_plain(value)}
    made_of = list(error.args) if _is_plain(error.args) else [_said(error)]
    return {"types": types, "made_of": made_of, "facts": facts}


def retold(said: Mapping[str, Any]) -> Exception:
    """The error that was told, of the nearest type that can be found here."""
    kind = next((k for name in said["types"] if (k := _found(name)) is not None), DeviceError)
    try:
        error: Exception = kind.__new__(kind)
        Exception.__init__(error, *said["made_of"])
    except TypeError:  # it is made otherwise, as a group of errors is
        error = _in_words(said)
    facts = {n: tuple(v) if isinstance(v, list) else v for n, v in said["facts"].items()}
    vars(error).update(facts)
    return error


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a driver's own type may be as faulty as the rest of it
        return type(error).__name__


def _in_words(said: Mapping[str, Any]) -> Exception:
    """An error that says of which type another one was, and what that said."""
    name = said["types"][0].rpartition(":")[2]
    return RuntimeError(": ".join([name, *map(str, said["made_of"])]))


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(v, _PLAIN) for v in value)
    return isinstance(value, _PLAIN)


def _found(name: str) -> type[Exception] | None:
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for word in path.split("."):
            found = getattr(found, word)
    except (ImportError, AttributeError):
        return None
    return found if isinstance(found, type) and issubclass(found, Exception) else None
