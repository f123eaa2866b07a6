"""Reasons to make no further proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.engine.study import Study
from orchestrator.model.campaign import StopRules
from orchestrator.model.events import Rule
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import TrialStatus


@dataclass(frozen=True)
class Reason:
    """Why a campaign ends; `rule` is a `Finished.rule`."""

    why: str
    rule: Rule


def reason_to_end(study: Study, state: State, now: float) -> Reason | None:
    """The first stop rule that holds, or None."""
    campaign = study.campaign
    if len(state.trials) >= campaign.budget.trials:
        return Reason(f"the budget of {campaign.budget.trials} trials is used", "budget")
    limit_s = campaign.budget.time_s
    running_s = state.running_s + max(0.0, now - state.last_at)
    if limit_s is not None and running_s >= limit_s:
        return Reason(f"the budget of {limit_s / 3600:.3g} h is used", "time")
    return _by_results(study, state)


def _by_results(study: Study, state: State) -> Reason | None:
    stop = study.campaign.stop
    if stop == StopRules():
        return None
    ended = sorted(
        (t for t in state.trials.values() if t.status.is_terminal), key=lambda t: t.ended_at or 0.0
    )
    if stop.failures_in_a_row is not None:
        last = ended[-stop.failures_in_a_row :]
        if len(last) == stop.failures_in_a_row and all(
            t.status is TrialStatus.FAILED for t in last
        ):
            return Reason(f"{len(last)} trials in a row failed", "failures")
    sign = 1.0 if study.campaign.objective.direction == "minimise" else -1.0
    done = [feasible_value(study, t) for t in ended if t.status is TrialStatus.DONE]
    best, since_best = _least([None if v is None else sign * v for v in done])
    if stop.target is not None and best is not None and best <= sign * stop.target:
        return Reason(f"the target of {stop.target:g} is reached", "target")
    if stop.no_progress is not None and since_best >= stop.no_progress:
        return Reason(f"no progress in {stop.no_progress} trials", "no_progress")
    return None


def _least(values: Sequence[float | None]) -> tuple[float | None, int]:
    """The least value, and how many have come since it was first reached."""
    best, since_best = None, 0
    for value in values:
        if value is not None and (best is None or value < best):
            best, since_best = value, 0
        elif best is not None:
            since_best += 1
    return best, since_best


def feasible_value(study: Study, trial: TrialState) -> float | None:
    """The objective's value of a trial that surely meets every constraint, in the metric's unit.

    A bound counts where the true value can only be better.
    """
    objective = study.campaign.objective
    seen = trial.observed(objective.metric)
    worse = "above" if objective.direction == "minimise" else "below"
    if seen is None or seen.event.censored == worse:
        return None
    if all(_is_met(trial, c) for c in objective.constraints):
        return seen.event.value
    return None


def _is_met(trial: TrialState, constraint: OutcomeConstraint) -> bool:
    seen = trial.observed(constraint.metric)
    if seen is None:
        return False
    value, censored = seen.event.value, seen.event.censored
    if constraint.sense == ">=":
        return value >= constraint.bound and censored != "below"
    return value <= constraint.bound and censored != "above"
