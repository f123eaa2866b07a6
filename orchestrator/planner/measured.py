"""What a history says, as arrays: features of the trials and outcomes on the modelled scale.

Trials are sorted by number and pending points by their codes, so that the order in which a history
is written changes nothing. numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PlanningError
from orchestrator.model.objective import PREFERENCE
from orchestrator.model.space import fidelity_of
from orchestrator.planner.encoding import Encoding
from orchestrator.planner.kernel import Floats
from orchestrator.planner.replication import Parts
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask

EQUAL = 4.0 * float(np.finfo(float).eps)
"""Outcomes that differ by less, as a share of their size, differ by rounding."""
ALL_EQUAL = 1e-9
"""Standardised outcomes that differ by less are equal but for rounding."""
MOST_UNLIKE = 30.0
"""Rungs whose outcomes spread by more than so many times as much, or as little, are stretched."""
MOST_BENT = 300.0
"""What is bent beyond is soon beyond what a float holds, once it is straight again."""


@dataclass(frozen=True)
class Bend:
    """Outcomes near `at` keep their scale; of those much farther than `size` decades count."""

    at: float
    size: float

    def bent(self, value: Floats) -> Floats:
        """Values (n) as they are bent; `at` itself becomes zero."""
        away = (value - self.at) / self.size
        return np.asarray(np.sign(away) * np.log1p(np.abs(away)))

    def straight(self, value: Floats) -> Floats:
        """The inverse of `bent`."""
        away = np.sign(value) * np.expm1(np.minimum(np.abs(value), MOST_BENT))
        return np.asarray(self.at + self.size * away)

    def slope(self, value: Floats) -> Floats:
        """By how much bent outcomes grow with values (n)."""
        return np.asarray(1.0 / (self.size + np.abs(value - self.at)))


@dataclass(frozen=True)
class Measured:
    """The n outcomes of one metric, standardised: (y - centre) / spread.

    Attributes:
        rows: which trials (n, into `Evidence.trials`).
        y: standardised outcomes (n); of log10 of the value for a metric on a log scale.
        known: known noise variance of `y` (n), zero where it is not known.
        parts: how much of the unknown variances between runs, samples and blocks it has.
        sides: +1 where the true outcome lies above `y`, -1 where below, 0 where it was measured.
        is_trade: it stands for many goals at once, so that nothing was measured in a unit.
        stretch: of outcomes on rungs, by how much those of each rung (r) are divided further,
            because they vary on quite another scale than those of the rung that counts; else ().
        n_far: how many of the bounds were measured, and are far worse than the others.
        n_not_found: how many were far better than all others, and not found again: they say
            nothing any more.
        bend: how values were bent before they were standardised, if they were.
        raw: the values (n) as measured, or log10 of these: beside one of 1e20, `y` does not tell
            others apart.
    """

    metric: MetricScale
    rows: tuple[int, ...]
    y: Floats
    known: Floats
    parts: Parts
    sides: Floats
    centre: float
    spread: float
    is_trade: bool = False
    stretch: tuple[float, ...] = ()
    n_far: int = 0
    n_not_found: int = 0
    bend: Bend | None = None
    raw: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def n_censored(self) -> int:
        """How many outcomes are only bounds, as measured."""
        return int(np.count_nonzero(self.sides)) - self.n_far

    @property
    def decades(self) -> str:
        """Where outcomes are bent, in words; '' where they are not."""
        if self.bend is None:
            return ""
        at = f"{self.bend.at:.4g} {self.metric.unit}".rstrip()
        return f"far from {at}, decades of {self.metric.name} count"

    def standardised(self, value: float) -> float:
        """A value in the metric's unit on the scale of `y`; needs value > 0 on a log scale."""
        number = on_scale(self.metric, value)
        if self.bend is not None:
            number = float(self.bend.bent(np.array(number)))
        return (number - self.centre) / self.spread

    def unstretched(self, y: Floats, rung: NDArray[np.intp] | None) -> Floats:
        """Outcomes (m) of rungs (m), or differences of such, as those of the rung that counts are
        standardised."""
        return y if rung is None or not self.stretch else y * np.array(self.stretch)[rung]

    def bent_by(self, bend: Bend) -> Measured:
        """With its outcomes, which are not all equal, bent and standardised anew."""
        y = bend.bent(self.raw)
        centre, spread = float(y.mean()), float(y.std(ddof=1))
        known = (np.sqrt(self.known) * self.spread * bend.slope(self.raw) / spread) ** 2
        y = (y - centre) / spread
        return replace(self, y=y, known=known, centre=centre, spread=spread, bend=bend)

    def on_scale(self, y: Floats) -> Floats:
        """Standardised outcomes (n) as values in the metric's unit, or log10 of these."""
        values = y * self.spread + self.centre
        return np.asarray(values if self.bend is None else self.bend.straight(values))

    def in_unit(self, y: float) -> float:
        """A standardised outcome in the metric's unit."""
        value = float(self.on_scale(np.array(y)))
        return 10.0 ** min(max(value, -300.0), 300.0) if self.metric.scale == "log" else value

    def apart(self, y: Floats, others: Floats) -> float:
        """Root-mean-square difference of standardised outcomes (n), in the metric's unit or in
        decades."""
        if self.bend is None:
            return float(np.sqrt(np.mean((y - others) ** 2))) * self.spread
        off = (self.on_scale(y) - self.on_scale(others)) / self.bend.size  # 1e200 has no square
        return float(np.sqrt(np.mean(off**2))) * self.bend.size

    def unbent(self) -> tuple[float, float]:
        """Centre and spread of the outcomes as they were measured, or of log10 of these."""
        return _centre_and_spread(self.raw, self.metric)

    def deviation(self, y: Floats, sd: Floats) -> Floats:
        """Standard deviations (n) at standardised outcomes (n), in the metric's unit or in
        decades."""
        if self.bend is None:
            return sd * self.spread
        return np.asarray(0.5 * (self.on_scale(y + sd) - self.on_scale(y - sd)))


