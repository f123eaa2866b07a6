"""A measurement that a person brings: a value with its unit, or a file of readings."""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.engine.requests import observed
from orchestrator.errors import InputError, ResultRefused
from orchestrator.files.columns import column_of, split_header
from orchestrator.files.table import read_table
from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.settings import user_name


def observation(
    metric: str, value: str | None, file: Path | None, level: str = "sample"
) -> dict[str, Any]:
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
    table = read_table(file)
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
        "source": f"file {file.name} sha256 {digest}",
    } | noise


def check_observation(campaign: Campaign, state: State, payload: Mapping[str, Any]) -> None:
    """Accepts what the engine will accept: no engine need be up to say what is wrong.

    Raises:
        InputError: the value does not fit its metric.
    """
    try:
        observed(campaign, state, payload, user_name())
    except ResultRefused as error:
        raise InputError(str(error), hint="the metric's limits are in the campaign file") from error
