"""Opens a database: SQLite with full durability, or PostgreSQL; makes the tables."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from orchestrator.errors import InputError, JournalError, MissingExtra, StoreTooNew
from orchestrator.journal.disks import refuse_shared
from orchestrator.journal.faults import not_read, not_written
from orchestrator.journal.schema import META, SCHEMA_VERSION, TABLES
from orchestrator.settings import data_directory

_BUSY_S = 15.0
_QUIET = logging.NullHandler()
_SQLITE_MAGIC = b"SQLite format 3\x00"
_POSTGRES_OPTIONS = f"-c search_path=hagane -c synchronous_commit=on -c lock_timeout={_BUSY_S:g}s"
_ADVISORY_LOCK = 0x686167616E65  # "hagane": serialises the making of the tables
_POSTGRES_CONNECT = {
    # a server that is gone must be noticed within seconds: the engine is waiting to act
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


@dataclass(frozen=True)
class Database:
    """An open database. `path` is the file's, None for a server; `where` is for people."""

    engine: Engine
    where: str
    path: Path | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment and blocks nobody. Raises JournalError."""
        try:
            with self.engine.connect() as connection:
                if self.path is None:
                    connection.execution_options(isolation_level="REPEATABLE READ")
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise not_read(error, self.where) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on disk when this ends. Raises JournalFull, JournalDamaged."""
        try:
            with self.engine.connect() as connection:
                connection.execution_options(hagane_writes=True)
                with connection.begin():
                    yield connection
        except SQLAlchemyError as error:
            raise not_written(error, self.where) from error

    @contextmanager
    def appending(self) -> Iterator[DBAPICursor]:
        """As `writing`, by the driver's own cursor: of a short commit, what lies between is more
        than two thirds of the time."""
        failure = self.engine.dialect.loaded_dbapi.Error
        try:
            with closing(self.engine.raw_connection()) as connection:
                try:
                    cursor = connection.cursor()
                    if self.path is not None:
                        cursor.execute("BEGIN IMMEDIATE")
                    yield cursor
                    connection.commit()
                except failure:
                    connection.invalidate()  # it may be broken: the next one is made anew
                    raise
        except failure as error:
            told = DBAPIError.instance(None, None, error, failure, dialect=self.engine.dialect)
            raise not_written(told, self.where) from error
        except SQLAlchemyError as error:
            raise not_written(error, self.where) from error


def open_database(where: str | Path | None, *, to_look: bool = False) -> Database:
    """Opens what `open_store` is given. Raises as `open_store`."""
    # what it logs it raises too: a Ctrl-C while connections are closed was printed as a traceback
    logging.getLogger("sqlalchemy").addHandler(_QUIET)
    if isinstance(where, str) and where.startswith(("postgresql:", "postgres:")):
        database = _postgresql(where)
    elif isinstance(where, str) and "://" in where:
        raise InputError(
            f"'{where.partition('://')[0]}://' is no kind of store",
            hint="name a file, or postgresql://user@host:5432/database",
        )
    else:
        named = (_default_path() if where is None else Path(where)).expanduser()
        path = Path(os.path.realpath(named))  # what lies beside a file lies not beside a link to it
        is_fixed = to_look and not is_writable(path)
        database = reading_sqlite(path) if is_fixed else _sqlite(path)
    try:
        make_tables(database)
    except BaseException:
        database.engine.dispose()
        raise
    return database


def make_tables(database: Database) -> None:
    """Makes the tables of a new store, and checks whose an old one is."""
    with database.reading() as connection:
        if _is_ours(connection, database.where):
            return
    with database.writing() as connection:
        if database.path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS hagane"))
        if _is_ours(connection, database.where):  # another process was faster
            return
        TABLES.create_all(connection)
        version = {"key": "schema_version", "value": str(SCHEMA_VERSION)}
        connection.execute(insert(META), version)


def sqlite_engine(path: Path, journal_mode: str) -> Engine:
    """An engine whose commits are on disk: WAL for a store in use, DELETE for a single file."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_S}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA fullfsync=ON")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # a writer that starts by reading could not wait for another's lock: SQLITE_BUSY at once
        writes = connection.get_execution_options().get("hagane_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def fsync_directory(directory: Path) -> None:
    """Makes the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _default_path() -> Path:
    path = data_directory() / "store.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, f"its folder cannot be made ({error.strerror})") from error
    return path


def is_writable(path: Path) -> bool:
    """Whether a store that is there may be written; not whether one can be made."""
    may = os.W_OK | os.X_OK
    return not path.is_file() or (os.access(path, os.W_OK) and os.access(path.parent, may))


