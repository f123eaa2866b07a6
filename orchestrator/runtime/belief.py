"""What the planner of a campaign holds for true, asked for without an engine."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator import plugins
from orchestrator.engine.history import history_of, task_of
from orchestrator.errors import InputError, PlanningError
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.ports.planner import Belief, ModellingPlanner


@dataclass(frozen=True)
class Believed:
    """A belief, or one sentence that says why there is none."""

    belief: Belief | None
    why_none: str = ""


@dataclass(frozen=True)
class _Looked:
    campaign: Campaign


def belief_of(campaign: Campaign, state: State) -> Believed:
    """What the campaign's planner holds for true at the end of the journal.

    It is made anew: nothing is asked of a running engine.

    Raises:
        UnknownName: the planner is not installed here.
    """
    kind = campaign.planner.kind
    planner = plugins.load("planners", kind)(
        task_of(campaign, state.opened.sources if state.opened else ())
    )
    if not isinstance(planner, ModellingPlanner):
        return Believed(None, f"The planner '{kind}' has no model: it believes nothing.")
    history = history_of(_Looked(campaign), state, state.last_at - state.started_at)
    try:
        belief = planner.belief(history)
    except (PlanningError, InputError) as error:
        return Believed(None, f"The model cannot be made: {error}.")
    if belief is None:
        return Believed(None, "Too little has been measured for a model yet.")
    return Believed(belief)
