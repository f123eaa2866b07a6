"""What an instrument's file says: columns of numbers with their units, and facts in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.errors import UnknownName


@dataclass(frozen=True)
class Column:
    """n numbers under a name. `unit` is '' where the file says none."""

    name: str
    values: tuple[float, ...]
    unit: str = ""


@dataclass(frozen=True)
class Scan:
    """Columns of one length, and `facts` by name as the file words them."""

    columns: tuple[Column, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """The column of a name. Raises UnknownName."""
        found = next((c for c in self.columns if c.name == name), None)
        if found is None:
            raise UnknownName("column of the file", name, [c.name for c in self.columns])
        return found
