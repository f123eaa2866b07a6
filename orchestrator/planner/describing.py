"""What the surrogate sees of a candidate: numbers of a table, and what descriptors say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.errors import InputError
from orchestrator.model.counts import Counts
from orchestrator.model.rows import Rows
from orchestrator.model.space import Described, Pool
from orchestrator.planner.kernel import CARRIED, Floats, Layout

UNIFORM_SD = math.sqrt(1 / 12)
MAX_DOUBLE = 100_000
UNVARIED = 1e-12
"""A column varies less than this, as a share of its largest value: it does not vary at all."""
ROUNDED = 1e-10
"""The same of what was computed: sums over many terms are rounded more coarsely."""
NEXT_TO_NOTHING = 1e-13
"""What a column varies by, as a share of what the columns of its descriptor are typically (the
median of their largest values): less is what rounding leaves of a difference of such numbers. It is
a share, so that a descriptor in units in which all is small keeps its columns."""
SPREAD_OUT = 100.0
"""The middle nine tenths of a column that spans decades differ by more than so many times."""
LARGE = 1e300
MIN_TO_BEND = 8
"""Fewer numbers do not say whether they span decades."""
APART = 0.1
"""What tells equally described candidates apart, as a share of their squared counts."""
MOST_PLACES = 64
"""More candidates than that share places, not those of one description that follow each other."""
MAX_OWN_SCALES = 16
"""Quantities of a descriptor that have a length scale each; more of them share one, since as many
could not be learnt from a few dozen outcomes."""


@dataclass(frozen=True)
class Part:
    """Neighbouring feature columns.

    Attributes:
        table: features of each value (rows) of a parameter; None where they are its code.
        is_one: whether the columns share a length scale.
        counted: whether they are counts.
        chosen: whether they say which word of a choice it is.
        carried: whether they are only carried along (see `kernel.Layout`).
    """

    table: Floats | None
    is_one: bool = False
    counted: bool = False
    chosen: bool = False
    carried: bool = False

    @property
    def width(self) -> int:
        """How many columns there are."""
        return 1 if self.table is None else self.table.shape[1]


def layout_of(parts: Sequence[Part]) -> Layout:
    """The layout of all columns, part after part."""
    groups: list[int] = []
    counted: list[int] = []
    choices: list[int] = []
    for part in parts:
        if part.carried:
            groups += [CARRIED] * part.width
            continue
        first = max(groups, default=CARRIED) + 1
        if part.counted:
            counted.append(first)
        if part.chosen:
            choices.append(first)
        groups += [first] * part.width if part.is_one else range(first, first + part.width)
    return Layout(np.array(groups, dtype=np.intp), tuple(counted), tuple(choices))


def described(*said: Described, again: Sequence[int] = ()) -> Part:
    """The features of what a descriptor says of one pool after the other; candidates of the first
    that are described as an earlier one is are rows `again`.

    Counts stay as they are, but for places that are zero throughout, and such as tell candidates
    apart that are described alike (see `tell_apart`). Quantities are standardised by
    the first pool, but for those that never vary there, or by no more than rounding does; many of
    them are scaled so that two candidates are on average as far apart as two words of a choice.

    Raises:
        InputError: a number is not finite.
    """
    counts = [one.counts for one in said if one.counts is not None]
    if counts:
        table = dense(*counts, more=min(len(again), MOST_PLACES))
        tell_apart(table, again)
        return Part(table, is_one=True, counted=True)
    own = [array_of(one.rows) for one in said if one.rows is not None]
    rows = np.concatenate(own)
    if not np.isfinite(rows).all():
        raise InputError(f"the descriptor '{said[0].descriptor}' gives a number that is not finite")
    table = _standardised(rows, len(own[0]), ROUNDED, NEXT_TO_NOTHING * _typical(own[0]))
    table = table[:, np.ptp(table[: len(own[0])], axis=0) > 0]
    if table.shape[1] > MAX_OWN_SCALES:
        return Part(0.5 + (table - 0.5) / (UNIFORM_SD * math.sqrt(2 * table.shape[1])), is_one=True)
    return Part(table)


def tell_apart(table: Floats, again: Sequence[int]) -> None:
    """Writes counts of what no descriptor names into the last places of a table (m x d), which are
    zero: they tell the rows that are described as an earlier one is (`again`) apart from it.
    Isomers have outcomes of their own, and what is measured of one is no measurement of the other.
    They are as alike as Tanimoto's 0.91, as next neighbours are; a row of no counts stays as it is.
    """
    extra = table[:, table.shape[1] - min(len(again), MOST_PLACES) :]
    for number, row in enumerate(again):
        size = math.sqrt(APART * float(np.square(table[row], dtype=np.float64).sum()))
        is_whole = size > 0.0 and table.dtype == np.float32
        extra[row, number % MOST_PLACES] = max(1.0, round(size)) if is_whole else size


def dense(*counts: Counts, more: int = 0) -> Floats:
    """Counts, one after the other, as an array (n x d) without the places that are zero throughout
    (one is left), and after them so many `more` of zeros: a table that fills half the memory is not
    copied for them."""
    places = [np.frombuffer(c.places, dtype=np.uint32).astype(np.intp) for c in counts]
    used = np.unique(np.concatenate([np.zeros(0, dtype=np.intp), *places]))
    used = used if len(used) else np.zeros(1, dtype=np.intp)
    whole = all(c.values.typecode == "H" for c in counts)
    shape = (sum(len(c) for c in counts), len(used) + more)
    out = np.zeros(shape, dtype=np.float32 if whole else np.float64)
    start = 0
    for one, own in zip(counts, places, strict=True):
        ends = np.frombuffer(one.ends, dtype=np.uint32).astype(np.intp)
        rows = start + np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
        out[rows, np.searchsorted(used, own)] = np.frombuffer(one.values, dtype=one.values.typecode)
        start += len(ends)
    return out  # whole numbers are exact in single precision


def array_of(rows: Rows) -> Floats:
    """Rows as an array (n x d), not copied."""
    return np.frombuffer(rows.flat, dtype=np.float64).reshape(len(rows), -1)


def standardised(pool: Pool) -> Floats:
    """The rows of a pool (n x d), each column with mean 1/2 and the spread of a uniform variable
    on [0, 1]; a column without spread is 1/2 throughout. In single precision past a hundred
    thousand rows.

    A column that spans decades comes a second time, last and by its decades (see `bent`): a few
    large numbers have the whole scale to themselves, and what tells the others apart is next to
    nothing on it. By which of the two the outcome goes, the length scales tell.

    Raises:
        InputError: a number is not finite.
    """
    rows = array_of(pool.rows)
    if not np.isfinite(rows).all():
        raise InputError(f"the pool '{pool.name}' has a number that is not finite")
    table = _standardised(rows, len(rows), UNVARIED, 0.0)
    decades = [found for values in rows.T if (found := bent(values)) is not None]
    if not decades:
        return table
    more = _standardised(np.stack(decades, axis=1), len(rows), UNVARIED, 0.0)
    return np.concatenate([table, more], axis=1)


def bent(values: Floats) -> Floats | None:
    """Numbers that span decades as their logarithms, near zero as they are and of either sign
    [inverse hyperbolic sine: Burbidge et al. 1988]; None of others."""
    sizes = np.abs(values[values != 0.0])
    if len(sizes) < MIN_TO_BEND:
        return None
    low, high = np.quantile(sizes, [0.05, 0.95])
    if not high > SPREAD_OUT * low:
        return None
    return np.asarray(np.arcsinh(values / max(low, sizes.max() / LARGE)))


def _typical(rows: Floats) -> float:
    """The median of the columns' largest values, but for columns of zeros."""
    sizes = np.abs(rows).max(axis=0, initial=0.0)
    return float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 0.0


def _standardised(rows: Floats, n: int, share: float, least: float) -> Floats:
    """Rows standardised by the first `n` of them; a column whose spread is no more than a share of
    its largest value, or than `least`, has none."""
    kind = np.float64 if len(rows) <= MAX_DOUBLE else np.float32
    out = np.empty(rows.shape, dtype=kind)
    for column in range(rows.shape[1]):  # one after the other: a large pool is not copied whole
        # divided first: the square of 1e200 is not a float
        size = float(np.abs(rows[:, column]).max(initial=0.0))
        values = rows[:, column] / (size if size > 0 else 1.0)
        values -= values[:n].mean()
        spread = float(values[:n].std())
        varies = spread > share and spread * size > least
        out[:, column] = 0.5 + UNIFORM_SD * values / spread if varies else 0.5
    return out
