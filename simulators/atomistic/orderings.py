"""Ordered structures on the fcc lattice, as plain numbers.

`sites` gives the kind of each atom (a or b) with its position in fractions of the cell, `cell` the
cell's edges in units of the fcc lattice constant. Sources: Strukturbericht names as in [Mehl et al.
2017, AFLOW library of crystallographic prototypes]; MoPt2 is its A2B on fcc.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_HALF_DIAGONAL = 1.0 / math.sqrt(2.0)
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Ordering:
    """A structure; `share_b` is the fraction of b atoms, `swaps` whether a and b are equivalent."""

    cell: tuple[Vector, Vector, Vector]
    sites: tuple[tuple[str, Vector], ...]
    swaps: bool = False

    @property
    def share_b(self) -> float:
        """Fraction of b atoms."""
        return sum(kind == "b" for kind, _ in self.sites) / len(self.sites)


_CUBE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_FACES = ((0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5))
_CORNER = (0.0, 0.0, 0.0)

ORDERINGS: Mapping[str, Ordering] = {
    "fcc": Ordering(_CUBE, (("a", _CORNER), *(("a", face) for face in _FACES))),
    "L1_2": Ordering(_CUBE, (("b", _CORNER), *(("a", face) for face in _FACES))),
    "L1_0": Ordering(
        _CUBE,
        (("a", _CORNER), ("a", _FACES[0]), ("b", _FACES[1]), ("b", _FACES[2])),
        swaps=True,
    ),
    "L1_1": Ordering(
        ((0.5, 0.5, 1.0), (0.5, 1.0, 0.5), (1.0, 0.5, 0.5)),
        (("a", _CORNER), ("b", (0.5, 0.5, 0.5))),
        swaps=True,
    ),
    "D0_22": Ordering(
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 2.0)),
        (
            ("b", _CORNER),
            ("b", (0.5, 0.5, 0.5)),
            ("a", (0.5, 0.5, 0.0)),
            ("a", (0.0, 0.0, 0.5)),
            ("a", (0.5, 0.0, 0.25)),
            ("a", (0.5, 0.0, 0.75)),
            ("a", (0.0, 0.5, 0.25)),
            ("a", (0.0, 0.5, 0.75)),
        ),
    ),
    "MoPt2": Ordering(
        ((_HALF_DIAGONAL, 0.0, 0.0), (0.0, 3 * _HALF_DIAGONAL, 0.0), (0.0, 0.0, 1.0)),
        (
            ("b", _CORNER),
            ("b", (0.5, 0.5, 0.5)),
            ("a", (0.0, 1 / 3, 0.0)),
            ("a", (0.0, 2 / 3, 0.0)),
            ("a", (0.5, 1 / 6, 0.5)),
            ("a", (0.5, 5 / 6, 0.5)),
        ),
    ),
}
"""Pure fcc; A3B (L1_2, D0_22), A2B (MoPt2), AB (L1_0, L1_1)."""
