"""Wishes from the inbox, turned into events; one that cannot be granted says why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from orchestrator.engine.admission import room_at
from orchestrator.engine.history import newest_context
from orchestrator.engine.judging import pass_gate
from orchestrator.engine.points import refuse_outside
from orchestrator.engine.stopping import refuse_beyond_budget
from orchestrator.engine.study import Study
from orchestrator.engine.votes import voted
from orchestrator.errors import HaganeError, InputError, UnknownName
from orchestrator.model.campaign import Campaign
from orchestrator.model.events import (
    ActionDispatched,
    ActionDone,
    ActionFailed,
    ActionNotDone,
    Event,
    ObservationInvalidated,
    Observed,
    Paused,
    PointWished,
    Preferred,
    RequestTaken,
    Resumed,
    SampleMoved,
)
from orchestrator.model.objective import PREFERENCE
from orchestrator.model.points import point_from
from orchestrator.model.quantity import difference_in, quantity_in
from orchestrator.model.state import DispatchState, ObservationState, State, TrialState
from orchestrator.model.trial import Level, TrialStatus
from orchestrator.ports.action import ActionSpec
from orchestrator.ports.execution import Executor
from orchestrator.ports.journal import Request

OUT = "out"
"""Where a sample is that a person took out of the lab."""


def grant(
    study: Study,
    state: State,
    executor: Executor,
    request: Request,
    waiting: Sequence[Request] = (),
) -> tuple[list[Event], str]:
    """The events that a wish causes (the first says that it was read), and the answer to it.

    Of several verdicts on one ticket among those `waiting` the last one counts.
    """
    taken = RequestTaken(
        request=request.id, wish=request.kind, payload=dict(request.payload), by=request.by
    )
    try:
        _refuse_replaced(request, waiting)
        events = _events(study, state, executor, request)
    except HaganeError as error:
        why = str(error) + (f" ({error.hint})" if error.hint else "")
    except (TypeError, ValueError, ArithmeticError) as error:
        # anybody may write into the inbox; it must not end the engine
        why = f"the wish cannot be understood ({error})"
    else:
        return [taken, *events], "done"
    return [taken.model_copy(update={"refused": why})], f"refused: {why}"


def _refuse_replaced(request: Request, waiting: Sequence[Request]) -> None:
    ticket = request.payload.get("ticket")
    later = [r for r in waiting if r.id > request.id and r.kind == "resolve"]
    if request.kind == "resolve" and any(r.payload.get("ticket") == ticket for r in later):
        raise InputError("a later verdict on the same ticket takes its place")


def _events(study: Study, state: State, executor: Executor, request: Request) -> list[Event]:
    payload, by = request.payload, request.by
    grants: Mapping[str, Callable[[], list[Event]]] = {
        "pause": lambda: [Paused(why=str(payload.get("why") or "a person's wish"), by=by)],
        "resume": lambda: _resume(state, by),
        "resolve": lambda: _resolve(study, state, executor, payload, by),
        "observe": lambda: [observed(study.campaign, state, payload, by)],
        "invalidate": lambda: _invalidate(state, payload, by),
        "moved": lambda: [_moved(study, state, payload, by)],
        "try": lambda: [_try(study, state, payload, by)],
        "vote": lambda: voted(study.campaign, state, payload, by),
        "prefer": lambda: [_prefer(study, state, payload, by)],
        "stop": lambda: [Paused(why=f"stopped by {by}", by=by, about="latch")],
    }
    if request.kind not in grants:
        raise UnknownName("wish", request.kind, grants)
    return grants[request.kind]()


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


def _resolve(
    study: Study, state: State, executor: Executor, payload: Mapping[str, Any], by: str
) -> list[Event]:
    doubts = {d.event.ticket: d for d in state.doubts()}
    ticket = str(payload.get("ticket", ""))
    if ticket not in doubts:
        raise UnknownName("ticket in doubt", ticket, doubts)
    dispatch = doubts[ticket]
    children = [doubts[c] for c in dispatch.children if c in doubts]
    note = str(payload.get("note") or "")
    spec = _declared(study, executor, dispatch.event)
    events = [_verdict(spec, d, payload, by, note) for d in (*children, dispatch)]
    if payload.get("at") and dispatch.event.sample:
        place = _place(study, payload["at"])
        events.append(SampleMoved(sample=dispatch.event.sample, target=place, by=by))
    is_last = set(doubts) <= {ticket, *(c.event.ticket for c in children)}
    if is_last and state.paused is not None and state.paused.about == "doubt":
        events.append(Resumed(by=by))
    return events


def _verdict(
    spec: ActionSpec | None,
    dispatch: DispatchState,
    payload: Mapping[str, Any],
    by: str,
    note: str,
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
            results = _stated(spec, event, payload) if event.parent is None else {}
            return ActionDone(ticket=ticket, results=results, evidence="person", note=text)
        case other:
            raise UnknownName("verdict", str(other), ["done", "not_done", "failed"])


def _declared(study: Study, executor: Executor, event: ActionDispatched) -> ActionSpec | None:
    """The action as its resource declares it, or where the lab has that one no more, as its step is
    made now; None for one that is no step of the recipe either."""
    steps = {bound.step.name: bound.action for bound in study.steps}
    return executor.actions.get(event.resource, {}).get(event.action) or steps.get(event.step)


def _stated(
    spec: ActionSpec | None, event: ActionDispatched, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """The results that a person states for an action whose own were lost."""
    given = dict(payload.get("results") or {})
    if spec is not None:
        check_stated(event, spec, given)
    return given


def check_stated(event: ActionDispatched, spec: ActionSpec, given: Mapping[str, Any]) -> None:
    """Accepts results that are all there, known, and finite. Raises InputError."""
    wanted = {r.name: r for r in spec.results}
    for name, value in given.items():
        if name not in wanted:
            raise UnknownName(f"result of {event.resource}.{event.action}", name, wanted)
        is_number = isinstance(value, int | float) and math.isfinite(value)
        if wanted[name].kind == "real" and not is_number:
            raise InputError(f"the result '{name}' must be a finite number, not {value!r}")
    missing = [r for r in wanted.values() if r.name not in given and r.kind == "real"]
    if missing:
        raise InputError(
            f"{event.resource}.{event.action} gives results that a person must state",
            hint=" ".join(f"--result {r.name}=...[{r.unit}]" for r in missing)
            + ", or resolve it as failed",
        )


def observed(campaign: Campaign, state: State, payload: Mapping[str, Any], by: str) -> Observed:
    """What a person measured elsewhere. Raises InputError, ResultRefused."""
    trial, sample = _trial_of(state, str(payload.get("sample", "")))
    names = [m.name for m in campaign.metrics if m.name != PREFERENCE]
    name = str(payload.get("metric", ""))
    if name not in names:
        raise UnknownName("metric", name, names)
    metric = campaign.metric(name)
    value = _measured(f"the value of {name}", payload.get("value"), metric.unit)
    pass_gate(metric, value)
    sd = payload.get("sd")
    if sd is not None:
        sd = _measured(f"the sd of {name}", sd, metric.unit, difference_in)
        if sd < 0:
            raise InputError(f"the sd of {name} is below zero")
    level = _one_of(payload.get("level") or "sample", get_args(Level))
    n_samples = int(payload.get("n_samples") or 1)
    if level == "reading" and n_samples > 1:
        raise InputError(
            f"{n_samples} readings of one sample are not {n_samples} samples",
            hint="leave --samples out, or say with --level what was replicated",
        )
    return Observed(
        trial=trial.number,
        sample=sample,
        position=str(payload.get("position") or ""),
        metric=name,
        value=value,
        unit=metric.unit,
        sd=sd,
        level=level,
        n_readings=int(payload.get("n_readings") or 1),
        n_samples=n_samples,
        censored=_one_of(payload.get("censored"), (None, "above", "below")),
        source=str(payload.get("source") or f"person: {by}"),
    )


def _measured(
    what: str, given: Any, unit: str, read: Callable[[str, str], float] = quantity_in
) -> float:
    try:
        return read(str("" if given is None else given), unit)
    except InputError as error:
        raise InputError(f"{what}: {error}", hint=error.hint) from error


def _one_of(word: Any, known: tuple[Any, ...]) -> Any:
    if word not in known:
        raise UnknownName("word for this", str(word), [k for k in known if k])
    return word


def _place(study: Study, given: Any) -> str:
    return check_place(given, [p.name for p in study.lab.positions])


def check_place(given: Any, positions: Sequence[str]) -> str:
    """A position of the lab, or out of it. Raises UnknownName."""
    if given not in (places := [*positions, OUT]):
        raise UnknownName("position of this lab", str(given or ""), places)
    return str(given)


def _moved(study: Study, state: State, payload: Mapping[str, Any], by: str) -> SampleMoved:
    sample = str(payload.get("sample", ""))
    if sample not in state.samples:
        raise UnknownName("sample", sample, state.samples)
    place = _place(study, payload.get("to"))
    if place != OUT and room_at(study, state, place) < 1:
        there = ", ".join(s.name for s in state.at_position(place))
        raise InputError(f"position '{place}' is taken by {there}")
    return SampleMoved(sample=sample, target=place, by=by)


def _try(study: Study, state: State, payload: Mapping[str, Any], by: str) -> PointWished:
    campaign = study.campaign
    given = dict(payload.get("point") or {})
    point = point_from(campaign.space, given, newest_context(campaign, state))
    refuse_outside(campaign.space, point, by or "a person")
    refuse_beyond_budget(campaign, state)
    return PointWished(point=point, by=by)


def _prefer(study: Study, state: State, payload: Mapping[str, Any], by: str) -> Preferred:
    if not study.campaign.objective.by_preference:
        raise InputError(
            "what is wanted of this campaign is measured", hint="`objective: {prefer: true}`"
        )
    done = {str(n) for n, trial in state.trials.items() if trial.status is TrialStatus.DONE}
    better, worse = (str(payload.get(key, "")) for key in ("better", "worse"))
    for number in (better, worse):
        if number not in done:
            raise UnknownName("trial that is done", number, done)
    if better == worse:
        raise InputError(f"trial {better} is not better than itself")
    return Preferred(better=int(better), worse=int(worse), by=by)


def counting(state: State, sample: str, metric: str | None) -> list[ObservationState]:
    """The observations that still count: of a trial by its number, or of one sample (`7/b`); of all
    metrics where none is named.

    Raises:
        UnknownName: there is no such sample or trial.
    """
    trial, name = _trial_of(state, sample)
    return [
        seen
        for seen in trial.observations
        if not seen.invalidated
        and metric in (None, seen.event.metric)
        and (sample == str(trial.number) or seen.event.sample == name)
    ]


def _trial_of(state: State, sample: str) -> tuple[TrialState, str | None]:
    if sample in state.samples:
        return state.trials[state.samples[sample].trial], sample
    if sample.isdigit() and int(sample) in state.trials:
        trial = state.trials[int(sample)]
        return trial, trial.samples[-1] if trial.samples else None
    known, _, name = sample.rpartition("/")
    if known and name:  # another sample of the trial, under a name of the person's own
        trial, first = _trial_of(state, known)
        return trial, f"{first or known}/{name}"
    raise UnknownName("sample or trial", sample, state.samples)


def _invalidate(state: State, payload: Mapping[str, Any], by: str) -> list[Event]:
    known = {o.seq for t in state.trials.values() for o in t.observations}
    given = payload.get("observation", 0)
    numbers = [int(number) for number in (given if isinstance(given, list) else [given])]
    for number in numbers:
        if number not in known:
            raise UnknownName("observation", str(number), map(str, known))
    reason = str(payload.get("reason") or "")
    if not reason:
        raise InputError("an observation is only invalidated with a reason")
    return [ObservationInvalidated(observation=n, reason=reason, by=by) for n in numbers]
