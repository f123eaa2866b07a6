"""Rows of a table of results as trials: points of a space, and what was measured there.

A column is named as its parameter or metric, perhaps with a unit: `width [cm]`. Of a metric,
`METRIC sd` is its known noise, `METRIC samples` how many samples it is the mean of, and a cell
`>5` or `<5` a bound. The word `failed` in place of a result is a trial that failed because of its
parameters. So is one in a column `status`, as an export has it, unless its column `cause` says
something else; what had been measured by then is no result. A row without a result is a point in
flight; one with some of them says what it says.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName, did_you_mean
from orchestrator.files.columns import column_of, difference_scale, number_in, split_header
from orchestrator.files.table import Table, no_number_hint, number
from orchestrator.model.objective import PREFERENCE, Metric
from orchestrator.model.space import (
    Condition,
    Context,
    Integer,
    Ordinal,
    Parameter,
    Point,
    Pool,
    Real,
    SearchSpace,
    Value,
    is_open,
    words_of,
)
from orchestrator.model.start import KnownOutcome, KnownTrial
from orchestrator.model.trial import FailureCause

BESIDE = ("sd", "samples", "censored")
"""What may stand in columns of its own beside a metric: `METRIC sd`."""
SHOWN = 6
"""So many columns of which nothing is known are named."""
FORMS = {"sd": "sd|std|stdev"}
"""How else it may be written."""
FAILED = "failed"
"""What stands in place of a result of a trial that gave none, because of its parameters."""
STATUS, CAUSE = "status", "cause"
"""Columns of an export: whether a trial failed whatever it has measured before, and why."""
EXACT = ("", "no", "none", "false")
"""What a column `METRIC censored` says of a value that is no bound."""
_BOUNDS: Mapping[str, Literal["above", "below"]] = {">": "above", "<": "below"}


@dataclass(frozen=True)
class Row:
    """A trial of a table. `is_pending`: all results are still to come."""

    trial: KnownTrial
    line: int
    is_pending: bool


def rows_of(
    table: Table,
    space: SearchSpace,
    metrics: Sequence[Metric],
    columns: Mapping[str, str] | None = None,
    *,
    reads_materials: bool = False,
) -> list[Row]:
    """The rows of a table, in the units of the space and the metrics.

    `columns` maps names to columns of the table where they differ. With `reads_materials` a word
    that may be the material of a candidate is left as it is, for who can read materials.

    Raises:
        FileProblems: with every bad cell, or with every column that is missing.
        UnknownName: a column is missing.
        UnitMismatch, InputError: the unit of a column does not fit, or does not exist.
    """
    reading = _Reading(table, space, metrics, columns or {}, reads_materials)
    rows = [reading.row(index) for index in range(len(table.rows))]
    if reading.problems:
        raise FileProblems(table.source, reading.problems)
    return rows


def places_of_candidates(table: Table, space: SearchSpace) -> list[int]:
    """The rows of a table by their places; where it is a pool's own table, without those that the
    pool has set aside, since what cannot be described is no candidate there."""
    pools = (p for p in space.parameters if isinstance(p, Pool) and p.sha256 == table.sha256 != "")
    aside = {one.line for pool in pools for one in pool.set_aside if not one.same_as}
    return [place for place, line in enumerate(table.lines) if line not in aside]


def beside_of(table: Table, metric: str, named: Collection[str] = ()) -> dict[str, str]:
    """What stands in columns of its own beside a metric: `sd`, `samples`, `censored`, and the
    column, which may also be written `METRIC_sd` or `METRIC SD`. `named` mean something else.

    Raises:
        InputError: several columns may be meant.
    """
    found: dict[str, str] = {}
    free = [c for c in table.columns if split_header(c)[0] not in named]
    for more in BESIDE:
        form = re.compile(rf"{re.escape(metric)}[\s_-]+(?i:{FORMS.get(more, more)})")
        columns = [c for c in free if form.fullmatch(split_header(c)[0])]
        exact = [c for c in columns if split_header(c)[0] == f"{metric} {more}"]
        columns = exact or columns
        if len(columns) > 1:
            shown = ", ".join(columns)
            raise InputError(f"{table.source} has several columns for '{metric} {more}': {shown}")
        if columns:
            found[more] = columns[0]
    return found


def parameter_column(
    table: Table, space: SearchSpace, parameter: Parameter, called: str = ""
) -> str:
    """The column of a parameter: the one `called` so, else of its name, else the one in which the
    pool's own table has the materials, or the names, unless it may be that of another pool, too.

    Raises:
        UnknownName, InputError: as `column_of`.
    """
    try:
        return column_of(table, called or parameter.name)
    except UnknownName as error:
        there = [column for column in _of_candidates(parameter) if column in table.columns]
        if called or not there:
            raise
        column = there[0]
        names = {split_header(one)[0] for one in table.columns} | {parameter.name}
        others = [p.name for p in space.parameters if column in _of_candidates(p)]
        if other := next((name for name in others if name not in names), ""):
            error.hint += f"; '{column}' may be the column of '{other}', too"
            raise
        return column


def _of_candidates(parameter: Parameter) -> list[str]:
    """The columns in which a pool's own table has its materials, and their names."""
    if not isinstance(parameter, Pool):
        return []
    columns = [one.material for one in parameter.described[:1]] + [parameter.named_by]
    return [column for column in columns if column]


