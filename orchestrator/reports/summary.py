"""How each trial stands, which one is best, and the campaign in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line
from orchestrator.model.front import undominated
from orchestrator.model.objective import PREFERENCE, Goal, OutcomeConstraint
from orchestrator.model.patience import Wait, waits
from orchestrator.model.space import Ordinal, Real, Value, counts
from orchestrator.model.state import ObservationState, State, TrialState
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.confirmation import confirmation, in_words
from orchestrator.reports.numbers import duration, measured, moment, number, pretty_unit

SENSES: Mapping[str, str] = {">=": "≥", "<=": "≤"}
MOST_OF_FRONT = 12
"""Of a front with more trials, these are told; the table of trials marks all."""


class Standing(StrEnum):
    """What a trial is worth to the objective.

    feasible: measured, every constraint is known to be met.
    lower_fidelity: the same, at a fidelity that does not count.
    infeasible: measured, a constraint is not met, or not known to be.
    out_of_range: a goal is only known to be worse than a bound.
    no_value: ended without a valid observation of every goal.
    failed, in_flight: see the trial's status.
    """

    FEASIBLE = "feasible"
    LOWER_FIDELITY = "lower_fidelity"
    INFEASIBLE = "infeasible"
    OUT_OF_RANGE = "out_of_range"
    NO_VALUE = "no_value"
    FAILED = "failed"
    IN_FLIGHT = "in_flight"


@dataclass(frozen=True)
class Summary:
    """The campaign at a glance. Times are campaign time; `running_s` leaves out idle nights.

    `best_value` is in `unit`; `feasible` is false when no trial met the constraints, and then
    there is no best trial. Of several goals no trial is the best: `front` has those that no other
    one beats.
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
    front: tuple[int, ...] = ()
    still_to_gain: str = ""
    confirmed: str = ""


def waits_in_words(
    campaign: Campaign, state: State, clock: Callable[[float], str] | None = None
) -> list[str]:
    """Each device that is waited for: since when, who tries it again when, and until when. `clock`
    writes a campaign time; where it is not given, as time since the start."""
    told = clock or (lambda at: moment(at - state.started_at, fine=True))
    return [_wait_in_words(wait, told) for wait in waits(campaign, state)]


def _wait_in_words(wait: Wait, told: Callable[[float], str]) -> str:
    until = f", until {told(wait.until)}" if wait.until is not None else ""
    more = f"; {wait.n_others} more trial{'s wait' if wait.n_others > 1 else ' waits'} for it"
    return (
        f"{wait.resource} could not be reached at {told(wait.since)}; step '{wait.step}' of trial "
        f"{wait.trial} tries it again at {told(wait.again)}{until}{more * bool(wait.n_others)}"
    )


def standing(campaign: Campaign, trial: TrialState) -> Standing:
    """How a trial stands."""
    if trial.status is TrialStatus.FAILED:
        return Standing.FAILED
    objective = campaign.objective
    goals = () if objective.by_preference else objective.goals
    seen = [(goal, trial.observed(goal.metric)) for goal in goals]
    if any(observed is None for _, observed in seen) or not (goals or trial.status.is_terminal):
        return Standing.NO_VALUE if trial.status.is_terminal else Standing.IN_FLIGHT
    if not all(is_met(rule, trial.observed(rule.metric)) for rule in objective.constraints):
        return Standing.INFEASIBLE if trial.status.is_terminal else Standing.IN_FLIGHT
    if any(observed and goal.may_be_worse(observed.event.censored) for goal, observed in seen):
        return Standing.OUT_OF_RANGE
    is_answer = counts(campaign.space, trial.proposal.point)
    return Standing.FEASIBLE if is_answer else Standing.LOWER_FIDELITY


def is_met(rule: OutcomeConstraint, observed: ObservationState | None) -> bool:
    """A constraint is known to be met (a censored value must lie on the safe side)."""
    if observed is None:
        return False
    event = observed.event
    if rule.sense == ">=":
        return event.value >= rule.bound and event.censored != "below"
    return event.value <= rule.bound and event.censored != "above"


def best_trial(campaign: Campaign, state: State) -> TrialState | None:
    """The feasible trial with the best objective, the earliest of equals; None of several goals."""
    if len(campaign.objective.goals) > 1:
        return None
    if campaign.objective.by_preference:
        return _preferred(campaign, state)
    best, best_loss = None, math.inf
    for trial in state.trials.values():
        # replicates are made of the best one: the luckiest of them is no better
        losses = losses_of(campaign, trial) if trial.proposal.source != "confirm" else None
        if losses is not None and losses[0] < best_loss:
            best, best_loss = trial, losses[0]
    return best


def best_trials(campaign: Campaign, state: State) -> tuple[TrialState, ...]:
    """The best trial; of several goals the front: the feasible trials that no other one beats."""
    if len(campaign.objective.goals) == 1:
        best = best_trial(campaign, state)
        return () if best is None else (best,)
    found = [(t, losses) for t in state.trials.values() if (losses := losses_of(campaign, t))]
    on_front = undominated([losses for _, losses in found])
    return tuple(t for (t, _), is_best in zip(found, on_front, strict=True) if is_best)


