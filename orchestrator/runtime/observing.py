"""A measurement that a person brings: a value with its unit, or a file of readings."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from orchestrator.engine.judging import source_of
from orchestrator.engine.requests import counting, observed
from orchestrator.errors import InputError, ResultRefused
from orchestrator.files.columns import column_of, split_header
from orchestrator.files.spreadsheet import table_in
from orchestrator.model.campaign import Campaign
from orchestrator.model.reduction import reduced
from orchestrator.model.state import State
from orchestrator.model.trial import TrialStatus
from orchestrator.reports.numbers import measured
from orchestrator.runtime.look import row_of, stored
from orchestrator.runtime.scans import read_scan
from orchestrator.settings import user_name

Observation: TypeAlias = dict[str, Any]
"""What a wish says of one measurement."""


def observation(
    metric: str, value: str | None, file: Path | None, level: str = "sample"
) -> Observation:
    """What goes into the inbox: the value (of a file: the mean of its column) and its source.

    The rows of a file are samples, whose scatter is the noise of their mean; with the level
    `reading` they are readings of one sample.

    Raises:
        InputError: neither or both are given; the file has no such column, or no unit.
    """
    if (value is None) == (file is None):
        raise InputError("an observation needs either --value or --file")
    if file is None:
        return {"metric": metric, "value": value}
    table = table_in(file)
    column = column_of(table, metric)
    unit = split_header(column)[1]
    readings = table.numbers(column)
    n, noise = len(readings), {}
    if level != "reading" and n > 1:
        sd = statistics.stdev(readings) / math.sqrt(n)
        noise = {"n_samples": n, "sd": f"{sd!r} {unit}".strip()}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {
        "metric": metric,
        "value": f"{statistics.fmean(readings)!r} {unit}".strip(),
        "n_readings": n,
        "source": source_of(file.name, digest),
    } | noise


def of_scan(campaign: Campaign, names: Sequence[str], file: Path, data: bytes) -> list[Observation]:
    """What goes into the inbox of an instrument's file, by the metrics that are reduced of it: the
    same parser, the same reduction and the same record of the file as when a step brings it.

    Raises:
        InputError: it cannot be read, or a metric cannot be taken of it.
    """
    digest, found = hashlib.sha256(data).hexdigest(), []
    for name in names:
        metric = campaign.metric(name)
        how = metric.reduction
        assert how is not None, "it is reduced of a file"
        try:
            value = reduced(read_scan(file.name, data, how.format), how, metric.unit)
        except InputError as error:
            hint = error.hint if len(names) == 1 else "say with --metric what the file is for"
            raise InputError(f"{name} of {file.name}: {error}", hint=hint) from error
        said = f"{value!r} {metric.unit}".strip()
        found.append({"metric": name, "value": said, "source": source_of(file.name, digest)})
    return found


def keep_file(where: str | Path | None, campaign: str | None, name: str, data: bytes) -> None:
    """Keeps a file with its campaign as it is, before anybody reads it. Raises JournalError."""
    with stored(where) as store:
        store.put_artifact(row_of(store, campaign).id, data, name)


def reduced_metrics(campaign: Campaign, metric: str | None) -> list[str]:
    """The metrics that are taken of an instrument's file: the one that is asked for, if it is one
    of them, else all."""
    names = [m.name for m in campaign.metrics if m.reduction is not None]
    return names if metric is None else [name for name in names if name == metric]


def check_observation(campaign: Campaign, state: State, payload: Mapping[str, Any]) -> str:
    """Accepts what the engine will accept: no engine need be up to say what is wrong. Says that it
    will not count, where its trial has failed, or that another one of the same sample will not any
    more; else ''.

    Raises:
        InputError: the value does not fit its metric.
    """
    try:
        told = observed(campaign, state, payload, user_name())
    except ResultRefused as error:
        raise InputError(str(error), hint="the metric's limits are in the campaign file") from error
    if state.trials[told.trial].status is TrialStatus.FAILED:
        return f"trial {told.trial} has failed: the value is kept, and not learnt from"
    known = counting(state, str(told.trial), told.metric)
    before = [seen.event for seen in known if seen.event.sample == told.sample]
    if not before:
        return ""
    value = measured(before[-1].value, before[-1].sd, before[-1].unit)
    of = told.sample or f"trial {told.trial}"
    return (
        f"{told.metric} of {of} was {value}, which counts no longer; another sample of the trial "
        f"is {told.trial}/b"
    )


def invalidation(
    state: State, sample: str, metric: str | None, why: str
) -> tuple[dict[str, Any], str]:
    """What goes into the inbox to have observations count no longer, and which these are, in words.

    Raises:
        UnknownName: there is no such sample or trial.
        InputError: no reason is given, or nothing counts that could be invalidated.
    """
    if not why.strip():
        raise InputError("an observation is only invalidated with a reason", hint="--why '...'")
    found = counting(state, sample, metric)
    if not found:
        what = f"no {metric}" if metric else "nothing"
        raise InputError(
            f"of '{sample}' {what} is measured that still counts", hint="see `hagane trials`"
        )
    shown = (
        f"{seen.event.metric} = {measured(seen.event.value, seen.event.sd, seen.event.unit)}"
        for seen in found
    )
    words = f"{', '.join(shown)} will count no longer"
    return {"observation": [seen.seq for seen in found], "reason": why.strip()}, words
