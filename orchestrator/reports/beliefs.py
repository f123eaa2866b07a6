"""What the model holds for true: in words, and as plain numbers for charts.

A belief has means and deviations in the metric's unit, or in decades. What is given here is in the
metric's unit throughout: of decades the median and a factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Point, Value
from orchestrator.model.state import State, TrialState
from orchestrator.model.trial import remarks
from orchestrator.ports.planner import (
    SURPRISING,
    Belief,
    HeldOut,
    LeaveOneOut,
    MetricBelief,
    Slice,
    unlike_the_others,
)
from orchestrator.reports.charts import Z90, Predicted
from orchestrator.reports.numbers import measured, number, pretty_unit, titled
from orchestrator.reports.summary import is_log_axis, shown_metric, shown_point, shown_value

MOST_UNLIKE = 3
FEW = 10
"""Of fewer outcomes, what leave-one-out says may be chance."""
NO_BETTER = math.log(1.05)
"""A gain below this is told as once as probable, which is no reason to believe a model."""
PLAINLY = 6.0
"""By so much must the log probability of all outcomes be larger on a log scale for that to be said;
of made-up functions that are not exponential it came to 6 at most."""


@dataclass(frozen=True)
class Held:
    """What is to be said of one metric. `importance` are parameters, the most important first;
    `doubt` is set where the model is not to be believed."""

    metric: str
    title: str
    n: int
    error: str
    coverage: str
    unlike: str
    reach: str
    transfer: str
    verdict: str
    doubt: bool
    importance: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Expected:
    """Of the recommended trial: a metric as predicted and as measured, in words."""

    metric: str
    predicted: str
    measured: str


@dataclass(frozen=True)
class Recommendation:
    """The trial that the model thinks best."""

    trial: int
    point: str
    expected: tuple[Expected, ...]


def belief_remarks(belief: Belief) -> tuple[str, ...]:
    """What is to be known before a belief is read, as sentences."""
    return tuple(f"{said[:1].upper()}{said[1:]}." for said in remarks(belief.notes))


def held(campaign: Campaign, state: State, belief: Belief) -> tuple[Held, ...]:
    """What is to be said of each metric."""
    return tuple(_held(campaign, state, metric) for metric in belief.metrics)


def _held(campaign: Campaign, state: State, believed: MetricBelief) -> Held:
    known = _without_bounds(campaign, state, believed)
    ranked = sorted(believed.importance.items(), key=lambda entry: -entry[1])
    doubt = known is not None and (known.log_score_gain < NO_BETTER or known.is_doubtful)
    return Held(
        metric=believed.metric,
        title=titled(believed.metric, believed.unit),
        n=len(known.trials) if known else 0,
        error=_error(believed, known) if known else "",
        coverage=_coverage(known) if known else "",
        unlike=_unlike(believed, known) if known else "",
        reach=_reach(believed),
        transfer=_transfer(believed),
        verdict=_verdict(known) + _by_decades(believed.metric, known)
        if known
        else "Too few values to say how well it predicts.",
        doubt=doubt,
        importance=tuple(ranked),
    )


def _error(believed: MetricBelief, known: LeaveOneOut) -> str:
    pairs = zip(known.measured, known.predicted, strict=True)
    rms = math.sqrt(sum((m - p) ** 2 for m, p in pairs) / len(known.measured))
    shown = spread_words(rms, believed.unit, on_log10=believed.on_log10)
    return f"Each of {len(known.trials)} trials predicted from all the others: {shown} off"


def _reach(believed: MetricBelief) -> str:
    """Interpolation beside extrapolation."""
    found = believed.generalisation
    if found is None:
        return ""

    def off(held: HeldOut) -> str:
        shown = spread_words(held.rmse, believed.unit, on_log10=believed.on_log10)
        plain = spread_words(held.constant_rmse, believed.unit, on_log10=believed.on_log10)
        share = f"{held.coverage_90:.0%}".replace("%", " %")
        return f"{shown} off (their mean {plain}), {share} of them within the 90 % interval"

    among, beyond = off(found.interpolating), off(found.extrapolating)
    return (
        "With the length scales of all trials, among what was measured (random fifths left out): "
        f"{among}. "
        f"Beyond it (each of {found.n_clusters} clusters left out): {beyond}"
    )


def _transfer(believed: MetricBelief) -> str:
    """What sources add, beside no transfer."""
    if not believed.transfer:
        return ""
    parts = [
        f"{one.name} {spread_words(one.rmse, believed.unit, on_log10=believed.on_log10)} off "
        f"({one.weight:.0%} likely the best)".replace("%", " %", 1)
        for one in believed.transfer
    ]
    return f"Each trial predicted from the others, with what else is known: {'; '.join(parts)}"


def spread_words(sd: float, unit: str, *, on_log10: bool) -> str:
    """A deviation: `3.2 nm`, or `0.21 decades (a factor of 1.6)`."""
    if not on_log10:
        return f"{number(sd, 2)} {pretty_unit(unit)}".rstrip()
    factor = 10.0 ** min(sd, 300.0)
    return f"{number(sd, 2)} decades (a factor of {number(factor, 3 if factor < 1.5 else 2)})"


def _coverage(known: LeaveOneOut) -> str:
    if known.coverage_90 is None:
        return ""
    share, n = known.coverage_90, len(known.trials)
    words = f"{share:.0%} of the values lie within their 90 % interval".replace("%", " %", 1)
    hits = round(share * n)
    if _binomial(n, 0, hits) < SURPRISING:
        return f"{words}, too few: the model is too sure of itself"
    if _binomial(n, hits, n) < SURPRISING:
        return f"{words}, too many: the model is too cautious"
    return f"{words}, as they should"


def _unlike(believed: MetricBelief, known: LeaveOneOut) -> str:
    """Which results no other one explains. All of the same model: with one that went wrong it
    takes the rest for noisier than they are, so that of a few trials none stands out."""
    found = []
    for i in unlike_the_others(known.measured, known.predicted, known.sd):
        predicted = _shown(believed, known.predicted[i], known.sd[i])
        got = (known.as_measured or known.measured)[i]
        said = f"measured {_shown(believed, got)}, predicted {predicted}"
        found.append(f"trial {known.trials[i]} ({said})")
    if not found:
        return ""
    more = f" and {len(found) - MOST_UNLIKE} more" if len(found) > MOST_UNLIKE else ""
    return (
        "Look at what is unlike all that the others say: "
        f"{', '.join(found[:MOST_UNLIKE])}{more}. If a measurement went wrong: `hagane invalidate`"
    )


def _shown(believed: MetricBelief, value: float, sd: float | None = None) -> str:
    if not believed.on_log10:
        return measured(value, sd, believed.unit)
    shown = f"{number(_power(value))} {pretty_unit(believed.unit)}".rstrip()
    return shown if sd is None else f"{shown}, {spread_words(sd, '', on_log10=True)} either way"


def _binomial(n: int, low: int, high: int) -> float:
    """The probability of `low` to `high` hits among `n`, of which each has 0.9."""

    def log_ways(k: int) -> float:  # too large for a float from a thousand trials on
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    log_hit, log_miss = math.log(0.9), math.log(0.1)
    ks = range(low, high + 1)
    return sum(math.exp(log_ways(k) + k * log_hit + (n - k) * log_miss) for k in ks)


def _verdict(known: LeaveOneOut) -> str:
    n, gain = len(known.trials), known.log_score_gain
    chance = f"; of {n} trials that may be chance" if n < FEW else ""
    if gain < NO_BETTER:
        said = "The model is not to be believed: the mean of the trials predicts them as well"
        return f"{said} or better{chance}."
    times = number(math.exp(min(gain, 300.0)), 2)
    if known.is_doubtful:
        said = "The model is not to be believed yet: what was measured is"
        by_chance = "no more than its length scales explain by chance"
        return f"{said} {times} times as probable by it as by the mean of the trials, {by_chance}."
    said = "The model may be believed: what was measured is"
    return f"{said} {times} times as probable by it as by the mean of the trials{chance}."


def _by_decades(metric: str, known: LeaveOneOut) -> str:
    """The remark that a log scale would serve better, where what was measured says so plainly."""
    if known.decades_gain is None or len(known.trials) * known.decades_gain < PLAINLY:
        return ""
    times = number(math.exp(min(known.decades_gain, 300.0)), 2)
    return (
        f" On a log scale it would be {times} times as probable again: say `scale: log` of"
        f" '{metric}' in a campaign that starts from this one."
    )


def recommendation(campaign: Campaign, state: State, belief: Belief) -> Recommendation | None:
    """The trial that the model thinks best; None where it names none of this campaign."""
    trial = state.trials.get(belief.recommended) if belief.recommended is not None else None
    if trial is None:
        return None
    expected = tuple(
        Expected(
            m.metric,
            _predicted(campaign, belief, m, trial),
            shown_metric(campaign, trial, m.metric),
        )
        for m in belief.metrics
    )
    return Recommendation(trial.number, shown_point(campaign, trial), expected)


def why_none(campaign: Campaign, state: State, belief: Belief) -> str:
    """Why the model recommends no trial of this campaign."""
    if belief.recommended is not None:
        known = [*campaign.start, *(state.opened.start if state.opened else ())]
        point = known[belief.recommended].point  # they are numbered ..., -2, -1
        words = ", ".join(f"{n} {shown_value(campaign, n, v)}" for n, v in point.items())
        return f"what it thinks best was known before the first trial, at {words}"
    if len(campaign.objective.goals) > 1:
        return "of several goals no trial is the best"
    return "none keeps the limits" if campaign.objective.constraints else "none has been measured"


def _predicted(
    campaign: Campaign, belief: Belief, believed: MetricBelief, trial: TrialState
) -> str:
    """The prediction at a trial: on the slices, which go through it, or else from all others."""
    found = _on_slice(campaign, belief, believed, trial.proposal.point)
    known, words = believed.leave_one_out, ""
    if found is None and known is not None and trial.number in known.trials:
        place = known.trials.index(trial.number)
        found, words = (known.predicted[place], known.sd[place]), " from all other trials"
    if found is None:
        return ""
    return _shown(believed, *found) + words


def _on_slice(
    campaign: Campaign, belief: Belief, believed: MetricBelief, point: Point
) -> tuple[float, float] | None:
    """Mean and deviation at a point through which the slices go; None if they do not. The slice
    along which least happens is read, so that what lies between its points is near enough."""
    chosen = [p.name for p in campaign.space.parameters if p not in campaign.contexts]
    if not all(_same(belief.at[name], point[name]) for name in chosen):
        return None
    for one in sorted(believed.slices, key=lambda s: believed.importance[s.parameter]):
        if one.parameter in chosen:
            found = _read(one, belief.at[one.parameter], is_log_axis(campaign, one.parameter))
            if found is not None:
                return found
    return None


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12)


def _read(one: Slice, at: Value, log: bool) -> tuple[float, float] | None:
    if at in one.values:
        place = one.values.index(at)
        return one.mean[place], one.sd[place]
    if isinstance(at, str) or any(isinstance(v, str) for v in one.values):
        return None
    scale = math.log if log else float
    values = [scale(float(v)) for v in one.values]
    x = scale(float(at))
    for i, (low, high) in enumerate(pairwise(values)):
        if low <= x <= high and high > low:
            share = (x - low) / (high - low)
            mean = one.mean[i] + share * (one.mean[i + 1] - one.mean[i])
            return mean, one.sd[i] + share * (one.sd[i + 1] - one.sd[i])
    return None


def _power(decades: float) -> float:
    return math.pow(10.0, max(min(decades, 300.0), -300.0))


def in_unit(believed: MetricBelief, value: float) -> float:
    return _power(value) if believed.on_log10 else value


def _without_bounds(campaign: Campaign, state: State, believed: MetricBelief) -> LeaveOneOut | None:
    """What was predicted and measured; an outcome that is only a bound is left out."""
    known, name = believed.leave_one_out, believed.metric
    if known is None:
        return None
    before = [*campaign.start, *(state.opened.start if state.opened else ())]
    bounds = {
        index - len(before)
        for index, trial in enumerate(before)
        if name in trial.outcomes and trial.outcomes[name].censored
    }
    for number_, made in state.trials.items():
        seen = made.observed(name)
        if seen is not None and seen.event.censored:
            bounds.add(number_)
    places = [i for i, trial in enumerate(known.trials) if trial not in bounds]
    if not places:
        return None
    rows = {
        field: tuple(getattr(known, field)[i] for i in places)
        for field in ("trials", "measured", "predicted", "sd", "as_measured")
        if getattr(known, field)
    }
    return known.model_copy(update=rows)


def left_out(campaign: Campaign, state: State, believed: MetricBelief) -> tuple[Predicted, ...]:
    """Each outcome predicted from all the others, with its 90 % interval."""
    known = _without_bounds(campaign, state, believed)
    if known is None:
        return ()
    rows = zip(known.trials, known.measured, known.predicted, known.sd, strict=True)
    return tuple(
        Predicted(
            trial,
            *(in_unit(believed, v) for v in (mean, mean - Z90 * sd, mean + Z90 * sd, outcome)),
        )
        for trial, outcome, mean, sd in rows
    )


def belief_words(campaign: Campaign, state: State, belief: Belief) -> dict[str, Any]:
    """Everything that the page says of a belief. `at` is where slices and maps are fixed."""
    return {
        "remarks": belief_remarks(belief),
        "metrics": held(campaign, state, belief),
        "recommendation": (found := recommendation(campaign, state, belief)),
        "recommends_none": "" if found else why_none(campaign, state, belief),
        "at": ", ".join(f"{n} {shown_value(campaign, n, v)}" for n, v in belief.at.items()),
        "first": belief.metrics[0].metric,
        "maps": [one.parameters for one in belief.metrics[0].maps],
        "log": belief.metrics[0].on_log10,
        "mixtures": [m.name for m in campaign.space.mixtures],
    }