def reading_sqlite(path: Path) -> Database:
    """A store that may not be written, as on a disk that is mounted read-only.

    Without its log it is read as a file that nobody changes; with one, SQLite has to have made
    the log's index before.

    Raises:
        JournalError: it cannot be read so.
    """
    refuse_shared(path)
    _refuse_closed_log(path)
    log, index = _beside(path)
    has_log = log.exists() and (log.stat().st_size > 0 or index.exists())
    address = f"{path.as_uri()}?mode=ro" + ("" if has_log else "&immutable=1")
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=_BUSY_S)
    )
    database = Database(engine, str(path), path)
    try:
        with database.reading() as connection:
            connection.execute(text("SELECT count(*) FROM sqlite_master"))
    except JournalError as error:
        engine.dispose()
        why = f"; its newest events are in {log.name}, and the folder is read-only" * has_log
        hint = "copy it, with its -wal beside it, into a folder of yours, and look there"
        raise JournalError(f"{error}{why}", hint=hint) from error
    return database


def _beside(path: Path) -> tuple[Path, Path]:
    """SQLite's log of a file, and the log's index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _refuse_closed_log(path: Path) -> None:
    """Accepts a file whose log, if any, may be read as well. Raises JournalError."""
    for log in _beside(path):
        if log.exists() and not os.access(log, os.R_OK):
            raise _unusable(path, f"you may not read {log.name}, which has its newest events")


def _sqlite(path: Path) -> Database:
    refuse_shared(path)
    is_new = _is_new(path)
    engine = sqlite_engine(path, "WAL")
    database = Database(engine, str(path), path)
    try:
        with database.reading() as connection:
            connection.execute(text("SELECT count(*) FROM sqlite_master"))
        if is_new:
            fsync_directory(path.parent)
    except JournalError:
        engine.dispose()
        raise
    return database


def _is_new(path: Path) -> bool:
    """Whether a store has to be made there. Raises JournalError where none can be."""
    _refuse_place(path)
    if not path.exists():
        return True
    if not os.access(path, os.R_OK | os.W_OK):
        raise _unusable(path, "you may not read and write it")
    _refuse_closed_log(path)
    try:
        with path.open("rb") as file:
            magic = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({error.strerror})") from error
    if magic and magic != _SQLITE_MAGIC:
        raise _unusable(path, "it is not a database", "name another file with --store")
    return not magic


def _refuse_place(path: Path) -> None:
    """Accepts a folder that takes files. Raises JournalError."""
    if path.is_dir():
        raise _unusable(path, "it is a folder", "name a file in it")
    folder = path.parent
    if not folder.is_dir():
        there = next(above for above in path.parents if above.exists())
        if not there.is_dir():
            raise _unusable(path, f"{there} is a file", "name a file in a folder")
        raise _unusable(path, f"there is no folder {folder}", f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(path, f"you may not write in {folder}")


def _unusable(path: Path, why: str, hint: str = "") -> JournalError:
    hint = hint or "check its permissions, or name another file with --store"
    return JournalError(f"{path} cannot be used as a store: {why}", hint=hint)


def _postgresql(address: str) -> Database:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise MissingExtra("the PostgreSQL driver", "pip install 'hagane[postgresql]'") from None
    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (SQLAlchemyError, ValueError) as error:
        raise InputError(
            "the store's address cannot be read",
            hint="write it as postgresql://user@host:5432/database",
        ) from error
    where = url.render_as_string(hide_password=True).replace("+psycopg", "")
    connect = dict(_POSTGRES_CONNECT, options=url.query.get("options", _POSTGRES_OPTIONS))
    url = url.difference_update_query(["options"])
    return Database(create_engine(url, connect_args=connect, pool_pre_ping=True), where)


def _is_ours(connection: Connection, where: str) -> bool:
    """True for a store that this version can use, false for an empty database."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return False
    version = None
    if META.name in tables:
        version = connection.scalar(select(META.c.value).where(META.c.key == "schema_version"))
    if version is None or not version.isdecimal():
        raise JournalError(
            f"{where} is a database of another program", hint="name another file with --store"
        )
    if int(version) > SCHEMA_VERSION:
        raise StoreTooNew(
            f"the store {where} has format {version}, this version of Hagane knows up to"
            f" {SCHEMA_VERSION}",
            hint="install the version that wrote it, or a newer one: pip install -U hagane",
        )
    return True
