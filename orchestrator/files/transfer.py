"""Reads the `transfer:` of a campaign file: other data that may help, and which metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import FileProblems, InputError, Problem, UnitMismatch, UnknownName
from orchestrator.files.columns import column_of, numbers_in, scale_of, split_header
from orchestrator.files.describing import MATERIAL_KEYS, Descriptors, Reading, describe
from orchestrator.files.findings import Findings
from orchestrator.files.rows import rows_of
from orchestrator.files.shapes import TransferShape
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.spreadsheet import table_in
from orchestrator.files.table import Table, no_number_hint, number
from orchestrator.model.objective import Metric, Objective
from orchestrator.model.quantity import check_unit, scale_offset
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SearchSpace, SetAside, fidelity_of
from orchestrator.model.transfer import Source, SourceWanted, refuse_few

KINDS = ("table", "campaign", "simulator")
MISSING = frozenset(
    {
        *("-", "--", "–", "—", "?", ".", "na", "n/a", "#n/a", "n.a.", "nan", "nd", "n.d.", "n/d"),
        *("none", "null", "missing", "failed"),
    }
)
"""What people write, in small letters, where there is no value."""


@dataclass(frozen=True)
class Transfer:
    """Sources that are tables, those to be fetched, and sha256 of the tables by their place."""

    sources: tuple[Source, ...] = ()
    wanted: tuple[SourceWanted, ...] = ()
    sha256: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Question:
    space: SearchSpace
    metrics: Mapping[str, Metric | None]
    objective: Objective
    folder: Path
    descriptors: Descriptors


def read_transfer(
    findings: Findings,
    space: SearchSpace,
    metrics: Mapping[str, Metric | None],
    objective: Objective | None,
    folder: Path,
    descriptors: Descriptors,
) -> Transfer:
    """The sources of the file. Space and metrics must be free of mistakes, or none is looked at."""
    items = findings.items(["transfer"])
    if not items or objective is None or findings.has_any:
        return Transfer()
    asked = _Question(space, metrics, objective, folder, descriptors)
    sources: list[Source] = []
    wanted: list[SourceWanted] = []
    sums: list[str] = []
    for place in range(len(items)):
        path: list[str | int] = ["transfer", place]
        shape = findings.shaped(path, TransferShape, "a key of a source")
        if shape is None:
            continue
        with findings.at(path):
            kind, helps = _kind(shape), _helps(shape, asked)
            _refuse_networks(shape, space)
            _refuse_together(shape, space)
            if kind != "table":
                wanted.append(_wanted(shape, kind, helps))
                continue
            table = table_in(folder / str(shape.table))
            sources.append(refuse_few(_of_table(table, shape, helps, asked)))
            sums.append(table.sha256)
    return Transfer(tuple(sources), tuple(wanted), tuple(sums))


def _kind(shape: TransferShape) -> str:
    said = [kind for kind in KINDS if getattr(shape, kind) is not None]
    if len(said) != 1:
        raise InputError(f"a source is exactly one of {', '.join(KINDS)}")
    of_tables = ("column", "unit", "columns", *MATERIAL_KEYS)
    for key in of_tables:
        if said[0] != "table" and key in shape.model_fields_set:
            raise InputError(f"'{key}' is of a table")
    if said[0] == "table" and shape.column is None:
        raise InputError("a table needs the column of its values", hint="column: NAME")
    if said[0] != "simulator" and "trials" in shape.model_fields_set:
        raise InputError("'trials' is of a simulator")
    return said[0]


def _helps(shape: TransferShape, asked: _Question) -> str:
    names = [n for n in asked.objective.metrics if asked.metrics.get(n) is not None]
    name = shape.helps or names[0]
    if name not in names:
        raise UnknownName("metric of the objective", name, names)
    return name


def _refuse_networks(shape: TransferShape, space: SearchSpace) -> None:
    """Raises InputError where networks cannot learn: of what is no candidate, or of numbers of
    features that change as a pool grows."""
    if shape.model != "networks":
        return
    pools = [p for p in space.parameters if isinstance(p, Pool)]
    of_materials = any(getattr(shape, key) is not None for key in MATERIAL_KEYS)
    if len(pools) != 1 or not (of_materials or len(space.parameters) == 1):
        raise InputError(
            "networks learn of the candidates of one pool",
            hint="leave 'model' away: a Gaussian process learns of any space",
        )
    if pools[0].generation is not None:
        raise InputError(
            "networks do not know what a pool that grows will be described by",
            hint="leave 'model' away, or 'generate' in the pool",
        )


def _refuse_together(shape: TransferShape, space: SearchSpace) -> None:
    """Raises InputError where a source has no place beside the metric: of materials alone in a
    space of more, of features that change as a pool grows, or where rungs are compared already."""
    if shape.model != "multitask":
        return
    hint = "leave 'model' away: then the source is a trend"
    of_materials = any(getattr(shape, key) is not None for key in MATERIAL_KEYS)
    if of_materials and len(space.parameters) > 1:
        raise InputError(
            "'multitask' needs values at points of the whole space, not of materials alone",
            hint=hint,
        )
    if any(isinstance(p, Pool) and p.generation is not None for p in space.parameters):
        raise InputError(
            "'multitask' does not know what a pool that grows will be described by", hint=hint
        )
    if fidelity_of(space) is not None:
        raise InputError("'multitask' does not go with a fidelity", hint=hint)


def _wanted(shape: TransferShape, kind: str, helps: str) -> SourceWanted:
    metric = shape.metric or helps
    if kind == "campaign":
        return SourceWanted(
            kind="campaign",
            name=str(shape.campaign),
            helps=helps,
            metric=metric,
            model=shape.model,
        )
    return SourceWanted(
        kind="simulator",
        name=str(shape.simulator),
        helps=helps,
        metric=metric,
        model=shape.model,
        n_trials=shape.trials,
    )


def _of_table(table: Table, shape: TransferShape, helps: str, asked: _Question) -> Source:
    """Rows without a value are left out, each with its reason."""
    column = column_of(table, str(shape.column))
    quantity, header = split_header(column)
    unit, written = _units(shape, column, asked.metrics[helps])
    left_out = _without_value(table, column)
    places = [row for row, line in enumerate(table.lines) if line not in left_out]
    if len(places) < 2:
        first = next(iter(left_out.items()), None)
        raise InputError(
            f"{table.source} has fewer than two numbers in column '{column}'",
            hint="" if first is None else f"line {first[0]}: {first[1]}",
        )
    table = table.only(places)
    is_log = shape.scale == "log"
    source = Source(
        name=f"{quantity} ({Path(table.source).name})",
        helps=helps,
        quantity=quantity,
        unit=unit,
        scale=shape.scale,
        model=shape.model,
        values=numbers_in(table, column, unit, is_log=is_log, written=written),
        table=str(shape.table),
        left_out=tuple(SetAside(line=line, why=why) for line, why in left_out.items()),
    )
    if any(getattr(shape, key) is not None for key in MATERIAL_KEYS):
        return _of_materials(table, shape, source, asked)
    metric = Metric(name=column, unit=header or written or unit, expression="", scale=shape.scale)
    rows = rows_of(table, asked.space, [metric], shape.columns)
    return source.model_copy(update={"points": tuple(row.trial.point for row in rows)})


def _units(shape: TransferShape, column: str, target: Metric | None) -> tuple[str, str]:
    """The unit that the values of a source are to have, and that in which its column is written
    where its header does not say one.

    A column with the name of the metric is the same quantity: it is in the metric's unit, or
    converted to it. Another quantity is left in its own, since it becomes a trend.

    Raises:
        UnitMismatch, UnknownName: a unit cannot be converted, or does not exist.
    """
    quantity, header = split_header(column)
    said = shape.unit if shape.unit is not None else header
    check_unit(said)
    if header and header != said:
        scale_of(column, said)  # both are said, so they have to fit
    if target is None or quantity != target.name:
        return said, said
    if said and said != target.unit:
        try:
            scale_offset(said, target.unit)
        except UnitMismatch as error:
            raise UnitMismatch(f"column '{column}'", said, target.unit) from error
    return target.unit, said


def _without_value(table: Table, column: str) -> dict[int, str]:
    """Lines whose cell holds no value, and why.

    Raises:
        FileProblems: a cell is neither a number nor a mark for a missing one; each with its line.
    """
    found: dict[int, str] = {}
    problems: list[Problem] = []
    for line, cell in zip(table.lines, table.texts(column), strict=True):
        if number(cell) is not None:
            continue
        if not cell or cell.lower() in MISSING:
            found[line] = f"'{cell}' is no value" if cell else "it has no value"
        elif cell[0] in "<>≤≥~" and number(cell.lstrip("<>≤≥~= ")) is not None:
            found[line] = f"'{cell}' is a bound, not a value"
        else:
            hint = no_number_hint(cell) or "an empty cell, or n/a, is no value"
            problems.append(Problem(f"'{cell}' is not a number in column '{column}'", hint, line))
    if problems:
        raise FileProblems(table.source, problems)
    return found


def _of_materials(table: Table, shape: TransferShape, source: Source, asked: _Question) -> Source:
    """Values of materials that are described as those of the campaign's pool are."""
    pools = [p for p in asked.space.parameters if isinstance(p, Pool) and p.described]
    if len(pools) != 1:
        raise InputError(
            "a table of materials needs one pool of the space that has a descriptor",
            hint="without smiles, formula ... the table is read by the names of parameters",
        )
    keys = {key: getattr(shape, key) for key in MATERIAL_KEYS}
    wanted = PoolShape(
        pool=str(shape.table),
        descriptor=[{d.descriptor: dict(d.options)} for d in pools[0].described],
        **keys,
    )
    reading = describe(table, wanted, asked.descriptors, once=False)
    groups = _equal(reading)
    firsts = [places[0] for places in groups]
    values = [source.values[row] for row in reading.rows]
    kept = table.only([reading.rows[place] for place in firsts])
    materials = Pool(
        name="source",
        names=tuple(f"line {line}" for line in kept.lines),
        columns=(),
        units=(),
        rows=Rows.of(()),
        described=tuple(said.only(firsts) for said in reading.described),
        source=str(shape.table),
    )
    repeats = _repeats(table, reading, groups)
    left_out = sorted((*source.left_out, *reading.set_aside, *repeats), key=lambda row: row.line)
    return source.model_copy(
        update={
            "parameter": pools[0].name,
            "materials": materials,
            "values": tuple(_mean([values[p] for p in places], source.scale) for places in groups),
            "left_out": tuple(left_out),
        }
    )


def _equal(reading: Reading) -> list[list[int]]:
    """The places of each material, in the order in which they are first met."""
    found: dict[str, list[int]] = {}
    for place, form in enumerate(reading.forms):
        found.setdefault(form, []).append(place)
    return list(found.values())


def _repeats(
    table: Table, reading: Reading, groups: Sequence[Sequence[int]]
) -> tuple[SetAside, ...]:
    """The rows that repeat the material of an earlier one."""
    found = []
    for first, *others in groups:
        name = f"line {table.lines[reading.rows[first]]}"
        why = f"it is the material of {name} again: their mean is taken"
        for place in others:
            line = table.lines[reading.rows[place]]
            found.append(SetAside(line=line, why=why, same_as=name))
    return tuple(found)


def _mean(values: Sequence[float], scale: str) -> float:
    """Of repeats; on a log scale the geometric one."""
    if len(values) == 1:
        return values[0]
    if scale == "log":
        return math.exp(math.fsum(map(math.log, values)) / len(values))
    return math.fsum(values) / len(values)
