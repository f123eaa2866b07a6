"""From raw results to observations: metrics computed, and passed through the gate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.engine.admission import sample_of
from orchestrator.engine.study import Study
from orchestrator.errors import InputError, ResultRefused
from orchestrator.model.events import Event, Observed, TrialDone, TrialFailed
from orchestrator.model.objective import Metric
from orchestrator.model.quantity import Bound
from orchestrator.model.reduction import FILE_HASH, FILE_NAME, reduced
from orchestrator.model.scan import Scan
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import FailureCause

Scanned = Mapping[str, Scan | InputError]
"""By metric, the scan that it is reduced of, or why there is none."""


async def scans_of(
    study: Study, state: State, trial: TrialState, names: Sequence[str]
) -> dict[str, Scan | InputError]:
    """The scans of those metrics that are reduced of a file that a step brought."""
    found: dict[str, Scan | InputError] = {}
    for name in names:
        how = study.campaign.metric(name).reduction
        if how is None:
            continue
        if study.scans is None:
            found[name] = InputError("nothing is at hand that keeps and reads files")
            continue
        results = state.dispatches[trial.attempts[how.step][-1]].results
        try:
            file, sha256 = results[FILE_NAME], results[FILE_HASH]
            found[name] = await study.scans.scan(file, sha256, how.format)
        except InputError as error:
            found[name] = error
    return found


def judge(
    study: Study,
    state: State,
    trial: TrialState,
    names: Sequence[str],
    scans: Scanned | None = None,
    *,
    closes: bool = False,
) -> list[Event]:
    """One `Observed` per metric; at the end a `TrialFailed` when one did not pass the gate, or else
    a `TrialDone`, if that `closes` the trial."""
    values = known_values(study, state, trial)
    seen: list[Event] = []
    refusals: list[str] = []
    for name in names:
        try:
            metric = study.campaign.metric(name)
            if metric.reduction is None:
                seen.append(_observe(study, state, trial, name, values))
            else:
                seen.append(_reduce(metric, state, trial, values, (scans or {})[name]))
        except ResultRefused as refused:
            refusals.append(str(refused))
    if refusals:
        cause, sentence = FailureCause.MEASUREMENT, "; ".join(refusals)
        seen.append(TrialFailed(trial=trial.number, cause=cause, sentence=sentence))
    elif closes:
        seen.append(TrialDone(trial=trial.number))
    return seen


def known_values(study: Study, state: State, trial: TrialState) -> dict[str, Any]:
    """Parameters and results of finished steps, by the names that expressions use."""
    values = study.values(trial.proposal.point)
    for step, tickets in trial.attempts.items():
        dispatch = state.dispatches[tickets[-1]]
        if dispatch.outcome == "done":
            for name, value in dispatch.results.items():
                values[f"{step}.{name}"] = restored(value)
    return values


def restored(value: Any) -> Any:
    """A result as it was before it went through JSON."""
    if isinstance(value, Mapping) and set(value) == {"value", "side"}:
        return Bound(value["value"], value["side"])
    return value


def _observe(
    study: Study, state: State, trial: TrialState, name: str, values: Mapping[str, Any]
) -> Observed:
    metric = study.campaign.metric(name)
    expression = study.metrics[name]
    if expression is None:
        raise ResultRefused(name, None, "it is observed by a person")
    _refuse_missing(state, trial, expression.names, values)
    outcome = expression.evaluate(values)
    censored = outcome.side if isinstance(outcome, Bound) else None
    value = float(outcome.value if isinstance(outcome, Bound) else outcome)
    pass_gate(metric, value)
    sd, n_readings = _reading_noise(study, name, values)
    steps = [n.split(".")[0] for n in expression.names]
    return Observed(
        trial=trial.number,
        sample=sample_of(state, trial),
        metric=name,
        value=value,
        unit=metric.unit,
        sd=None if censored else sd,
        level="sample",
        n_readings=n_readings,
        censored=censored,
        source=", ".join(dict.fromkeys(s for s in steps if s in trial.attempts)),
    )


def _refuse_missing(
    state: State, trial: TrialState, names: Sequence[str], values: Mapping[str, Any]
) -> None:
    """Refuses what a step that was done did not give, with what is known of that."""
    for name in names:
        tickets = trial.attempts.get(name.partition(".")[0])
        note = state.dispatches[tickets[-1]].note if tickets else ""
        if note and values.get(name) is None:
            raise ResultRefused(name, None, f"it is only known that it was done ({note})")


def _reduce(
    metric: Metric,
    state: State,
    trial: TrialState,
    values: Mapping[str, Any],
    scan: Scan | InputError,
) -> Observed:
    how = metric.reduction
    assert how is not None, "it is reduced of a file"
    file, sha256 = values[f"{how.step}.{FILE_NAME}"], values[f"{how.step}.{FILE_HASH}"]
    try:
        if isinstance(scan, InputError):
            raise scan
        value = reduced(scan, how, metric.unit)
    except InputError as error:
        raise ResultRefused(f"the file of {metric.name}", file, str(error)) from error
    pass_gate(metric, value)
    return Observed(
        trial=trial.number,
        sample=sample_of(state, trial),
        metric=metric.name,
        value=value,
        unit=metric.unit,
        source=f"{how.step}, {source_of(file, sha256)}",
    )


def source_of(file: str, sha256: str) -> str:
    """How an observation names the file that it comes from."""
    return f"file {file} sha256 {sha256}"


def pass_gate(metric: Metric, value: float) -> None:
    """Refuses what no surrogate should see.

    Raises:
        ResultRefused: not finite, not positive on a log scale, or outside [low, high].
    """
    what = f"{metric.name} [{metric.unit}]"
    if not math.isfinite(value):
        raise ResultRefused(what, value, "it is not a finite number")
    if metric.scale == "log" and value <= 0:
        raise ResultRefused(what, value, "a metric on a log scale must be positive")
    if metric.low is not None and value < metric.low:
        raise ResultRefused(what, value, f"it is below {metric.low:g}")
    if metric.high is not None and value > metric.high:
        raise ResultRefused(what, value, f"it is above {metric.high:g}")


def _reading_noise(study: Study, name: str, values: Mapping[str, Any]) -> tuple[float | None, int]:
    """Standard error of the metric from repeated readings (`step.mean`, `.sd`, `.readings`).

    This is the noise of reading only: films scatter more, and only replicate films tell how much.
    """
    expression = study.metrics[name]
    variance, n_most = 0.0, 1
    for mean in _means(expression.names if expression else ()):
        stem = mean.removesuffix(".mean")
        sd, readings = values.get(f"{stem}.sd"), values.get(f"{stem}.readings")
        if not isinstance(sd, float) or not readings or len(readings) < 2:
            continue
        error = sd / math.sqrt(len(readings))
        n_most = max(n_most, len(readings))
        slope = _difference(expression, values, mean, error)
        if slope is None:
            return None, n_most
        variance += slope**2
    return (math.sqrt(variance) if variance > 0 else None), n_most


def _means(names: Sequence[str] | frozenset[str]) -> Iterator[str]:
    return (n for n in sorted(names) if n.endswith(".mean"))


def _difference(expression: Any, values: Mapping[str, Any], name: str, step: float) -> float | None:
    middle = values.get(name)
    if not isinstance(middle, float):
        return None
    try:
        high = expression.evaluate({**values, name: middle + step})
        low = expression.evaluate({**values, name: middle - step})
    except ResultRefused:
        return None
    if isinstance(high, Bound) or isinstance(low, Bound):
        return None
    return float(high - low) / 2
