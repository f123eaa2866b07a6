"""The state of a campaign: the fold of its events, and nothing else.

`fold(events)` of a whole journal and `state.apply(event)` one by one give the same state.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from orchestrator.model import events as ev
from orchestrator.model.dispatches import DispatchState as DispatchState
from orchestrator.model.outages import Outages
from orchestrator.model.samples import mean_of_samples
from orchestrator.model.trial import FailureCause, Proposal, TrialStatus

_WEIGHT = {"wish": 0, "failure": 1, "doubt": 2, "latch": 3}


@dataclass
class ObservationState:
    """An observation and whether it still counts."""

    seq: int
    event: ev.Observed
    at: float
    invalidated: str = ""


@dataclass
class TrialState:
    """One trial: its proposal, its steps' tickets in order, what was observed."""

    number: int
    proposal: Proposal
    proposed_at: float
    status: TrialStatus = TrialStatus.PROPOSED
    proposed_wall: float = 0.0
    ended_wall: float | None = None
    after: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    attempts: dict[str, list[str]] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    observations: list[ObservationState] = field(default_factory=list)
    failed_step: str = ""
    cause: FailureCause | None = None
    sentence: str = ""
    blames_parameters: bool = False

    def was_observed(self, metric: str) -> bool:
        """Whether the metric has been observed at all, invalidated or not."""
        return any(o.event.metric == metric for o in self.observations)

    def observed(self, metric: str) -> ObservationState | None:
        """What was observed of a metric, by the observations that still count: the newest one, or
        the mean over different samples of the newest one of each."""
        found: dict[str | None, ObservationState] = {}
        for observation in reversed(self.observations):
            if observation.event.metric == metric and not observation.invalidated:
                found.setdefault(observation.event.sample, observation)
        if len(found) < 2:
            return next(iter(found.values()), None)
        newest = next(iter(found.values()))
        event = mean_of_samples([o.event for o in reversed(found.values())])
        return ObservationState(newest.seq, event, newest.at)


@dataclass
class SampleState:
    """A sample and where it is believed to be."""

    name: str
    trial: int
    position: str


