"""Fills a store with many requests: the lives are written as the product writes them, then copied by the database.

A copy is a request of its own, with its tasks, clocks and journal, at another time and place. The instants within its
JSON are those of its life; no list and no report looks at them. Effects and commands are not copied.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    MetaData,
    String,
    Table,
    Text,
    cast,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from bench.million.lives import City, Copy, copies
from fixline.domain.process.waiting import happened_at
from fixline.store.instants import UtcDateTime
from fixline.store.projection import request_values, write_details
from fixline.store.schema import migrate
from fixline.store.store import Store
from fixline.store.tables import ClockRow, EffectRow, JournalRow, RequestRow, TaskRow, table_of
from fixline.store.versions import publish

AT_ONCE = 50_000
_COPY = Table(
    "bench_copy",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("life", String),
    Column("shift", String),
    Column("latitude", Float),
    Column("longitude", Float),
)
_COPIED = {
    table_of(RequestRow): ("id", ("state",)),
    table_of(TaskRow): ("request_id", ("id",)),
    table_of(ClockRow): ("request_id", ("task_id",)),
    table_of(JournalRow): ("request_id", ("data",)),
}
"""The tables that are copied: the column with the request's number, and those within which it stands."""
_LIVES = {table: table.to_metadata(MetaData(), name=f"bench_{table.name}") for table in _COPIED}


def fill(store: Store, city: City, count: int, open_share: float) -> None:
    """Write `count` requests into an empty database, its schema first; says how far it is on stderr."""
    began = time.perf_counter()
    migrate(store)
    store.write(lambda session: _write_lives(session, city))
    wanted = copies(city, count, open_share)
    _say(f"{len(city.lives):,} lives written, {count:,} copies chosen", began)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _hurry(connection)
        _put_aside(connection)
        with _without_indexes(connection):
            for start in range(0, count, AT_ONCE):
                _copy(connection, start, wanted[start : start + AT_ONCE])
                _say(f"{min(start + AT_ONCE, count):,} requests", began)
        _say("indexes", began)
        _settle(connection)
    store.close()  # the hurried connection with it
    _say("ready", began)


def _say(what: str, began: float) -> None:
    print(f"  {time.perf_counter() - began:6.1f} s  {what}", file=sys.stderr, flush=True)


def _write_lives(session: Session, city: City) -> None:
    for definition in city.definitions.values():
        publish(session, definition, min(life.opened_at for life in city.lives))
    for life in city.lives:
        first, last = life.decisions[0], life.decisions[-1]
        row = {
            "id": life.id,
            **request_values(life.definition, last),
            "acted_at": max(at for at in map(happened_at, life.decisions) if at is not None),
            "source_facts": {},
            "accepted_at": first.at,
            "signalled": last.number,
            "created_by": "bench",
            "last_command": last.number,
        }
        session.execute(insert(table_of(RequestRow)), [row])
        write_details(session, row, life.decisions)
    session.execute(table_of(EffectRow).delete())


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _hurry(connection: Connection) -> None:
    """Nobody else is there, nothing is lost if this ends half-way, and every reference is right."""
    hurried = ["PRAGMA foreign_keys=OFF", "PRAGMA synchronous=OFF", "PRAGMA journal_mode=OFF"]
    if not _sqlite(connection):
        hurried = ["SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"]
    for statement in hurried:
        connection.exec_driver_sql(statement)


def _put_aside(connection: Connection) -> None:
    """The lives' rows go to tables of their own, from which they are copied."""
    _COPY.create(connection)
    for table, (key, _) in _COPIED.items():
        connection.exec_driver_sql(f"CREATE TABLE bench_{table.name} AS SELECT * FROM {table.name}")  # noqa: S608
        connection.exec_driver_sql(f"CREATE INDEX bench_{table.name}_key ON bench_{table.name} ({key})")
        connection.execute(table.delete())


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Indexes are made at the end, by sorting: many times as fast as row by row."""
    if _sqlite(connection):
        wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table"
    else:
        wanted = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table AND indexname NOT LIKE '%_pkey'"
    found = [tuple(row) for table in _COPIED for row in connection.execute(text(wanted), {"table": table.name})]
    for name, _ in found:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _, statement in found:
        connection.exec_driver_sql(statement)


def _copy(connection: Connection, start: int, chosen: Sequence[Copy]) -> None:
    connection.execute(_COPY.delete())
    rows = [
        {
            "id": f"SR26-{number:08}",
            "life": each.life,
            "shift": f"{each.shift:+} seconds",
            "latitude": each.latitude,
            "longitude": each.longitude,
        }
        for number, each in enumerate(chosen, start + 1)
    ]
    connection.execute(insert(_COPY), rows)
    for table, (key, within) in _COPIED.items():
        life = _LIVES[table]
        values = [_copied(column, key, within, sqlite=_sqlite(connection)) for column in life.columns]
        source = select(*values).join_from(_COPY, life, life.c[key] == _COPY.c.life).order_by(_COPY.c.id)
        connection.execute(insert(table).from_select(list(table.columns.keys()), source))


def _copied(column: Column[Any], key: str, within: Sequence[str], *, sqlite: bool) -> ColumnElement[Any]:
    """What a column of a copy holds."""
    if column.name == key:
        return _COPY.c.id
    if column.name in ("latitude", "longitude"):
        return _COPY.c[column.name]
    if isinstance(column.type, UtcDateTime):
        if sqlite:
            return func.datetime(column, _COPY.c.shift).concat(".000000")
        return column + _COPY.c.shift.op("::")(literal_column("interval"))
    if column.name in within:
        replaced = func.replace(cast(column, Text), _COPY.c.life, _COPY.c.id)
        return cast(replaced, JSON) if isinstance(column.type, JSON) and not sqlite else replaced
    return column


def _settle(connection: Connection) -> None:
    """As a database is that has been there for long: PostgreSQL's autovacuum has passed; SQLite has no statistics."""
    for table in (_COPY, *_LIVES.values()):
        table.drop(connection)
    if _sqlite(connection):
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    else:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
