"""Trials as a table: one row per trial, everything that came of it, units in the header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Pool
from orchestrator.model.state import State, TrialState
from orchestrator.reports.single_page import write_text
from orchestrator.reports.summary import metric_order, standing

Cell = float | int | str


def trials_table(
    campaign: Campaign, state: State, result_units: Mapping[str, str] | None = None
) -> tuple[list[str], list[list[Cell]]]:
    """Header and one row per trial, in the order of their numbers; what is not known is ''.

    Times in s are campaign time since the campaign was opened, the others wall time in UTC.
    `result_units` gives units of raw results by `step.result` (the journal does not hold them).
    """
    trials = [state.trials[number] for number in sorted(state.trials)]
    records = [_record(campaign, state, trial) for trial in trials]
    units = result_units or {}
    raw = [_raw_results(campaign, state, trial, units) for trial in trials]
    columns = dict.fromkeys(_columns(campaign))
    columns |= dict.fromkeys(name for results in raw for name in results)
    rows = [
        [{**record, **results}.get(name, "") for name in columns]
        for record, results in zip(records, raw, strict=True)
    ]
    return list(columns), rows


def write_csv(
    campaign: Campaign, state: State, path: Path, result_units: Mapping[str, str] | None = None
) -> Path:
    """Writes `trials_table` as CSV (RFC 4180, UTF-8).

    Raises:
        InputError: the file cannot be written.
    """
    header, rows = trials_table(campaign, state, result_units)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return write_text(Path(path), text.getvalue())


def _columns(campaign: Campaign) -> list[str]:
    names = ["trial", "status", "standing", "cause", "failed step", "sentence"]
    for parameter in campaign.space.parameters:
        names.append(_titled(parameter.name, getattr(parameter, "unit", "")))
        if isinstance(parameter, Pool):
            names += [
                _titled(f"{parameter.name}.{column}", unit)
                for column, unit in zip(parameter.columns, parameter.units, strict=True)
            ]
    for metric in metric_order(campaign):
        unit = campaign.metric(metric).unit
        names += [
            _titled(metric, unit),
            _titled(f"{metric} sd", unit),
            f"{metric} samples",
            f"{metric} censored",
            _titled(f"predicted {metric}", unit),
            f"predicted {metric} sd",
            f"predicted {metric} sd unit",
        ]
    names += ["source", "intent", "why", "acquisition", "probability feasible"]
    names += ["nearest trial", "nearest distance", "samples"]
    names += ["proposed [s]", "started [s]", "ended [s]", "proposed at", "ended at"]
    return names


def _record(campaign: Campaign, state: State, trial: TrialState) -> dict[str, Cell]:
    proposal = trial.proposal
    record: dict[str, Any] = {
        "trial": trial.number,
        "status": trial.status.value,
        "standing": standing(campaign, trial).value,
        "cause": trial.cause.value if trial.cause else None,
        "failed step": trial.failed_step,
        "sentence": trial.sentence,
        "source": proposal.source,
        "intent": proposal.intent,
        "why": proposal.why,
        "acquisition": proposal.acquisition,
        "probability feasible": proposal.probability_feasible,
        "nearest trial": proposal.nearest.trial if proposal.nearest else None,
        "nearest distance": proposal.nearest.distance if proposal.nearest else None,
        "samples": " ".join(trial.samples),
        "proposed [s]": trial.proposed_at - state.started_at,
        "started [s]": _since(state, trial.started_at),
        "ended [s]": _since(state, trial.ended_at),
        "proposed at": _iso(trial.proposed_wall),
        "ended at": _iso(trial.ended_wall),
    }
    record |= _point(campaign, trial)
    for metric in metric_order(campaign):
        record |= _metric(campaign, trial, metric)
    return {name: value for name, value in record.items() if value is not None}


def _point(campaign: Campaign, trial: TrialState) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for parameter in campaign.space.parameters:
        value = trial.proposal.point[parameter.name]
        cells[_titled(parameter.name, getattr(parameter, "unit", ""))] = value
        if isinstance(parameter, Pool):
            row = parameter.numbers(str(value))
            for column, unit, number in zip(parameter.columns, parameter.units, row, strict=True):
                cells[_titled(f"{parameter.name}.{column}", unit)] = number
    return cells


def _metric(campaign: Campaign, trial: TrialState, metric: str) -> dict[str, Any]:
    unit = campaign.metric(metric).unit
    cells: dict[str, Any] = {}
    observed = trial.observed(metric)
    if observed is not None:
        event = observed.event
        cells[_titled(metric, unit)] = event.value
        cells[_titled(f"{metric} sd", unit)] = event.sd
        cells[f"{metric} samples"] = event.n_samples
        cells[f"{metric} censored"] = event.censored
    predicted = trial.proposal.predicted.get(metric)
    if predicted is not None:
        cells[_titled(f"predicted {metric}", unit)] = predicted.mean
        cells[f"predicted {metric} sd"] = predicted.sd
        cells[f"predicted {metric} sd unit"] = "decades" if predicted.on_log10 else unit
    return cells


def _raw_results(
    campaign: Campaign, state: State, trial: TrialState, units: Mapping[str, str]
) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for step in campaign.recipe:
        done = [t for t in trial.attempts.get(step.name, ()) if state.dispatches[t].results]
        for name, value in state.dispatches[done[-1]].results.items() if done else ():
            full = f"{step.name}.{name}"
            cells[_titled(full, units.get(full, ""))] = _cell(value)
    return cells


def _cell(value: object) -> Cell:
    if isinstance(value, Mapping) and set(value) == {"value", "side"}:
        return f"{'>' if value['side'] == 'above' else '<'}{value['value']}"
    return value if isinstance(value, float | int | str) else json.dumps(value, default=str)


def _titled(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name


def _since(state: State, at: float | None) -> float | None:
    return None if at is None else at - state.started_at


def _iso(wall: float | None) -> str | None:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds") if wall else None