@dataclass(frozen=True)
class Evidence:
    """A history as arrays. `codes` and `features` have one row per trial in `trials`.

    `waiting` are rows of trials in flight: some outcomes are known, the others are still to come;
    `withdrawn` those of trials of which some outcomes were taken back, and nothing is to come.
    `blamed` and `survived` are rows of trials that failed because of their parameters, and of those
    that gave data; `preferences` are pairs of rows, the better one first. `newest` are the codes of
    the point that was proposed last. `seconds` is what trials took, where that is known.
    """

    trials: tuple[int, ...]
    codes: Floats
    features: Floats
    measured: dict[str, Measured]
    blamed: tuple[int, ...]
    survived: tuple[int, ...]
    preferences: tuple[tuple[int, int], ...]
    blocks: tuple[str, ...]
    at_s: tuple[float | None, ...]
    pending_codes: Floats
    newest: Floats
    seconds: tuple[float | None, ...] = ()
    waiting: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()

    def judged(self, metric: str) -> list[int]:
        """Rows of the ended trials that have an outcome of a metric, and of which nothing was taken
        back."""
        others = {*self.waiting, *self.withdrawn}
        return [row for row in self.measured[metric].rows if row not in others]


def n_known(task: PlanningTask, history: History) -> int:
    """How many trials say something about the first goal: a measurement (at the fidelity that
    counts), or a preference."""
    if task.objective.by_preference:
        return len(_compared(history))
    fidelity = fidelity_of(task.space)
    if fidelity is not None:
        on_last = [e for e in history.evaluated if e.point.get(fidelity.name) == fidelity.target]
        history = history.model_copy(update={"evaluated": tuple(on_last)})
    return n_measured(task.objective.metric, history)


def n_measured(metric: str, history: History) -> int:
    """How many trials have a value of a metric."""
    return sum(1 for e in history.evaluated if not e.failed and metric in e.outcomes)


def is_flat(metrics: Sequence[str], history: History) -> bool:
    """Whether nothing that was measured tells one point from another: no trial failed because of
    its parameters, and all outcomes of each metric are equal, or bounds that are."""
    ended = history.evaluated
    if any(e.failed and e.blames_parameters for e in ended):
        return False
    outcomes = [e.outcomes for e in ended if not e.failed]
    return all(_are_equal([o[m] for o in outcomes if m in o]) for m in metrics)


def _are_equal(outcomes: Sequence[Outcome]) -> bool:
    values = np.array([outcome.value for outcome in outcomes])
    if not len(values) or not np.isfinite(values).all():
        return not len(values)
    is_one = np.ptp(values) <= EQUAL * np.abs(values).max()
    return bool(is_one) and len({outcome.censored for outcome in outcomes}) == 1


