"""The answer of a campaign from fresh replicates, with its interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.model.campaign import Campaign
from orchestrator.model.state import State
from orchestrator.model.trial import REPEATS, TrialStatus
from orchestrator.reports.numbers import measured, number, pretty_unit

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval by Student's t; on a log scale the median of a log-normal
    variable, or a ratio. The interval is None where there are too few values for one."""

    mean: float
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class Confirmed:
    """Fresh replicates of `trial`, the best one found (`by_model`: by what the model thinks, and
    not as measured), and of a control.

    `control` is the trial that served as one (0: the control point of the file; None: there was
    none). `change` is the difference to it, on a log scale the ratio.
    """

    trial: int
    value: Estimate
    control: int | None = None
    control_value: Estimate | None = None
    change: Estimate | None = None
    n_failed: int = 0
    by_model: bool = False


def confirmation(campaign: Campaign, state: State) -> Confirmed | None:
    """What the replicates say; None before the first of them has a value."""
    made = [t for _, t in sorted(state.trials.items()) if t.proposal.source == "confirm"]
    repeated = list(dict.fromkeys(int(t.proposal.notes[REPEATS]) for t in made))
    metric = campaign.metric(campaign.objective.metric)
    is_log = metric.scale == "log"
    values: dict[int, list[float]] = {number: [] for number in repeated}
    for trial in made:
        seen = trial.observed(metric.name)
        if seen is not None and seen.event.censored is None:
            value = seen.event.value
            values[int(trial.proposal.notes[REPEATS])].append(
                math.log10(value) if is_log else value
            )
    if not repeated or not values[repeated[0]]:
        return None
    best = values[repeated[0]]
    control = values[repeated[1]] if len(repeated) > 1 else []
    return Confirmed(
        trial=repeated[0],
        value=_on_scale(_mean(best), is_log=is_log),
        control=repeated[1] if control else None,
        control_value=_on_scale(_mean(control), is_log=is_log) if control else None,
        change=_on_scale(_difference(best, control), is_log=is_log) if control else None,
        n_failed=sum(t.status is TrialStatus.FAILED for t in made),
        by_model=state.recommended is not None
        and (state.recommended.trial, state.recommended.by) == (repeated[0], "model"),
    )


def in_words(campaign: Campaign, found: Confirmed) -> str:
    """The answer in a sentence or three."""
    metric = campaign.metric(campaign.objective.metric)
    unit = pretty_unit(metric.unit)
    n = found.value.n
    which = ", which the model recommends," if found.by_model else ""
    said = f"{n} fresh replicate{'' if n == 1 else 's'} of trial {found.trial}{which} gave "
    said += f"{metric.name} {_shown(found.value, metric.unit)}"
    if found.change is not None and found.control is not None:
        what = f"trial {found.control}" if found.control else "the control point"
        if metric.scale == "log":
            said += f"; {_shown(found.change, '')} times that of {what}"
        else:
            said += f"; {_shown(found.change, unit, signed=True)} beside {what}"
        said += f" ({found.control_value.n if found.control_value else 0} replicates)"
    if found.n_failed:
        said += f"; {found.n_failed} replicate{'' if found.n_failed == 1 else 's'} failed"
    return said + "."


def _shown(estimate: Estimate, unit: str, *, signed: bool = False) -> str:
    sign = "+" if signed and estimate.mean > 0 else ""
    shown = f"{sign}{measured(estimate.mean, None, unit)}"
    if estimate.interval is None:
        return f"{shown} (one value, no interval)"
    low, high = (number(end) for end in estimate.interval)
    return f"{shown} (95 % interval {low} to {high})"


def _mean(values: Sequence[float]) -> Estimate:
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return Estimate(mean, None, n)
    half = _quantile(n - 1) * statistics.stdev(values) / math.sqrt(n)
    return Estimate(mean, (mean - half, mean + half), n)


def _difference(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Of two means, by Welch: the two need not scatter alike."""
    n, mean = len(first), statistics.fmean(first) - statistics.fmean(second)
    if min(n, len(second)) < 2:
        return Estimate(mean, None, n)
    parts = [statistics.variance(values) / len(values) for values in (first, second)]
    total = sum(parts)
    if total == 0:
        return Estimate(mean, (mean, mean), n)
    weights = [p**2 / (len(v) - 1) for p, v in zip(parts, (first, second), strict=True)]
    half = _quantile(total**2 / sum(weights)) * math.sqrt(total)
    return Estimate(mean, (mean - half, mean + half), n)


def _quantile(freedom: float) -> float:
    """Of Student's t, so that the central interval holds `CONFIDENCE`."""
    from scipy.special import stdtrit  # only where there is something to confirm

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def _on_scale(estimate: Estimate, *, is_log: bool) -> Estimate:
    if not is_log:
        return estimate
    ends = estimate.interval
    interval = None if ends is None else (_power(ends[0]), _power(ends[1]))
    return Estimate(_power(estimate.mean), interval, estimate.n)


def _power(decades: float) -> float:
    return math.inf if decades > 300 else 10.0**decades
