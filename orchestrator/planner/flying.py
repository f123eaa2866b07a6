"""Trials in flight: those of which nothing is known yet, and those that gave some outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.kernel import Floats
from orchestrator.planner.measured import Evidence


def points_in_flight(seen: Evidence, goal: str) -> Floats:
    """Codes (m x p) of the points in flight, and of ended trials that gave data but nothing on the
    first `goal`."""
    return np.concatenate([seen.pending_codes, seen.codes[_unjudged(seen, goal)]])


def awaited(seen: Evidence, goal: str, flying: Floats) -> Floats:
    """Those of the points in flight (codes m x p) whose outcome of the first `goal` is to come."""
    return flying[to_come(seen, [goal], flying)[:, 0]]


def to_come(seen: Evidence, names: Sequence[str], flying: Floats) -> NDArray[np.bool_]:
    """Of which points in flight (codes m x p) which metrics (k, the first goal first) are still to
    come (m x k): what is known already is not to be expected once more."""
    found = np.ones((len(flying), len(names)), dtype=bool)
    begun = {*seen.waiting, *_unjudged(seen, names[0])}
    if not begun:
        return found
    keys = [code.tobytes() for code in flying]
    for column, name in enumerate(names):
        rows = sorted(begun.intersection(seen.measured[name].rows))
        known = Counter(code.tobytes() for code in seen.codes[rows])
        for place, key in enumerate(keys):
            if known[key]:
                known[key] -= 1
                found[place, column] = False
    return found


def _unjudged(seen: Evidence, goal: str) -> list[int]:
    known = {*seen.measured[goal].rows, *seen.withdrawn}
    return [row for row in seen.survived if row not in known]
