"""Reads the `start:` of a campaign file: what is known before the first trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import InputError, UnknownName
from orchestrator.files.findings import Findings
from orchestrator.files.lots import lots_of
from orchestrator.files.rows import places_of_candidates, rows_of
from orchestrator.files.shapes import StartShape
from orchestrator.files.spreadsheet import table_in
from orchestrator.model.objective import Metric
from orchestrator.model.space import SearchSpace
from orchestrator.model.start import KnownTrial


@dataclass(frozen=True)
class Start:
    """The trials of a table with its sha256, or the name of a campaign."""

    trials: tuple[KnownTrial, ...] = ()
    sha256: str = ""
    campaign: str = ""


def read_start(
    findings: Findings,
    space: SearchSpace,
    metrics: list[Metric],
    folder: Path,
    lot: Metric | None = None,
) -> Start:
    """What is known before the first trial; rows of the table without a result are left out. Those
    with the same `lot` are a block.

    The space and the metrics must be free of mistakes, or the table is not looked at.
    """
    path = ["start"]
    if findings.plain(path) is None:
        return Start()
    shape = findings.shaped(path, StartShape, "a key of the start")
    if shape is None:
        return Start()
    if (shape.table is None) == (shape.campaign is None):
        findings.add(path, "the start needs exactly one of table, campaign")
        return Start()
    names = [*space.names, *(m.name for m in (*metrics, *([lot] if lot else ())))]
    for name in shape.columns:
        with findings.at([*path, "columns", name], key=True):
            if shape.table is None:
                raise InputError("'columns' are of a table")
            if name not in names:
                raise UnknownName("parameter or metric of the objective", name, names)
    if shape.table is None or findings.has_any:
        return Start(campaign=shape.campaign or "")
    with findings.at([*path, "table"]):
        table = table_in(folder / shape.table)
        table = table.only(places_of_candidates(table, space))
        rows = rows_of(table, space, metrics, shape.columns, reads_materials=True)
        lots = None if lot is None else lots_of(table, lot, shape.columns)
        blocks = lots or [""] * len(rows)
        pairs = [(r, b) for r, b in zip(rows, blocks, strict=True) if not r.is_pending]
        trials = [row.trial.model_copy(update={"block": block}) for row, block in pairs]
        return Start(tuple(trials), table.sha256)
    return Start()
