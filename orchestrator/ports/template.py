"""Texts with arguments in them: `VOLT {voltage:.3f}`. Names and formats, and nothing else."""

from __future__ import annotations

import string
from collections.abc import Collection, Mapping
from typing import Any

from orchestrator.errors import InputError, UnknownName

_TRIALS: tuple[Any, ...] = (1.5, 1, "a")


def check_template(text: str, names: Collection[str]) -> None:
    """Accepts a text in which only known names stand in braces, each with a format that exists.

    Raises:
        UnknownName: a name is not one of an argument.
        InputError: it is no such text.
    """
    for name, form in _fields(text):
        if name not in names:
            raise UnknownName("argument that is known here", name, names)
        if not any(_takes(value, form) for value in _TRIALS):
            raise InputError(f"'{form}' in '{text}' is no format", hint="such as {name:.3f}")


def names_in(text: str) -> tuple[str, ...]:
    """The names that stand in braces. Raises InputError."""
    return tuple(name for name, _ in _fields(text))


def filled(text: Any, values: Mapping[str, Any]) -> Any:
    """A text with its values; one that is nothing but `{name}` gives the value as it is.

    Lists and mappings are filled in; what is neither stays as it is.

    Raises:
        InputError: a format does not fit its value.
    """
    if isinstance(text, list):
        return [filled(inner, values) for inner in text]
    if isinstance(text, dict):
        return {key: filled(inner, values) for key, inner in text.items()}
    if not isinstance(text, str):
        return text
    fields = _fields(text)
    if len(fields) == 1 and text == f"{{{fields[0][0]}}}":
        return values[fields[0][0]]
    try:
        return text.format_map(values)
    except ValueError as error:
        raise InputError(f"'{text}' cannot be filled in: {error}") from error


def _fields(text: str) -> list[tuple[str, str]]:
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise InputError(
            f"'{text}' has a brace without its other half: {error}",
            hint="a brace that is meant as such is written twice: {{ or }}",
        ) from error
    fields = [(name, form or "", turn) for _, name, form, turn in parts if name is not None]
    for name, form, turn in fields:
        if not name.isidentifier() or turn or "{" in form:
            raise InputError(
                f"'{{{name}}}' in '{text}' is more than the name of an argument",
                hint="a name, and perhaps a format: {name:.3f}",
            )
    return [(name, form) for name, form, _ in fields]


def _takes(value: Any, form: str) -> bool:
    try:
        format(value, form)
    except ValueError:
        return False
    return True
