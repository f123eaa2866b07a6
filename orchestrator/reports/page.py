"""The report of a campaign: one HTML file that opens offline and can be mailed or printed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import set_aside_words
from orchestrator.model.space import Pool
from orchestrator.model.state import State, TrialState
from orchestrator.ports.planner import Belief
from orchestrator.reports import charts
from orchestrator.reports.belief_charts import belief_data
from orchestrator.reports.beliefs import belief_words
from orchestrator.reports.gallery import Looks, gallery
from orchestrator.reports.incidents import incidents
from orchestrator.reports.numbers import number, pretty_unit, printed, titled
from orchestrator.reports.single_page import render, write_text
from orchestrator.reports.summary import (
    MOST_OF_FRONT,
    Standing,
    Summary,
    best_trial,
    best_trials,
    elapsed,
    known_before,
    losses_of,
    metric_order,
    planned,
    preferred_words,
    shown_goals,
    shown_metric,
    shown_rule,
    shown_value,
    stopped,
    summary,
    waits_in_words,
    wanted,
)
from orchestrator.reports.table import page_table, shown_time
from orchestrator.reports.timeline import timeline
from orchestrator.reports.volume import dominated

T = TypeVar("T")

SCRIPTS = ("echarts.min.js", "charts.js", "model.js", "campaign.js")
MOST_IN_ROW = 8
"""With more parameters a trial of the front is told without them."""
MAX_LINES = 1000
MAX_POINTS = 3000


def write_report(
    campaign: Campaign,
    state: State,
    path: Path,
    *,
    lab: str = "",
    notes: Sequence[str] = (),
    belief: Belief | None = None,
    why_none: str = "",
    looks: Looks | None = None,
) -> Path:
    """Writes the report.

    `lab` says where it ran (else: what the journal knows of the lab). `belief` is what the
    planner's model holds for true, `why_none` why there is none, in a sentence; `looks` how its
    materials look.

    Raises:
        InputError: the file cannot be written.
    """
    page = report_html(
        campaign, state, lab=lab, notes=notes, belief=belief, why_none=why_none, looks=looks
    )
    return write_text(Path(path), page)


def report_html(
    campaign: Campaign,
    state: State,
    *,
    lab: str = "",
    notes: Sequence[str] = (),
    belief: Belief | None = None,
    why_none: str = "",
    looks: Looks | None = None,
) -> str:
    """The report's text: a pure function of its arguments."""
    glance = summary(campaign, state)
    best = best_trial(campaign, state)
    data = _data(campaign, state, glance)
    data["belief"] = None if belief is None else belief_data(campaign, state, belief)
    context = {
        "campaign": campaign,
        "state": state,
        "glance": glance,
        "lab": lab or (state.engine.lab_name if state.engine else ""),
        "simulated": how_simulated(state, lab),
        "notes": (*notes, *set_aside_words(campaign.space)),
        "answer": _answer(campaign, state, best),
        "wanted": wanted(campaign),
        "several": len(campaign.objective.goals) > 1,
        "volume": _corner_words(campaign, state),
        "facts": _facts(campaign, state, glance),
        "incidents": incidents(state),
        "moment": lambda at_s: shown_time(state, at_s + state.started_at),
        "n_doubts": len(state.doubts()),
        "belief": None if belief is None else belief_words(campaign, state, belief),
        "why_none": why_none,
        "materials": gallery(campaign, state, looks or Looks()),
        "slices": belief is not None and data["belief"]["slices"],
        "gains": charts.still_to_gain(campaign, state) is not None,
        "provenance": _provenance(campaign, state),
    }
    return render("campaign.html", SCRIPTS, data, context)


def how_simulated(state: State, lab: str = "") -> str:
    """What the journal's lab file says about twins; empty when it names none."""
    text = state.engine.lab_text if state.engine else ""
    if not re.search(r"^twins\s*:", text, flags=re.MULTILINE):
        return "" if "simulated" not in lab else lab
    ports = re.findall(r"\b(?:port|folder)\s*:\s*[\"']?([^\s\"',}]+)", text)
    if all(port.startswith("twin:") for port in ports):
        return "simulated: no hardware was involved"
    return "partly simulated: some instruments were twins"


def _answer(campaign: Campaign, state: State, best: TrialState | None) -> dict[str, Any]:
    if best is None:
        front = best_trials(campaign, state)
        rows = [_front_row(campaign, trial) for trial in front[:MOST_OF_FRONT]]
        return {"trial": None, "front": rows, "n_more": len(front) - len(rows)}
    rules = campaign.objective.constraints
    told = {campaign.objective.metric, *(rule.metric for rule in rules)}
    others = [m for m in metric_order(campaign) if m not in told]
    value = shown_metric(campaign, best, campaign.objective.metric)
    if campaign.objective.by_preference:
        value = preferred_words(state, best)
    return {
        "trial": best.number,
        "metric": campaign.objective.metric,
        "value": value,
        "parameters": [
            (name, shown_value(campaign, name, value))
            for name, value in best.proposal.point.items()
        ],
        "constraints": [
            (r.metric, shown_metric(campaign, best, r.metric), shown_rule(campaign, r))
            for r in rules
        ],
        "others": [(m, shown) for m in others if (shown := shown_metric(campaign, best, m))],
        "why": printed(best.proposal.why, [metric.unit for metric in campaign.metrics]),
        "gain": _gain(campaign, state, best),
    }


