"""Chart data: pure functions from a campaign and its state to plain numbers.

The page, the figures on paper and the terminal draw the same data. Times are seconds of campaign
time since the campaign was opened; values are in the unit that stands beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import in_a_line
from orchestrator.model.space import (
    Choice,
    Context,
    Fidelity,
    Integer,
    Ordinal,
    Parameter,
    Pool,
    Real,
)
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import Prediction
from orchestrator.reports.summary import (
    Standing,
    best_trials,
    is_log_axis,
    metric_order,
    standing,
)

Z90 = 1.6448536269514722
"""Half width of the central 90 % of a normal distribution, in standard deviations."""


ASIDE = (Standing.FAILED, Standing.INFEASIBLE)
"""What is no better than others, whatever was measured."""
WIDE = 20.0
"""From this ratio of the largest to the least on, a logarithmic axis shows more."""


@dataclass(frozen=True)
class Value:
    """The objective of one trial; `value` is None when there is none to draw."""

    trial: int
    standing: Standing
    value: float | None
    sd: float | None = None
    censored: str = ""


@dataclass(frozen=True)
class BestSoFar:
    """Each trial's value, and the best feasible one up to it (None before the first)."""

    metric: str
    unit: str
    direction: str
    log: bool
    values: tuple[Value, ...]
    best: tuple[float | None, ...]


@dataclass(frozen=True)
class Predicted:
    """One prediction with its 90 % interval, and what was measured then."""

    trial: int
    mean: float
    low: float
    high: float
    measured: float

    @property
    def is_inside(self) -> bool:
        """The measured value lies in the predicted interval."""
        return self.low <= self.measured <= self.high


@dataclass(frozen=True)
class PredictedMeasured:
    """Predictions made before the measurement, against it; censored values are left out."""

    metric: str
    unit: str
    log: bool
    points: tuple[Predicted, ...]

    @property
    def n_inside(self) -> int:
        """How many measured values lie in their predicted 90 % interval."""
        return sum(p.is_inside for p in self.points)


