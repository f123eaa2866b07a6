"""Proposals that the planner is not asked for: controls, what people want to be tried, and the
replicates at the end of a campaign."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Literal, TypeAlias

from orchestrator.engine.history import newest_context
from orchestrator.engine.stopping import Reason, feasible_losses, is_regular
from orchestrator.engine.study import Study
from orchestrator.model import events as ev
from orchestrator.model.points import met_at
from orchestrator.model.space import Point
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import REPEATS, Proposal, TrialStatus, named

Source: TypeAlias = Literal["planner", "person", "control", "confirm"]
CONFIRMED_AFTER = ("budget", "target", "no_progress", "little_to_gain", "exhausted")
"""The ends after which there is time left, and something to be confirmed."""


def source_of_next(study: Study, state: State, *, confirms: bool) -> Source:
    """Who gives the point of the next trial; `confirms`: the campaign is at its end."""
    if confirms:
        return "confirm"
    if study.campaign.controls is not None and until_control(study, state) == 0:
        return "control"
    return "person" if state.wished else "planner"


def given_proposal(study: Study, state: State, source: Source) -> Proposal:
    """The point that somebody else than the planner gives."""
    match source:
        case "control":
            why = "control: the same point again, to see what drifts"
            return Proposal(point=_control_point(study, state), source="control", why=why)
        case "confirm":
            return _replicate(study, state)
        case _:
            wished = state.wished[0]
            why = f"{wished.by or 'a person'} wants it to be tried"
            return Proposal(point=wished.point, source="person", why=why)


def until_control(study: Study, state: State) -> int:
    """How many trials may come before the next control; as many as the budget has where none is
    made."""
    controls = study.campaign.controls
    if controls is None:
        return study.campaign.budget.trials
    # from the newest back: there is a control within the last few
    for n_since, trial in enumerate(reversed(state.trials.values())):
        if n_since >= controls.every or trial.proposal.source == "control":
            return max(0, controls.every - n_since)
    return 0


def _control_point(study: Study, state: State) -> Point:
    campaign = study.campaign
    assert campaign.controls is not None, "or no control is due"
    return met_at(campaign.space, campaign.controls.point, newest_context(campaign, state))


def is_confirming(study: Study, state: State, end: Reason | None) -> bool:
    """Whether a replicate is still to be made, now that the campaign is at its end.

    Which trial is repeated is settled when all others have ended.
    """
    if study.campaign.confirm is None or end is None or end.rule not in CONFIRMED_AFTER:
        return False
    regular = [t for t in state.trials.values() if is_regular(t)]
    if not all(t.status.is_terminal for t in regular):
        return False
    return len(state.trials) - len(regular) < len(_plan(study, state))


def _plan(study: Study, state: State) -> list[int]:
    """Which trials are repeated, in order: the recommended one and its control in turn (0 stands
    for the control point); empty when no trial is worth it."""
    confirm = study.campaign.confirm
    assert confirm is not None, "or nothing is confirmed"
    made = [t for _, t in sorted(state.trials.items()) if not is_regular(t)]
    repeated = list(dict.fromkeys(int(t.proposal.notes[REPEATS]) for t in made))
    regular = [t for t in state.trials.values() if is_regular(t)]
    best = repeated[0] if repeated else _answer(study, state)
    if best is None:
        return []
    control = repeated[1] if len(repeated) > 1 else _control(study, regular, best)
    controls = [control] * confirm.control if control is not None else []
    pairs = zip_longest([best] * confirm.replicates, controls)
    return [number for pair in pairs for number in pair if number is not None]


def _answer(study: Study, state: State) -> int | None:
    """The trial that was recommended; before that, and where it has lost its value since, the best
    one as measured."""
    found = state.trials.get(state.recommended.trial) if state.recommended else None
    if found is not None and feasible_losses(study, found):
        return found.number
    return _best(study, (t for t in state.trials.values() if is_regular(t)))


def recommended(study: Study, state: State, by_model: int | None, note: str = "") -> ev.Recommended:
    """Which trial is to be confirmed: the model's choice if it is a trial of this campaign that
    surely keeps the limits, else the best one as measured (there must be one)."""
    chosen = state.trials.get(by_model) if by_model is not None else None
    if chosen is not None and is_regular(chosen) and feasible_losses(study, chosen):
        return ev.Recommended(trial=chosen.number, by="model")
    best = _answer(study, state)
    assert best is not None, "or nothing is confirmed"
    if by_model is not None:
        first = -len(study.campaign.start) - len(state.opened.start if state.opened else ())
        note = f"the model thinks best of {named(by_model, first)}, which cannot be repeated here"
    return ev.Recommended(trial=best, by="measured", note=note or "there is no model")


def _control(study: Study, regular: list[TrialState], best: int) -> int | None:
    """The control point, or else the best trial of the initial design if it is another one."""
    if study.campaign.controls is not None:
        return 0
    found = _best(study, (t for t in regular if t.proposal.source == "initial"))
    return None if found == best else found


def _best(study: Study, trials: Iterable[TrialState]) -> int | None:
    done = [t for t in trials if t.status is TrialStatus.DONE]
    found = [(losses, t.number) for t in done if (losses := feasible_losses(study, t))]
    return min(found)[1] if found else None


def _replicate(study: Study, state: State) -> Proposal:
    plan = _plan(study, state)
    number = plan[sum(not is_regular(t) for t in state.trials.values())]
    if number == 0:
        point, why = _control_point(study, state), "replicate of the control point"
    else:
        context = newest_context(study.campaign, state)
        point = met_at(study.campaign.space, state.trials[number].proposal.point, context)
        what = _standing(state) if number == plan[0] else "the control"
        why = f"replicate of trial {number}, {what}"
    return Proposal(point=point, source="confirm", why=why, notes={REPEATS: number})


def _standing(state: State) -> str:
    by_model = state.recommended is not None and state.recommended.by == "model"
    return "which the model recommends" if by_model else "the best one found"


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
