"""When points fill the space although there is a model: while it knows of nothing better to do.

It would go to corners, or measure again and again about what is good, however little it knows of
the rest: its length scales are those of what it has seen, and what they leave out it is sure of.
"""

from __future__ import annotations

import math

from orchestrator.planner.asking import SURE_SD
from orchestrator.planner.diagnosis import Diagnosis

LEAST_TOLD = 0.05
"""Of the scatter of one measurement: of so little no budget tells whether it is there."""
OF_SCATTER = "space-filling point, while the model takes what differs for scatter"
OF_LITTLE = "space-filling point, as the model hopes for nothing that could be told from scatter"


def why_filled(diagnosis: Diagnosis, log_gain: float | None) -> str:
    """Why a point should fill the space in place of one of which so much is hoped for (logarithm of
    the gain that is expected, standardised); '' where that one is the better choice.

    Either outcomes of the first goal scatter by at least half of what they vary by, and the model
    explains no more of them than chance would, or what is hoped for is nothing beside the scatter.
    """
    process = diagnosis.models.processes[0]
    if 2.0 * process.scatter**2 >= process.hyper.variance and diagnosis.is_doubtful(0):
        return OF_SCATTER
    if log_gain is None or process.scatter < SURE_SD:
        return ""
    return OF_LITTLE if log_gain < math.log(LEAST_TOLD * process.scatter) else ""
