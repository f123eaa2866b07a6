"""What did not go as planned, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orchestrator.model.events import MadeSafe
from orchestrator.model.state import DispatchState, State
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.numbers import number, pretty_unit

Kind = Literal["failure", "retry", "doubt", "interlock", "made safe", "invalidated", "paused"]


@dataclass(frozen=True)
class Incident:
    """One thing that happened, `at_s` seconds of campaign time after the campaign was opened."""

    at_s: float
    kind: Kind
    trial: int | None
    text: str
    is_open: bool = False


def incidents(state: State) -> tuple[Incident, ...]:
    """Failures, repeated actions, doubts, interlocks, made-safe rounds, withdrawn observations."""
    found = [
        *_failures(state),
        *_actions(state),
        *_interlocks(state),
        *_made_safe(state),
        *_invalidated(state),
    ]
    if state.paused is not None:
        at = state.last_at - state.started_at
        text = f"paused by {state.paused.by}: {state.paused.why}"
        found.append(Incident(at, "paused", None, text, is_open=True))
    return tuple(sorted(found, key=lambda incident: incident.at_s))


def doubt_outcome(dispatch: DispatchState) -> str:
    """What became of a doubt, in words."""
    if dispatch.is_open:
        return "still open"
    words = {"done": "it was done", "not_done": "it was not done", "failed": "it failed"}
    return words[dispatch.outcome]


def _failures(state: State) -> list[Incident]:
    found = []
    for trial in state.trials.values():
        if trial.status is TrialStatus.FAILED and trial.ended_at is not None:
            where = f"step {trial.failed_step}: " if trial.failed_step else ""
            cause = f" [cause: {trial.cause.value}]" if trial.cause else ""
            at = trial.ended_at - state.started_at
            found.append(Incident(at, "failure", trial.number, where + trial.sentence + cause))
    return found


def _actions(state: State) -> list[Incident]:
    found = []
    for dispatch in state.dispatches.values():
        event, failure, doubt = dispatch.event, dispatch.failure, dispatch.doubt
        what = f"{event.resource}.{event.action}"
        at = dispatch.at - state.started_at
        if doubt is not None or (failure is not None and failure.leaves_doubt):
            known = doubt.known if doubt else failure.sentence if failure else ""
            text = f"{what} (ticket {event.ticket}): {known}; {doubt_outcome(dispatch)}"
            found.append(Incident(at, "doubt", event.trial, text, is_open=dispatch.is_open))
        elif failure is not None and failure.may_retry:
            ended = (dispatch.ended_at or dispatch.at) - state.started_at
            text = f"{what}, attempt {event.attempt}: {failure.sentence}"
            found.append(Incident(ended, "retry", event.trial, text))
    return found


def _interlocks(state: State) -> list[Incident]:
    found = []
    for at, fired in state.interlocks:
        dispatch = state.dispatches.get(fired.ticket)
        trial = dispatch.event.trial if dispatch else None
        text = f"{fired.rule}: {fired.reading}"
        found.append(Incident(at - state.started_at, "interlock", trial, text))
    return found


def _made_safe(state: State) -> list[Incident]:
    rounds: list[list[tuple[float, MadeSafe]]] = []
    for entry in state.made_safe:
        event = entry[1]
        last = rounds[-1] if rounds else []
        is_new = any(e.resource == event.resource or e.why != event.why for _, e in last)
        if is_new or not last:
            rounds.append([])
        rounds[-1].append(entry)
    return [_made_safe_round(state, entries) for entries in rounds]


def _made_safe_round(state: State, entries: list[tuple[float, MadeSafe]]) -> Incident:
    why = entries[0][1].why
    good = [event.resource for _, event in entries if event.ok]
    bad = [f"{e.resource} ({e.note or 'no answer'})" for _, e in entries if not e.ok]
    text = f"{why}: {', '.join(good)} made safe" if good else why
    if bad:
        text += f"; NOT made safe: {', '.join(bad)}"
    return Incident(entries[0][0] - state.started_at, "made safe", None, text, is_open=bool(bad))


def _invalidated(state: State) -> list[Incident]:
    found = []
    for trial in state.trials.values():
        for observation in trial.observations:
            if observation.invalidated:
                event = observation.event
                value = f"{number(event.value)} {pretty_unit(event.unit)}".rstrip()
                text = f"{event.metric} = {value} no longer counts: {observation.invalidated}"
                at = observation.at - state.started_at
                found.append(Incident(at, "invalidated", trial.number, text))
    return found