def _front_row(campaign: Campaign, trial: TrialState) -> dict[str, Any]:
    point = trial.proposal.point
    shown = [f"{n} {shown_value(campaign, n, point[n])}" for n in point]
    return {
        "trial": trial.number,
        "goals": shown_goals(campaign, trial),
        "point": ", ".join(shown) if len(shown) <= MOST_IN_ROW else "",
    }


def _corner_words(campaign: Campaign, state: State) -> str:
    """What the hypervolume is counted from; '' where there is none to be drawn."""
    found = dominated(campaign, state)
    if found is None:
        return ""
    parts = []
    for goal, value in zip(campaign.objective.goals, found.corner, strict=True):
        said = f"{number(value, 3)} {pretty_unit(campaign.metric(goal.metric).unit)}".rstrip()
        off = f"{goal.metric} {said} off its target"
        parts.append(off if goal.direction == "match" else f"{goal.metric} {said}")
    return ", ".join(parts)


def _gain(campaign: Campaign, state: State, best: TrialState) -> str:
    name, loss = campaign.objective.metric, campaign.objective.loss
    first = [
        (observed.event.value, trial.number)
        for trial in state.trials.values()
        if trial.proposal.source == "initial"
        and losses_of(campaign, trial) is not None
        and (observed := trial.observed(name)) is not None
    ]
    found = best.observed(name)
    if not first or found is None or best.proposal.source == "initial":
        return ""
    value, trial_number = min(first, key=lambda entry: loss(entry[0]))
    against = f"than the best of the initial design (trial {trial_number})"
    if campaign.objective.direction == "match":
        nearer = number(loss(value) - loss(found.event.value), 3)
        return f"{nearer} {pretty_unit(campaign.metric(name).unit)} nearer {against}"
    ratio = value / found.event.value if found.event.value else 0.0
    word = "lower" if campaign.objective.direction == "minimise" else "higher"
    if campaign.metric(name).scale == "log" and ratio > 0:
        return f"{number(max(ratio, 1 / ratio), 2)} times {word} {against}"
    unit = pretty_unit(campaign.metric(name).unit)
    return f"{number(abs(value - found.event.value), 3)} {unit} {word} {against}"


def _status(state: State) -> str:
    if state.finished is not None:
        return f"finished: {state.finished.why}"
    if state.paused is not None:
        return f"paused by {state.paused.by}: {state.paused.why}"
    if state.engine_is_up:
        return "running when this was written"
    return f"{stopped(state)}; the same command resumes it" if state.opened else "not started"


def _facts(campaign: Campaign, state: State, glance: Summary) -> list[tuple[str, str]]:
    counts = f"{glance.n_done} measured"
    if glance.n_failed:
        counts += f", {glance.n_failed} failed"
    if glance.n_in_flight:
        counts += f", {glance.n_in_flight} in flight"
    facts = [("status", _status(state))]
    facts += [("waits for", said) for said in waits_in_words(campaign, state)]
    facts += [("trials", counts), ("budget", planned(campaign))]
    if known := known_before(campaign, state):
        facts.append(("known before", known))
    if glance.still_to_gain:
        facts.append(("expected still to gain", glance.still_to_gain))
    if state.opened is not None:
        facts += [
            ("campaign time", elapsed(glance)),
            ("wall time (UTC)", _wall_span(state.started_wall, state.last_wall)),
        ]
    return facts


def _wall_span(start: float, end: float) -> str:
    first, last = (datetime.fromtimestamp(wall, UTC) for wall in (start, end))
    is_same_day = first.date() == last.date()
    return f"{first:%Y-%m-%d %H:%M} to {last:{'%H:%M' if is_same_day else '%Y-%m-%d %H:%M'}}"


def _provenance(campaign: Campaign, state: State) -> dict[str, Any]:
    opened, engine = state.opened, state.engine
    planner = f"{campaign.planner.kind}, {campaign.planner.initial} initial points"
    facts = [
        ("campaign file", opened.campaign_file if opened else campaign.source),
        ("sha256 of the file", opened.file_hash if opened else campaign.file_hash),
        ("seed", str(campaign.seed)),
        ("planner", planner + (f", {engine.planner_threads} thread(s)" if engine else "")),
        ("events in the journal", f"{state.n_events:,}"),
        ("started with", f"hagane {opened.version}" if opened else "not started"),
    ]
    if engine is not None:
        facts += [
            ("last engine", f"hagane {engine.version} on {engine.host}, user {engine.user}"),
            ("lab file", engine.lab_file),
        ]
    facts += [
        (f"pool {p.name}: {p.source or 'table'}", p.sha256)
        for p in campaign.space.parameters
        if isinstance(p, Pool)
    ]
    return {
        "facts": [(name, value) for name, value in facts if value],
        "resources": list(state.resources.values()),
        "campaign_text": opened.campaign_text if opened else campaign.text,
        "lab_text": engine.lab_text if engine else "",
    }


