"""`hagane replay`: the planner against a table of experiments that were really made.

Each proposal is one of the table's settings and is answered with one of its measurements. What is
counted is how many experiments it takes to reach the best settings, beside exact random order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

import numpy as np

from orchestrator import plugins
from orchestrator.errors import (
    FileProblems,
    InputError,
    PoolExhausted,
    Problem,
    UnknownName,
    did_you_mean,
)
from orchestrator.files.columns import column_of, numbers_in
from orchestrator.files.table import Table, read_table
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Choice, Parameter, Pool, SearchSpace, is_open, words_of
from orchestrator.model.transfer import Source
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask
from orchestrator.runtime.load import campaign_path, read_campaign

T = TypeVar("T")
TOP_SHARE = 0.05
N_BOOTSTRAP = 2000
NO_GROWTH = "generate is switched off: a replay is answered by its table alone"


@dataclass(frozen=True)
class Settings:
    """The table's n distinct settings as a pool, and what was measured at each of them.

    `means` (n) order the settings: the truth that is looked for.
    """

    pool: Pool
    measured: tuple[tuple[float, ...], ...]
    means: tuple[float, ...]

    def ranked(self, loss: Callable[[float], float]) -> list[int]:
        """Indices of the settings, the best one first: that with the least loss."""
        return sorted(range(len(self.means)), key=lambda i: loss(self.means[i]))


@dataclass(frozen=True)
class Needed:
    """Experiments needed to reach one goal, per seed; None: not within the limit.

    `random_mean` is exact: (N + 1) / (k + 1) draws without replacement to hit one of k among N.
    `factor` is how many times fewer experiments the planner needed on average, with a bootstrap
    95 % interval over seeds. Where the goal is not reached, the limit is counted, for random order
    too (`random_within`, exact): so a limit draws the factor towards 1, never away from it.
    """

    goal: str
    counts: tuple[int | None, ...]
    random_mean: float
    random_within: float
    factor: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay: best so far per seed (by the settings' means), and the counts.

    `remark` says what of the campaign could not be replayed.
    """

    campaign: Campaign
    source: str
    settings: Settings
    curves: tuple[tuple[float, ...], ...]
    random_curve: tuple[float, ...]
    needed: tuple[Needed, ...]
    limit: int
    remark: str = ""


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
    settings = settings_of(read, study, columns or {})
    most = min(limit or study.budget.trials, len(settings.means))
    ranked = settings.ranked(study.objective.loss)
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
        NO_GROWTH if any(map(is_open, study.space.parameters)) else "",
    )


def settings_of(table: Table, study: Campaign, columns: Mapping[str, str]) -> Settings:
    """Groups the table's rows by their setting; rows without a result are left out. `columns` as
    in `replay`.

    Raises:
        InputError: the campaign has several goals or constraints, or the table does not fit it.
    """
    if study.objective.constraints or len(study.objective.goals) > 1:
        raise InputError("a replay takes a campaign with one goal, without constraints on metrics")
    metric = study.metric(study.objective.metric)
    names = [*study.space.names, metric.name]
    for name in columns:
        if name not in names:
            raise UnknownName("parameter or metric of the campaign", name, names)
    found = {name: column_of(table, columns.get(name, name)) for name in names}
    cells = table.texts(found[metric.name])
    table = table.only([row for row, cell in enumerate(cells) if cell])
    if not table.rows:
        raise InputError(f"{table.source} has no result in column '{found[metric.name]}'")
    is_log = metric.scale == "log"
    outcome = numbers_in(table, found[metric.name], metric.unit, is_log=is_log)
    sole = study.space.parameters[0]
    if len(study.space.parameters) == 1 and isinstance(sole, Pool):
        return _of_candidates(table, sole, table.texts(found[sole.name]), outcome)
    features = [
        feature
        for parameter in study.space.parameters
        for feature in _features(table, parameter, found[parameter.name])
    ]
    materials = {p.name: p for p in study.space.parameters if isinstance(p, Pool) and p.described}
    candidates = [_places(table, p, table.texts(found[name])) for name, p in materials.items()]
    grouped: dict[tuple[tuple[float, ...], tuple[int, ...]], list[float]] = {}
    for i, value in enumerate(outcome):
        key = (tuple(f.values[i] for f in features), tuple(c[i] for c in candidates))
        grouped.setdefault(key, []).append(value)
    pool = Pool(
        name="setting",
        names=tuple(f"setting {i + 1}" for i in range(len(grouped))),
        columns=tuple(f.name for f in features),
        units=tuple(f.unit for f in features),
        rows=tuple(row for row, _ in grouped),
        described=tuple(
            said.only([chosen[k] for _, chosen in grouped])
            for k, material in enumerate(materials.values())
            for said in material.described
        ),
        source=table.source,
        sha256=table.sha256,
    )
    measured = tuple(tuple(v) for v in grouped.values())
    return Settings(pool, measured, tuple(float(np.mean(v)) for v in measured))


