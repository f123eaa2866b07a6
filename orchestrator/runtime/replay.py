"""`hagane replay`: the planner against a table of experiments that were really made.

Each proposal is one of the table's settings and is answered with one of its measurements. What is
counted is how many experiments it takes to reach what is best in the table, beside random order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orchestrator import plugins
from orchestrator.errors import InputError, PoolExhausted
from orchestrator.files.columns import split_header
from orchestrator.files.spreadsheet import table_in
from orchestrator.model.campaign import Campaign
from orchestrator.model.candidates import outcome_words, told_outcomes
from orchestrator.model.space import Pool, SearchSpace, is_open
from orchestrator.model.transfer import Source
from orchestrator.ports.planner import Evaluated, History, MetricScale, Outcome, PlanningTask
from orchestrator.runtime.load import campaign_path, read_campaign
from orchestrator.runtime.replay_table import Settings, settings_of
from orchestrator.runtime.replay_truth import Truth, truth_of

N_BOOTSTRAP = 2000
NO_GROWTH = "generate is switched off: a replay is answered by its table alone"
NO_COST = "every experiment counts the same: costs are left out of a replay"


@dataclass(frozen=True)
class Needed:
    """Experiments needed to reach one goal, per seed; None: not within the limit.

    `random_mean` is what random order without repetition needs: exact, (N + 1) / (k + 1) draws to
    hit one of k among N, or of several goals the mean of many drawn orders. `factor` is how many
    times fewer experiments the planner needed on average, with a bootstrap 95 % interval over
    seeds. Where the goal is not reached, the limit is counted, for random order too
    (`random_within`): so a limit draws the factor towards 1, never away from it.
    """

    goal: str
    counts: tuple[int | None, ...]
    random_mean: float
    random_within: float
    factor: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay: the course of `quantity` (in `unit`) per seed, by the settings'
    means, and the counts. With one goal it is the best so far; of several, the share of the
    table's dominated hypervolume.

    `remark` says what of the campaign could not be replayed.
    """

    campaign: Campaign
    source: str
    settings: Settings
    quantity: str
    unit: str
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
        InputError: a column is missing, a cell is not a number, or nothing keeps the limits.
    """
    read = table_in(Path(table))
    study = read_campaign(campaign_path(campaign))
    settings = settings_of(read, study, columns or {})
    truth = truth_of(settings, study)
    most = min(limit or study.budget.trials, len(settings.means))
    orders = [play(settings, study, seed, most, progress) for seed in range(seeds)]
    open_ended = any(map(is_open, study.space.parameters))
    remarks = [NO_GROWTH] * open_ended + [NO_COST] * bool(study.objective.cost)
    known = {
        split_header(word)[0]
        for metric in study.objective.metrics
        for word in (metric, (columns or {}).get(metric, metric))
    }
    pools = [p for p in study.space.parameters if isinstance(p, Pool)]
    remarks += [outcome_words(pool, known) for pool in pools if told_outcomes(pool, known)]
    if n := settings.n_aside:
        rows = (
            "1 row is of a candidate that is" if n == 1 else f"{n} rows are of candidates that are"
        )
        remarks.append(f"{rows} set aside")
    return Replayed(
        study,
        read.source,
        settings,
        truth.quantity,
        truth.unit,
        tuple(truth.course(order) for order in orders),
        truth.random_course(most),
        tuple(_needed(truth, goal, orders, most) for goal in truth.goals),
        most,
        "; ".join(remarks),
    )


def play(
    settings: Settings,
    study: Campaign,
    seed: int,
    most: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> list[int]:
    """The settings that the campaign's planner tries, `most` of them at most, by their places.

    Raises:
        InputError: it has sources that are no tables, or of which a replay does not know.
    """
    metrics = [study.metric(name) for name in settings.metrics]
    task = PlanningTask(
        space=SearchSpace(parameters=(settings.pool,)),
        metrics=tuple(MetricScale(name=m.name, unit=m.unit, scale=m.scale) for m in metrics),
        objective=study.objective.model_copy(update={"cost": "", "cost_unit": ""}),
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
        values = draw.choice(settings.measured[row])
        order.append(row)
        pairs = zip(settings.metrics, values, strict=True)
        outcomes = {name: Outcome(value=value) for name, value in pairs}
        evaluated.append(Evaluated(trial=number + 1, point=point, outcomes=outcomes))
        if progress is not None:
            progress(seed, number + 1, values[0])
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


def _needed(truth: Truth, goal: str, orders: Sequence[Sequence[int]], most: int) -> Needed:
    counts = tuple(truth.count(goal, order) for order in orders)
    filled = np.array([most if c is None else c for c in counts], dtype=float)
    draws = np.random.default_rng(0).choice(filled, (N_BOOTSTRAP, len(filled))).mean(axis=1)
    mean, within = truth.random_counts(goal, most)
    low, high = np.quantile(within / draws, [0.025, 0.975])
    factor = within / float(filled.mean())
    return Needed(goal, counts, mean, within, factor, (float(low), float(high)))
