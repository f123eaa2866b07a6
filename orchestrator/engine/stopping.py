"""Reasons to make no further proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.engine.study import Study
from orchestrator.errors import InputError
from orchestrator.model.campaign import Campaign, Rule, StopRules
from orchestrator.model.front import extended
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.model.space import counts
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import FailureCause, TrialStatus

LITTLE_IN_A_ROW = 3
"""Proposals in a row by which there is little to gain: a single one may be a poor fit."""


@dataclass(frozen=True)
class Reason:
    """Why a campaign ends; `rule` is a `Finished.rule`."""

    why: str
    rule: Rule


def reason_to_end(study: Study, state: State, now: float) -> Reason | None:
    """The first stop rule that holds, or None."""
    campaign = study.campaign
    n_trials = len(state.trials)
    if n_trials >= campaign.budget.trials and campaign.confirm is not None:
        n_trials = sum(map(is_regular, state.trials.values()))
    if n_trials >= campaign.budget.trials:
        return Reason(f"{_budget(campaign)} is used", "budget")
    limit_s = campaign.budget.time_s
    running_s = state.running_s + max(0.0, now - state.last_at)
    if limit_s is not None and running_s >= limit_s:
        return Reason(f"the budget of {limit_s / 3600:.3g} h is used", "time")
    return _by_results(study, state)


def n_left(campaign: Campaign, state: State) -> int:
    """How many trials the budget has left for points that nobody has wished yet."""
    n_regular = sum(map(is_regular, state.trials.values()))
    return max(0, campaign.budget.trials - n_regular - len(state.wished))


def refuse_beyond_budget(campaign: Campaign, state: State) -> None:
    """Accepts one more wish. Raises InputError: no trial is left for it."""
    if not n_left(campaign, state):
        raise InputError(
            f"{_budget(campaign)} has none left for another point",
            hint="change the file, let it `start` from this campaign, and run it with --new",
        )


def _by_results(study: Study, state: State) -> Reason | None:
    stop = study.campaign.stop
    if stop == StopRules():
        return None
    ended = sorted(
        (t for t in state.trials.values() if t.status.is_terminal and is_regular(t)),
        key=lambda t: t.ended_at or 0.0,
    )
    if stop.failures_in_a_row is not None:
        # what was interrupted (Ctrl-C, a stop, a killed engine) says nothing about the lab
        told = [t for t in ended if t.cause is not FailureCause.INTERRUPTED]
        last = told[-stop.failures_in_a_row :]
        if len(last) == stop.failures_in_a_row and all(
            t.status is TrialStatus.FAILED for t in last
        ):
            return Reason(f"{len(last)} trials in a row failed", "failures")
    done = [
        feasible_losses(study, t)
        for t in ended
        if t.status is TrialStatus.DONE and counts(study.campaign.space, t.proposal.point)
    ]
    if stop.target is not None:
        wanted = study.campaign.objective.loss(stop.target)
        if any(losses is not None and losses[0] <= wanted for losses in done):
            metric = study.campaign.metric(study.campaign.objective.metric)
            target = f"{stop.target:g} {metric.unit}".strip()
            return Reason(f"the target of {target} is reached", "target")
    if stop.little_to_gain is not None and _has_little_to_gain(state, stop.little_to_gain):
        gain = _gain_words(study.campaign, stop.little_to_gain)
        return Reason(f"less than {gain} was expected still to be gained", "little_to_gain")
    since_best = _since_best(done)
    if stop.no_progress is not None and since_best >= stop.no_progress:
        return Reason(f"no progress in {stop.no_progress} trials", "no_progress")
    return None


def _gain_words(campaign: Campaign, least: float) -> str:
    """A gain as the file says it: in the unit of the goal, or in % of a goal on a log scale."""
    metric = campaign.metric(campaign.objective.metric)
    if metric.scale == "log":
        return f"{100 * (10**least - 1):.3g} %"
    return f"{least:.3g} {metric.unit}".strip()


def is_regular(trial: TrialState) -> bool:
    """Whether a trial counts for the budget and the stop rules: all but replicates at the end."""
    return trial.proposal.source != "confirm"


def _has_little_to_gain(state: State, least: float) -> bool:
    """Whether the planner has expected less than this several times in a row."""
    proposals = (state.trials[n].proposal for n in sorted(state.trials))
    told = [p.still_to_gain for p in proposals if p.source in ("model", "pool")]
    last = told[-LITTLE_IN_A_ROW:]
    return len(last) == LITTLE_IN_A_ROW and all(g is not None and g < least for g in last)


def _since_best(done: Sequence[tuple[float, ...] | None]) -> int:
    """How many have come since one was better than all before it: of several goals, since one was
    neither beaten nor equalled. 0 before the first that counts."""
    front: list[tuple[float, ...]] = []
    since_best = 0
    for losses in done:
        better = None if losses is None else extended(front, losses)
        if better is not None:
            front, since_best = better, 0
        elif front:
            since_best += 1
    return since_best


def feasible_losses(study: Study, trial: TrialState) -> tuple[float, ...] | None:
    """What each goal wants to be small, of a trial that surely meets every constraint, at the
    fidelity that counts.

    A bound counts where the true value can only be better.
    """
    if not counts(study.campaign.space, trial.proposal.point):
        return None
    objective = study.campaign.objective
    losses = []
    for goal in objective.goals:
        seen = trial.observed(goal.metric)
        if seen is None or goal.may_be_worse(seen.event.censored):
            return None
        losses.append(goal.loss(seen.event.value))
    return tuple(losses) if all(_is_met(trial, c) for c in objective.constraints) else None


def _is_met(trial: TrialState, constraint: OutcomeConstraint) -> bool:
    seen = trial.observed(constraint.metric)
    if seen is None:
        return False
    value, censored = seen.event.value, seen.event.censored
    if constraint.sense == ">=":
        return value >= constraint.bound and censored != "below"
    return value <= constraint.bound and censored != "above"


def _budget(campaign: Campaign) -> str:
    n = campaign.budget.trials
    return f"the budget of {n} trial{'' if n == 1 else 's'}"
