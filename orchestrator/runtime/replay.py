"""`hagane replay`: the planner against a table of experiments that were really made.

Each proposal is one of the table's settings and is answered with one of its measurements. What is
counted is how many experiments it takes to reach the best settings, beside exact random order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orchestrator import plugins
from orchestrator.errors import InputError, PoolExhausted
from orchestrator.files.table import Table, read_table
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Choice, Pool, Real, SearchSpace
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask
from orchestrator.runtime.ask_tell import column_of
from orchestrator.runtime.load import campaign_path, read_campaign

TOP_SHARE = 0.05
N_BOOTSTRAP = 2000


@dataclass(frozen=True)
class Settings:
    """The table's n distinct settings as a pool, and what was measured at each of them.

    `means` (n) order the settings: the truth that is looked for.
    """

    pool: Pool
    measured: tuple[tuple[float, ...], ...]
    means: tuple[float, ...]

    def ranked(self, direction: str) -> list[int]:
        """Indices of the settings, the best one first."""
        sign = 1.0 if direction == "minimise" else -1.0
        return sorted(range(len(self.means)), key=lambda i: sign * self.means[i])


@dataclass(frozen=True)
class Needed:
    """Experiments needed to reach one goal, per seed; None: not within the limit.

    `random_mean` is exact: (N + 1) / (k + 1) draws without replacement to hit one of k among N.
    `factor` is random_mean over the planner's mean, with a bootstrap 95 % interval over seeds;
    runs that did not reach the goal count as the limit, so that the factor is a lower bound.
    """

    goal: str
    counts: tuple[int | None, ...]
    random_mean: float
    factor: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay: best so far per seed (by the settings' means), and the counts."""

    campaign: Campaign
    source: str
    settings: Settings
    curves: tuple[tuple[float, ...], ...]
    random_curve: tuple[float, ...]
    needed: tuple[Needed, ...]
    limit: int


