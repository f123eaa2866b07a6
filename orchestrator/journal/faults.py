"""Says in one sentence what a database driver means."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from orchestrator.errors import JournalDamaged, JournalError, JournalFull

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FULL = "the disk of the store {where} is full"
_TOO_LARGE = -errno.EFBIG
_WHY_NOT_WRITTEN = {
    _TOO_LARGE: (
        "the store {where} may not grow that large",
        "a limit of the shell (ulimit -f) or of the disk's format: raise it, and run again",
    ),
    sqlite3.SQLITE_FULL: (
        _FULL,
        "free some space, and run again: what is recorded stays, what was under way is asked about",
    ),
    sqlite3.SQLITE_BUSY: (
        "another process has kept the store {where} locked",
        "look for a program that has the file open, such as a database browser or a backup",
    ),
    sqlite3.SQLITE_READONLY: (
        "the store {where} cannot be written",
        "check the permissions of the file and its folder, and whether its disk went read-only",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk of the store {where} reports an error",
        "check the disk (full, failing, unplugged, a network folder that is gone)",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the store {where} cannot be opened",
        "check that its folder exists and that you may write there",
    ),
}


def not_written(error: SQLAlchemyError | OSError, where: str) -> JournalError:
    """Why something could not be written: JournalFull, or JournalDamaged if it never will be."""
    code = _sqlite_code(error)
    if code in _DAMAGED or isinstance(error, IntegrityError):
        return damaged(error, where)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        code = sqlite3.SQLITE_FULL
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        code = _TOO_LARGE
    sentence, hint = _WHY_NOT_WRITTEN.get(
        code, ("the store {where} cannot be written", "check that the database is reachable")
    )
    return JournalFull(f"{sentence.format(where=where)} ({_said(error)})", hint=hint)


def not_read(error: SQLAlchemyError | OSError, where: str) -> JournalError:
    """Why something could not be read or opened."""
    code = _sqlite_code(error)
    if code in _DAMAGED:
        return damaged(error, where)
    sentence, hint = _WHY_NOT_WRITTEN.get(
        code, ("the store {where} cannot be read", "check that the database is reachable")
    )
    return JournalError(f"{sentence.format(where=where)} ({_said(error)})", hint=hint)


def damaged(error: Exception, where: str) -> JournalDamaged:
    """The database itself does not hold together."""
    return JournalDamaged(
        f"the store {where} is damaged ({_said(error)})", hint="restore it from a copy"
    )


def _sqlite_code(error: Exception) -> int:
    """SQLite's primary result code; 0 when SQLite did not say it."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    return getattr(origin, "sqlite_errorcode", 0) & 0xFF


def _said(error: Exception) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, OSError) and origin.strerror:
        return origin.strerror.lower()
    return " ".join(str(origin).split()) or type(origin).__name__