def _compared(history: History) -> set[int]:
    """The trials that were compared with others."""
    known = {e.trial for e in (*history.evaluated, *history.withdrawn)}
    return {t for pair in history.preferences if set(pair) <= known for t in pair}


def evidence(task: PlanningTask, encoding: Encoding, history: History) -> Evidence:
    """Reads a history.

    Raises:
        PlanningError: an outcome is not finite, or not positive on a log scale.
        InputError: a point does not belong to the space.
    """
    newest_last = sorted(history.evaluated, key=lambda e: e.trial)
    begun = {e.trial for e in history.begun}
    withdrawn = {e.trial for e in history.withdrawn}
    others = sorted((*history.begun, *history.withdrawn), key=lambda e: e.trial)
    told = [*newest_last, *others]
    told, codes = _canonical(told, encoding.encode([e.point for e in told]))
    features = encoding.features(codes)
    rungs = None if encoding.rungs is None else (encoding.rungs.of(features), encoding.rungs.n - 1)
    measured: dict[str, Measured] = {}
    for metric in task.metrics:
        if metric.name in task.objective.metrics and metric.name != PREFERENCE:
            found = _measured(metric, told, rungs)
            measured |= {metric.name: found} if found is not None else {}
    if task.objective.by_preference:
        compared = _compared(history)
        rows = tuple(i for i, e in enumerate(told) if e.trial in compared)
        measured[PREFERENCE] = _utility(rows)
    blamed = tuple(i for i, e in enumerate(told) if e.failed and e.blames_parameters)
    survived = tuple(i for i, e in enumerate(told) if not e.failed and e.trial not in begun)
    pending = encoding.encode(history.pending)
    flying = [*(e.point for e in newest_last[-1:]), *history.pending]
    newest = encoding.encode(flying[-1:])[0] if flying else np.zeros(0)
    pending = pending[np.lexsort(pending.T[::-1])] if len(pending) > 1 else pending
    return Evidence(
        trials=tuple(e.trial for e in told),
        codes=codes,
        features=features,
        measured=measured,
        blamed=blamed,
        survived=survived,
        preferences=_pairs(told, history),
        blocks=tuple(e.block for e in told),
        at_s=tuple(e.at_s for e in told),
        pending_codes=pending,
        newest=newest,
        seconds=tuple(e.seconds for e in told),
        waiting=tuple(i for i, e in enumerate(told) if e.trial in begun),
        withdrawn=tuple(i for i, e in enumerate(told) if e.trial in withdrawn),
    )


def _canonical(told: list[Evaluated], codes: Floats) -> tuple[list[Evaluated], Floats]:
    """The trials in an order that has nothing to do with their numbers: a sum over rows in another
    order differs in its last digits, and so would the proposal."""

    def content(place: int) -> tuple[bytes, list[tuple[str, float]]]:
        outcomes = told[place].outcomes.items()
        return codes[place].tobytes(), sorted((name, o.value) for name, o in outcomes)

    order = sorted(range(len(told)), key=content)
    return [told[place] for place in order], codes[order]


def _pairs(told: list[Evaluated], history: History) -> tuple[tuple[int, int], ...]:
    ended = {e.trial for e in (*history.evaluated, *history.withdrawn)}
    rows = {e.trial: i for i, e in enumerate(told) if e.trial in ended}
    return tuple(
        (rows[a], rows[b]) for a, b in sorted(history.preferences) if a in rows and b in rows
    )


def _utility(rows: tuple[int, ...]) -> Measured:
    """In place of outcomes: a utility without a unit, known of these rows by comparison alone."""
    nothing = np.zeros(len(rows))
    scale = MetricScale(name=PREFERENCE, unit="")
    return Measured(scale, rows, nothing, nothing, Parts.alone(len(rows)), nothing, 0.0, 1.0)


def on_scale(metric: MetricScale, value: float) -> float:
    """log10 of a value on a log scale, else the value."""
    return math.log10(value) if metric.scale == "log" else value