def replay(
    table: str | Path,
    campaign: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    seeds: int = 5,
    limit: int | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Replayed:
    """Plays the campaign against a table `seeds` times, with at most `limit` experiments each.

    `columns` maps names of the campaign to columns of the table where they differ.

    Raises:
        InputError: a column is missing or a cell is not a number.
    """
    read = read_table(Path(table))
    study = read_campaign(campaign_path(campaign))
    names = {**{n: n for n in _names(study)}, **(columns or {})}
    settings = settings_of(read, study, names)
    most = min(limit or study.budget.trials, len(settings.means))
    ranked = settings.ranked(study.objective.direction)
    top = set(ranked[: max(1, round(TOP_SHARE * len(ranked)))])
    orders = [_play(settings, study, seed, most, progress) for seed in range(seeds)]
    n = len(ranked)
    goals = (
        (f"one of the top {TOP_SHARE:.0%} ({len(top)} settings)", top),
        ("the best", {ranked[0]}),
    )
    return Replayed(
        study,
        read.source,
        settings,
        tuple(_curve(settings, study, order) for order in orders),
        _random_curve(settings, study, most),
        tuple(_needed(goal, wanted, orders, n, most) for goal, wanted in goals),
        most,
    )


def _names(study: Campaign) -> list[str]:
    return [*study.space.names, study.objective.metric]


def settings_of(table: Table, study: Campaign, names: Mapping[str, str]) -> Settings:
    """Groups the table's rows by their setting. Raises InputError."""
    if study.objective.constraints:
        raise InputError("a replay takes a campaign without constraints on metrics")
    outcome = table.numbers(column_of(table, names[study.objective.metric]))
    features: list[tuple[float, ...]] = []
    columns: list[str] = []
    units: list[str] = []
    for parameter in study.space.parameters:
        column = column_of(table, names[parameter.name])
        if isinstance(parameter, Choice | Pool):
            for word in dict.fromkeys(table.texts(column)):
                columns.append(f"{parameter.name}={word}")
                units.append("")
                features.append(tuple(float(t == word) for t in table.texts(column)))
            continue
        values = table.numbers(column)
        is_log = isinstance(parameter, Real) and parameter.scale == "log"
        columns.append(parameter.name)
        units.append(parameter.unit)
        features.append(tuple(float(np.log10(v)) for v in values) if is_log else values)
    grouped: dict[tuple[float, ...], list[float]] = {}
    for row, value in zip(zip(*features, strict=True), outcome, strict=True):
        grouped.setdefault(row, []).append(value)
    pool = Pool(
        name="setting",
        names=tuple(f"setting {i + 1}" for i in range(len(grouped))),
        columns=tuple(columns),
        units=tuple(units),
        rows=tuple(grouped),
        source=table.source,
        sha256=table.sha256,
    )
    measured = tuple(tuple(v) for v in grouped.values())
    return Settings(pool, measured, tuple(float(np.mean(v)) for v in measured))


def _play(
    settings: Settings,
    study: Campaign,
    seed: int,
    most: int,
    progress: Callable[[int, int, float], None] | None,
) -> list[int]:
    metric = study.metric(study.objective.metric)
    task = PlanningTask(
        space=SearchSpace(parameters=(settings.pool,)),
        metrics=(MetricScale(name=metric.name, unit=metric.unit, scale=metric.scale),),
        objective=study.objective,
        planner=study.planner,
        seed=seed,
    )
    planner = plugins.load("planners", study.planner.kind)(task)
    draw = random.Random(seed)
    index = {name: i for i, name in enumerate(settings.pool.names)}
    evaluated: list[Evaluated] = []
    order: list[int] = []
    for number in range(most):
        history = History(evaluated=tuple(evaluated), n_proposed=number)
        try:
            point = planner.propose(history, 1)[0].point
        except PoolExhausted:
            break
        row = index[str(point["setting"])]
        value = draw.choice(settings.measured[row])
        order.append(row)
        outcomes = {metric.name: Outcome(value=value)}
        evaluated.append(Evaluated(trial=number + 1, point=point, outcomes=outcomes))
        if progress is not None:
            progress(seed, number + 1, value)
    return order


def _curve(settings: Settings, study: Campaign, order: Sequence[int]) -> tuple[float, ...]:
    values = np.array([settings.means[i] for i in order])
    least = study.objective.direction == "minimise"
    best = np.minimum.accumulate(values) if least else np.maximum.accumulate(values)
    return tuple(float(v) for v in best)


def _random_curve(settings: Settings, study: Campaign, most: int) -> tuple[float, ...]:
    """Exact expectation of the best of n settings drawn without replacement, n = 1 ... most."""
    ranked = settings.ranked(study.objective.direction)
    values = np.array([settings.means[i] for i in ranked])
    total = len(values)
    expected = []
    for n in range(1, most + 1):
        # P(the best drawn is rank r) = P(none of the r before it) * n / (those that are left)
        ranks = np.arange(total)
        left = total - ranks
        chance = np.where(left >= n, n / left, 0.0)
        ahead = np.concatenate([[1.0], np.cumprod(1.0 - chance)[:-1]])
        expected.append(float(np.sum(values * chance * ahead)))
    return tuple(expected)


def _needed(
    goal: str, wanted: set[int], orders: Sequence[Sequence[int]], n: int, most: int
) -> Needed:
    counts = tuple(
        next((i + 1 for i, row in enumerate(order) if row in wanted), None) for order in orders
    )
    random_mean = (n + 1) / (len(wanted) + 1)
    filled = np.array([most if c is None else c for c in counts], dtype=float)
    draws = np.random.default_rng(0).choice(filled, (N_BOOTSTRAP, len(filled))).mean(axis=1)
    low, high = np.quantile(random_mean / draws, [0.025, 0.975])
    factor = random_mean / float(filled.mean())
    return Needed(goal, counts, random_mean, factor, (float(low), float(high)))
