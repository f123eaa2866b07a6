"""Writes one campaign as one file that can be mailed: a store with nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from orchestrator.errors import InputError, JournalError, JournalFull
from orchestrator.journal import artifacts, chain
from orchestrator.journal import rows as stored
from orchestrator.journal.faults import not_written
from orchestrator.journal.opening import Database, fsync_directory, make_tables, sqlite_engine
from orchestrator.journal.schema import CAMPAIGNS, EVENTS, INBOX

_BATCH = 2000


@dataclass(frozen=True)
class Excerpt:
    """What goes into the file. `campaign` and `requests` are rows of the tables.

    `fetch` gives the events, `load` the data of an artifact; `artifacts` are (SHA-256, name).
    """

    campaign: Mapping[str, Any]
    requests: Sequence[Mapping[str, Any]]
    fetch: chain.Fetch
    artifacts: Sequence[tuple[str, str]]
    load: Callable[[str], bytes]


def write_single_file(excerpt: Excerpt, destination: Path) -> None:
    """Writes it and checks what was written; only then it gets its name.

    Raises:
        InputError: the destination exists, or its folder does not.
        JournalError: it cannot be written, or the campaign is damaged.
    """
    destination = destination.expanduser().absolute()
    if destination.exists():
        raise InputError(f"{destination} exists already", hint="name another file, or remove it")
    if not destination.parent.is_dir():
        raise InputError(
            f"there is no folder {destination.parent}", hint=f"mkdir -p {destination.parent}"
        )
    part = destination.with_name(f".{destination.name}.{os.getpid()}.part")
    try:
        _write(excerpt, Database(sqlite_engine(part, "DELETE"), str(destination), part))
        part.replace(destination)
        fsync_directory(destination.parent)
    except (OSError, JournalFull) as error:
        full = not_written(error, str(destination)) if isinstance(error, OSError) else error
        said = str(full).replace(f"the store {destination}", str(destination))  # it is none
        raise JournalError(said, hint="free some space, or name a file elsewhere") from error
    finally:
        part.unlink(missing_ok=True)


def _write(excerpt: Excerpt, database: Database) -> None:
    try:
        make_tables(database)
        _copy(excerpt, database)
        _check(excerpt, database)
    finally:
        database.engine.dispose()


def _copy(excerpt: Excerpt, database: Database) -> None:
    number = excerpt.campaign["id"]
    head = chain.Head(excerpt.campaign["n_events"], excerpt.campaign["head"])
    with database.writing() as connection:
        connection.execute(insert(CAMPAIGNS), dict(excerpt.campaign))
        for first in range(1, head.seq + 1, _BATCH):
            _, rows = excerpt.fetch(first, min(_BATCH, head.seq + 1 - first))
            if rows:
                connection.execute(insert(EVENTS), stored.as_columns(number, rows))
        if excerpt.requests:
            connection.execute(insert(INBOX), [dict(request) for request in excerpt.requests])
        for sha256, name in excerpt.artifacts:
            data = excerpt.load(sha256)
            artifacts.record(connection, number, sha256, name, data, beside=False)


def _check(excerpt: Excerpt, database: Database) -> None:
    n_events = sum(1 for _ in stored.read(database, excerpt.campaign["id"]))
    if n_events != excerpt.campaign["n_events"]:
        raise JournalError(f"only {n_events} events could be read back from {database.where}")
