"""YAML as a scientist means it: 1.2 scalars, plain data only, every value with line and column.

`1e-6` is a number, `NO` and `20:30` are texts, only `true` and `false` are booleans. Nodes are
built from the parser's events, so nothing is ever constructed, however the file is tagged, and
nothing recurses, however deep it nests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from orchestrator.errors import FileProblems, Problem
from orchestrator.model.said import writable

MAX_BYTES = 5_000_000
MAX_VALUES = 100_000
MAX_DEPTH = 30

Scalar: TypeAlias = str | int | float | bool | None
KeyPath: TypeAlias = Sequence[str | int]

_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of Excel and LibreOffice begin, and those of Excel before 2007."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True)
class Node:
    """A value of a file with its place, counted from 1. `keys` are the places of a mapping's keys.

    `size` is the number of values in it, aliases counted as often as they are used.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    size: int = 1

    def plain(self) -> Any:
        """The value without its places: dict, list or scalar."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def child(self, step: str | int) -> Node | None:
        """The value at a key or an index."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, tuple) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None


@dataclass(frozen=True)
class Document:
    """A parsed file. `problems` are mistakes that did not keep it from being read."""

    source: str
    text: str
    root: Node
    problems: tuple[Problem, ...] = ()

    def place(self, path: KeyPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path` (or of its key), or of the nearest around it."""
        node = self.root
        for depth, step in enumerate(path):
            inner = node.child(step)
            is_last = depth == len(path) - 1
            if key and is_last and str(step) in node.keys:
                return node.keys[str(step)]
            if inner is None:
                break
            node = inner
        return node.line, node.column


def read_document(path: Path) -> Document:
    """Reads a YAML file whose root is a mapping.

    Raises:
        FileProblems: it is absent, too large, no text, no YAML, or not a mapping; or its name could
            not be written down.
    """
    if (name := writable(str(path))) != str(path):
        hint = "rename it, or its folder, or set LANG to a locale of UTF-8 (C.UTF-8)"
        raise _fatal(name, "the name of the file is not text in UTF-8", hint)
    return parse_document(read_text(path, MAX_BYTES), str(path))


def refuse_the_other(document: Document, own: str, other: str, sentence: str, hint: str) -> None:
    """Accepts a file that has the key `own`, or has not the key `other`, which is that of files of
    another sort. Raises FileProblems: the `sentence` alone, in place of a mistake for each key."""
    keys = document.root.plain()
    if other in keys and own not in keys:
        raise _fatal(document.source, sentence, hint)


def read_text(path: Path, max_bytes: int) -> str:
    """The text of a UTF-8 file, without its byte-order mark.

    Raises:
        FileProblems: it is absent, too large, or no text.
    """
    try:
        with path.open("rb") as file:  # a device or a pipe has no size beforehand, or no end
            content = file.read(max_bytes + 1)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        hint = "name a file in it" if path.is_dir() else ""
        raise FileProblems(str(path), [Problem(f"it cannot be read: {reason}", hint)]) from error
    if len(content) > max_bytes:
        raise _fatal(str(path), f"it is larger than {max_bytes // 1_000_000} MB")
    if content.startswith(_PACKED):
        hint = "of a spreadsheet, save the sheet as CSV in UTF-8"
        raise _fatal(str(path), "it is a spreadsheet or an archive, not a text file", hint)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise _fatal(str(path), "it is not a text file", "save it as plain text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _fatal(str(path), "it is not text in UTF-8", "save it as UTF-8", line, 1) from error


def parse_document(text: str, source: str) -> Document:
    """Parses YAML whose root is a mapping.

    Raises:
        FileProblems: no YAML, not a mapping, or an excess of values, aliases or depth.
    """
    builder = _Builder(source)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise FileProblems(source, [_syntax_problem(error, text)]) from None
    root = builder.root
    if root is None or root.value is None:
        raise _fatal(source, "the file is empty")
    if not isinstance(root.value, dict):
        found = "a list" if isinstance(root.value, tuple) else "a single value"
        raise _fatal(source, f"the file holds {found}, not 'key: value' lines", "", 1, 1)
    return Document(source, text, root, tuple(builder.problems))


def resolve(text: str) -> Scalar:
    """What a plain (unquoted) YAML 1.2 scalar means."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _REAL.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if _SPECIAL.fullmatch(text) else text


@dataclass
class _Open:
    """A mapping or sequence whose end has not come yet."""

    is_mapping: bool
    line: int
    column: int
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: Node | None = None
    size: int = 1


class _Builder:
    """Builds nodes from parser events."""

    def __init__(self, source: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._source = source
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._n_documents = 0

    def take(self, event: Any) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        match event:
            case yaml.DocumentStartEvent():
                self._n_documents += 1
                if self._n_documents > 1:
                    raise _fatal(self._source, "the file holds a second document", "", line, column)
            case yaml.ScalarEvent():
                self._refuse_tag(event, line, column)
                value = resolve(event.value) if event.implicit[0] else event.value
                self._add(Node(value, line, column), event.anchor, event.value)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_tag(event, line, column)
                self._open(event, line, column)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._add(self._aliased(str(event.anchor), line, column), None, None)

    def _refuse_tag(self, event: Any, line: int, column: int) -> None:
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            hint = "leave the tag away; values are plain numbers, texts, lists and mappings"
            self.problems.append(Problem(f"the tag '{tag}' is refused", hint, line, column))

    def _open(self, event: Any, line: int, column: int) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise _fatal(self._source, f"it nests deeper than {MAX_DEPTH}", "", line, column)
        if event.anchor:
            self._anchors[event.anchor] = None
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Open(is_mapping, line, column, event.anchor))

    def _close(self) -> None:
        top = self._stack.pop()
        value = top.entries if top.is_mapping else tuple(top.items)
        self._add(Node(value, top.line, top.column, top.keys, top.size), top.anchor, None)

    def _aliased(self, anchor: str, line: int, column: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            why = "stands inside itself" if anchor in self._anchors else "is not defined"
            raise _fatal(self._source, f"the alias '*{anchor}' {why}", "", line, column)
        return Node(node.value, line, column, node.keys, node.size)

    def _add(self, node: Node, anchor: str | None, word: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        top.size += node.size
        if top.size > MAX_VALUES:
            many = f"it holds more than {MAX_VALUES:,} values, aliases expanded"
            raise _fatal(self._source, many, "", node.line, node.column)
        if not top.is_mapping:
            top.items.append(node)
        elif top.pending is None:
            top.pending = Node(word, node.line, node.column)
        else:
            self._enter(top, top.pending, node)
            top.pending = None

    def _enter(self, top: _Open, key: Node, node: Node) -> None:
        name = key.value
        if not isinstance(name, str):
            problem = Problem("a key must be a plain word", "", key.line, key.column)
            self.problems.append(problem)
        elif name in top.entries:
            first = top.keys[name][0]
            twice = f"the key '{name}' stands here a second time (first in line {first})"
            self.problems.append(Problem(twice, "keep one of them", key.line, key.column))
        else:
            top.entries[name] = node
            top.keys[name] = (key.line, key.column)


def _fatal(
    source: str, message: str, hint: str = "", line: int = 0, column: int = 0
) -> FileProblems:
    return FileProblems(source, [Problem(message, hint, line, column)])


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position] if isinstance(error.position, int) else ""
        return Problem(
            "it contains a control character", "save it as plain text", before.count("\n") + 1, 1
        )
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem(f"it is not YAML: {error}")
    mark = error.problem_mark
    line, column = mark.line + 1, mark.column + 1
    what = str(error.problem)
    for pattern, message, hint in _explanations(text, mark.line, mark.column):
        if pattern in what:
            return Problem(message, hint, line, column)
    context = (
        f" {error.context} that began in line {error.context_mark.line + 1}"
        if (error.context and error.context_mark)
        else ""
    )
    return Problem(f"it is not YAML: {what}{context}", "", line, column)


def _explanations(text: str, line: int, column: int) -> Iterator[tuple[str, str, str]]:
    lines = text.split("\n")
    found = lines[line][column : column + 1] if line < len(lines) else ""
    if found == "\t":
        yield "cannot start any token", "a tab stands where spaces belong", "indent with spaces"
    yield (
        "cannot start any token",
        f"a text cannot begin with '{found}'",
        f"quote it: '{found}...'",
    )
    yield (
        "mapping values are not allowed",
        "a second ':' in one value, or a wrong indentation",
        "quote a text that contains ': ', and indent with the same number of spaces",
    )