def unused_words(table: Table, space: SearchSpace, metrics: Collection[str]) -> str:
    """A sentence about columns that are no parameter, no metric, and beside none; '' where there
    are none. The names that the table lacks are those that may be meant."""
    names = [*metrics]
    for parameter in space.parameters:
        names.append(parameter.name)
        with contextlib.suppress(InputError):
            names[-1] = split_header(parameter_column(table, space, parameter))[0]
    names += [STATUS, CAUSE] if STATUS in table.columns else []
    beside = {m: beside_of(table, m, names) for m in metrics}
    used = {column for columns in beside.values() for column in columns.values()}
    rest = [c for c in table.columns if c not in used and split_header(c)[0] not in names]
    there = {split_header(column)[0] for column in table.columns}
    meant = [name for name in names if name not in there]
    meant += [f"{m} {more}" for m in metrics for more in BESIDE if more not in beside[m]]
    said = {column: did_you_mean(split_header(column)[0], meant) for column in rest}
    near = [f"{c} ({hint})" for c, hint in said.items() if hint.startswith("did you")]
    far = [c for c, hint in said.items() if not hint.startswith("did you")]
    left = [f"and {len(far) - SHOWN} more"] if len(far) > SHOWN else []
    return f"not used: {', '.join([*near, *far[:SHOWN], *left])}" if rest else ""


