"""The campaign as the planner sees it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.engine.blocks import BEFORE, block_of
from orchestrator.engine.seconds import seconds_of
from orchestrator.model.campaign import Campaign, PlannerChoice
from orchestrator.model.objective import PREFERENCE, Metric
from orchestrator.model.points import met_at
from orchestrator.model.samples import replicated
from orchestrator.model.space import Point, SearchSpace, fidelity_of
from orchestrator.model.start import KnownTrial
from orchestrator.model.state import State, TrialState
from orchestrator.model.transfer import Source
from orchestrator.model.trial import Proposal, TrialStatus
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

GIVEN = ("person", "control", "confirm")
"""Sources of proposals that the planner did not make."""


def task_of(campaign: Campaign, fetched: tuple[Source, ...] = ()) -> PlanningTask:
    """The question that does not change during a campaign, with the sources that were fetched."""
    wanted = wanted_metrics(campaign)
    return PlanningTask(
        space=campaign.space,
        metrics=tuple(MetricScale(name=m.name, unit=m.unit, scale=m.scale) for m in wanted),
        objective=campaign.objective,
        planner=_planner(campaign),
        seed=campaign.seed,
        sources=(*campaign.sources, *fetched),
        trials=campaign.budget.trials,
    )


def _planner(campaign: Campaign) -> PlannerChoice:
    """The file's; where controls are made, what drifts is modelled unless the file says no."""
    chosen = campaign.planner
    if campaign.controls is None or chosen.kind != "bayesian":
        return chosen
    return chosen.model_copy(update={"options": {"drift": True, **chosen.options}})


class Asking(Protocol):
    """Whatever knows its campaign: a study with its lab, or one that is only looked at."""

    @property
    def campaign(self) -> Campaign:
        """The campaign."""
        ...


def history_of(study: Asking, state: State, now_s: float | None = None) -> History:
    """What is known at `now_s` (campaign time since the start): ended trials in the order of their
    numbers, points in flight, and what these have given so far.

    A context has the value that was measured, where it was. Noise of reading is not passed on as
    the noise of an outcome: readings of one film are not films, and the surrogate infers the
    scatter between films.
    """
    return Past(study.campaign).history(state, now_s)


