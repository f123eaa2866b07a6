"""How many points the planner is asked for at once."""

from __future__ import annotations

from orchestrator.engine.admission import n_free
from orchestrator.engine.given import until_control
from orchestrator.engine.study import Study
from orchestrator.model.state import State

MOST_AT_ONCE = 32
"""More would let the first of them wait for the last one, and what is measured meanwhile."""


def n_together(study: Study, state: State, room: int) -> int:
    """As many points as can be begun at once, where `room` more trials may be in flight.

    One at a time where each takes a place that a sample has to come to, and where what is asked
    next may hang on the answer: what people prefer, a context, how much there is still to gain.
    """
    campaign = study.campaign
    moves = any(bound.moves_sample for bound in study.steps)
    hangs_on = campaign.objective.by_preference or campaign.contexts
    if moves or hangs_on or campaign.stop.little_to_gain is not None:
        return 1
    free = [n for r in study.steps[0].resources if (n := n_free(study, state, r)) > 0]
    left = campaign.budget.trials - len(state.trials)
    return max(1, min(MOST_AT_ONCE, room, left, until_control(study, state), *free))
