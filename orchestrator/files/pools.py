"""Candidates with numbers that describe them: a pool from a table, or a choice in the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from orchestrator.errors import FileProblems, InputError, Problem, UnknownName
from orchestrator.files.columns import column_of, numbers_in, split_header
from orchestrator.files.describing import (
    MATERIAL_KEYS,
    Kinds,
    Reading,
    describe,
    name_column,
    named_descriptors,
)
from orchestrator.files.generating import read_generation
from orchestrator.files.rows import beside_of
from orchestrator.files.space_shapes import DescribedChoiceShape, PoolShape
from orchestrator.files.spreadsheet import table_in
from orchestrator.files.table import Table, number
from orchestrator.model.quantity import check_unit, quantity_in
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SetAside

STRUCTURE, CRYSTAL = "structure", "crystal"
"""The column of structures that were read from files, and what describes them."""
MOST_GAPS = 0.25
"""A column with so large a share of cells that are no numbers is still meant to describe."""
GAP_HINT = "fill it in, leave the row out, or list under 'columns:' those that describe"


def read_pool(
    name: str, shape: PoolShape, folder: Path, kinds: Kinds, metrics: Collection[str] = ()
) -> Pool:
    """The candidates of a table, which is looked for in `folder`. A column of one of the `metrics`,
    which are looked for, or beside it (`METRIC sd`), describes nothing unless it is named.

    Raises:
        InputError: the table cannot be used, with every mistake of it.
    """
    table, unreadable = _source(folder / shape.pool, kinds)
    if table.places:
        shape = _of_structures(shape)
    again = _crystals_again(table, shape, kinds)
    rows = (row for row in range(len(table.rows)) if row not in again)
    reading = Reading(tuple(rows), (), tuple(again.values()))
    if shape.descriptor is not None:
        aside = {**unreadable, **{row: said.why for row, said in again.items()}}
        reading = describe(table, shape, kinds.descriptors, unreadable=aside)
        table = table.only(reading.rows)
    elif unreadable:
        problems = [Problem(f"{table.where(row)}: {unreadable[row]}") for row in sorted(unreadable)]
        raise FileProblems(table.source, problems)
    elif any(getattr(shape, key) is not None for key in MATERIAL_KEYS):
        fitting = "morgan" if shape.structure is None else "crystal"
        raise InputError("a column of materials needs a descriptor", hint=f"descriptor: {fitting}")
    elif again:
        table = table.only(reading.rows)
    names = _candidate_names(table, shape.name)
    columns = _describing(table, shape, names, metrics)
    generation = None
    if shape.generate is not None:
        if not reading.described or columns:
            raise InputError(
                "a pool that grows is described by a descriptor alone, not by columns of a table",
                hint="smiles: COLUMN, descriptor: morgan",
            )
        materials = table.texts(reading.described[0].material)
        generation = read_generation(shape.generate, reading, materials, folder, kinds)
    described = [column_of(table, column) for column in columns]
    units = [u or split_header(c)[1] for c, u in zip(described, columns.values(), strict=True)]
    numbers = (numbers_in(table, c, u) for c, u in zip(described, units, strict=True))
    others = [c for c in table.columns if c not in described and c != names]
    return Pool(
        name=name,
        names=table.texts(names),
        columns=tuple(columns),
        units=tuple(columns.values()),
        rows=Rows.of_columns(numbers, len(columns)),
        texts={column: table.texts(column) for column in others},
        described=reading.described,
        generation=generation,
        set_aside=reading.set_aside,
        named_by=names,
        source=shape.pool,
        sha256=table.sha256,
    )


def _source(path: Path, kinds: Kinds) -> tuple[Table, Mapping[int, str]]:
    """The table, or the structures as one, and why some of their texts could not be had."""
    if not kinds.is_of_structures(path):
        return table_in(path), {}
    found = kinds.structures(path)
    lines = tuple(range(1, len(found.rows) + 1))
    table = Table(str(path), found.columns, found.rows, lines, found.sha256, found.places)
    return table, found.unreadable


def _crystals_again(table: Table, shape: PoolShape, kinds: Kinds) -> dict[int, SetAside]:
    """Rows of structures that are the crystal of an earlier row, where what describes them does not
    look at that: each would be computed for itself. What is no crystal is left to others."""
    column = STRUCTURE if table.places else shape.structure
    if column is None or CRYSTAL in dict(named_descriptors(shape.descriptor or [])):
        return {}
    crystals = shape.model_copy(
        update={"descriptor": CRYSTAL, **dict.fromkeys(MATERIAL_KEYS), "structure": column}
    )
    try:
        found = describe(table, crystals, kinds.descriptors).set_aside
    except InputError:
        return {}
    rows = {line: row for row, line in enumerate(table.lines)}
    return {rows[one.line]: one for one in found if one.same_as}


def _of_structures(shape: PoolShape) -> PoolShape:
    """Structures from files lie in the column `structure`, and are described as crystals where
    nothing else is said."""
    said: dict[str, Any] = {}
    if shape.descriptor is None and shape.columns is None:
        said["descriptor"] = CRYSTAL
    has_column = any(getattr(shape, key) for key in MATERIAL_KEYS)
    if not has_column and (shape.descriptor is not None or said):
        said["structure"] = STRUCTURE
    return shape.model_copy(update=said)


def described_choice(name: str, shape: DescribedChoiceShape) -> Pool:
    """The words of a choice with their numbers, which stand in the campaign file itself.

    Raises:
        InputError: a word lacks a number that another one has, or a unit is wrong.
    """
    columns = tuple(dict.fromkeys(c for row in shape.choice.values() for c in row))
    for column, unit in shape.units.items():
        if column not in columns:
            raise UnknownName("number that describes a word", column, columns)
        check_unit(unit)
    units = tuple(shape.units.get(column, "") for column in columns)
    rows = []
    for word, row in shape.choice.items():
        missing = [c for c in columns if c not in row]
        if missing:
            raise InputError(
                f"'{word}' has no '{missing[0]}'", hint="describe every word by the same numbers"
            )
        rows.append(tuple(_number(row[c], u) for c, u in zip(columns, units, strict=True)))
    return Pool(
        name=name, names=tuple(shape.choice), columns=columns, units=units, rows=tuple(rows)
    )


def _number(given: float | str, unit: str) -> float:
    return quantity_in(given, unit) if isinstance(given, str) else float(given)


def _candidate_names(table: Table, wanted: str | None) -> str:
    """The column that names the candidates, each exactly once."""
    column = name_column(table, wanted)
    first: dict[str, int] = {}
    problems, hint = [], ""
    for row, cell in enumerate(table.texts(column)):
        line = table.lines[row]
        if not cell:
            problems.append(Problem(f"the candidate has no name in column '{column}'", "", line))
        elif cell in first:
            hint = hint or _distinct_hint(table)
            message = f"the candidate '{cell}' stands in {table.where(first[cell])} already"
            problems.append(Problem(message, hint, line))
        first.setdefault(cell, row)
    if problems:
        raise FileProblems(table.source, problems)
    return column


def _distinct_hint(table: Table) -> str:
    """How a column of distinct names is named, with the first one that there is."""
    distinct = (c for c in table.columns if len({*table.texts(c), ""}) > len(table.rows))
    column = next(distinct, None)
    said = "name the column of distinct names with 'name:'"
    return said if column is None else f"{said}, for instance 'name: {column}'"


def _describes(table: Table, column: str) -> bool:
    """Whether a column is one of numbers. Raises FileProblems where nearly all of its cells are."""
    if table.is_numeric(column):
        return True
    rows = (row for row, cell in enumerate(table.texts(column)) if number(cell) is None)
    n = len(table.rows)
    most = max(n * MOST_GAPS, 1.0 if n > 2 else 0.0)
    gaps = list(islice(rows, int(most) + 1))
    if len(gaps) > most:
        return False
    texts, problems = table.texts(column), []
    for row in gaps:
        found = f"'{texts[row]}'" if texts[row] else "an empty cell"
        message = f"column '{column}' has {found} where nearly all others have a number"
        problems.append(Problem(message, GAP_HINT, table.lines[row]))
    raise FileProblems(table.source, problems)


def _describing(
    table: Table, shape: PoolShape, names: str, metrics: Collection[str]
) -> dict[str, str]:
    """Columns of numbers that describe a candidate, with their units."""
    if not shape.columns and shape.descriptor is not None:
        return {}
    if shape.columns is None:
        outcomes = {c for c in table.columns if split_header(c)[0] in metrics}
        outcomes.update(*(beside_of(table, metric).values() for metric in metrics))
        others = (c for c in table.columns if c != names and c not in outcomes)
        columns = {c: "" for c in others if _describes(table, c)}
    else:
        columns = shape.columns
        for column in columns:
            column_of(table, column)
        for unit in columns.values():
            check_unit(unit)
    if not columns:
        raise InputError(
            f"{table.source} has no column of numbers that describe the candidates",
            hint="a pool is modelled by its numbers; add a column, or a descriptor",
        )
    return columns
