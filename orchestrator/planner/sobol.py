"""A scrambled Sobol sequence with random access, from numpy alone.

scipy.stats has one, but importing it costs half a second or more, and the first
trial of a campaign should start at once. Only the table of direction numbers is read from the file
that scipy ships.

Sources: construction and Gray-code order [Joe & Kuo 2008, SIAM J. Sci. Comput. 30, 2635; their
file new-joe-kuo-6.21201]; scrambling by a random lower triangular bit matrix and a digital shift
[Matousek 1998, J. Complexity 14, 527].
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PlanningError

BITS = 30
MAX_WIDTH = 21201
_TABLE = "_sobol_direction_numbers.npz"


class Sobol:
    """Points of a `width`-dimensional sequence; equal arguments give equal points.

    With `seed` None the sequence is not scrambled; its first point is then the origin.
    """

    def __init__(self, width: int, seed: int | None) -> None:
        if not 0 <= width <= MAX_WIDTH:
            raise ValueError(f"a Sobol sequence has at most {MAX_WIDTH} dimensions, not {width}")
        self._directions, self._shift = _numbers(width, seed)

    def points(self, start: int, n: int) -> NDArray[np.float64]:
        """Points number `start` to `start + n - 1` (n x width), in [0, 1)."""
        index = np.arange(start, start + n, dtype=np.int64)
        gray = index ^ (index >> 1)
        words = np.tile(self._shift, (n, 1))
        for bit in range(BITS):
            chosen = (gray >> bit) & 1
            words ^= chosen[:, None] * self._directions[None, :, bit]
        return words.astype(np.float64) * 2.0**-BITS


@functools.lru_cache(maxsize=16)
def _numbers(width: int, seed: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Direction numbers (width x BITS) and shift (width) of a sequence, read-only."""
    directions = _directions(width)
    if seed is None:
        return directions, np.zeros(width, dtype=np.int64)
    rng = np.random.default_rng([seed % 2**63, 0x50B01])
    scrambled = _scrambled(directions, rng)
    return scrambled, rng.integers(0, 2**BITS, size=width, dtype=np.int64)


@functools.lru_cache(maxsize=16)
def _directions(width: int) -> NDArray[np.int64]:
    """Direction numbers (width x BITS), as whole numbers below 2**BITS."""
    polynomials, initial = _table()
    out = np.zeros((width, BITS), dtype=np.int64)
    for row in range(width):
        m = _recurrence(int(polynomials[row]), [int(v) for v in initial[row]], first=row == 0)
        out[row] = [m[k] << (BITS - 1 - k) for k in range(BITS)]
    return out


def _recurrence(polynomial: int, initial: list[int], *, first: bool) -> list[int]:
    """m_1 ... m_BITS of Joe & Kuo for one primitive polynomial (leading and last bit included)."""
    if first:
        return [1] * BITS
    degree = polynomial.bit_length() - 1
    m = initial[:degree]
    for k in range(degree, BITS):
        value = m[k - degree]
        for j in range(1, degree + 1):
            if (polynomial >> (degree - j)) & 1:
                value ^= m[k - j] << j
        m.append(value)
    return m


def _scrambled(directions: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Left-multiplies each dimension's bits by a random lower triangular matrix, ones on its
    diagonal. `directions` is width x BITS."""
    width = len(directions)
    out = np.zeros_like(directions)
    for row in range(BITS):
        # the output bit `row` (from the top) is the parity of the input under a mask that has
        # this bit and random ones above it
        top = BITS - 1 - row
        above = rng.integers(0, 2**row, size=width, dtype=np.int64) << (top + 1)
        mask = above | (1 << top)
        parity = _parity(directions & mask[:, None])
        out |= parity << top
    return out


def _parity(words: NDArray[np.int64]) -> NDArray[np.int64]:
    folded = words.copy()
    for shift in (16, 8, 4, 2, 1):
        folded ^= folded >> shift
    return folded & 1


@functools.cache
def _table() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Polynomials (21201) and initial numbers (21201 x 18), read-only. Raises PlanningError."""
    spec = importlib.util.find_spec("scipy")  # finds it; imports nothing
    places = (spec.submodule_search_locations or []) if spec else []
    for place in places:
        path = Path(place) / "stats" / _TABLE
        if path.is_file():
            with np.load(path) as table:
                return table["poly"].astype(np.int64), table["vinit"].astype(np.int64)
    raise PlanningError(
        f"scipy's table of Sobol direction numbers ({_TABLE}) was not found",
        hint="reinstall scipy, or use `planner: {kind: random}`",
    )
