"""The append-only truth: a store of campaigns, each a chain of events with one writer.

Importing this package loads neither SQLAlchemy nor a database driver; `open_store` does.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.journal.store import LeasedJournal, Store
from orchestrator.settings import data_directory

__all__ = ["LeasedJournal", "Store", "is_there", "open_store"]


def open_store(where: str | Path | None = None, *, to_look: bool = False) -> Store:
    """Opens a store, making it if it is not there. `to_look`: what may not be written is opened to
    be read.

    Args:
        where: the path of an SQLite file, `postgresql://...`, `memory:` (a new store that ends
            with the process), or None for `hagane/store.sqlite` in the user's data directory.

    Raises:
        StoreTooNew: a newer version of Hagane wrote it.
        MissingExtra: a PostgreSQL address without the PostgreSQL driver.
        JournalError: it cannot be opened for writing, or is not a store.
    """
    if where == "memory:":
        from orchestrator.journal.memory import MemoryStore

        return MemoryStore()
    from orchestrator.journal.opening import open_database
    from orchestrator.journal.sql import SqlStore

    return SqlStore(open_database(where, to_look=to_look))


def is_there(where: str | Path | None) -> bool:
    """Whether opening this store makes no new file (a server is left to answer for itself)."""
    if isinstance(where, str) and (where == "memory:" or "://" in where):
        return True
    path = data_directory() / "store.sqlite" if where is None else Path(where).expanduser()
    return path.exists()