@dataclass
class State:
    """Everything that a decision needs.

    `wished` are points that people want to be tried, `preferences` pairs of trials, the better one
    first. `recommended` is the trial that is to be confirmed. `live` are the numbers of the trials
    about which something may still have to be decided: those that have not ended, and failed ones
    with a sample that may have to be carried off. Those that merely wait for an action under way
    are `busy`, the others `idle`, so that a decision need not look at thousands that wait;
    `open_at` counts the open actions of each resource, parts of composites left out, and `unsure`
    are the open ones that failed. `touched` has, event by event, the number of the trial it was
    about, so that who keeps something of each trial need not look at all of them again.
    """

    opened: ev.CampaignOpened | None = None
    engine: ev.EngineStarted | None = None
    engine_is_up: bool = False
    was_left_safe: bool = True
    n_events: int = 0
    started_at: float = 0.0
    started_wall: float = 0.0
    last_at: float = 0.0
    last_wall: float = 0.0
    running_s: float = 0.0
    trials: dict[int, TrialState] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    live: dict[int, None] = field(default_factory=dict)
    busy: dict[int, None] = field(default_factory=dict)
    idle: dict[int, None] = field(default_factory=dict)
    open_at: dict[str, int] = field(default_factory=dict)
    unsure: dict[str, None] = field(default_factory=dict)
    outages: Outages = field(default_factory=Outages)
    samples: dict[str, SampleState] = field(default_factory=dict)
    dispatches: dict[str, DispatchState] = field(default_factory=dict)
    open_tickets: dict[str, None] = field(default_factory=dict)
    resources: dict[str, ev.ResourceFound] = field(default_factory=dict)
    found_by: ev.EngineStarted | None = None
    lost: list[tuple[float, ev.AttemptLost]] = field(default_factory=list)
    settled: list[tuple[float, ev.Settled]] = field(default_factory=list)
    kept: list[ev.Kept] = field(default_factory=list)
    made_safe: list[tuple[float, ev.MadeSafe]] = field(default_factory=list)
    guarded: list[tuple[int, ev.GuardianActed]] = field(default_factory=list)
    interlocks: list[tuple[float, ev.InterlockFired]] = field(default_factory=list)
    wished: list[ev.PointWished] = field(default_factory=list)
    refused: dict[tuple[str, str], None] = field(default_factory=dict)
    preferences: dict[tuple[int, int], None] = field(default_factory=dict)
    recommended: ev.Recommended | None = None
    requests_taken: set[int] = field(default_factory=set)
    paused: ev.Paused | None = None
    resumed_seq: int = 0
    finished: ev.Finished | None = None

    # one flat match over every kind of event is simpler to read than any way to split it
    def apply(self, recorded: ev.Recorded) -> None:  # noqa: C901
        """Takes the next event into account."""
        self.n_events = recorded.seq
        at, event = recorded.at, recorded.event
        is_start = isinstance(event, ev.EngineStarted)
        if self._went_on() if is_start else self.engine_is_up:
            self.running_s += max(0.0, at - self.last_at)
        self.last_at, self.last_wall = at, recorded.wall
        match event:
            case ev.CampaignOpened():
                self.opened, self.started_at, self.started_wall = event, at, recorded.wall
            case ev.EngineStarted():
                self.engine, self.engine_is_up = event, True
                self.outages.begin_anew()
            case ev.EngineStopped():
                self.engine_is_up, self.was_left_safe = False, event.is_safe
            case ev.ResourceFound():
                self.resources[event.resource], self.found_by = event, self.engine
            case ev.MadeSafe():
                self.made_safe.append((at, event))
                self.outages.lost[event.resource] = recorded.seq
            case ev.DriverEnded():
                self.outages.driver_ended = recorded.seq
            case ev.CalculationAwaited():
                pass  # what follows from it is in events of its own
            case ev.GuardianActed():
                self.guarded.append((recorded.seq, event))
            case ev.TrialProposed():
                self.trials[event.trial] = TrialState(
                    event.trial, event.proposal, at, after=event.after, proposed_wall=recorded.wall
                )
                self.live[event.trial] = self.idle[event.trial] = None
                if event.proposal.source == "person":
                    self._granted(event.proposal)
            case ev.Recommended():
                self.recommended = event
            case ev.PointWished():
                self._wish(event)
            case ev.CandidateRefused():
                self._refuse(event)
            case ev.Preferred():
                self._prefer(event)
            case ev.SampleMade():
                self.samples[event.sample] = SampleState(event.sample, event.trial, event.position)
                self.trials[event.trial].samples.append(event.sample)
            case ev.SampleMoved():
                self.samples[event.sample].position = event.target
            case ev.ActionDispatched():
                self._dispatched(recorded.seq, at, event)
            case ev.ActionDone():
                self._done(at, event)
            case ev.ActionFailed():
                self._action_failed(recorded.seq, at, event)
            case ev.ActionNotDone():
                order = self._close(event.ticket, "not_done", at).event
                if event.evidence == "asked":
                    self.outages.note_answer(order, is_done=False)
            case ev.AttemptLost():
                self.lost.append((at, event))
            case ev.Doubted():
                self.dispatches[event.ticket].doubt = event
                self._is_decided_about(event.ticket)
            case ev.Settled():
                self.settled.append((at, event))
            case ev.Kept():
                self.kept.append(event)
            case ev.Observed():
                self.trials[event.trial].observations.append(
                    ObservationState(recorded.seq, event, at)
                )
            case ev.ObservationInvalidated():
                self._invalidate(event)
            case ev.TrialDone():
                self.trials[event.trial].status = TrialStatus.DONE
                self._no_longer_live(event.trial)
                self.trials[event.trial].ended_at = at
                self.trials[event.trial].ended_wall = recorded.wall
            case ev.TrialAwaits():
                self.trials[event.trial].status = TrialStatus.AWAITING
            case ev.TrialFailed():
                self._failed(at, event)
            case ev.InterlockFired():
                self.interlocks.append((at, event))
            case ev.Paused():
                self._pause(event)
            case ev.Resumed():
                self.paused, self.resumed_seq = None, recorded.seq
                self.outages.begin_anew()
            case ev.RequestTaken():
                self.requests_taken.add(event.request)
            case ev.Finished():
                self.finished = event
            case _:
                assert_never(event)
        self._touch(event)

    def _went_on(self) -> bool:
        """Whether something went on by itself since the engine let go, from turn to turn."""
        open_ones = (self.dispatches[ticket] for ticket in self.open_tickets)
        return not self.engine_is_up and any(
            d.failure is None and d.doubt is None for d in open_ones
        )

    def _touch(self, event: ev.Event) -> None:
        number = getattr(event, "trial", None)
        dispatch = self.dispatches.get(getattr(event, "ticket", ""))
        number = number if dispatch is None else dispatch.event.trial
        if number is not None:
            self.touched.append(number)

    def _wish(self, event: ev.PointWished) -> None:
        """A person's last word about a candidate holds: who wants it does not refuse it."""
        self.wished.append(event)
        for name, value in event.point.items():
            self.refused.pop((name, str(value)), None)

    def _granted(self, proposal: Proposal) -> None:
        points = [wish.point for wish in self.wished]
        if proposal.point in points:
            del self.wished[points.index(proposal.point)]

    def _refuse(self, event: ev.CandidateRefused) -> None:
        self.refused[event.pool, event.candidate] = None
        self.wished = [w for w in self.wished if w.point.get(event.pool) != event.candidate]

    def _prefer(self, event: ev.Preferred) -> None:
        """The last word about two trials holds."""
        self.preferences.pop((event.worse, event.better), None)
        self.preferences.pop((event.better, event.worse), None)
        self.preferences[event.better, event.worse] = None

    def _dispatched(self, seq: int, at: float, event: ev.ActionDispatched) -> None:
        self.dispatches[event.ticket] = DispatchState(seq, event, at)
        self.outages.note_order(event)
        self.open_tickets[event.ticket] = None
        if event.parent is not None:
            self.dispatches[event.parent].children.append(event.ticket)
        elif event.trial is not None:
            trial = self.trials[event.trial]
            trial.attempts.setdefault(event.step, []).append(event.ticket)
            if trial.started_at is None:
                trial.started_at = at
            if trial.status is TrialStatus.PROPOSED:
                trial.status = TrialStatus.RUNNING
            if trial.status is TrialStatus.RUNNING:
                self.idle.pop(event.trial, None)
                self.busy[event.trial] = None
        if event.parent is None:
            self.open_at[event.resource] = self.open_at.get(event.resource, 0) + 1

    def _close(self, ticket: str, outcome: str, at: float) -> DispatchState:
        dispatch = self.dispatches[ticket]
        dispatch.outcome = outcome
        if outcome != "open":
            dispatch.ended_at = at
            if self.open_tickets.pop(ticket, self) is None and dispatch.event.parent is None:
                self.open_at[dispatch.event.resource] -= 1
            self.unsure.pop(ticket, None)
        self._is_decided_about(ticket)
        return dispatch

    def _is_decided_about(self, ticket: str) -> None:
        """The trial of an action no longer merely waits for it."""
        trial = self.dispatches[ticket].event.trial
        if trial in self.busy:
            del self.busy[trial]
            self.idle[trial] = None

    def _no_longer_live(self, trial: int) -> None:
        for kept in (self.live, self.busy, self.idle):
            kept.pop(trial, None)

    def _action_failed(self, seq: int, at: float, event: ev.ActionFailed) -> None:
        outcome = "open" if event.leaves_doubt else "failed"
        dispatch = self._close(event.ticket, outcome, at)
        dispatch.failure, dispatch.failed_seq = event, seq
        self.outages.note_failure(dispatch.event, event, seq, at)
        if dispatch.is_open:
            self.unsure[event.ticket] = None

    def _done(self, at: float, event: ev.ActionDone) -> None:
        dispatch = self._close(event.ticket, "done", at)
        dispatch.results, dispatch.note = dict(event.results), event.note
        order = dispatch.event
        self.outages.note_answer(order, is_done=True)
        if order.target and order.sample in self.samples:
            self.samples[order.sample].position = order.target

    def _invalidate(self, event: ev.ObservationInvalidated) -> None:
        for trial in self.trials.values():
            for observation in trial.observations:
                if observation.seq == event.observation:
                    observation.invalidated = event.reason
                    self.touched.append(trial.number)

    def _pause(self, event: ev.Paused) -> None:
        """A weaker reason does not take the place of a stronger one: it would end too easily."""
        if self.paused is None or _WEIGHT[event.about] > _WEIGHT[self.paused.about]:
            self.paused = event

    def _failed(self, at: float, event: ev.TrialFailed) -> None:
        trial = self.trials[event.trial]
        self.outages.failed.pop(event.trial, None)
        trial.status, trial.ended_at, trial.ended_wall = TrialStatus.FAILED, at, self.last_wall
        trial.failed_step, trial.cause = event.step, event.cause
        trial.sentence, trial.blames_parameters = event.sentence, event.blames_parameters
        if not trial.samples:
            self._no_longer_live(event.trial)
        elif self.busy.pop(event.trial, self) is None:
            self.idle[event.trial] = None

    def live_trials(self) -> list[TrialState]:
        """The trials that a decision has to look at, in the order of their numbers."""
        return [self.trials[number] for number in self.live]

    def idle_trials(self) -> list[TrialState]:
        """The live trials that do not merely wait for an action, in the order of their numbers."""
        return [self.trials[number] for number in sorted(self.idle)]

    @property
    def last_number(self) -> int:
        """Of the newest trial; 0 where there is none."""
        return next(reversed(self.trials), 0)

    def at_position(self, position: str) -> list[SampleState]:
        """The samples believed to be at a position."""
        return [s for s in self.samples.values() if s.position == position]

    def doubts(self) -> list[DispatchState]:
        """Top-level and inner dispatches that are open and were found without a result."""
        return [d for t in self.open_tickets if (d := self.dispatches[t]).doubt is not None]

    def unlooked(self) -> list[DispatchState]:
        """Where no engine is at work: whole actions that were left without a result, and that no
        engine has looked into yet. What can be asked after, a calculation in a queue, may go on
        where an engine let go of it in order."""
        found = (self.dispatches[t] for t in self.open_tickets)
        return [
            d
            for d in found
            if d.event.parent is None
            and d.doubt is None
            and (self.engine_is_up or d.failure is not None or d.event.effect != "queryable")
        ]


def fold(recorded: Iterable[ev.Recorded]) -> State:
    """The state after these events."""
    state = State()
    # nearly all that is made here stays: the collector would pass over it again and again,
    # which takes as long as the fold itself
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for entry in recorded:
            state.apply(entry)
    finally:
        if was_enabled:
            gc.enable()
    return state
