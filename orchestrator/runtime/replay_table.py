"""The table of a replay: its settings as a pool, and what was measured at each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName, did_you_mean
from orchestrator.files.columns import column_of, numbers_in
from orchestrator.files.rows import parameter_column
from orchestrator.files.table import Table
from orchestrator.model.campaign import Campaign
from orchestrator.model.space import Choice, Parameter, Pool, SearchSpace, words_of
from orchestrator.runtime.settling import settling

T = TypeVar("T")
Values = tuple[float, ...]


@dataclass(frozen=True)
class Settings:
    """The table's n distinct settings as a pool, and what was measured at each of them: of every
    metric of the objective (k), in the order of `metrics`. `n_aside` rows of the table are of
    candidates that the pool has set aside, and count for nothing.

    `measured` has the repeats (k each) of each setting, `means` (n x k) what they are on average:
    the truth that is looked for.
    """

    pool: Pool
    metrics: tuple[str, ...]
    measured: tuple[tuple[Values, ...], ...]
    means: tuple[Values, ...]
    n_aside: int = 0


def settings_of(table: Table, study: Campaign, columns: Mapping[str, str]) -> Settings:
    """Groups the table's rows by their setting; rows without a result are left out. `columns` as
    in `replay`.

    Raises:
        InputError: nothing measures the campaign's goal, or the table does not fit it.
    """
    if study.objective.by_preference:
        raise InputError("a replay needs a goal that is measured: a table holds no preferences")
    metrics = [study.metric(name) for name in study.objective.metrics]
    names = [*study.space.names, *(metric.name for metric in metrics)]
    for name in columns:
        if name not in names:
            raise UnknownName("parameter or metric of the campaign", name, names)
    space = study.space
    found = {p.name: _column(table, space, p, columns) for p in space.parameters}
    found |= {m.name: column_of(table, columns.get(m.name, m.name)) for m in metrics}
    results = [found[metric.name] for metric in metrics]
    cells = list(zip(*(table.texts(column) for column in results), strict=True))
    table = table.only([row for row, words in enumerate(cells) if all(words)])
    if not table.rows:
        named = "' and '".join(results)
        raise InputError(f"{table.source} has no result in column '{named}'")
    table, n_aside = _without_set_aside(table, study, found)
    columns_of_numbers = [
        numbers_in(table, found[m.name], m.unit, is_log=m.scale == "log") for m in metrics
    ]
    outcome = list(zip(*columns_of_numbers, strict=True))
    sole = study.space.parameters[0]
    if len(study.space.parameters) == 1 and isinstance(sole, Pool):
        kept, grouped = _of_candidates(table, sole, table.texts(found[sole.name]), outcome)
        return _settings(kept, study, grouped, n_aside)
    features = [
        feature
        for parameter in study.space.parameters
        for feature in _features(table, parameter, found[parameter.name])
    ]
    materials = {p.name: p for p in study.space.parameters if isinstance(p, Pool) and p.described}
    candidates = [_places(table, p, table.texts(found[name])) for name, p in materials.items()]
    by_setting: dict[tuple[Values, tuple[int, ...]], list[Values]] = {}
    for i, value in enumerate(outcome):
        key = (tuple(f.values[i] for f in features), tuple(c[i] for c in candidates))
        by_setting.setdefault(key, []).append(value)
    pool = Pool(
        name="setting",
        names=tuple(f"setting {i + 1}" for i in range(len(by_setting))),
        columns=tuple(f.name for f in features),
        units=tuple(f.unit for f in features),
        rows=tuple(row for row, _ in by_setting),
        described=tuple(
            said.only([chosen[k] for _, chosen in by_setting])
            for k, material in enumerate(materials.values())
            for said in material.described
        ),
        source=table.source,
        sha256=table.sha256,
    )
    return _settings(pool, study, list(by_setting.values()), n_aside)


def _column(
    table: Table, space: SearchSpace, parameter: Parameter, columns: Mapping[str, str]
) -> str:
    try:
        return parameter_column(table, space, parameter, columns.get(parameter.name, ""))
    except UnknownName as error:
        if parameter.name not in columns:
            error.hint += f"; or name its column: --columns {parameter.name}=COLUMN"
        raise


def _without_set_aside(
    table: Table, study: Campaign, found: Mapping[str, str]
) -> tuple[Table, int]:
    """The table without the rows of candidates that a pool has set aside, and how many these are.

    Raises:
        InputError: there is no other row.
    """
    rows = list(range(len(table.rows)))
    for pool in (p for p in study.space.parameters if isinstance(p, Pool) and p.set_aside):
        aside = [one for one in pool.set_aside if not one.same_as]
        names = {one.name for one in aside} - set(pool.names)
        lines = {one.line for one in aside if table.sha256 == pool.sha256}
        cells = table.texts(found[pool.name])
        rows = [r for r in rows if cells[r] not in names and table.lines[r] not in lines]
    if not rows:
        raise InputError(f"{table.source} has no result of a candidate that was not set aside")
    return table.only(rows), len(table.rows) - len(rows)


def _settings(
    pool: Pool, study: Campaign, grouped: Sequence[Sequence[Values]], n_aside: int
) -> Settings:
    means = tuple(tuple(float(m) for m in np.mean(repeats, axis=0)) for repeats in grouped)
    return Settings(pool, study.objective.metrics, tuple(map(tuple, grouped)), means, n_aside)


def _of_candidates(
    table: Table, pool: Pool, cells: Sequence[str], outcome: Sequence[Values]
) -> tuple[Pool, list[list[Values]]]:
    """The candidates that were measured, with all that is known of them; nothing is made beside
    them, since nobody could say what it would give."""
    rows = _places(table, pool, cells)
    grouped: dict[int, list[Values]] = {}
    for row, value in zip(rows, outcome, strict=True):
        grouped.setdefault(row, []).append(value)
    kept = pool.only(list(grouped)).model_copy(update={"name": "setting", "generation": None})
    return kept, list(grouped.values())


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
        numbers = parameter.rows if parameter.columns else [()] * len(parameter.names)
        rows = [numbers[place] for place in _places(table, parameter, table.texts(column))]
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
    """The candidates that cells name, or spell, by their places in the pool."""
    places = {name: i for i, name in enumerate(pool.names)}
    settle = settling(SearchSpace(parameters=(pool.model_copy(update={"generation": None}),)))
    refused: dict[str, InputError] = {}
    for cell in dict.fromkeys(cells):
        try:
            word = settle({pool.name: cell})[pool.name]
        except InputError as error:
            refused[cell] = error
        else:
            places |= {cell: places[word]} if word in places else {}
    if refused:
        pairs = zip(table.lines, cells, strict=True)
        wrong = [(line, refused[cell]) for line, cell in pairs if cell in refused]
        raise FileProblems(table.source, [Problem(str(e), e.hint or "", n) for n, e in wrong])
    return _looked_up(table, f"a candidate of '{pool.name}'", places, cells)


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
