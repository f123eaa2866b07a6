"""Reads the `transfer:` of a campaign file: other data that may help, and which metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.columns import column_of, numbers_in, split_header
from orchestrator.files.describing import MATERIAL_KEYS, Descriptors, describe
from orchestrator.files.findings import Findings
from orchestrator.files.rows import rows_of
from orchestrator.files.shapes import TransferShape
from orchestrator.files.space_shapes import PoolShape
from orchestrator.files.table import Table, number, read_table
from orchestrator.model.objective import Metric, Objective
from orchestrator.model.quantity import check_unit
from orchestrator.model.rows import Rows
from orchestrator.model.space import Pool, SearchSpace
from orchestrator.model.transfer import Source, SourceWanted

KINDS = ("table", "campaign", "simulator")


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
            if kind != "table":
                wanted.append(_wanted(shape, kind, helps))
                continue
            table = read_table(folder / str(shape.table))
            sources.append(_of_table(table, shape, helps, asked))
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


def _wanted(shape: TransferShape, kind: str, helps: str) -> SourceWanted:
    metric = shape.metric or helps
    if kind == "campaign":
        return SourceWanted(kind="campaign", name=str(shape.campaign), helps=helps, metric=metric)
    return SourceWanted(
        kind="simulator",
        name=str(shape.simulator),
        helps=helps,
        metric=metric,
        n_trials=shape.trials,
    )


def _of_table(table: Table, shape: TransferShape, helps: str, asked: _Question) -> Source:
    """Rows without a value are left out."""
    column = column_of(table, str(shape.column))
    unit = shape.unit if shape.unit is not None else split_header(column)[1]
    target = asked.metrics[helps]
    if shape.unit is None and target is not None and split_header(column)[0] == helps:
        unit = target.unit  # the same quantity: converted, or refused
    check_unit(unit)
    cells = table.texts(column)
    table = table.only([row for row, cell in enumerate(cells) if cell and number(cell) is not None])
    if len(table.rows) < 2:
        raise InputError(f"{table.source} has fewer than two numbers in column '{column}'")
    source = Source(
        name=f"{split_header(column)[0]} ({Path(table.source).name})",
        helps=helps,
        quantity=split_header(column)[0],
        unit=unit,
        scale=shape.scale,
        values=numbers_in(table, column, unit, is_log=shape.scale == "log"),
    )
    if any(getattr(shape, key) is not None for key in MATERIAL_KEYS):
        return _of_materials(table, shape, source, asked)
    metric = Metric(name=column, unit=unit, expression="", scale=shape.scale)
    rows = rows_of(table, asked.space, [metric], shape.columns)
    return source.model_copy(update={"points": tuple(row.trial.point for row in rows)})


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
    reading = describe(table, wanted, asked.descriptors)
    kept = table.only(reading.rows)
    materials = Pool(
        name="source",
        names=tuple(f"line {line}" for line in kept.lines),
        columns=(),
        units=(),
        rows=Rows.of(()),
        described=reading.described,
        set_aside=reading.set_aside,
        source=str(shape.table),
    )
    values = tuple(source.values[row] for row in reading.rows)
    return source.model_copy(
        update={"parameter": pools[0].name, "materials": materials, "values": values}
    )
