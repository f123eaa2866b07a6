from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journal_samples import POSTGRESQL_MISSING, PostgresServer, postgres_binaries

from orchestrator.journal import Store, open_store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    binaries = postgres_binaries()
    if binaries is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip(POSTGRESQL_MISSING)
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens one and the same store, as a process beside the first would."""
    if request.param == "memory":
        where: str | Path = "memory:"
    elif request.param == "sqlite":
        where = tmp_path / "store.sqlite"
    else:
        where = request.getfixturevalue("postgres_server").new_database()
    opened: list[Store] = []

    def open_one() -> Store:
        # a store in memory has nothing beside it
        if not (where == "memory:" and opened):
            opened.append(open_store(where))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Store:
    return open_again()


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def sqlite_store(sqlite_path: Path) -> Iterator[Store]:
    store = open_store(sqlite_path)
    yield store
    store.close()