class _Reading:
    def __init__(
        self,
        table: Table,
        space: SearchSpace,
        metrics: Sequence[Metric],
        columns: Mapping[str, str],
        reads_materials: bool,
    ) -> None:
        self.problems: list[Problem] = []
        self._table, self._renamed = table, columns
        self._reads_materials = reads_materials
        self._metrics = [m for m in metrics if m.name != PREFERENCE]
        self._space, self._parameters = space, space.parameters
        self._conditions = {condition.name: condition for condition in space.conditions}
        self._columns: dict[str, str] = {}
        named = [*space.names, *(m.name for m in metrics)]
        missing: list[UnknownName] = []
        for part in (*space.parameters, *self._metrics):
            try:
                if isinstance(part, Metric):
                    self._find_metric(part.name, named)
                else:
                    self._find(part)
            except UnknownName as error:
                missing.append(error)
        if len(missing) == 1:
            raise missing[0]
        if missing:
            raise FileProblems(table.source, [Problem(str(e), e.hint) for e in missing])
        taken = {*named, *self._columns.values()}
        self._has_status = STATUS in table.columns and STATUS not in taken
        self._line, self._cells = 0, dict[str, str]()

    def _find_metric(self, metric: str, named: Collection[str]) -> None:
        named_so = self._renamed.get(metric, metric)
        self._columns[metric] = column_of(self._table, named_so)
        for name in (metric, named_so):
            for more, column in beside_of(self._table, name, named).items():
                self._columns[f"{metric} {more}"] = column

    def _find(self, parameter: Parameter) -> None:
        name = parameter.name
        called = self._renamed.get(name, "")
        try:
            if self._reads_materials:
                found = parameter_column(self._table, self._space, parameter, called)
                self._columns[name] = found
            else:
                self._columns[name] = column_of(self._table, called or name)
        except UnknownName as error:
            if isinstance(parameter, Context):
                return
            if isinstance(parameter, Pool) and parameter.described and not self._reads_materials:
                error.hint += "; or name the column of materials, for instance smiles: COLUMN"
            elif not (called or error.hint.startswith(("did you mean", "write"))):
                is_part = any(name in mixture.components for mixture in self._space.mixtures)
                same = f"if '{name}' was one and the same, add a column that says so"
                rest = f"if '{name}' is the rest of a mixture, add a column of what is left"
                error.hint += f"; {rest if is_part else same}"
            raise

    def row(self, index: int) -> Row:
        """The trial of a row; its mistakes are noted."""
        self._line = self._table.lines[index]
        self._cells = dict(zip(self._table.columns, self._table.rows[index], strict=True))
        point: Point = {}
        for parameter in self._parameters:
            point[parameter.name] = self._value(parameter)
        for name, condition in self._conditions.items():
            if point.get(condition.parent) not in condition.values:
                point[name] = condition.otherwise
        has_failed, blames = self._failure()
        outcomes = {}
        for metric in self._metrics:
            found = self._outcome(metric)
            if found is not None:
                outcomes[metric.name] = found
        trial = KnownTrial(
            point=point,
            outcomes=outcomes,
            failed=has_failed,
            blames_parameters=blames,
            source=f"{self._table.source} line {self._line}",
        )
        is_known = has_failed or bool(outcomes) or not self._metrics
        return Row(trial, self._line, is_pending=not is_known)

    def _failure(self) -> tuple[bool, bool]:
        """Whether the trial failed, and whether that was because of its parameters."""
        if any(self._cell(m.name).lower() == FAILED for m in self._metrics):
            return True, True
        if not self._has_status or self._cells[STATUS].strip().lower() != FAILED:
            return False, False
        why = self._cells.get(CAUSE, FailureCause.PARAMETERS).strip().lower()
        return True, why == FailureCause.PARAMETERS

    def _cell(self, name: str) -> str:
        column = self._columns.get(name)
        return "" if column is None else self._cells[column].strip()

    def _wrong(self, message: str, hint: str = "") -> None:
        self.problems.append(Problem(message, hint, self._line))

    def _value(self, parameter: Parameter) -> Value:
        name, cell, words = parameter.name, self._cell(parameter.name), words_of(parameter)
        if not cell and name in self._conditions and not self._exists(self._conditions[name]):
            return self._conditions[name].otherwise
        if words is not None:
            return self._word(parameter, cell, words)
        if isinstance(parameter, Context) and not cell:
            return parameter.assumed
        column = self._columns[name]
        value = number_in(cell, column, getattr(parameter, "unit", ""))
        is_whole = value is not None and value.is_integer()
        if value is None or (isinstance(parameter, Integer) and not is_whole):
            what = "a number" if value is None else "a whole number"
            hint = no_number_hint(cell) if value is None else ""
            found = f"'{cell}'" if cell else "an empty cell"
            self._wrong(f"{found} is not {what} in column '{column}'", hint)
            return 0
        if isinstance(parameter, Ordinal):
            return self._level(parameter, value, cell)
        if isinstance(parameter, Real) and parameter.scale == "log" and value <= 0:
            self._wrong(
                f"'{cell}' is not above zero in column '{column}', which is on a log scale",
                f"leave the row out, or give '{name}' a linear scale",
            )
        return int(value) if isinstance(parameter, Integer) else value

    def _word(self, parameter: Parameter, cell: str, words: Sequence[str]) -> str:
        """A word of a parameter; a row of a pool's table that is a candidate again is that one."""
        if cell in words:
            return cell
        aside = [row for row in getattr(parameter, "set_aside", ()) if cell and row.name == cell]
        if aside and aside[0].same_as:
            return str(aside[0].same_as)
        if aside:
            where = f"line {aside[0].line} of {getattr(parameter, 'source', '')}"
            self._wrong(f"'{cell}' is no candidate: {where} is set aside", aside[0].why)
        elif not isinstance(parameter, Pool):
            self._wrong(f"'{cell}' is not a {parameter.name}", did_you_mean(cell, words))
        elif not cell or not (self._reads_materials and may_spell(parameter)):
            error = no_candidate(parameter, cell)
            self._wrong(str(error), error.hint)
        return cell

    def _exists(self, condition: Condition) -> bool:
        return self._cell(condition.parent) in condition.values

    def _level(self, parameter: Ordinal, value: float, cell: str) -> Value:
        numbers = [float(level) for level in parameter.levels]
        nearest = min(numbers, key=lambda level: abs(level - value))
        if abs(nearest - value) > 1e-9 * max(abs(nearest), abs(value)):
            shown = ", ".join(f"{level:g}" for level in numbers)
            self._wrong(f"'{cell}' is not a level of '{parameter.name}'", f"known: {shown}")
        return nearest

    def _outcome(self, metric: Metric) -> KnownOutcome | None:
        cell, column = self._cell(metric.name), self._columns[metric.name]
        if not cell or cell.lower() == FAILED:
            return None
        censored = _BOUNDS.get(cell[0])
        value = number_in(cell[1:] if censored else cell, column, metric.unit)
        if value is None:
            hint = no_number_hint(cell) or f"empty is not measured yet, '{FAILED}' a failed trial"
            self._wrong(f"'{cell}' is not a number in column '{column}'", hint)
            return None
        if metric.scale == "log" and value <= 0:
            self._wrong(f"'{cell}' is not above zero in column '{column}', which is on a log scale")
            return None
        n_samples = self._samples(metric.name)
        censored = self._side(metric.name) or censored
        sd = self._sd(metric) if n_samples != 1 else None
        return KnownOutcome(value=value, sd=sd, n_samples=n_samples or 1, censored=censored)

    def _side(self, metric: str) -> Literal["above", "below"] | None:
        cell = self._cell(f"{metric} censored")
        said = cell.lower()
        if said in EXACT or number(cell) == 0:
            return None
        if said not in ("above", "below"):
            hint = "'above' or 'below' is where the true value lies; an exact one has nothing here"
            self._wrong(f"'{cell}' does not say how '{metric}' is censored", hint)
        return "above" if said == "above" else "below"

    def _samples(self, metric: str) -> int | None:
        cell = self._cell(f"{metric} samples")
        if not cell:
            return None
        value = number(cell)
        if value is None or not value.is_integer() or value < 1:
            self._wrong(f"'{cell}' is not a number of samples")
            return None
        return int(value)

    def _sd(self, metric: Metric) -> float | None:
        name = f"{metric.name} sd"
        cell = self._cell(name)
        if not cell:
            return None
        column, value = self._columns[name], number(cell)
        if value is None or value < 0:
            self._wrong(f"'{cell}' is not a standard deviation in column '{column}'")
            return None
        return value * difference_scale(column, metric.unit)


def may_spell(pool: Pool) -> bool:
    """Whether what is no name of a candidate may still be one, as a material in another
    spelling."""
    return is_open(pool) or bool(pool.described)


def no_candidate(pool: Pool, word: str) -> InputError:
    """What is said of a word that no candidate has."""
    known = f"that {pool.source or 'its table'} has"
    return InputError(f"'{word}' is no candidate of '{pool.name}' {known}", hint=_meant(pool, word))


def _meant(pool: Pool, cell: str) -> str:
    """The name of the candidate that another column of its table calls so, or the nearest name."""
    rows = (texts.index(cell) for texts in pool.texts.values() if cell and cell in texts)
    row = next(rows, None)
    return did_you_mean(cell, pool.names) if row is None else f"write its name: '{pool.names[row]}'"
