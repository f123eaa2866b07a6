"""Enumerated structures as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Row: TypeAlias = dict[str, str]
"""A candidate by column; `name`, `formula` and `structure` are always there."""


def structure_text(symbols: Sequence[str], fractions: NDArray[np.float64], cell: object) -> str:
    """An extended XYZ: n symbols, fractional coordinates (n x 3), cell (3 x 3, angstrom)."""
    vectors = np.asarray(cell, float)
    places = np.asarray(fractions, float) @ vectors
    lattice = " ".join(f"{x + 0.0:.6f}" for x in vectors.ravel())
    lines = [
        f"{symbol} {x + 0.0:.6f} {y + 0.0:.6f} {z + 0.0:.6f}"
        for symbol, (x, y, z) in zip(symbols, places.tolist(), strict=True)
    ]
    head = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"'
    return "\n".join((str(len(lines)), head, *lines)) + "\n"


def reduced_formula(counts: Mapping[str, int]) -> str:
    """Elements in the order given, their numbers without a common divisor.

    >>> reduced_formula({"Cu": 6, "Au": 2})
    'Cu3Au'
    """
    share = gcd(*counts.values())
    return "".join(
        element + (str(n // share) if n > share else "") for element, n in counts.items() if n
    )
