"""`hagane propose`: a table of results in, points to try out, for those who have no devices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator import plugins
from orchestrator.engine.history import evaluated_of, task_of
from orchestrator.errors import InputError
from orchestrator.files.columns import column_of, split_header
from orchestrator.files.rows import rows_of
from orchestrator.files.table import Table, number, read_table
from orchestrator.model.campaign import PlannerChoice
from orchestrator.model.objective import Goal, Metric, Objective
from orchestrator.model.space import Choice, Integer, Parameter, Real, SearchSpace
from orchestrator.model.trial import Proposal
from orchestrator.ports.planner import History, MetricScale, PlanningTask
from orchestrator.runtime.load import campaign_path, read_campaign

Direction = Literal["minimise", "maximise"]


@dataclass(frozen=True)
class Advice:
    """Proposals, and the space that they were made in (perhaps assumed from the table)."""

    proposals: tuple[Proposal, ...]
    task: PlanningTask
    n_results: int
    n_pending: int
    is_assumed: bool


def propose(
    data: str | Path,
    n: int,
    *,
    campaign: str | Path | None = None,
    goal: tuple[Direction, str] | None = None,
    seed: int = 0,
) -> Advice:
    """The next `n` points after a table of results.

    With a campaign file its space and objective hold, and its columns are named like them.
    Without one every other column is a parameter, whose range is the one seen in the table, and
    `goal` names the column to optimise. A row without a result is a point in flight.

    Raises:
        InputError: a column is missing, a cell is not a number, or no goal is named.
        PlanningError: no proposal can be made.
    """
    table = read_table(Path(data))
    if campaign is not None:
        task = task_of(read_campaign(campaign_path(campaign)))
    else:
        task = _assumed_task(table, goal, seed)
    history = history_from(table, task)
    planner = plugins.load("planners", task.planner.kind)(task)
    proposals = tuple(planner.propose(history, n))
    return Advice(proposals, task, len(history.evaluated), len(history.pending), campaign is None)


def _assumed_task(table: Table, goal: tuple[Direction, str] | None, seed: int) -> PlanningTask:
    if goal is None:
        raise InputError(
            "the table does not say what is wanted",
            hint="--minimise COLUMN or --maximise COLUMN, one of: " + ", ".join(table.columns),
        )
    direction, wanted = goal[0], column_of(table, goal[1])
    name, unit = split_header(wanted)
    for column in table.columns:
        column_of(table, split_header(column)[0])  # refuses a name that stands twice
    parameters = tuple(_assumed(table, c) for c in table.columns if c != wanted)
    if not parameters:
        raise InputError(f"{table.source} has no column beside '{wanted}' to vary")
    objective = Objective(goals=(Goal(metric=name, direction=direction),))
    planner = PlannerChoice(kind="bayesian", initial=0)
    space = SearchSpace(parameters=parameters)
    scale = MetricScale(name=name, unit=unit)
    return PlanningTask(
        space=space, metrics=(scale,), objective=objective, planner=planner, seed=seed
    )


def _assumed(table: Table, column: str) -> Parameter:
    name, unit = split_header(column)
    if all(number(cell) is None for cell in table.texts(column)):
        return Choice(name=name, options=tuple(dict.fromkeys(table.texts(column))))
    values = table.numbers(column)
    low, high = min(values), max(values)
    if low == high:
        raise InputError(
            f"column '{column}' has one value only, so its range is not known",
            hint="describe the space in a campaign file: --campaign FILE",
        )
    if all(v == int(v) for v in values) and "." not in "".join(table.texts(column)):
        return Integer(name=name, low=int(low), high=int(high), unit=unit)
    return Real(name=name, low=low, high=high, unit=unit)


def history_from(table: Table, task: PlanningTask) -> History:
    """The rows of a table as trials, in the units of the task.

    Raises:
        InputError: as `rows_of`.
    """
    metrics = [Metric(name=m.name, expression="", unit=m.unit, scale=m.scale) for m in task.metrics]
    rows = rows_of(table, task.space, metrics)
    evaluated = [
        evaluated_of(row.trial, index)
        for index, row in enumerate(rows, start=1)
        if not row.is_pending
    ]
    pending = tuple(row.trial.point for row in rows if row.is_pending)
    return History(evaluated=tuple(evaluated), pending=pending, n_proposed=len(rows))
