"""Raw files and pictures that belong to a campaign, named by what is in them.

Small ones lie in the database, large ones in files beside an SQLite store
(`store.sqlite.artifacts/ab/ab...`); a server keeps all of them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sqlalchemy import Connection, insert, select

from orchestrator.errors import JournalDamaged
from orchestrator.journal.chain import digest
from orchestrator.journal.faults import not_written
from orchestrator.journal.leases import now
from orchestrator.journal.opening import Database, fsync_directory
from orchestrator.journal.picking import unknown_artifact
from orchestrator.journal.schema import ARTIFACTS

LARGE_BYTES = 1_000_000


def checked(data: bytes | None, sha256: str, where: str) -> bytes:
    """The data, if they are what they were. Raises JournalDamaged."""
    if data is not None and digest(data) == sha256:
        return data
    what = "is gone" if data is None else "is not what was stored"
    raise JournalDamaged(f"artifact {sha256} of {where} {what}", hint="restore it from a copy")


def goes_beside(database: Database, data: bytes) -> bool:
    """Whether data belong into a file of their own."""
    return database.path is not None and len(data) >= LARGE_BYTES


def write_beside(database: Database, sha256: str, data: bytes) -> None:
    """Puts data into their file, durable before it bears its name. Raises JournalFull."""
    path = _file(database, sha256)
    try:
        if path.exists() and digest(path.read_bytes()) == sha256:
            return
        _make_durable_directory(path.parent)
        part = path.with_name(f".{sha256}.{secrets.token_hex(4)}")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        fsync_directory(path.parent)
    except OSError as error:
        raise not_written(error, str(path.parent)) from error


def record(
    connection: Connection, campaign: str, sha256: str, name: str, data: bytes, *, beside: bool
) -> None:
    """Notes an artifact of a campaign, with its data unless they lie beside."""
    columns = ARTIFACTS.c
    same = (columns.campaign == campaign, columns.sha256 == sha256, columns.name == name)
    if connection.execute(select(columns.size).where(*same)).first() is not None:
        return
    connection.execute(
        insert(ARTIFACTS).values(
            campaign=campaign,
            sha256=sha256,
            name=name,
            size=len(data),
            stored_at=now(connection),
            content=None if beside else data,
        )
    )


def load(connection: Connection, database: Database, sha256: str) -> bytes:
    """The data of an artifact. Raises UnknownName, JournalDamaged."""
    query = select(ARTIFACTS.c.content).where(ARTIFACTS.c.sha256 == sha256)
    contents = connection.scalars(query).all()
    if not contents:
        raise unknown_artifact(sha256)
    inside = [content for content in contents if content is not None]
    if inside:
        sound = inside[0] if isinstance(inside[0], bytes) else b""
        return checked(sound, sha256, database.where)
    path = _file(database, sha256)
    try:
        data = path.read_bytes()
    except OSError:
        data = None
    return checked(data, sha256, str(path.parent.parent))


def _file(database: Database, sha256: str) -> Path:
    assert database.path is not None
    folder = database.path.with_name(f"{database.path.name}.artifacts")
    return folder / sha256[:2] / sha256


def _make_durable_directory(directory: Path) -> None:
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    fsync_directory(directory.parent)
    fsync_directory(directory.parent.parent)
