"""Rows of counts of which almost all are zero: the fingerprints of a pool of molecules.

Kept as the places and values that are not zero, six bytes each, so that 17,000 fingerprints of
2,048 places take 4 MB and not 270.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Counts:
    """n rows of `width` counts. Row i has `values[k]` at `places[k]` for k from `ends[i - 1]` to
    `ends[i]`, and zero elsewhere."""

    __slots__ = ("ends", "places", "values", "width")

    def __init__(
        self, ends: array[int], places: array[int], values: array[int], width: int
    ) -> None:
        whole = len(places) == len(values) == (ends[-1] if ends else 0)
        if not whole or any(not 0 <= p < width for p in places):
            raise ValueError("the counts do not fit together")
        self.ends, self.places, self.values, self.width = ends, places, values, width

    @classmethod
    def of(cls, rows: Any) -> Counts:
        """From rows of whole numbers (n x width; an array of them is read at once), or what `plain`
        gave.

        Raises:
            ValueError: the rows differ in length, or an entry is no count up to 65,535.
        """
        if isinstance(rows, Counts):
            return rows
        if isinstance(rows, dict):
            return cls._read(rows)
        if hasattr(rows, "nonzero"):
            return cls._of_array(rows)
        ends, places, values, width = array("I"), array("I"), array("H"), -1
        for row in rows:
            if width not in (-1, len(row)):
                raise ValueError("the rows differ in length")
            width = len(row)
            for place, value in enumerate(row):
                if value:
                    places.append(place)
                    values.append(_count(value))
            ends.append(len(places))
        return cls(ends, places, values, max(width, 0))

    @classmethod
    def _of_array(cls, rows: Any) -> Counts:
        n, width = rows.shape
        at, places = rows.nonzero()
        values = array("H", (_count(value) for value in rows[at, places].tolist()))
        per_row = [0] * n
        for row in at.tolist():
            per_row[row] += 1
        return cls(array("I", accumulate(per_row)), array("I", places.tolist()), values, width)

    def __add__(self, other: Counts) -> Counts:
        """The rows of another one after these. Raises ValueError if they differ in width."""
        if self.width != other.width:
            raise ValueError("counts of another width")
        shift = self.ends[-1] if self.ends else 0
        ends = self.ends + array("I", (end + shift for end in other.ends))
        return Counts(ends, self.places + other.places, self.values + other.values, self.width)

    @classmethod
    def _read(cls, plain: dict[str, Any]) -> Counts:
        ends, places, values = array("I"), array("I"), array("H")
        for name, part in (("ends", ends), ("places", places), ("values", values)):
            part.frombytes(base64.b64decode(plain[name]))
        return cls(ends, places, values, int(plain["width"]))

    def plain(self) -> dict[str, Any]:
        """As JSON: the width, and the bytes in base64."""
        parts = {"ends": self.ends, "places": self.places, "values": self.values}
        coded = {k: base64.b64encode(v.tobytes()).decode() for k, v in parts.items()}
        return {"width": self.width, **coded}

    def only(self, rows: Sequence[int]) -> Counts:
        """Some of the rows."""
        ends, places, values = array("I"), array("I"), array("H")
        for row in rows:
            start = self.ends[row - 1] if row else 0
            places += self.places[start : self.ends[row]]
            values += self.values[start : self.ends[row]]
            ends.append(len(places))
        return Counts(ends, places, values, self.width)

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


def _count(value: float) -> int:
    if value != int(value) or not 0 <= value <= 65_535:
        raise ValueError(f"{value} is not a count")
    return int(value)
