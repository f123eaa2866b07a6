"""A table of numbers, kept as eight bytes a number: a pool may have a million rows."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Rows(Sequence[tuple[float, ...]]):
    """Rows of numbers (n x width), read like a tuple of tuples. `flat` is row after row."""

    __slots__ = ("flat", "width")

    def __init__(self, flat: array[float], width: int) -> None:
        if width and len(flat) % width:
            raise ValueError("the numbers do not make whole rows")
        self.flat, self.width = flat, width

    @classmethod
    def of(cls, rows: Any) -> Rows:
        """From rows of numbers (an array of doubles is copied whole), or what `plain` gave.

        Raises:
            ValueError: the rows differ in length, or an entry is no number.
            TypeError: they are no rows.
        """
        if isinstance(rows, Rows):
            return rows
        if isinstance(rows, dict):
            flat = array("d")
            flat.frombytes(base64.b64decode(rows["float64"]))
            return cls(flat, int(rows["width"]))
        view = _as_doubles(rows)
        if view is not None:
            flat = array("d")
            flat.frombytes(view.cast("B"))
            return cls(flat, len(flat) // len(rows))
        flat, width = array("d"), -1
        for row in rows:
            if width not in (-1, len(row)):
                raise ValueError("the rows differ in length")
            width = len(row)
            flat.extend(float(v) for v in row)
        return cls(flat, max(width, 0))

    @classmethod
    def of_columns(cls, columns: Iterable[Sequence[float]], width: int) -> Rows:
        """From so many columns of numbers, of which one at a time is held.

        Raises:
            ValueError: the columns differ in length.
        """
        flat = array("d")
        for place, column in enumerate(columns):
            if not place:
                flat = array("d", bytes(8 * width * len(column)))
            flat[place::width] = array("d", column)
        return cls(flat, width)

    def plain(self) -> dict[str, Any]:
        """As JSON: the width, and the bytes in base64."""
        return {"width": self.width, "float64": base64.b64encode(self.flat.tobytes()).decode()}

    def only(self, rows: Sequence[int]) -> Rows:
        """Some of the rows."""
        flat = array("d")
        for row in rows:
            flat += self.flat[row * self.width : (row + 1) * self.width]
        return Rows(flat, self.width)

    def __add__(self, other: Rows) -> Rows:
        """The rows of another one after these. Raises ValueError if they differ in width."""
        if self.width != other.width:
            raise ValueError("rows of another width")
        return Rows(self.flat + other.flat, self.width)

    def bytes_of(self, row: int) -> bytes:
        """A row as bytes; equal rows have equal ones."""
        return self.flat[row * self.width : (row + 1) * self.width].tobytes()

    def column(self, index: int) -> Sequence[float]:
        """The numbers of one column (n)."""
        return self.flat[index :: self.width]

    @property
    def is_finite(self) -> bool:
        """Whether every number is."""
        return all(map(math.isfinite, self.flat))

    def __len__(self) -> int:
        return len(self.flat) // self.width if self.width else 0

    @overload
    def __getitem__(self, index: int) -> tuple[float, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[float, ...], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        start = range(len(self))[index] * self.width
        return tuple(self.flat[start : start + self.width])

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return self.width == other.width and self.flat == other.flat
        return isinstance(other, tuple | list) and tuple(self) == tuple(map(tuple, other))

    def __hash__(self) -> int:
        return hash((self.width, self.flat.tobytes()))

    def __repr__(self) -> str:
        return f"Rows({len(self)} x {self.width})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda rows: rows.plain()
            ),
        )


def _as_doubles(rows: Any) -> memoryview | None:
    """A two-dimensional array of doubles as it lies in memory, or None."""
    try:
        view = memoryview(rows)
    except TypeError:
        return None
    if view.format != "d" or view.ndim != 2 or not view.c_contiguous or not view.nbytes:
        return None
    return view
