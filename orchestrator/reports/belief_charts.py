"""What the page draws of a belief, as plain data; in the metric's unit, but for maps of decades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line
from orchestrator.model.space import Point, Pool, Value
from orchestrator.model.state import State
from orchestrator.ports.planner import Belief, FieldMap, MetricBelief, Slice
from orchestrator.reports.beliefs import in_unit, left_out
from orchestrator.reports.numbers import titled
from orchestrator.reports.summary import is_log_axis


def belief_data(campaign: Campaign, state: State, belief: Belief) -> dict[str, Any]:
    """Everything that the page draws of a belief."""
    first = belief.metrics[0]
    return {
        "metrics": [
            {
                "title": titled(m.metric, m.unit),
                "log": m.on_log10,
                "points": [
                    (p.trial, p.measured, p.mean, p.low, p.high, p.is_inside)
                    for p in left_out(campaign, state, m)
                ],
                "importance": sorted(m.importance.items(), key=lambda entry: entry[1]),
            }
            for m in belief.metrics
        ],
        "recommended": belief.recommended,
        "title": titled(first.metric, first.unit),
        "spread": titled("standard deviation", "decades" if first.on_log10 else first.unit),
        "log": first.on_log10,
        "slices": [
            _slice_data(campaign, state, belief, first, one)
            for one in sorted(first.slices, key=lambda s: -first.importance[s.parameter])
            if len(set(one.values)) > 1 and not _is_sample(campaign, one)
        ],
        "maps": [_map_data(campaign, state, first, one) for one in first.maps],
    }


def _is_sample(campaign: Campaign, one: Slice) -> bool:
    """Some candidates of a pool, and hardly any that was tried: no picture of it."""
    pool = campaign.space[one.parameter]
    return isinstance(pool, Pool) and len(one.values) < len(pool.names)


def _slice_data(
    campaign: Campaign, state: State, belief: Belief, believed: MetricBelief, one: Slice
) -> dict[str, Any]:
    name = one.parameter
    words = any(isinstance(v, str) for v in one.values)
    pairs = list(zip(one.mean, one.sd, strict=True))
    return {
        "title": titled(name, getattr(campaign.space[name], "unit", "")),
        "log": is_log_axis(campaign, name),
        "words": words,
        "values": [_shown(value) for value in one.values],
        "mean": [in_unit(believed, mean) for mean, _ in pairs],
        "low": [in_unit(believed, mean - sd) for mean, sd in pairs],
        "high": [in_unit(believed, mean + sd) for mean, sd in pairs],
        "points": [
            (_shown(p[name]), y, trial) for p, y, trial in _measured(campaign, state, believed)
        ],
        "at": _shown(belief.at[name]),
    }


def _shown(value: Value) -> Value:
    return in_a_line(value) if isinstance(value, str) else value


def _map_data(
    campaign: Campaign, state: State, believed: MetricBelief, one: FieldMap
) -> dict[str, Any]:
    a, b = one.parameters
    return {
        "titles": [titled(n, getattr(campaign.space[n], "unit", "")) for n in (a, b)],
        "logs": [is_log_axis(campaign, n) for n in (a, b)],
        "first": one.first,
        "second": one.second,
        "mean": one.mean,
        "sd": one.sd,
        "points": [(p[a], p[b], trial) for p, _, trial in _measured(campaign, state, believed)],
    }


def _measured(
    campaign: Campaign, state: State, believed: MetricBelief
) -> Sequence[tuple[Point, float, int]]:
    """Points, with contexts as they were met, and outcomes of the trials with a value."""
    found = []
    for number_, trial in sorted(state.trials.items()):
        seen = trial.observed(believed.metric)
        if seen is None or seen.event.censored:
            continue
        point = dict(trial.proposal.point)
        for context in campaign.contexts:
            met = trial.observed(context.name)
            if met is not None:
                point[context.name] = met.event.value
        found.append((point, seen.event.value, number_))
    return found
