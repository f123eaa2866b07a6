"""Rows of counts of which almost all are zero: the fingerprints of a pool of molecules.

Kept as the places and values that are not zero, six bytes each, so that 17,000 fingerprints of
2,048 places take 4 MB and not 270. Counts that are means, as those of a copolymer, need not be
whole; they take twelve.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Values: TypeAlias = "array[int] | array[float]"
LARGEST = 65_535


class Counts:
    """n rows of `width` counts. Row i has `values[k]` at `places[k]` for k from `ends[i - 1]` to
    `ends[i]`, and zero elsewhere. The values are whole numbers of two bytes, or doubles where one
    of them is not whole."""

    __slots__ = ("ends", "places", "values", "width")

    def __init__(self, ends: array[int], places: array[int], values: Values, width: int) -> None:
        fits = len(places) == len(values) == (ends[-1] if ends else 0)
        if not fits or (places and not 0 <= min(places) <= max(places) < width):
            raise ValueError("the counts do not fit together")
        self.ends, self.places, self.values, self.width = ends, places, _kept(values), width

    @classmethod
    def of(cls, rows: Any) -> Counts:
        """From rows of numbers (n x width; an array of them is read at once), or what `plain` gave.

        Raises:
            ValueError: the rows differ in length, or an entry is not from 0 to 65,535.
        """
        if isinstance(rows, Counts):
            return rows
        if isinstance(rows, dict):
            return cls._read(rows)
        if hasattr(rows, "nonzero"):
            return cls._of_array(rows)
        ends, places, values, width = array("I"), array("I"), array("d"), -1
        for row in rows:
            if width not in (-1, len(row)):
                raise ValueError("the rows differ in length")
            width = len(row)
            for place, value in enumerate(row):
                if value:
                    places.append(place)
                    values.append(float(value))
            ends.append(len(places))
        return cls(ends, places, values, max(width, 0))

    @classmethod
    def _of_array(cls, rows: Any) -> Counts:
        at, places = rows.nonzero()
        found, per_row = rows[at, places], (rows != 0).sum(axis=1).tolist()
        is_whole = len(found) > 0 and bool(((found % 1 == 0) & (found >= 0)).all())
        fits = is_whole and found.max() <= LARGEST
        values: Values = array("H") if fits else array("d")
        values.frombytes(found.astype("uint16" if fits else "float64").tobytes())
        held = array("I")
        held.frombytes(places.astype(f"uint{8 * held.itemsize}").tobytes())
        return cls(array("I", accumulate(per_row)), held, values, rows.shape[1])

    def __add__(self, other: Counts) -> Counts:
        """The rows of another one after these. Raises ValueError if they differ in width."""
        return Counts.joined([self, other])

    @classmethod
    def joined(cls, parts: Sequence[Counts]) -> Counts:
        """The rows of all parts (one at least), in their order. Raises ValueError if they differ in
        width."""
        if len({part.width for part in parts}) > 1:
            raise ValueError("counts of another width")
        is_whole = all(part._code == "H" for part in parts)
        ends, places, values = array("I"), array("I"), array("H" if is_whole else "d")
        for part in parts:
            shift = len(places)
            ends.extend(end + shift for end in part.ends)
            places += part.places
            values.extend(part.values.tolist())  # type: ignore[arg-type]
        return cls(ends, places, values, parts[0].width)

    @property
    def _code(self) -> str:
        return self.values.typecode

    @classmethod
    def _read(cls, plain: dict[str, Any]) -> Counts:
        ends, places = array("I"), array("I")
        values: Values = array("d") if "weights" in plain else array("H")
        named = {"ends": ends, "places": places, _name(values): values}
        for name, part in named.items():
            part.frombytes(base64.b64decode(plain[name]))
        return cls(ends, places, values, int(plain["width"]))

    def plain(self) -> dict[str, Any]:
        """As JSON: the width, and the bytes in base64."""
        parts = {"ends": self.ends, "places": self.places, _name(self.values): self.values}
        coded = {k: base64.b64encode(v.tobytes()).decode() for k, v in parts.items()}
        return {"width": self.width, **coded}

    def only(self, rows: Sequence[int]) -> Counts:
        """Some of the rows."""
        ends, places = array("I"), array("I")
        values: Values = array(self._code)
        for row in rows:
            start = self.ends[row - 1] if row else 0
            places += self.places[start : self.ends[row]]
            values.extend(self.values[start : self.ends[row]])  # type: ignore[arg-type]
            ends.append(len(places))
        return Counts(ends, places, values, self.width)

    def bytes_of(self, row: int) -> bytes:
        """A row as bytes; equal rows have equal ones."""
        start, end = self.ends[row - 1] if row else 0, self.ends[row]
        return self.places[start:end].tobytes() + self.values[start:end].tobytes()

    def __len__(self) -> int:
        return len(self.ends)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and self.plain() == other.plain()

    def __hash__(self) -> int:
        return hash((self.width, self.places.tobytes(), self.values.tobytes()))

    def __repr__(self) -> str:
        return f"Counts({len(self)} x {self.width})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda counts: counts.plain()
            ),
        )


def _kept(values: Values) -> Values:
    """In two bytes each where all are whole. Raises ValueError."""
    if values.typecode == "H":
        return values
    for value in values:
        if not 0 <= value <= LARGEST:
            raise ValueError(f"{value:g} is not a count")
    return array("H", map(int, values)) if all(map(float.is_integer, values)) else values


def _name(values: Values) -> str:
    return "values" if values.typecode == "H" else "weights"
