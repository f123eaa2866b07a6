"""Candidates that people refused: they are not proposed any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import UnknownName
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.ports.planner import History

Refused: TypeAlias = Mapping[int, NDArray[np.intp]]
"""Which candidates (rows) were refused of the pool in a column of codes."""


def refused(encoding: Encoding, history: History) -> Refused:
    """What was refused of the pools of a space. A candidate that is not in its pool is left out: it
    cannot be proposed."""
    found: dict[int, list[int]] = {}
    for name, candidate in history.refused:
        try:
            row = encoding.index(name, candidate)
        except UnknownName:
            continue
        found.setdefault(encoding.place(name), []).append(row)
    return {column: np.array(rows, dtype=np.intp) for column, rows in found.items()}


def refused_codes(encoding: Encoding, history: History) -> Floats:
    """Codes (m x 1) of the refused candidates of a pool that is the whole space; else none (0 x p).

    Such a space is searched whole, and what is refused counts as used up.
    """
    if encoding.sole_pool is None:
        return np.zeros((0, encoding.n_parameters))
    rows = refused(encoding, history).get(0, np.zeros(0, dtype=np.intp))
    return np.asarray((rows[:, None] + 0.5) / encoding.cells[0])


def agrees(encoding: Encoding, barred: Refused, codes: Floats) -> NDArray[np.bool_]:
    """Which codes (n x p), snapped, have a refused candidate."""
    bad = np.zeros(len(codes), dtype=bool)
    for column, rows in barred.items():
        bad |= np.isin(np.floor(codes[:, column] * encoding.cells[column]).astype(int), rows)
    return bad
