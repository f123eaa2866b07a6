"""The cells of a table, packed: a pool may have ten million of them.

A text of its own takes Python some sixty bytes a cell. Here the cells of a column are one text for
every so many rows, and are taken apart when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeAlias, overload

ROWS_A_CHUNK = 4096
_BETWEEN = "\x1f"  # the unit separator of ASCII

_Packed: TypeAlias = "str | tuple[str, ...]"


class Cells(Sequence[tuple[str, ...]]):
    """Rows of texts (n x width), read like a tuple of tuples."""

    __slots__ = ("_chunks", "_n", "_newest", "width")

    def __init__(self, rows: Iterable[Sequence[str]], width: int) -> None:
        self.width, self._n = width, 0
        self._chunks: list[tuple[_Packed, ...]] = []
        self._newest: tuple[int, list[tuple[str, ...]]] = (-1, [])
        left = iter(rows)
        while some := list(islice(left, ROWS_A_CHUNK)):
            self._n += len(some)
            self._chunks.append(tuple(_packed(cells) for cells in zip(*some, strict=True)))

    def column(self, index: int) -> Iterator[str]:
        """The cells of one column."""
        return chain.from_iterable(_unpacked(chunk[index]) for chunk in self._chunks)

    def only(self, rows: Iterable[int]) -> Cells:
        """Some of the rows; fast where they ascend."""
        return Cells((self[row] for row in rows), self.width)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for chunk in self._chunks:
            yield from zip(*map(_unpacked, chunk), strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[str, ...], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, ...] | tuple[tuple[str, ...], ...]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(self._n)))
        number, row = divmod(range(self._n)[index], ROWS_A_CHUNK)
        if self._newest[0] != number:
            self._newest = number, list(zip(*map(_unpacked, self._chunks[number]), strict=True))
        return self._newest[1][row]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # compared by what they hold


def _packed(cells: tuple[str, ...]) -> _Packed:
    together = _BETWEEN.join(cells)
    return together if together.count(_BETWEEN) == len(cells) - 1 else cells


def _unpacked(packed: _Packed) -> Sequence[str]:
    return packed.split(_BETWEEN) if isinstance(packed, str) else packed