def _data(campaign: Campaign, state: State, glance: Summary) -> dict[str, Any]:
    course, volume = charts.best_so_far(campaign, state), dominated(campaign, state)
    initial = [t.number for t in state.trials.values() if t.proposal.source == "initial"]
    return {
        "course": {
            "title": titled(course.metric, course.unit),
            "log": course.log,
            "direction": course.direction,
            "constrained": bool(campaign.objective.constraints),
            "values": [
                (v.trial, v.value, v.standing.value, v.sd, v.censored) for v in course.values
            ],
            "best": course.best,
            "bestTrial": glance.best_trial,
            "band": _finite(campaign.objective.goals[0].band),
            "nInitial": max(initial, default=0),
        },
        "front": _front_data(campaign, state),
        "volume": None if volume is None else list(zip(volume.trials, volume.shares, strict=True)),
        "gain": _gain_data(campaign, state),
        "predicted": _predicted_data(campaign, state),
        "parameters": _parameters_data(campaign, state, glance),
        "timeline": _timeline_data(campaign, state),
        "leaveOneOut": [
            {
                "metric": series.metric,
                "title": titled("error", series.unit),
                "points": list(zip(series.trials, series.errors, strict=True)),
            }
            for series in charts.leave_one_out(campaign, state)
        ],
        "table": page_table(campaign, state, {glance.best_trial, *glance.front}),
    }


def _finite(numbers: Sequence[float]) -> list[float | None]:
    return [n if math.isfinite(n) else None for n in numbers]


def _front_data(campaign: Campaign, state: State) -> dict[str, Any] | None:
    found = charts.front(campaign, state)
    if found is None:
        return None
    titles = [titled(m, u) for m, u in zip(found.metrics, found.units, strict=True)]
    return {"titles": titles, "logs": found.logs, "points": found.points}


def _gain_data(campaign: Campaign, state: State) -> dict[str, Any] | None:
    found = charts.still_to_gain(campaign, state)
    if found is None:
        return None
    return {
        "title": titled("still to gain", found.unit),
        "log": found.log,
        "points": list(zip(found.trials, found.gains, strict=True)),
        "enough": found.enough,
    }


def _predicted_data(campaign: Campaign, state: State) -> dict[str, Any]:
    found = charts.predicted_measured(campaign, state)
    shown = _evenly(found.points, MAX_POINTS)
    return {
        "title": titled(found.metric, found.unit),
        "log": found.log,
        "points": [(p.trial, p.measured, p.mean, p.low, p.high, p.is_inside) for p in shown],
        "n": len(found.points),
        "nInside": found.n_inside,
    }


def _parameters_data(campaign: Campaign, state: State, glance: Summary) -> dict[str, Any]:
    """The points with a value that did not fail, best first, and those that meet the constraints
    at the fidelity that counts before all others; of very many the best and an even sample of the
    rest."""
    found = charts.parameters(campaign, state)
    rows = [
        ((value.trial, value.value, value.standing.value, value.sd, value.censored), row)
        for value, row in zip(found.values, found.rows, strict=True)
        if value.value is not None and value.standing is not Standing.FAILED
    ]
    aside, loss = (Standing.INFEASIBLE, Standing.LOWER_FIDELITY), campaign.objective.loss
    rows.sort(key=lambda entry: (entry[0][2] in aside, loss(entry[0][1] or 0.0)))
    shown = rows[:MAX_LINES] + _evenly(rows[MAX_LINES:], MAX_POINTS - MAX_LINES)
    return {
        "axes": [
            {"title": titled(a.name, a.unit), "log": a.log, "low": a.low, "high": a.high,
             "options": a.options}
            for a in found.axes
        ],
        "rows": [(*fixed, *row) for fixed, row in shown],
        "nLines": MAX_LINES,
        "nMeasured": len(rows),
    }  # fmt: skip


def _evenly(rows: Sequence[T], n: int) -> list[T]:
    """At most `n` of them, evenly spread."""
    return [rows[i * len(rows) // n] for i in range(n)] if len(rows) > n else list(rows)


def _timeline_data(campaign: Campaign, state: State) -> dict[str, Any]:
    drawn = timeline(campaign, state)
    lanes = [
        {
            "name": lane.name if lane.part_of or lane.resource in ("", lane.name)
            else f"{lane.name} ({lane.resource})",
            "inner": bool(lane.part_of),
            "busy": lane.busy,
        }
        for lane in drawn.lanes
    ]  # fmt: skip
    bars = [
        (b.lane, b.start_s, b.end_s, b.trial, b.action, b.outcome, b.busy_s, b.n)
        for b in drawn.bars
    ]
    return {"lanes": lanes, "bars": bars, "span": drawn.span_s}
