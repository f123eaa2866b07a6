"""Rows of a table: which cannot be read, and which are one material."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import InputError
from orchestrator.ports.descriptor import Descriptor


@dataclass(frozen=True)
class SetAside:
    """A row (counted from 0) whose material cannot be described, and the sentence that says why,
    in which rows count from 1."""

    row: int
    material: str
    sentence: str
    hint: str


@dataclass(frozen=True)
class Readable:
    """The rows (counted from 0) that can be described, their vectors (n x d), and the others."""

    rows: tuple[int, ...]
    vectors: NDArray[np.float64]
    aside: tuple[SetAside, ...]


def readable(descriptor: Descriptor, materials: Sequence[str]) -> Readable:
    """Describes what can be described; each of the others gets a sentence, `row 4,711: ...`."""
    aside: list[SetAside] = []
    vectors = _described(descriptor, list(enumerate(materials)), aside)
    bad = {each.row for each in aside}
    rows = tuple(row for row in range(len(materials)) if row not in bad)
    return Readable(rows, vectors, tuple(aside))


def _described(
    descriptor: Descriptor, rows: list[tuple[int, str]], aside: list[SetAside]
) -> NDArray[np.float64]:
    """The vectors of the good rows; halves what fails until the bad rows are alone."""
    try:
        return descriptor.describe([material for _, material in rows])
    except InputError as error:
        if len(rows) == 1:
            ((row, material),) = rows
            aside.append(SetAside(row, material, f"row {row + 1:,}: {error}", error.hint))
            return np.empty((0, len(descriptor.names)))
    half = len(rows) // 2
    parts = [_described(descriptor, part, aside) for part in (rows[:half], rows[half:])]
    return np.concatenate(parts)


def duplicates(descriptor: Descriptor, materials: Sequence[str]) -> list[tuple[int, ...]]:
    """Rows (counted from 0) that are one material, in groups of two and more; rows that cannot be
    read are in none."""
    groups: dict[str, list[int]] = {}
    for row, material in enumerate(materials):
        try:
            groups.setdefault(descriptor.canonical(material), []).append(row)
        except InputError:
            continue
    return [tuple(group) for group in groups.values() if len(group) > 1]
