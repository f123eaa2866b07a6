"""Structures that a pool is made of, as they lie in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class StructureFiles:
    """n structures under d columns of texts, `name` and `structure` the first two of them.

    `places` say where in the source each stands (a file's name, `frame 3`); `unreadable` are those
    whose text could not be had, and why. `sha256` is of all that was read.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]
    sha256: str
    unreadable: Mapping[int, str] = field(default_factory=dict)
