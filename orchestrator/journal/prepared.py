"""Statements put into words once: of a short commit, that is half of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """A statement in a database's own words. The driver gets its values as they are: only for
    columns of text and numbers."""

    def __init__(self, statement: UpdateBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Executes it for these values; how many rows it touched. Raises SQLAlchemyError."""
        values: Sequence[Any] = rows
        if self._order is not None:
            values = [tuple(row[name] for name in self._order) for row in rows]
        what = values[0] if len(rows) == 1 else values
        return connection.exec_driver_sql(self._sql, what).rowcount
