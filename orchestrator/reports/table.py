"""The page's table of trials: what was tried, why, what was expected and what came of it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import Prediction
from orchestrator.reports.numbers import measured, moment, number, printed, titled
from orchestrator.reports.summary import Standing, metric_order, standing

SHORT_SPAN_S = 7200.0
WORDS: Mapping[Standing, str] = {
    Standing.FEASIBLE: "feasible",
    Standing.LOWER_FIDELITY: "lower fidelity",
    Standing.INFEASIBLE: "infeasible",
    Standing.OUT_OF_RANGE: "out of range",
    Standing.NO_VALUE: "no value",
    Standing.FAILED: "failed",
    Standing.IN_FLIGHT: "in flight",
}
SOURCES: Mapping[str, str] = {
    "initial": "initial",
    "model": "model",
    "pool": "model (pool)",
    "person": "person",
    "control": "control",
    "confirm": "replicate",
    "table": "table",
}


def standing_word(campaign: Campaign, trial: TrialState) -> str:
    """How a trial stands, in a word or two."""
    kind = standing(campaign, trial)
    if kind is Standing.FAILED and trial.cause is not None:
        return f"failed ({trial.cause.value})"
    if kind is Standing.FEASIBLE and not campaign.objective.constraints:
        return "measured"
    return WORDS[kind]


def shown_prediction(prediction: Prediction | None, unit: str) -> str:
    """A prediction with its unit; on a log scale the sd is given as a factor."""
    if prediction is None:
        return ""
    if prediction.on_log10:
        factor = 10.0 ** min(prediction.sd, 300.0)
        return f"{number(prediction.mean, 3)} ×/÷ {number(factor, 3)} {unit}".rstrip()
    return measured(prediction.mean, prediction.sd, unit)


def page_table(campaign: Campaign, state: State, best: Container[int | None]) -> dict[str, Any]:
    """Columns, rows, and for each row why the point was chosen; `best` are marked.

    A cell is a text, a number, or [number to sort by, text to show].
    """
    space, objective = campaign.space, campaign.objective.metric
    metrics = metric_order(campaign)
    columns: list[dict[str, Any]] = [{"title": "trial", "number": True}, {"title": "result"}]
    for name in space.names:
        unit = getattr(space[name], "unit", "")
        is_number = space[name].kind in ("real", "integer", "context")
        columns.append({"title": titled(name, unit), "number": is_number})
    columns += [{"title": titled(m, campaign.metric(m).unit), "number": True} for m in metrics]
    unit = campaign.metric(objective).unit
    columns.append({"title": titled(f"predicted {objective}", unit), "number": True})
    columns += [{"title": "source"}, {"title": "ended at", "number": True}]
    rows = [_row(campaign, state, state.trials[n], metrics, best) for n in sorted(state.trials)]
    units = {campaign.metric(name).unit for name in metrics}
    why = [printed(_why(state.trials[n]), units) for n in sorted(state.trials)]
    return {"columns": columns, "rows": rows, "why": why}


def _row(
    campaign: Campaign,
    state: State,
    trial: TrialState,
    metrics: list[str],
    best: Container[int | None],
) -> list[Any]:
    proposal = trial.proposal
    word = standing_word(campaign, trial)
    row: list[Any] = [trial.number, "★\u00a0best" if trial.number in best else word]
    for name in campaign.space.names:
        value = proposal.point[name]
        row.append(in_a_line(value) if isinstance(value, str) else _cell(value, number(value)))
    for name in metrics:
        observed = trial.observed(name)
        if observed is None:
            row.append("")
            continue
        event = observed.event
        shown = measured(event.value, event.sd, censored=event.censored or "")
        row.append(_cell(event.value, shown))
    objective = campaign.objective.metric
    predicted = proposal.predicted.get(objective)
    shown = shown_prediction(predicted, "")
    row.append(_cell(predicted.mean, shown) if predicted else "")
    row.append(SOURCES[proposal.source])
    ended = trial.ended_at
    row.append("" if ended is None else [ended, shown_time(state, ended)])
    return row


def shown_time(state: State, at: float) -> str:
    """A campaign time since the start; short campaigns are told to the second."""
    fine = state.last_at - state.started_at < SHORT_SPAN_S
    return moment(at - state.started_at, fine=fine)


def _why(trial: TrialState) -> str:
    nearest = trial.proposal.nearest
    if nearest is None or "nearest" in trial.proposal.why:
        return trial.proposal.why
    name = f"trial {nearest.trial}" if nearest.trial > 0 else "a result of the start"
    return f"{trial.proposal.why}; nearest: {name} at {number(nearest.distance, 2)}"


def _cell(value: float, text: str) -> float | list[Any]:
    try:
        return float(text)
    except ValueError:
        return [value, text]