class Past:
    """What the planner is told of one state, time and again: looked at again are only the trials
    that events were about since, for there may be thousands."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._metrics = [m.name for m in wanted_metrics(campaign) if m.name != PREFERENCE]
        fidelity = fidelity_of(campaign.space)
        self._by_preference = campaign.objective.by_preference
        self._learns_cost = fidelity is not None and not fidelity.costs
        self._before: tuple[Evaluated, ...] | None = None
        self._n_read = 0
        self._n_proposed = 0
        self._n_controls: dict[int, int] = {}
        self._evaluated: list[Evaluated] = []
        self._pending: dict[int, Point] = {}
        self._begun: dict[int, Evaluated] = {}
        self._withdrawn: dict[int, Evaluated] = {}

    def history(self, state: State, now_s: float | None = None) -> History:
        """See `history_of`."""
        for number in dict.fromkeys(state.touched[self._n_read :]):
            self._look_at(state, state.trials[number])
        self._n_read = len(state.touched)
        if self._before is None:
            self._before = tuple(before(state, self._campaign))
        # all parts have been checked already; a copy of each is what takes the time
        return History.model_construct(
            evaluated=(*self._before, *self._evaluated),
            pending=tuple(self._pending.values()),
            begun=tuple(self._begun[n] for n in sorted(self._begun)),
            withdrawn=tuple(self._withdrawn[n] for n in sorted(self._withdrawn)),
            n_proposed=self._n_proposed,
            preferences=tuple(state.preferences),
            now_s=now_s,
            context=newest_context(self._campaign, state),
            refused=tuple(state.refused),
        )

    def _look_at(self, state: State, trial: TrialState) -> None:
        number = trial.number
        if number not in self._n_controls:
            self._n_proposed += trial.proposal.source not in GIVEN
            n_before = next(reversed(self._n_controls.values()), 0)
            self._n_controls[number] = n_before + (trial.proposal.source == "control")
        outcomes = _outcomes(trial, self._metrics)
        has_ended = self._has_ended(trial, outcomes)
        told = [self._told(state, trial, outcomes)] if has_ended else []
        place = bisect_left(self._evaluated, number, key=lambda known: known.trial)
        is_known = place < len(self._evaluated) and self._evaluated[place].trial == number
        self._evaluated[place : place + is_known] = told
        self._begun.pop(number, None)
        self._withdrawn.pop(number, None)
        if has_ended or trial.status.is_terminal:
            self._pending.pop(number, None)
            if not has_ended and (outcomes or self._by_preference):
                self._withdrawn[number] = self._told(state, trial, outcomes)
            return
        if outcomes:
            begun = self._told(state, trial, outcomes)
            self._begun[number] = begun.model_copy(update={"seconds": None})  # more are to come
        is_back = number not in self._pending and number < next(reversed(self._pending), 0)
        self._pending[number] = _met(self._campaign, trial)
        if is_back:
            self._pending = dict(sorted(self._pending.items()))

    def _has_ended(self, trial: TrialState, outcomes: Mapping[str, Outcome]) -> bool:
        """Whether a trial has failed, or has given all that is wanted."""
        if trial.status is TrialStatus.FAILED:
            return True
        if not self._metrics:
            return trial.status is TrialStatus.DONE
        return len(outcomes) == len(self._metrics)

    def _told(self, state: State, trial: TrialState, outcomes: dict[str, Outcome]) -> Evaluated:
        """What is known of a trial."""
        has_failed = trial.status is TrialStatus.FAILED
        return Evaluated(
            trial=trial.number,
            point=_met(self._campaign, trial),
            outcomes=outcomes,
            failed=has_failed,
            blames_parameters=has_failed and trial.blames_parameters,
            at_s=_known_at(trial) - state.started_at,
            block=block_of(self._campaign, trial, self._n_controls[trial.number]),
            seconds=seconds_of(state, trial) if self._learns_cost else None,
        )


def in_context(space: SearchSpace, proposal: Proposal, history: History) -> Proposal:
    """The proposal with its contexts as they are now, whatever its planner makes of them."""
    point = met_at(space, proposal.point, history.context)
    return proposal if point == proposal.point else proposal.model_copy(update={"point": point})


def before(state: State, campaign: Campaign) -> list[Evaluated]:
    """What was known before the first trial, under the numbers ..., -2, -1."""
    known = [*campaign.start, *(state.opened.start if state.opened else ())]
    return numbered_before(known, campaign)


def numbered_before(known: Sequence[KnownTrial], campaign: Campaign) -> list[Evaluated]:
    """Trials from before the first one; those of no block that is known share one."""
    block = BEFORE if campaign.block is not None else ""
    return [
        evaluated_of(trial, index - len(known), trial.block or block)
        for index, trial in enumerate(known)
    ]


def evaluated_of(trial: KnownTrial, number: int, block: str = "") -> Evaluated:
    """A trial that was made elsewhere, as the planner sees it."""
    return Evaluated(
        trial=number,
        point=trial.point,
        outcomes={name: Outcome(**found.model_dump()) for name, found in trial.outcomes.items()},
        failed=trial.failed,
        blames_parameters=trial.blames_parameters,
        block=block,
    )


def newest_context(campaign: Campaign, state: State) -> Point:
    """The context as it was measured last."""
    found: Point = {}
    for context in campaign.contexts:
        seen = [o for t in state.trials.values() if (o := t.observed(context.name)) is not None]
        if seen:
            found[context.name] = max(seen, key=lambda o: o.at).event.value
    return found


def _met(campaign: Campaign, trial: TrialState) -> Point:
    """The point with its contexts as they were met."""
    point = dict(trial.proposal.point)
    for context in campaign.contexts:
        seen = trial.observed(context.name)
        if seen is not None:
            point[context.name] = seen.event.value
    return point


def _known_at(trial: TrialState) -> float:
    """When the trial had given what it gives: at its end, or at its last observation."""
    if trial.ended_at is not None:
        return trial.ended_at
    return max((o.at for o in trial.observations), default=trial.proposed_at)


def wanted_metrics(campaign: Campaign) -> list[Metric]:
    """The metrics that the objective speaks of, those to optimise first."""
    return [campaign.metric(n) for n in campaign.objective.metrics]


def _outcomes(trial: TrialState, names: list[str]) -> dict[str, Outcome]:
    outcomes = {}
    for name in names:
        seen = trial.observed(name)
        if seen is not None:
            event = seen.event
            noise = replicated(event)
            outcomes[name] = Outcome(
                value=event.value,
                sd=noise.sd,
                n_samples=noise.n_samples,
                level=noise.level,
                censored=event.censored,
            )
    return outcomes
