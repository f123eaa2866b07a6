"""`hagane propose`: a table of results in, points to try out, for those who have no devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from orchestrator import plugins
from orchestrator.engine.history import evaluated_of, in_context, numbered_before, task_of
from orchestrator.errors import InputError, PoolExhausted, UnknownName
from orchestrator.files.lots import lots_of
from orchestrator.files.rows import places_of_candidates, rows_of, unused_words
from orchestrator.files.table import Table
from orchestrator.model.campaign import Campaign, numbered_block
from orchestrator.model.objective import Metric
from orchestrator.model.points import context_words, outside_words, value_from
from orchestrator.model.space import Context, Point, SearchSpace
from orchestrator.model.trial import Proposal
from orchestrator.ports.planner import Evaluated, History, PlanningTask
from orchestrator.runtime.assuming import Wanted, assumed_task
from orchestrator.runtime.load import campaign_path, read_campaign, source_words
from orchestrator.runtime.settling import settled_trials
from orchestrator.runtime.tables import Data, table_of


@dataclass(frozen=True)
class Advice:
    """Proposals, and the space that they were made in (perhaps assumed from the table). Of the
    `n_results` trials `n_partial` lack a metric. `left_out` are the sources of the campaign's
    transfer that only a run looks at; `outside` says of points and of the context that they lie
    outside of the space, where they do; `remarks` are what else is to be said of the table."""

    proposals: tuple[Proposal, ...]
    task: PlanningTask
    n_results: int
    n_pending: int
    is_assumed: bool
    left_out: tuple[str, ...] = ()
    outside: str = ""
    n_partial: int = 0
    remarks: tuple[str, ...] = ()


def propose(
    data: Data,
    n: int,
    *,
    campaign: str | Path | None = None,
    goal: Wanted | Sequence[Wanted] | None = None,
    context: Mapping[str, float | str] | None = None,
    seed: int = 0,
) -> Advice:
    """The next `n` points after a table of results.

    With a campaign file its space and objective hold, and its columns are named like them.
    Without one every other column is a parameter, whose range is the one seen in the table, and
    `goal` names the column to optimise, or several. A row without a result is a point in flight,
    one with some of them counts for these, and one with the word `failed` is a trial that failed
    because of its parameters.

    Args:
        data: a CSV file, a DataFrame, columns by name, or rows by name.
        n: how many points.
        campaign: a campaign file, its folder, or the name of an installed one.
        goal: such as `("maximise", "strength")`, or a list of them.
        context: what cannot be chosen as it is now, such as `{"humidity": 45}`.
        seed: makes other choices, where no campaign file has one.

    Raises:
        InputError: a column is missing, a cell is not a number, or no goal is named; `n` is no
            whole number, or less than one; the seed is no whole number, or below zero.
        PlanningError: no proposal can be made.
    """
    n = count_from(n)
    table = table_of(data)
    known: list[Evaluated] = []
    left_out: tuple[str, ...] = ()
    blocks: Sequence[str] = ()
    remarks: list[str] = []
    if campaign is not None:
        study = read_campaign(campaign_path(campaign), needs_budget=False)
        task = task_of(study)
        blocks, said = blocks_in(table, study)
        unused = unused_words(table, task.space, [metric.name for metric in study.metrics])
        remarks += [one for one in (said, unused, *source_words(study)) if one]
        known = numbered_before(study.start, study)
        known = known if blocks else [one.model_copy(update={"block": ""}) for one in known]
        left_out = tuple(f"{wanted.kind} {wanted.name}" for wanted in study.sources_wanted)
    else:
        task, remarks = assumed_task(table, goal, seed_from(seed))
    if task.objective.by_preference:
        raise InputError(
            "a table does not say which of two trials people prefer",
            hint="from Python: orchestrator.Advisor, or a campaign with `hagane prefer`",
        )
    history = history_from(table, task, blocks)
    now = context_now(task.space, context or {}, history)
    told = history.model_copy(update={"evaluated": (*known, *history.evaluated), "context": now})
    planner = plugins.load("planners", task.planner.kind)(task)
    try:
        proposals = tuple(in_context(task.space, p, told) for p in planner.propose(told, n))
    except PoolExhausted as error:
        if history.pending:
            error.hint = (
                f"{len(history.pending)} rows of {table.source} have no result, and count as being "
                "tried: leave out those that may be proposed"
            )
        raise
    if len(proposals) < n:
        remarks.append(f"{len(proposals)} of the {n} points: nothing else is left to be tried")
    counts = len(history.evaluated), len(history.pending)
    points = [*(e.point for e in told.evaluated), *told.pending]
    given = {name: now[name] for name in context or {}}
    beyond = (outside_words(task.space, points), context_words(task.space, given))
    outside = "; ".join(filter(None, beyond))
    n_partial = sum(is_partial(one, len(task.metrics)) for one in history.evaluated)
    is_assumed = campaign is None
    return Advice(
        proposals, task, *counts, is_assumed, left_out, outside, n_partial, tuple(remarks)
    )


def blocks_in(table: Table, study: Campaign) -> tuple[Sequence[str], str]:
    """The block of each row of a table, if the campaign speaks of blocks; and what is to be said
    where a table does not say which they are.

    Raises:
        InputError: the column of the metric that says it has a unit that does not fit.
    """
    block = study.block
    if block is None:
        return (), ""
    if block.every is not None:
        return [numbered_block(block.every, i + 1) for i in range(len(table.rows))], ""
    if block.controls:
        return (), "without its blocks: a table does not say which rows came after which control"
    found = lots_of(table, study.metric(block.metric))
    if found is None:
        return (), f"without its blocks: {table.source} has no column '{block.metric}'"
    return found, ""


def is_whole(number: object) -> bool:
    """Whether it is a whole number, of Python or of numpy; `True` is none."""
    return isinstance(number, Integral) and not isinstance(number, bool)


def count_from(n: int) -> int:
    """How many points are asked for. Raises InputError: no whole number of them, or none."""
    if not is_whole(n) or n < 1:
        raise InputError(f"{n!r} points cannot be asked for", hint="ask for 1, 2 or more")
    return int(n)


def seed_from(seed: int) -> int:
    """The seed. Raises InputError: it is no whole number, or below zero."""
    if not is_whole(seed) or seed < 0:
        raise InputError(f"{seed!r} is no seed", hint="a seed is a whole number from 0 on")
    return int(seed)


def context_now(space: SearchSpace, given: Mapping[str, float | str], history: History) -> Point:
    """What cannot be chosen, as it is now: as given, or else as in the newest trial.

    Raises:
        InputError: it is no context of the space, or no number.
    """
    contexts = {p.name: p for p in space.parameters if isinstance(p, Context)}
    for name in given:
        if name not in contexts:
            raise UnknownName("context of this space", name, contexts)
    newest = history.evaluated[-1].point if history.evaluated else {}
    found: Point = {name: newest[name] for name in contexts if name in newest}
    return found | {name: value_from(contexts[name], value) for name, value in given.items()}


def is_partial(known: Evaluated, n_metrics: int) -> bool:
    """Whether some of the metrics of a trial are known, and others are still to come."""
    return not known.failed and 0 < len(known.outcomes) < n_metrics


def history_from(table: Table, task: PlanningTask, blocks: Sequence[str] = ()) -> History:
    """The rows of a table as trials, in the units of the task; `blocks` are those of the rows.

    Raises:
        InputError: as `rows_of`, or a material cannot be described.
    """
    metrics = [Metric(name=m.name, expression="", unit=m.unit, scale=m.scale) for m in task.metrics]
    places = places_of_candidates(table, task.space)
    rows = rows_of(table.only(places), task.space, metrics, reads_materials=True)
    trials = settled_trials(task.space, [(row.trial, row.line) for row in rows], table.source)
    evaluated = [
        evaluated_of(trial, place + 1, blocks[place] if blocks else "")
        for place, row, trial in zip(places, rows, trials, strict=True)
        if not row.is_pending
    ]
    pending = tuple(t.point for row, t in zip(rows, trials, strict=True) if row.is_pending)
    return History(evaluated=tuple(evaluated), pending=pending, n_proposed=len(rows))
