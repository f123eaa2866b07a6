"""Statements put into words once: of a short commit, that is half of the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """A statement in a database's own words. The driver gets its values as they are: only for
    columns of text and numbers."""

    def __init__(self, statement: UpdateBase, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)

    def execute(self, cursor: DBAPICursor, rows: Sequence[Mapping[str, Any]]) -> int:
        """Executes it for these values; how many rows it touched. Raises what the driver does."""
        values: Sequence[Any] = rows
        if self._order is not None:
            values = [tuple(row[name] for name in self._order) for row in rows]
        if len(values) == 1:
            cursor.execute(self._sql, values[0])
        else:
            cursor.executemany(self._sql, values)
        return cursor.rowcount
