"""How each trial stands, which one is best, and the campaign in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.campaign import Campaign
from orchestrator.model.objective import OutcomeConstraint
from orchestrator.model.space import Real, Value
from orchestrator.model.state import ObservationState, State, TrialState
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.numbers import duration, measured, number, pretty_unit

SENSES: Mapping[str, str] = {">=": "≥", "<=": "≤"}


class Standing(StrEnum):
    """What a trial is worth to the objective.

    feasible: measured, every constraint is known to be met.
    infeasible: measured, a constraint is not met, or not known to be.
    out_of_range: the objective is only known to be worse than a bound.
    no_value: ended without a valid observation of the objective.
    failed, in_flight: see the trial's status.
    """

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    OUT_OF_RANGE = "out_of_range"
    NO_VALUE = "no_value"
    FAILED = "failed"
    IN_FLIGHT = "in_flight"


@dataclass(frozen=True)
class Summary:
    """The campaign at a glance. Times are campaign time; `running_s` leaves out idle nights.

    `best_value` is in `unit`; `feasible` is false when no trial met the constraints, and then
    there is no best trial.
    """

    best_trial: int | None
    best_value: float | None
    best_sd: float | None
    unit: str
    feasible: bool
    n_done: int
    n_failed: int
    n_in_flight: int
    elapsed_s: float
    running_s: float
    headline: str


def standing(campaign: Campaign, trial: TrialState) -> Standing:
    """How a trial stands."""
    if trial.status is TrialStatus.FAILED:
        return Standing.FAILED
    objective = trial.observed(campaign.objective.metric)
    if objective is None:
        return Standing.NO_VALUE if trial.status.is_terminal else Standing.IN_FLIGHT
    if not all(
        is_met(rule, trial.observed(rule.metric)) for rule in campaign.objective.constraints
    ):
        return Standing.INFEASIBLE if trial.status.is_terminal else Standing.IN_FLIGHT
    worse = "above" if campaign.objective.direction == "minimise" else "below"
    if objective.event.censored == worse:
        return Standing.OUT_OF_RANGE
    return Standing.FEASIBLE


def is_met(rule: OutcomeConstraint, observed: ObservationState | None) -> bool:
    """A constraint is known to be met (a censored value must lie on the safe side)."""
    if observed is None:
        return False
    event = observed.event
    if rule.sense == ">=":
        return event.value >= rule.bound and event.censored != "below"
    return event.value <= rule.bound and event.censored != "above"


def best_trial(campaign: Campaign, state: State) -> TrialState | None:
    """The feasible trial with the best objective, the earliest of equals."""
    best, best_value = None, math.inf
    sign = 1.0 if campaign.objective.direction == "minimise" else -1.0
    for trial in state.trials.values():
        observed = trial.observed(campaign.objective.metric)
        if observed is None or standing(campaign, trial) is not Standing.FEASIBLE:
            continue
        if sign * observed.event.value < best_value:
            best, best_value = trial, sign * observed.event.value
    return best


def summary(campaign: Campaign, state: State) -> Summary:
    """The campaign at a glance."""
    best = best_trial(campaign, state)
    observed = best.observed(campaign.objective.metric) if best else None
    statuses = [t.status for t in state.trials.values()]
    return Summary(
        best_trial=best.number if best else None,
        best_value=observed.event.value if observed else None,
        best_sd=observed.event.sd if observed else None,
        unit=campaign.metric(campaign.objective.metric).unit,
        feasible=best is not None,
        n_done=statuses.count(TrialStatus.DONE),
        n_failed=statuses.count(TrialStatus.FAILED),
        n_in_flight=sum(not s.is_terminal for s in statuses),
        elapsed_s=max(0.0, state.last_at - state.started_at),
        running_s=state.running_s,
        headline=_headline(campaign, state, best),
    )


def shown_value(campaign: Campaign, name: str, value: Value) -> str:
    """A parameter's value with its unit."""
    unit = getattr(campaign.space[name], "unit", "")
    text = value if isinstance(value, str) else number(value)
    return f"{text} {pretty_unit(unit)}".rstrip()


def shown_point(campaign: Campaign, trial: TrialState) -> str:
    """The point of a trial in words: `oxygen 0.4076 sccm, temperature 414.5 °C`."""
    point = trial.proposal.point
    return ", ".join(f"{n} {shown_value(campaign, n, point[n])}" for n in point)


def shown_metric(campaign: Campaign, trial: TrialState, metric: str) -> str:
    """What was measured, with uncertainty and unit; empty when nothing valid was."""
    observed = trial.observed(metric)
    if observed is None:
        return ""
    event = observed.event
    unit = event.unit or campaign.metric(metric).unit
    return measured(event.value, event.sd, unit, censored=event.censored or "")


def shown_rule(campaign: Campaign, rule: OutcomeConstraint) -> str:
    """A constraint in words: `thickness ≥ 120 nm`."""
    unit = pretty_unit(campaign.metric(rule.metric).unit)
    return f"{rule.metric} {SENSES[rule.sense]} {number(rule.bound)} {unit}".rstrip()


def metric_order(campaign: Campaign) -> list[str]:
    """The objective first, then its constraints, then the rest."""
    names = [campaign.objective.metric, *(r.metric for r in campaign.objective.constraints)]
    names += [m.name for m in campaign.metrics]
    return list(dict.fromkeys(names))


def is_log_axis(campaign: Campaign, name: str) -> bool:
    """A parameter is varied on a logarithmic scale."""
    parameter = campaign.space[name]
    return isinstance(parameter, Real) and parameter.scale == "log"


def wanted(campaign: Campaign) -> str:
    """The objective in words: `lowest resistivity, subject to thickness ≥ 120 nm`."""
    objective = campaign.objective
    word = "lowest" if objective.direction == "minimise" else "highest"
    rules = ", ".join(shown_rule(campaign, rule) for rule in objective.constraints)
    return f"{word} {objective.metric}" + (f", subject to {rules}" if rules else "")


def planned(campaign: Campaign) -> str:
    """The budget in words: `40 trials, 2 d`."""
    n = campaign.budget.trials
    text = f"{n} trial{'' if n == 1 else 's'}"
    limit = campaign.budget.time_s
    return text if limit is None else f"{text}, {duration(limit)}"


def _headline(campaign: Campaign, state: State, best: TrialState | None) -> str:
    metric = campaign.objective.metric
    if best is not None:
        rules = [
            f"{r.metric} {shown_metric(campaign, best, r.metric)}"
            for r in campaign.objective.constraints
            if r.metric != metric
        ]
        met = f", with {' and '.join(rules)}" if rules else ""
        value = shown_metric(campaign, best, metric)
        return f"Trial {best.number} is the best: {metric} {value}{met}."
    n = sum(t.observed(metric) is not None for t in state.trials.values())
    if n == 0:
        return f"No trial has given a value of {metric}."
    rules_text = ", ".join(shown_rule(campaign, r) for r in campaign.objective.constraints)
    if not rules_text:
        return f"No trial gave a value of {metric} within the range that can be measured."
    return f"No trial met the constraints ({rules_text}); {n} gave a value of {metric}."
