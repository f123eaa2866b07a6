"""Wishes from the inbox, turned into events; one that cannot be granted says why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.engine.judging import pass_gate
from orchestrator.engine.study import Study
from orchestrator.errors import HaganeError, InputError, UnknownName
from orchestrator.model.events import (
    ActionDone,
    ActionFailed,
    ActionNotDone,
    Event,
    ObservationInvalidated,
    Observed,
    Paused,
    RequestTaken,
    Resumed,
    SampleMoved,
)
from orchestrator.model.quantity import quantity_in
from orchestrator.model.state import DispatchState, State, TrialState
from orchestrator.ports.execution import Executor
from orchestrator.ports.journal import Request


def grant(
    study: Study, state: State, executor: Executor, request: Request
) -> tuple[list[Event], str]:
    """The events that a wish causes (the first says that it was read), and the answer to it."""
    taken = RequestTaken(
        request=request.id, wish=request.kind, payload=dict(request.payload), by=request.by
    )
    try:
        events = _events(study, state, executor, request)
    except HaganeError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return [taken], f"refused: {error}{hint}"
    except (TypeError, ValueError, ArithmeticError) as error:
        # anybody may write into the inbox; it must not end the engine
        return [taken], f"refused: the wish cannot be understood ({error})"
    return [taken, *events], "done"


def _events(study: Study, state: State, executor: Executor, request: Request) -> list[Event]:
    payload, by = request.payload, request.by
    match request.kind:
        case "pause":
            return [Paused(why=str(payload.get("why") or "a person's wish"), by=by)]
        case "resume":
            return _resume(state, by)
        case "resolve":
            return _resolve(state, executor, payload, by)
        case "observe":
            return [_observe(study, state, payload, by)]
        case "invalidate":
            return [_invalidate(state, payload, by)]
        case _:
            raise UnknownName(
                "wish", request.kind, ["pause", "resume", "resolve", "observe", "invalidate"]
            )


def _resume(state: State, by: str) -> list[Event]:
    if state.paused is None:
        raise InputError("the campaign is not paused")
    if state.doubts():
        tickets = ", ".join(d.event.ticket for d in state.doubts())
        raise InputError(
            f"it is still in doubt what became of {tickets}",
            hint="see `hagane doubts`, and `hagane resolve TICKET done|not-done|failed`",
        )
    return [Resumed(by=by)]


def _resolve(state: State, executor: Executor, payload: Mapping[str, Any], by: str) -> list[Event]:
    doubts = {d.event.ticket: d for d in state.doubts()}
    ticket = str(payload.get("ticket", ""))
    if ticket not in doubts:
        raise UnknownName("ticket in doubt", ticket, doubts)
    dispatch = doubts[ticket]
    children = [doubts[c] for c in dispatch.children if c in doubts]
    note = str(payload.get("note") or "")
    events = [_verdict(executor, d, payload, by, note) for d in (*children, dispatch)]
    place = str(payload.get("at") or "")
    if place and dispatch.event.sample:
        events.append(SampleMoved(sample=dispatch.event.sample, target=place, by=by))
    is_last = set(doubts) <= {ticket, *(c.event.ticket for c in children)}
    if is_last and state.paused is not None and state.paused.about == "doubt":
        events.append(Resumed(by=by))
    return events


def _verdict(
    executor: Executor, dispatch: DispatchState, payload: Mapping[str, Any], by: str, note: str
) -> Event:
    ticket, event = dispatch.event.ticket, dispatch.event
    text = f"{by}: {note}" if note else by
    match payload.get("verdict"):
        case "not_done":
            return ActionNotDone(ticket=ticket, evidence="person", note=text)
        case "failed":
            return ActionFailed(
                ticket=ticket,
                error="Stopped",
                sentence=f"a person says that it did not come to a good end ({text})",
                spoils_sample=event.parent is None,
            )
        case "done":
            wanted = executor.actions[event.resource][event.action].results
            given = dict(payload.get("results") or {}) if event.parent is None else {}
            missing = [r for r in wanted if r.name not in given and r.kind == "real"]
            if missing and event.parent is None:
                names = " ".join(f"--result {r.name}=...[{r.unit}]" for r in missing)
                raise InputError(
                    f"{event.resource}.{event.action} gives results that a person must state",
                    hint=f"{names}, or resolve it as failed",
                )
            return ActionDone(ticket=ticket, results=given, evidence="person", note=text)
        case other:
            raise UnknownName("verdict", str(other), ["done", "not_done", "failed"])


def _observe(study: Study, state: State, payload: Mapping[str, Any], by: str) -> Observed:
    trial, sample = _trial_of(state, str(payload.get("sample", "")))
    names = [m.name for m in study.campaign.metrics]
    name = str(payload.get("metric", ""))
    if name not in names:
        raise UnknownName("metric", name, names)
    metric = study.campaign.metric(name)
    value = quantity_in(str(payload.get("value", "")), metric.unit)
    if not math.isfinite(value):
        raise InputError(f"{name} must be a finite number")
    pass_gate(metric, value)
    sd = payload.get("sd")
    return Observed(
        trial=trial.number,
        sample=sample,
        position=str(payload.get("position") or ""),
        metric=name,
        value=value,
        unit=metric.unit,
        sd=quantity_in(str(sd), metric.unit) if sd else None,
        level=payload.get("level") or "sample",
        censored=payload.get("censored"),
        source=str(payload.get("source") or f"person: {by}"),
    )


def _trial_of(state: State, sample: str) -> tuple[TrialState, str | None]:
    if sample in state.samples:
        return state.trials[state.samples[sample].trial], sample
    if sample.isdigit() and int(sample) in state.trials:
        trial = state.trials[int(sample)]
        return trial, trial.samples[-1] if trial.samples else None
    raise UnknownName("sample or trial", sample, state.samples)


def _invalidate(state: State, payload: Mapping[str, Any], by: str) -> ObservationInvalidated:
    known = {o.seq for t in state.trials.values() for o in t.observations}
    number = int(payload.get("observation", 0))
    if number not in known:
        raise UnknownName("observation", str(number), map(str, known))
    reason = str(payload.get("reason") or "")
    if not reason:
        raise InputError("an observation is only invalidated with a reason")
    return ObservationInvalidated(observation=number, reason=reason, by=by)
