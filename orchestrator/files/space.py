"""Reads the `space:` of a campaign file: parameters, and pools from their tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName, did_you_mean
from orchestrator.files.findings import Findings
from orchestrator.files.scope import Scope
from orchestrator.files.shapes import (
    PARAMETER_SHAPES,
    ChoiceShape,
    IntegerShape,
    PoolShape,
    RealShape,
    Shape,
)
from orchestrator.files.table import Table, read_table
from orchestrator.model.quantity import check_unit
from orchestrator.model.space import Choice, Integer, Pool, Real

Parameter = Real | Integer | Choice | Pool


def read_space(findings: Findings, scope: Scope, folder: Path) -> tuple[Parameter, ...]:
    """The parameters that could be read; each is declared in `scope`.

    Tables of pools are looked for in `folder`.
    """
    parameters: list[Parameter] = []
    for name in findings.entries(["space"]):
        with findings.at(["space", name], key=True):
            scope.check_new(name)
        parameter = _read_parameter(findings, name, folder)
        if parameter is None:
            scope.broken.add(name)
        else:
            parameters.append(parameter)
            scope.declare(parameter)
    return tuple(parameters)


def _read_parameter(findings: Findings, name: str, folder: Path) -> Parameter | None:
    path = ["space", name]
    entries = findings.entries(path)
    kinds = [kind for kind in PARAMETER_SHAPES if kind in entries]
    if len(kinds) != 1:
        kinds_known = ", ".join(PARAMETER_SHAPES)
        near = (did_you_mean(key, PARAMETER_SHAPES) for key in entries)
        hint = next((h for h in near if h.startswith("did")), f"one of {kinds_known}")
        findings.add(path, f"'{name}' needs exactly one of {kinds_known}", hint)
        return None
    what = f"a key of a parameter that is '{kinds[0]}'"
    shape = findings.shaped(path, PARAMETER_SHAPES[kinds[0]], what)
    if shape is None:
        return None
    parameter = None
    with findings.at([*path, kinds[0]]):
        parameter = _parameter(name, shape, folder)
    if isinstance(parameter, Real | Integer):
        with findings.at([*path, "unit"]):
            check_unit(parameter.unit)
            return parameter
        return None
    return parameter


def _parameter(name: str, shape: Shape, folder: Path) -> Parameter:
    match shape:
        case RealShape(real=[low, high], unit=unit, scale=scale):
            _check_bounds(low, high)
            if scale == "log" and low <= 0:
                raise InputError("on a log scale both bounds must be above zero")
            return Real(name=name, low=low, high=high, unit=unit, scale=scale)
        case IntegerShape(integer=[low, high], unit=unit):
            _check_bounds(low, high)
            return Integer(name=name, low=int(low), high=int(high), unit=unit)
        case ChoiceShape(choice=options):
            if len(set(options)) < len(options):
                raise InputError("a word stands twice in the choice")
            return Choice(name=name, options=tuple(options))
        case PoolShape():
            return _read_pool(name, shape, folder)
    raise TypeError(f"not the shape of a parameter: {shape!r}")


def _check_bounds(low: float, high: float) -> None:
    if not low < high:
        raise InputError(f"the lower bound {low:g} is not below the upper bound {high:g}")


def _read_pool(name: str, shape: PoolShape, folder: Path) -> Pool:
    table = read_table(folder / shape.pool)
    names = _candidate_names(table, shape.name)
    columns, units = _describing(table, shape, names)
    numbers = [table.numbers(column) for column in columns]
    others = [c for c in table.columns if c not in columns and c != names]
    return Pool(
        name=name,
        names=table.texts(names),
        columns=tuple(columns),
        units=tuple(units),
        rows=tuple(zip(*numbers, strict=True)),
        texts={column: table.texts(column) for column in others},
        source=shape.pool,
        sha256=table.sha256,
    )


def _candidate_names(table: Table, wanted: str | None) -> str:
    """The column that names the candidates, each exactly once."""
    column = wanted or ("name" if "name" in table.columns else table.columns[0])
    first: dict[str, int] = {}
    problems = []
    for line, cell in zip(table.lines, table.texts(column), strict=True):
        if not cell:
            problems.append(Problem(f"the candidate has no name in column '{column}'", "", line))
        elif cell in first:
            hint = "name the column of distinct names with 'name:'"
            message = f"the candidate '{cell}' stands in line {first[cell]} already"
            problems.append(Problem(message, hint, line))
        first.setdefault(cell, line)
    if problems:
        raise FileProblems(table.source, problems)
    return column


def _describing(table: Table, shape: PoolShape, names: str) -> tuple[Sequence[str], Sequence[str]]:
    """Columns of numbers that describe a candidate, with their units."""
    if shape.columns is None:
        columns = [c for c in table.columns if c != names and table.is_numeric(c)]
        units = [""] * len(columns)
    else:
        columns, units = list(shape.columns), list(shape.columns.values())
        for column in columns:
            if column not in table.columns:
                raise UnknownName(f"column of {table.source}", column, table.columns)
        for unit in units:
            check_unit(unit)
    if not columns:
        raise InputError(
            f"{table.source} has no column of numbers that describe the candidates",
            hint="a pool is modelled by its numbers; add at least one column",
        )
    return columns, units
