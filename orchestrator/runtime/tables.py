"""Tables of results from wherever they are: a file, columns of values, rows of values."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from orchestrator.errors import InputError
from orchestrator.files.spreadsheet import table_in
from orchestrator.files.table import Table


@runtime_checkable
class Frame(Protocol):
    """What a DataFrame has; pandas itself is not needed."""

    def to_dict(self, orient: str) -> Mapping[str, Sequence[Any]]:
        """The columns as lists, for the orient `list`."""
        ...


Data: TypeAlias = str | Path | Frame | Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]
"""A CSV file, a DataFrame, columns by name, or rows."""

_MISSING = ("NAType", "NaTType")  # what pandas writes where there is nothing


def table_of(data: Data) -> Table:
    """The table. A value that is missing (None, NaN, NaT) is an empty cell.

    Raises:
        InputError: it is no table, or its columns differ in length.
    """
    if isinstance(data, str | Path):
        return table_in(Path(data))
    columns = _columns(data)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InputError("the columns of the data differ in length")
    texts = [[_cell(value) for value in values] for values in columns.values()]
    rows = tuple(zip(*texts, strict=True))
    digest = hashlib.sha256(repr((list(columns), rows)).encode()).hexdigest()
    names = tuple(map(str, columns))
    return Table("the data", names, rows, tuple(range(1, len(rows) + 1)), digest)


def _columns(data: Any) -> Mapping[str, Sequence[Any]]:
    if isinstance(data, Frame) and not isinstance(data, Mapping):
        index = _named_index(data)
        headings = [str(name) for name in (*index, *getattr(data, "columns", ()))]
        if twice := next((name for name in headings if headings.count(name) > 1), None):
            raise InputError(f"two columns are named '{twice}'", hint="rename or leave out one")
        return {**index, **data.to_dict("list")}
    if isinstance(data, Mapping):
        single = next((name for name, values in data.items() if is_single(values)), None)
        if single is not None:
            raise InputError(
                f"the data has one value of '{single}' where a column of them is expected",
                hint="write rows as [{...}, {...}], columns as {name: [...], ...}",
            )
        keyed = next((name for name, v in data.items() if isinstance(v, Mapping)), None)
        if keyed is not None:
            raise InputError(
                f"the data has the column '{keyed}' by its own keys, and not as a list of values",
                hint="of a DataFrame give the frame itself, or its `to_dict('list')`",
            )
        columns = {name: list(values) for name, values in data.items()}
        nested = next((n for n, v in columns.items() if any(map(_is_several, v))), None)
        if nested is not None:
            raise InputError(
                f"the data has several values in each cell of the column '{nested}'",
                hint="of a DataFrame give the frame itself, or its `to_dict('list')`",
            )
        return columns
    rows = [] if is_single(data) else list(data)
    if is_single(data) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("the data is neither a file, a DataFrame, columns, nor rows by name")
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _named_index(frame: Any) -> dict[Any, Sequence[Any]]:
    """The index of a DataFrame where it has names, as columns: those that a table was grouped by
    are there."""
    index = getattr(frame, "index", None)
    names = [name for name in getattr(index, "names", ()) if name is not None]
    return {name: list(index.get_level_values(name)) for name in names} if index is not None else {}


def is_single(value: Any) -> bool:
    """Whether it is one value, and no column of them; so is an array of numpy without axes."""
    is_bare = not hasattr(value, "__iter__") or getattr(value, "ndim", 1) == 0
    return isinstance(value, str) or is_bare


def _is_several(value: Any) -> bool:
    return not is_single(value) and math.prod(getattr(value, "shape", (0,))) != 1


def _cell(value: Any) -> str:
    """A value as a cell that gives it back bit for bit; '' where there is none."""
    if hasattr(value, "item") and math.prod(getattr(value, "shape", ())) == 1:  # of numpy
        value = value.item()
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    is_missing = value is None or type(value).__name__ in _MISSING
    return "" if is_missing else str(value).strip()