def _preferred(campaign: Campaign, state: State) -> TrialState | None:
    """The feasible trial with the most comparisons won less those that were lost."""
    score: dict[int, int] = {}
    for better, worse in state.preferences:
        score[better] = score.get(better, 0) + 1
        score[worse] = score.get(worse, 0) - 1
    found = [n for n in score if standing(campaign, state.trials[n]) is Standing.FEASIBLE]
    return state.trials[max(found, key=lambda n: (score[n], -n))] if found else None


def preferred_words(state: State, trial: TrialState) -> str:
    """How often a trial was preferred: `preferred in 3 of 4 comparisons`."""
    met = [pair for pair in state.preferences if trial.number in pair]
    n_won = sum(better == trial.number for better, _ in met)
    return f"preferred in {n_won} of {len(met)} comparison{'' if len(met) == 1 else 's'}"


def losses_of(campaign: Campaign, trial: TrialState) -> tuple[float, ...] | None:
    """What each goal wants to be small; None of a trial that is not feasible, or not measured, or
    at a fidelity that does not count."""
    if campaign.objective.by_preference or standing(campaign, trial) is not Standing.FEASIBLE:
        return None
    seen = [(goal, trial.observed(goal.metric)) for goal in campaign.objective.goals]
    return tuple(goal.loss(observed.event.value) for goal, observed in seen if observed)


def summary(campaign: Campaign, state: State) -> Summary:
    """The campaign at a glance."""
    best, front = best_trial(campaign, state), best_trials(campaign, state)
    observed = best.observed(campaign.objective.metric) if best else None
    statuses = [t.status for t in state.trials.values()]
    return Summary(
        best_trial=best.number if best else None,
        best_value=observed.event.value if observed else None,
        best_sd=observed.event.sd if observed else None,
        unit=campaign.metric(campaign.objective.metric).unit,
        feasible=bool(front),
        n_done=statuses.count(TrialStatus.DONE),
        n_failed=statuses.count(TrialStatus.FAILED),
        n_in_flight=sum(not s.is_terminal for s in statuses),
        elapsed_s=max(0.0, state.last_at - state.started_at),
        running_s=state.running_s,
        headline=_headline(campaign, state, front),
        still_to_gain=shown_gain(campaign, state),
        confirmed=in_words(campaign, found) if (found := confirmation(campaign, state)) else "",
        front=tuple(t.number for t in front) if len(campaign.objective.goals) > 1 else (),
    )


def shown_value(campaign: Campaign, name: str, value: Value) -> str:
    """A parameter's value with its unit."""
    unit = getattr(campaign.space[name], "unit", "")
    text = in_a_line(value) if isinstance(value, str) else number(value)
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


def shown_goals(campaign: Campaign, trial: TrialState) -> str:
    """What came of every goal, in words: `cost 3.2 EUR, strength 410 MPa`."""
    names = [goal.metric for goal in campaign.objective.goals]
    return ", ".join(f"{m} {shown_metric(campaign, trial, m)}".rstrip() for m in names)


def shown_rule(campaign: Campaign, rule: OutcomeConstraint) -> str:
    """A constraint in words: `thickness ≥ 120 nm`."""
    unit = pretty_unit(campaign.metric(rule.metric).unit)
    shown = f"{rule.metric} {SENSES[rule.sense]} {number(rule.bound)} {unit}".rstrip()
    return shown + (f" with {100 * rule.confidence:g} %" if rule.confidence else "")


def shown_gain(campaign: Campaign, state: State) -> str:
    """What the planner last expected still to gain, in words; '' where it did not say."""
    told = [t.proposal.still_to_gain for _, t in sorted(state.trials.items())]
    known = [gain for gain in told if gain is not None]
    if campaign.objective.by_preference:
        return ""  # nobody has a unit for it
    return gain_in_words(campaign, known[-1]) if known else ""


def gain_in_words(campaign: Campaign, gain: float) -> str:
    """A gain in the goal's unit, or as a share where its metric is on a log scale: `5 %`."""
    metric = campaign.metric(campaign.objective.metric)
    if metric.scale == "log":
        return f"{number(100.0 * (10.0 ** min(gain, 300.0) - 1.0), 3)} %"
    return f"{number(gain, 3)} {pretty_unit(metric.unit)}".rstrip()


def known_before(campaign: Campaign, state: State) -> str:
    """What was known before the first trial, in words; '' for nothing."""
    opened = state.opened.start if state.opened else ()
    n = len(campaign.start) + len(opened)
    if not n:
        return ""
    where = (*campaign.start, *opened)[0].source.rsplit(" ", 2)[0]
    return f"{n} trial{'' if n == 1 else 's'} of {where}"


