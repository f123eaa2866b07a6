"""Several goals, of which one is at its worst nearly everywhere: where it rises from there at all.

A process of such a goal takes what it does not know for as likely above the floor as below, and the
search goes where the other goals are good, floor or not, as long as anything is unknown there. A
classifier learns instead where trials rose, as one does of trials that fail.
"""

from __future__ import annotations

import numpy as np

from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Shape
from orchestrator.planner.measured import ALL_EQUAL, Evidence
from orchestrator.planner.question import Question
from orchestrator.planner.survival import Survival, survival


def rising(encoding: Encoding, seen: Evidence, asked: Question, shape: Shape) -> Survival | None:
    """The factor by which the worth of a trial is less for the risk that a goal stays at its floor;
    None with one goal, on rungs, and where no goal has a floor."""
    if len(asked.aims) < 2 or encoding.rungs is not None:
        return None
    low, high = set[int](), set[int]()
    for aim in asked.aims:
        measured = seen.measured[asked.names[aim.column]]
        merit = aim.merit(measured.y)
        at_floor = merit <= merit.min() + ALL_EQUAL
        if len(merit) < 2 * np.count_nonzero(at_floor) < 2 * len(merit):
            rows = np.array(measured.rows)
            low |= set(rows[at_floor].tolist())
            high |= set(rows[~at_floor].tolist())
    high -= low
    if not low or not high:
        return None
    x = seen.features
    return survival(encoding, x[sorted(high)], x[sorted(low)], shape)