def _measured(
    metric: MetricScale, ended: list[Evaluated], rungs: tuple[NDArray[np.intp], int] | None
) -> Measured | None:
    rows = [i for i, e in enumerate(ended) if not e.failed and metric.name in e.outcomes]
    if not rows:
        return None
    outcomes = [ended[i].outcomes[metric.name] for i in rows]
    for row, outcome in zip(rows, outcomes, strict=True):
        _refuse_unusable(metric, outcome, ended[row].trial)
    raw = np.array([on_scale(metric, o.value) for o in outcomes])
    stretch, by_row = np.ones(0), np.ones(len(raw))
    if rungs is None:
        centre, spread = _centre_and_spread(raw, metric)
    else:
        centre, spread, stretch = _on_rungs(raw, rungs[0][rows], rungs[1], metric)
        by_row = stretch[rungs[0][rows]]
    sds = [_sd_on_scale(metric, o) for o in outcomes]
    # samples that happen to agree are not exact
    sds = [None if not sd and o.n_samples > 1 else sd for sd, o in zip(sds, outcomes, strict=True)]
    sides = [{"above": 1.0, "below": -1.0, None: 0.0}[o.censored] for o in outcomes]
    return Measured(
        metric=metric,
        rows=tuple(rows),
        y=(raw / spread - centre / spread) / by_row,
        known=np.array([0.0 if sd is None else (sd / spread) ** 2 for sd in sds]) / by_row**2,
        parts=Parts.of(outcomes, sds),
        sides=np.array(sides),
        centre=centre,
        spread=spread,
        stretch=tuple(stretch.tolist()),
        raw=raw,
    )


def _refuse_unusable(metric: MetricScale, outcome: Outcome, trial: int) -> None:
    hint = "invalidate the observation, or narrow the metric's low and high so that it is refused"
    known = outcome.sd is None or (math.isfinite(outcome.sd) and outcome.sd >= 0)
    if not (math.isfinite(outcome.value) and known):
        raise PlanningError(
            f"trial {trial}: {metric.name} = {outcome.value:g} (sd {outcome.sd}) is not finite",
            hint=hint,
        )
    if metric.scale == "log" and outcome.value <= 0:
        raise PlanningError(
            f"trial {trial}: {metric.name} = {outcome.value:g} has no logarithm, "
            "and the metric is on a log scale",
            hint=hint,
        )


def _sd_on_scale(metric: MetricScale, outcome: Outcome) -> float | None:
    if outcome.sd is None or metric.scale == "linear":
        return outcome.sd
    return outcome.sd / (outcome.value * math.log(10))


def _on_rungs(
    raw: Floats, rung: NDArray[np.intp], last: int, metric: MetricScale
) -> tuple[float, float, Floats]:
    """The mean of the rung that counts, the spread of a typical one that varies alike (its own
    would be that of a few outcomes, perhaps of the best ones only), and the stretch of each rung.

    The prior knows scales within some ten times each other; what varies on quite another scale (in
    another unit, or wrong by orders) would leave nothing to be seen of the rung that counts.
    """
    counting = raw[rung == last] if (rung == last).any() else raw
    centre, own = _centre_and_spread(counting, metric)
    parts = {int(r): raw[rung == r] for r in np.unique(rung)}
    spreads = {r: _centre_and_spread(of, metric)[1] for r, of in parts.items() if np.ptp(of) > 0}
    aside = spreads.get(last, float(np.median([*spreads.values()])) if spreads else own)
    alike = [s for s in spreads.values() if 1 / MOST_UNLIKE <= s / aside <= MOST_UNLIKE]
    spread = float(np.median(alike)) if alike else own
    stretch = np.ones(last + 1)
    for r, of_rung in spreads.items():
        if r != last and not 1 / MOST_UNLIKE <= of_rung / aside <= MOST_UNLIKE:
            stretch[r] = of_rung / spread
    return centre, spread, stretch


def _centre_and_spread(raw: Floats, metric: MetricScale) -> tuple[float, float]:
    """Mean and standard deviation. Without a spread (one value, or all equal) the size of the
    values themselves, or one decade, so that a later difference is seen in proportion."""
    size = float(np.abs(raw).max())
    if size == 0.0:
        return 0.0, 1.0
    relative = raw / size  # the square of 1e200 is not a float
    spread = float(relative.std(ddof=1)) if len(raw) > 1 else 0.0
    if spread <= EQUAL:
        return float(raw[0]), 1.0 if metric.scale == "log" else size
    return float(relative.mean()) * size, spread * size
