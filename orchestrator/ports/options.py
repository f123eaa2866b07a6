"""Options that a file gives to a descriptor or a generator, held against the annotations of its
class before it is made."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any

from orchestrator.errors import InputError, UnknownName

_PLAIN: Mapping[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
}
_WORDS: Mapping[Any, tuple[str, str]] = {
    bool: ("true or false", "words true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
}


def check_options(
    what: str, cls: type, options: Mapping[str, Any], *, but: Collection[str] = ()
) -> None:
    """Looks whether a class takes these options; `but` are parameters that no file gives.

    `what` says whose they are, as in "option of the {what}". A text is not a list of its letters,
    and a list stands for any sequence. Annotations that no file could write are not looked at.

    Raises:
        UnknownName: it has no such option.
        InputError: a value is not what the annotation says.
    """
    parameters = {n: p for n, p in inspect.signature(cls).parameters.items() if n not in but}
    hints = _hints(cls)
    for name, value in options.items():
        if name not in parameters:
            raise UnknownName(f"option of the {what}", name, parameters)
        hint = hints.get(name, Any)
        if not _fits(value, hint):
            raise InputError(
                f"'{name}' of the {what} is {_shown(value)}, not {_words(hint)}",
                hint=_advice(name, value, hint, parameters[name].default),
            )


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(inspect.getattr_static(cls, "__init__"))
    except NameError:  # a name that is imported for type checking only
        return {}


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, part) for part in parts)
    if origin is typing.Annotated:
        return _fits(value, parts[0])
    if origin is typing.Literal:
        return value in parts
    if hint in _PLAIN:
        return isinstance(value, _PLAIN[hint]) and (hint is bool or not isinstance(value, bool))
    if origin is None:
        return _is_one(value, hint)
    return _fits_parts(value, origin, [part for part in parts if part is not ...])


def _is_one(value: Any, hint: Any) -> bool:
    if hint is None or hint is types.NoneType:
        return value is None
    try:
        return isinstance(value, hint)
    except TypeError:  # Any, and what else cannot be asked
        return True


def _fits_parts(value: Any, origin: Any, parts: list[Any]) -> bool:
    if _is(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(k, parts[0]) and _fits(v, parts[1]) for k, v in value.items()
        )
    if _is(origin, Collection):
        return isinstance(value, list | tuple) and all(
            any(_fits(v, part) for part in parts) for v in value
        )
    return _is_one(value, origin)


def _is(origin: Any, kind: type) -> bool:
    return isinstance(origin, type) and issubclass(origin, kind)


def _words(hint: Any, *, many: bool = False) -> str:
    """What an annotation wants; of a union what a file can give."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _words(parts[0], many=many)
    if hint in _WORDS:
        return _WORDS[hint][many]
    if origin in (types.UnionType, typing.Union):
        wanted = [part for part in parts if part in _WORDS or typing.get_origin(part) is not None]
        return " or ".join(_words(part, many=many) for part in wanted)
    if origin is typing.Literal:
        return " or ".join(f"'{part}'" for part in parts)
    if _is(origin, Mapping):
        return f"{'mappings' if many else 'a mapping'} of names to {_words(parts[1], many=True)}"
    if _is(origin, Collection):
        return f"{'lists' if many else 'a list'} of {_words(parts[0], many=True)}"
    return str(getattr(hint, "__name__", hint))


def _advice(name: str, value: Any, hint: Any, default: Any) -> str:
    if _fits([value], hint):
        quote = '"' if isinstance(value, str) and not value.isalnum() else ""
        return f"write it as a list: {name}: [{quote}{value}{quote}]"
    if "number" in _words(hint) and isinstance(value, str | list | tuple):
        return "plain numbers, without units and quotes"
    if isinstance(default, bool | int | float | str):
        return (
            f"for instance {name}: {str(default).lower() if default in (True, False) else default}"
        )
    if "mapping" in _words(hint):
        return f"for instance {name}: {{NAME: ...}}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Mapping):
        return "a mapping"
    text = str(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