@dataclass(frozen=True)
class Axis:
    """A parameter's axis; `options` are the words of a choice, empty for numbers."""

    name: str
    unit: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameters:
    """Where the trials lie. `rows` are n x d, in the axes' units; `values` are the objective's."""

    axes: tuple[Axis, ...]
    rows: tuple[tuple[float | str, ...], ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Front:
    """Trials in the plane of the first two goals. A point is (trial, x, y, look).

    `look` is `best` where no other feasible trial beats it in all goals, of which there may be
    more, `aside` where it failed or a constraint is not met, else `other`.
    """

    metrics: tuple[str, str]
    units: tuple[str, str]
    logs: tuple[bool, bool]
    points: tuple[tuple[int, float, float, str], ...]


@dataclass(frozen=True)
class LeaveOneOut:
    """The model's error on points that it was not shown, as the campaign went on.

    `unit` is 'decades' for a metric that is modelled on a logarithmic scale.
    """

    metric: str
    unit: str
    trials: tuple[int, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class StillToGain:
    """What the planner expected still to gain when it proposed each trial.

    In the goal's unit, or in % where its metric is on a log scale. `enough` is the stop rule's
    limit, if there is one.
    """

    metric: str
    unit: str
    log: bool
    trials: tuple[int, ...]
    gains: tuple[float, ...]
    enough: float | None


def best_so_far(campaign: Campaign, state: State) -> BestSoFar:
    """The course of the campaign, in the order of the trials."""
    name = campaign.objective.metric
    metric = campaign.metric(name)
    loss = campaign.objective.loss
    values = tuple(_value(campaign, trial) for trial in _ordered(state))
    best: list[float | None] = []
    for entry in values:
        so_far = best[-1] if best else None
        if entry.standing is not Standing.FEASIBLE or entry.value is None:
            best.append(so_far)
        elif so_far is None or loss(entry.value) < loss(so_far):
            best.append(entry.value)
        else:
            best.append(so_far)
    log = metric.scale == "log" and _all_positive([v.value for v in values])
    return BestSoFar(name, metric.unit, campaign.objective.direction, log, values, tuple(best))


def interval(predicted: Prediction) -> tuple[float, float, float]:
    """Mean (median on a log scale) of a prediction and the 90 % interval of a measurement there, in
    the metric's unit."""
    half = Z90 * math.hypot(predicted.sd, predicted.scatter)
    if predicted.on_log10:
        factor = 10.0 ** min(half, 300.0)
        return predicted.mean, predicted.mean / factor, predicted.mean * factor
    return predicted.mean, predicted.mean - half, predicted.mean + half


def predicted_measured(
    campaign: Campaign, state: State, metric: str | None = None
) -> PredictedMeasured:
    """What the model expected of its points (the objective's metric unless another is named)."""
    name = metric or campaign.objective.metric
    points = []
    for trial in _ordered(state):
        prediction, observed = trial.proposal.predicted.get(name), trial.observed(name)
        if prediction is None or observed is None or observed.event.censored:
            continue
        numbers = (*interval(prediction), observed.event.value)
        if all(math.isfinite(n) for n in numbers):
            points.append(Predicted(trial.number, *numbers))
    declared = campaign.metric(name)
    log = declared.scale == "log" and _all_positive(
        [n for p in points for n in (p.low, p.measured)]
    )
    return PredictedMeasured(name, declared.unit, log, tuple(points))


def parameters(campaign: Campaign, state: State) -> Parameters:
    """Every trial's point; a pool's candidates are shown by the numbers of their table, or else by
    their names."""
    trials = _ordered(state)
    axes: list[Axis] = []
    for parameter in campaign.space.parameters:
        tried = dict.fromkeys(str(t.proposal.point[parameter.name]) for t in trials)
        axes += _axes(campaign, parameter, tuple(map(in_a_line, tried)))
    rows = tuple(_row(campaign, trial) for trial in trials)
    return Parameters(tuple(axes), rows, tuple(_value(campaign, trial) for trial in trials))


def leave_one_out(campaign: Campaign, state: State) -> tuple[LeaveOneOut, ...]:
    """The leave-one-out error of each modelled metric; metrics without one are left out."""
    series = []
    for metric in map(campaign.metric, metric_order(campaign)):
        found = [
            (t.number, t.proposal.leave_one_out[metric.name], t.proposal)
            for t in _ordered(state)
            if math.isfinite(t.proposal.leave_one_out.get(metric.name, math.nan))
        ]
        if not found:
            continue
        predicted = found[-1][2].predicted.get(metric.name)
        on_log10 = predicted.on_log10 if predicted else metric.scale == "log"
        unit = "decades" if on_log10 else metric.unit
        numbers, errors, _ = zip(*found, strict=True)
        series.append(LeaveOneOut(metric.name, unit, numbers, errors))
    return tuple(series)


def still_to_gain(campaign: Campaign, state: State) -> StillToGain | None:
    """The course of what is expected still to be gained; None where no planner said it."""
    if campaign.objective.by_preference:
        return None  # nobody has a unit for it
    metric = campaign.metric(campaign.objective.metric)
    is_share = metric.scale == "log"

    def shown(gain: float) -> float:
        return 100.0 * (math.pow(10.0, min(gain, 300.0)) - 1.0) if is_share else gain

    told = [(t.number, t.proposal.still_to_gain) for t in _ordered(state)]
    found = [(n, shown(gain)) for n, gain in told if gain is not None and math.isfinite(gain)]
    if not found:
        return None
    trials, gains = zip(*found, strict=True)
    least = campaign.stop.little_to_gain
    return StillToGain(
        metric=metric.name,
        unit="%" if is_share else metric.unit,
        log=min(gains) > 0 and max(gains) / min(gains) > WIDE,
        trials=trials,
        gains=gains,
        enough=None if least is None else shown(least),
    )


def _axes(campaign: Campaign, parameter: Parameter, tried: tuple[str, ...]) -> list[Axis]:
    name, log = parameter.name, is_log_axis(campaign, parameter.name)
    match parameter:
        case Pool() if not parameter.columns:
            return [Axis(name, "", options=tried)]
        case Pool():
            return [Axis(c, u) for c, u in zip(parameter.columns, parameter.units, strict=True)]
        case Choice(options=words) | Fidelity(levels=words):
            return [Axis(name, "", options=words)]
        case Ordinal(levels=levels):
            numbers = [level for level in levels if not isinstance(level, str)]
            if len(numbers) < len(levels):
                return [Axis(name, "", options=tuple(map(str, levels)))]
            return [Axis(name, parameter.unit, log, min(numbers), max(numbers))]
        case Real() | Integer() | Context():
            return [Axis(name, parameter.unit, log, float(parameter.low), float(parameter.high))]
        case _:
            assert_never(parameter)


def front(campaign: Campaign, state: State) -> Front | None:
    """The trials with a value of both of the first two goals; None where there is one goal."""
    if len(campaign.objective.goals) < 2:
        return None
    first, second = (campaign.metric(g.metric) for g in campaign.objective.goals[:2])
    best = {trial.number for trial in best_trials(campaign, state)}
    points = []
    for trial in _ordered(state):
        x, y = trial.observed(first.name), trial.observed(second.name)
        if x is not None and y is not None:
            look = "aside" if standing(campaign, trial) in ASIDE else "other"
            look = "best" if trial.number in best else look
            points.append((trial.number, x.event.value, y.event.value, look))
    logs = (
        first.scale == "log" and _all_positive([p[1] for p in points]),
        second.scale == "log" and _all_positive([p[2] for p in points]),
    )
    units = (first.unit, second.unit)
    return Front((first.name, second.name), units, logs, tuple(points))


def _ordered(state: State) -> list[TrialState]:
    return [state.trials[number] for number in sorted(state.trials)]


def _value(campaign: Campaign, trial: TrialState) -> Value:
    kind = standing(campaign, trial)
    observed = trial.observed(campaign.objective.metric)
    if observed is None or not math.isfinite(observed.event.value):
        return Value(trial.number, kind, None)
    event = observed.event
    return Value(trial.number, kind, event.value, event.sd, event.censored or "")


def _row(campaign: Campaign, trial: TrialState) -> tuple[float | str, ...]:
    row: list[float | str] = []
    for parameter in campaign.space.parameters:
        value = trial.proposal.point[parameter.name]
        if isinstance(parameter, Pool) and parameter.columns:
            row += parameter.numbers(str(value))
        else:
            row.append(in_a_line(value) if isinstance(value, str) else value)
    return tuple(row)


def _all_positive(values: Sequence[float | None]) -> bool:
    return all(v > 0 for v in values if v is not None)
