"""Who did what when: one lane per role, and beneath it one per part of a composite.

Bars come from dispatched actions. Very many bars of a lane are merged where they would touch on
any screen, so the data stay small for ten thousand trials.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.model.campaign import Campaign
from orchestrator.model.recipe import Step
from orchestrator.model.state import DispatchState, State

MAX_BARS_PER_LANE = 1000


@dataclass(frozen=True)
class Lane:
    """A row of the timeline. `part_of` names the lane of the composite, '' at the top.

    `busy` is the share of the campaign's span in which something was done here.
    """

    name: str
    resource: str
    part_of: str = ""
    busy: float = 0.0


@dataclass(frozen=True)
class Bar:
    """An action, or several merged ones (`n` > 1), in seconds since the campaign was opened.

    `busy_s` is the time worked between start and end: less than their difference when merged.
    `outcome`: done, failed, not_done, doubt or running.
    """

    lane: int
    start_s: float
    end_s: float
    trial: int | None
    action: str
    outcome: str
    busy_s: float
    n: int = 1


@dataclass(frozen=True)
class Timeline:
    """All lanes in the order of the file, and their bars in the order of time."""

    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    span_s: float


def timeline(campaign: Campaign, state: State, *, inner: bool = True) -> Timeline:
    """The timeline; without `inner`, only the actions that the recipe names."""
    span = max(0.0, state.last_at - state.started_at)
    order: dict[tuple[str, str], list[Bar]] = {}
    resources: dict[tuple[str, str], str] = {}
    for role in campaign.roles:
        order[("", role)] = []
    steps = {step.name: step for step in campaign.recipe}
    for dispatch in state.dispatches.values():
        key = _lane_of(dispatch, state, steps)
        if key[0] and not inner:
            continue
        order.setdefault(key, []).append(_bar(dispatch, state))
        resources.setdefault(key, dispatch.event.resource)
    keys = _nested(order)
    lanes, bars = [], []
    for index, key in enumerate(keys):
        found = sorted(order[key], key=lambda bar: bar.start_s)
        busy = _union_s(found) / span if span else 0.0
        lanes.append(Lane(key[1], resources.get(key, ""), key[0], busy))
        bars += [replace(bar, lane=index) for bar in _merged(found, span)]
    return Timeline(tuple(lanes), tuple(bars), span)


def _lane_of(dispatch: DispatchState, state: State, steps: dict[str, Step]) -> tuple[str, str]:
    event = dispatch.event
    if event.parent is not None and event.parent in state.dispatches:
        top = state.dispatches[event.parent]
        while top.event.parent is not None and top.event.parent in state.dispatches:
            top = state.dispatches[top.event.parent]
        return _lane_of(top, state, steps)[1], event.resource
    step, trial = steps.get(event.step), state.trials.get(event.trial or 0)
    if step is None or (step.rungs and trial is None):
        return "", event.resource
    return "", step.role_at(trial.proposal.point if trial else {})


def _nested(order: dict[tuple[str, str], list[Bar]]) -> list[tuple[str, str]]:
    keys: list[tuple[str, str]] = []
    for key in order:
        if key[0]:
            continue
        keys.append(key)
        keys += [inner for inner in order if inner[0] == key[1]]
    return keys


def _bar(dispatch: DispatchState, state: State) -> Bar:
    end = dispatch.ended_at
    outcome = dispatch.outcome
    if dispatch.is_open:
        in_doubt = dispatch.doubt is not None or dispatch.failure is not None
        outcome = "doubt" if in_doubt else "running"
    start = dispatch.at - state.started_at
    stop = max(start, (state.last_at if end is None else end) - state.started_at)
    event = dispatch.event
    return Bar(0, start, stop, event.trial, event.action, outcome, stop - start)


def _union_s(bars: Iterable[Bar]) -> float:
    total, reached = 0.0, float("-inf")
    for bar in bars:
        total += max(0.0, bar.end_s - max(reached, bar.start_s))
        reached = max(reached, bar.end_s)
    return total


def _merged(bars: list[Bar], span: float) -> list[Bar]:
    if len(bars) <= MAX_BARS_PER_LANE:
        return bars
    gap = span / MAX_BARS_PER_LANE
    merged: list[Bar] = []
    for bar in bars:
        last = merged[-1] if merged else None
        if last is None or bar.start_s - last.start_s > gap or bar.outcome != last.outcome:
            merged.append(bar)
            continue
        merged[-1] = replace(
            last,
            end_s=max(last.end_s, bar.end_s),
            trial=last.trial if last.trial == bar.trial else None,
            action=last.action if last.action == bar.action else "several actions",
            busy_s=last.busy_s + bar.busy_s,
            n=last.n + bar.n,
        )
    return merged
