"""Collects the mistakes of one file, each with its place, until all of it has been looked at."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from orchestrator.errors import FileProblems, InputError, Problem, did_you_mean
from orchestrator.files.document import Document, KeyPath, Node
from orchestrator.files.shape import IN_WORDS, NAME

M = TypeVar("M", bound=BaseModel)
_FEW = 25

_EXPECTED: Mapping[str, str] = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a finite number",
}


class Findings:
    """The mistakes found in `document` so far."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[Problem] = list(document.problems)

    def add(self, path: KeyPath, message: str, hint: str = "", *, key: bool = False) -> None:
        """Notes a mistake at a value, or at its key."""
        line, column = self.document.place(path, key=key)
        problem = Problem(message, hint, line, column)
        if problem not in self._problems:
            self._problems.append(problem)

    @contextmanager
    def at(self, path: KeyPath, *, key: bool = False) -> Iterator[None]:
        """Notes an InputError of the block as a mistake at `path`, and goes on after it."""
        try:
            yield
        except FileProblems as error:
            for problem in error.problems[:_FEW]:
                where = f"{error.path}" + (f" line {problem.line}" if problem.line else "")
                self.add(path, f"{where}: {problem.message}", problem.hint, key=key)
            if len(error.problems) > _FEW:
                self.add(path, f"{error.path}: {len(error.problems) - _FEW} more mistakes", key=key)
        except InputError as error:
            self.add(path, str(error), error.hint, key=key)

    def unknown(self, path: KeyPath, kind: str, known: Iterable[str]) -> None:
        """Notes that the last step of `path` is a name that does not exist."""
        name = str(path[-1])
        hint = did_you_mean(name, known)
        if any(c in name for c in "()*/") or name.startswith("="):
            hint = "quote an expression that contains a comma"
        self.add(path, f"'{name}' is not {kind}", hint, key=True)

    def entries(self, path: KeyPath, *, named: bool = False) -> dict[str, Node]:
        """The entries of a mapping; none (and a mistake) where it is something else.

        With `named`, its keys are names that people give, and have to look like names.
        """
        node = self._node(path)
        if node is None:
            return {}
        if isinstance(node.value, dict):
            for name in node.value:
                if named and not re.fullmatch(NAME, name):
                    hint = "letters, digits and '_', a letter first"
                    self.add([*path, name], f"'{name}' cannot be a name", hint, key=True)
            return node.value
        self.add(path, f"expected a mapping, found {_shown(node.plain())}")
        return {}

    def items(self, path: KeyPath) -> tuple[Node, ...]:
        """The items of a list; none (and a mistake) where it is something else."""
        node = self._node(path)
        if node is None:
            return ()
        if isinstance(node.value, tuple):
            return node.value
        hint = "write it as a list, in [ ]" if isinstance(node.value, str) else ""
        self.add(path, f"expected a list, found {_shown(node.plain())}", hint)
        return ()

    def plain(self, path: KeyPath) -> Any:
        """The plain value at `path`; None where there is none."""
        node = self._node(path)
        return None if node is None else node.plain()

    def keys(
        self,
        path: KeyPath,
        shape: type[BaseModel],
        what: str,
        may_lack: Collection[str] = (),
    ) -> None:
        """Notes keys of a mapping that its shape does not have, and those it needs."""
        entries = self.entries(path)
        known = shape.model_fields
        for name in entries:
            if name not in known:
                self.unknown([*path, name], what, known)
        for name, info in known.items():
            if info.is_required() and name not in (*entries, *may_lack):
                self._missing(path, name, shape)

    def shaped(self, path: KeyPath, shape: type[M], what: str, *, partly: bool = False) -> M | None:
        """The mapping at `path` in its shape; None (and mistakes) where it does not fit.

        `what` says what a key of it is, as in "'powr' is not {what}". With `partly`, only the
        keys that the shape has are looked at.
        """
        plain = self.plain(path)
        if partly and isinstance(plain, dict):
            plain = {key: plain[key] for key in plain if key in shape.model_fields}
        try:
            return shape.model_validate({} if plain is None else plain)
        except ValidationError as error:
            self._translate(path, shape, what, error)
            return None

    @property
    def has_any(self) -> bool:
        """Whether there is a mistake so far."""
        return bool(self._problems)

    @property
    def count(self) -> int:
        """How many mistakes there are so far."""
        return len(self._problems)

    def raise_any(self) -> None:
        """Raises FileProblems with all that was found, in the order of the file."""
        if self._problems:
            ordered = sorted(self._problems, key=lambda p: (p.line, p.column))
            raise FileProblems(self.document.source, ordered)

    def _missing(self, path: KeyPath, name: str, shape: type[BaseModel]) -> None:
        """Notes that a mapping of this shape lacks a key. Where it may have keys of any name, one
        of them may be meant."""
        may_have_any = shape.model_config.get("extra") == "allow"
        others = [key for key in self.entries(path) if key not in shape.model_fields]
        near = difflib.get_close_matches(name, others, n=1) if may_have_any else []
        hint = f"is '{near[0]}' meant to be it?" if near else _example(shape, name)
        self.add(path, f"'{name}' is missing", hint)

    def _node(self, path: KeyPath) -> Node | None:
        node: Node | None = self.document.root
        for step in path:
            node = None if node is None else node.child(step)
        return node

    def _translate(
        self, path: KeyPath, shape: type[BaseModel], what: str, error: ValidationError
    ) -> None:
        expected: dict[tuple[str | int, ...], list[str]] = {}
        for fault in error.errors(include_url=False):
            inner = self._existing(path, fault["loc"])
            if fault["type"] == "extra_forbidden":
                whole, known = _keys_at(shape, fault["loc"])
                self.unknown(
                    [*path, *fault["loc"]], f"a key of '{whole}'" if whole else what, known
                )
            elif fault["type"] == "missing":
                self._missing(inner, str(fault["loc"][-1]), shape)
            else:
                expected.setdefault(tuple(inner), []).append(_expectation(fault))

        for inner_path, wishes in expected.items():
            found = _shown(self.plain(inner_path))
            wish = " or ".join(dict.fromkeys(wishes))
            hint = _hint(inner_path, wish, found, shape)
            if not hint and len(inner_path) == len(path) + 1:
                hint = _example(shape, str(inner_path[-1]))
            self.add(inner_path, f"expected {wish}, found {found}", hint)

    def _existing(self, path: KeyPath, loc: tuple[str | int, ...]) -> list[str | int]:
        """`loc` in the file: pydantic adds the names of a union's members to it."""
        inner = list(path)
        for step in loc:
            if self._node([*inner, step]) is None:
                break
            inner.append(step)
        return inner


