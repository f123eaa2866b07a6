"""Which block each row of a table of results belongs to, where a metric says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.errors import UnknownName
from orchestrator.files.columns import column_of, number_in
from orchestrator.files.table import Table
from orchestrator.model.campaign import lot_block
from orchestrator.model.objective import Metric


def lots_of(
    table: Table, metric: Metric, columns: Mapping[str, str] | None = None
) -> Sequence[str] | None:
    """The block of each row by its value of a metric, which may be a word too, '' where the cell is
    empty; None where there is no such column. `columns` as in `rows_of`.

    Raises:
        InputError: its unit does not fit, or two columns have its name.
    """
    try:
        column = column_of(table, (columns or {}).get(metric.name, metric.name))
    except UnknownName:
        return None
    values = [number_in(cell, column, metric.unit) for cell in table.texts(column)]
    pairs = zip(table.texts(column), values, strict=True)
    words = [cell if value is None else value for cell, value in pairs]
    return ["" if word == "" else lot_block(metric.name, word) for word in words]
