"""Proposals that the planner is not asked for: controls, and what people want to be tried."""

from __future__ import annotations

from typing import Literal, TypeAlias

from orchestrator.engine.study import Study
from orchestrator.model.state import State
from orchestrator.model.trial import Proposal, TrialStatus

Source: TypeAlias = Literal["planner", "person"]


def source_of_next(study: Study, state: State) -> Source:
    """Who gives the point of the next trial."""
    del study
    return "person" if state.wished else "planner"


def given_proposal(study: Study, state: State, source: Source) -> Proposal:
    """The point that somebody else than the planner gives."""
    del study, source
    wished = state.wished[0]
    why = f"{wished.by or 'a person'} wants it to be tried"
    return Proposal(point=wished.point, source="person", why=why)


def uncompared(study: Study, state: State) -> list[int]:
    """Trials about which people have to say which one is better, before the planner can go on.

    Nothing is asked before the initial design is done; then no trial is left without a comparison.
    """
    if not study.campaign.objective.by_preference:
        return []
    done = [t.number for t in state.trials.values() if t.status is TrialStatus.DONE]
    if len(state.trials) < study.campaign.planner.initial or len(done) < 2:
        return []
    compared = {number for pair in state.preferences for number in pair}
    return [number for number in done if number not in compared]