def _keys_at(shape: type[BaseModel], loc: tuple[str | int, ...]) -> tuple[str, list[str]]:
    """The name of what the last step of `loc` stands in ('' for the shape itself), and its keys."""
    whole, shapes = "", [shape]
    for step in loc[:-1]:
        fields = [one.model_fields[step] for one in shapes if step in one.model_fields]
        if fields:
            whole = str(step)
            shapes = [found for field in fields for found in _shapes_in(field.annotation)]
    return whole, [f.alias or key for one in shapes for key, f in one.model_fields.items()]


def _shapes_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for one in get_args(annotation) for found in _shapes_in(one)]


def _hint(path: tuple[str | int, ...], wish: str, found: str, shape: type[BaseModel]) -> str:
    """What may have been meant by what was found in the place of what is wished."""
    if wish == "a text" and found[:1].isdigit():
        is_level = "choice" in path[:-1]
        other = "`ordinal` for numbers in their order" if is_level else "its unit"
        return f"quote it, or write {other}"
    if wish == "a number" and re.match(r"'[-+.]?\d", found) and "unit" in shape.model_fields:
        return "write the number alone, and its unit once: `unit: ...`"
    if path[0] == "objective" and path[-1] == "to" and found.startswith("a list"):
        return "a range is `between: [low, high]`"
    return ""


def _example(shape: type[BaseModel], key: str) -> str:
    """How a key may be written; '' where its shape does not say."""
    field = shape.model_fields.get(key)
    if field is None or not field.examples:
        return ""
    text = re.sub(r'"([A-Za-z]\w*)"', r"\1", json.dumps(field.examples[0], ensure_ascii=False))
    return f"for instance {key}: {text}"


def _expectation(fault: Any) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "literal_error":
            return str(context["expected"]).replace("'", "")
        case "greater_than":
            return f"a number above {context['gt']}"
        case "greater_than_equal":
            return f"a number not below {context['ge']}"
        case "too_short" | "too_long":
            n = context.get("min_length", context.get("max_length"))
            return f"{'at least' if 'min_length' in context else 'at most'} {n} entries"
        case "string_too_short":
            return "a text that is not empty"
        case "string_too_long":
            return f"a text of at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return IN_WORDS.get(context["pattern"], f"a text like {context['pattern']}")
        case kind:
            return _EXPECTED.get(kind, str(fault["msg"]))


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