def _of_candidates(
    table: Table, pool: Pool, cells: Sequence[str], outcome: Sequence[float]
) -> Settings:
    """The candidates that were measured, with all that is known of them; nothing is made beside
    them, since nobody could say what it would give."""
    rows = _places(table, pool, cells)
    grouped: dict[int, list[float]] = {}
    for row, value in zip(rows, outcome, strict=True):
        grouped.setdefault(row, []).append(value)
    measured = tuple(tuple(v) for v in grouped.values())
    kept = pool.only(list(grouped)).model_copy(update={"name": "setting", "generation": None})
    return Settings(kept, measured, tuple(float(np.mean(v)) for v in measured))


@dataclass(frozen=True)
class _Feature:
    name: str
    unit: str
    values: tuple[float, ...]


def _features(table: Table, parameter: Parameter, column: str) -> list[_Feature]:
    """The columns of numbers that describe a parameter's values: a logarithm on a log scale, one
    per word of a choice, the describing numbers of a pool."""
    name = parameter.name
    if isinstance(parameter, Choice):
        cells = table.texts(column)
        return [
            _Feature(f"{name}={word}", "", tuple(float(c == word) for c in cells))
            for word in dict.fromkeys(cells)
        ]
    if isinstance(parameter, Pool):
        rows = _candidates(table, parameter, column)
        return [
            _Feature(f"{name}.{describing}", unit, tuple(row[i] for row in rows))
            for i, (describing, unit) in enumerate(
                zip(parameter.columns, parameter.units, strict=True)
            )
        ]
    words = words_of(parameter)
    if words is not None:  # levels with an order: their places
        places = {word: float(i) for i, word in enumerate(words)}
        return [_Feature(name, "", _looked_up(table, f"a {name}", places, table.texts(column)))]
    unit = getattr(parameter, "unit", "")
    is_log = getattr(parameter, "scale", "linear") == "log"
    values = numbers_in(table, column, unit, is_log=is_log)
    if is_log:
        return [_Feature(name, "", tuple(float(np.log10(v)) for v in values))]
    return [_Feature(name, unit, values)]


def _places(table: Table, pool: Pool, cells: Sequence[str]) -> tuple[int, ...]:
    """The candidates that cells name, by their places in the pool."""
    places = {name: i for i, name in enumerate(pool.names)}
    return _looked_up(table, f"a candidate of '{pool.name}'", places, cells)


def _candidates(table: Table, pool: Pool, column: str) -> list[tuple[float, ...]]:
    rows = pool.rows if pool.columns else [()] * len(pool.names)
    known = dict(zip(pool.names, rows, strict=True))
    cells = table.texts(column)
    return list(_looked_up(table, f"a candidate of '{pool.name}'", known, cells))


def _looked_up(
    table: Table, what: str, known: Mapping[str, T], cells: Sequence[str]
) -> tuple[T, ...]:
    problems = [
        Problem(f"'{c}' is not {what}", did_you_mean(c, known), line)
        for line, c in zip(table.lines, cells, strict=True)
        if c not in known
    ]
    if problems:
        raise FileProblems(table.source, problems)
    return tuple(known[c] for c in cells)


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
        sources=_sources(settings, study),
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


def _sources(settings: Settings, study: Campaign) -> tuple[Source, ...]:
    """The campaign's tables as sources of the settings.

    Raises:
        InputError: it has others, or more than a pool.
    """
    if study.sources_wanted or (study.sources and len(study.space.parameters) > 1):
        raise InputError(
            "a replay takes sources that are tables, of a campaign whose space is one pool"
        )
    known = set(settings.pool.names)
    found = []
    for source in study.sources:
        update: dict[str, object] = {"parameter": "setting"}
        if source.materials is None:
            name = study.space.names[0]
            pairs = [(p[name], v) for p, v in zip(source.points, source.values, strict=True)]
            pairs = [(word, value) for word, value in pairs if word in known]
            update = {"points": tuple({"setting": word} for word, _ in pairs)}
            update["values"] = tuple(value for _, value in pairs)
        found.append(source.model_copy(update=update))
    return tuple(found)


def _curve(settings: Settings, study: Campaign, order: Sequence[int]) -> tuple[float, ...]:
    values = [settings.means[i] for i in order]
    return tuple(accumulate(values, lambda a, b: min(a, b, key=study.objective.loss)))


def _random_curve(settings: Settings, study: Campaign, most: int) -> tuple[float, ...]:
    """Exact expectation of the best of n settings drawn without replacement, n = 1 ... most."""
    ranked = settings.ranked(study.objective.loss)
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
    within = random_within(n, len(wanted), most)
    filled = np.array([most if c is None else c for c in counts], dtype=float)
    draws = np.random.default_rng(0).choice(filled, (N_BOOTSTRAP, len(filled))).mean(axis=1)
    low, high = np.quantile(within / draws, [0.025, 0.975])
    factor = within / float(filled.mean())
    return Needed(goal, counts, random_mean, within, factor, (float(low), float(high)))


def random_within(n: int, k: int, most: int) -> float:
    """Exact mean of the draws without replacement until one of `k` among `n` comes, `most` being
    counted where none did."""
    mean, none_yet = 0.0, 1.0
    for drawn in range(most):
        mean += none_yet
        none_yet *= (n - k - drawn) / (n - drawn)
    return mean