def metric_order(campaign: Campaign) -> list[str]:
    """The goals first, then the constraints, then the rest."""
    names = [*campaign.objective.metrics, *(m.name for m in campaign.metrics)]
    return [name for name in dict.fromkeys(names) if name != PREFERENCE]


def is_log_axis(campaign: Campaign, name: str) -> bool:
    """A parameter is varied on a logarithmic scale."""
    parameter = campaign.space[name]
    return isinstance(parameter, Real | Ordinal) and parameter.scale == "log"


def wanted(campaign: Campaign) -> str:
    """The objective in words: `lowest resistivity, subject to thickness ≥ 120 nm`."""
    objective = campaign.objective
    goals = listed([shown_goal(campaign, goal) for goal in objective.goals])
    rules = ", ".join(shown_rule(campaign, rule) for rule in objective.constraints)
    return goals + (f", subject to {rules}" if rules else "")


def shown_goal(campaign: Campaign, goal: Goal) -> str:
    """A goal in words: `lowest resistivity`, `gap between 1.4 and 1.6 eV`."""
    if goal.metric == PREFERENCE:
        return "what people prefer"
    if goal.direction != "match":
        return f"{'lowest' if goal.direction == 'minimise' else 'highest'} {goal.metric}"
    unit = pretty_unit(campaign.metric(goal.metric).unit)
    low, high = (number(bound) for bound in goal.band)
    if goal.low is None or goal.high is None:
        words = f"at least {low}" if goal.high is None else f"at most {high}"
    else:
        words = f"as near as possible to {low}" if low == high else f"between {low} and {high}"
    return f"{goal.metric} {words} {unit}".rstrip()


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])


def elapsed(glance: Summary) -> str:
    """Campaign time in words, and how much of it an engine ran if it is another one."""
    time, running = duration(glance.elapsed_s), duration(glance.running_s)
    return time if running == time else f"{time} (running: {running})"


def stopped(state: State) -> str:
    """How a campaign stands that has not ended, and whose engine is gone."""
    n = sum(trial.status is TrialStatus.AWAITING for trial in state.trials.values())
    missing = f", with observations of {n} trial{'' if n == 1 else 's'} missing" if n else ""
    return f"stopped before its end{missing}"


def planned(campaign: Campaign) -> str:
    """The budget in words: `40 trials, 2 d`."""
    n = campaign.budget.trials
    text = f"{n} trial{'' if n == 1 else 's'}"
    limit = campaign.budget.time_s
    return text if limit is None else f"{text}, {duration(limit)}"


def _headline(campaign: Campaign, state: State, front: tuple[TrialState, ...]) -> str:
    metric, best = campaign.objective.metric, front[0] if front else None
    if best is None:
        return _no_best(campaign, state)
    if len(campaign.objective.goals) > 1:
        return _front_headline(listed([g.metric for g in campaign.objective.goals]), front)
    rules = [
        f"{r.metric} {shown_metric(campaign, best, r.metric)}"
        for r in campaign.objective.constraints
        if r.metric != metric
    ]
    met = f", with {listed(rules)}" if rules else ""
    if campaign.objective.by_preference:
        return f"Trial {best.number} is the best: {preferred_words(state, best)}{met}."
    value = shown_metric(campaign, best, metric)
    return f"Trial {best.number} is the best: {metric} {value}{met}."


def _no_best(campaign: Campaign, state: State) -> str:
    if campaign.objective.by_preference:
        return "Nobody has compared two trials yet."
    names = [goal.metric for goal in campaign.objective.goals]
    metric, trials = listed(names), state.trials.values()
    rest = [t for t in trials if t.status is not TrialStatus.FAILED]
    n = sum(all(t.observed(m) is not None for m in names) for t in rest)
    if n == 0:
        n_failed = len(trials) - len(rest)
        failed = f": {n_failed} of {len(trials)} failed" if n_failed else ""
        return f"No trial has given a value of {metric}{failed}."
    if n_rough := sum(standing(campaign, t) is Standing.LOWER_FIDELITY for t in rest):
        where = "at the fidelity that counts"
        return f"No trial {where} has given a value of {metric}; {n_rough} at lower ones have."
    rules_text = ", ".join(shown_rule(campaign, r) for r in campaign.objective.constraints)
    if not rules_text:
        return f"No trial gave a value of {metric} within the range that can be measured."
    n_late = sum(t.status is TrialStatus.AWAITING for t in rest)
    late = f", and observations of {n_late} are missing" * bool(n_late)
    return f"No trial met the constraints ({rules_text}); {n} gave a value of {metric}{late}."


def _front_headline(metrics: str, front: tuple[TrialState, ...]) -> str:
    if len(front) == 1:
        return f"Trial {front[0].number} is the best in {metrics} at once."
    shown = ", ".join(str(t.number) for t in front[:MOST_OF_FRONT])
    end = "." if len(front) <= MOST_OF_FRONT else ", ..."
    return f"{len(front)} trials are the best in {metrics}, each in its way: {shown}{end}"
