"""How a database answers queries: its plans for the statements that a piece of work runs, in short lines.

Owns the words of both databases: SQLite's EXPLAIN QUERY PLAN, PostgreSQL's EXPLAIN. Used by tests and benchmarks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from sqlalchemy import Connection, event
from sqlmodel import Session

from fixline.store.store import Store

_NODE = re.compile(
    r"(?:Parallel )?(?:(Index Only Scan|Index Scan)(?: Backward)? using (\w+) on (\w+)"
    r"|(Bitmap Index Scan) on (\w+)|(Seq Scan) on (\w+))"
)
_WHOLE = re.compile(r"^(?:SCAN|Seq Scan on) (?:request|task|clock|journal|again|before)$")
"""`again` and `before` are what the reports call the journal."""


def plans(store: Store, work: Callable[[Session], Any], *, before: Iterable[str] = ()) -> list[str]:
    """Run `work` in a reading transaction, then explain its statements there; one line per table or index that is
    read, each once. `before` are statements to run first, such as settings of the planner."""

    def explain(session: Session) -> list[str]:
        connection = session.connection()
        for statement in before:
            connection.exec_driver_sql(statement)
        asked: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            asked.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        try:
            work(session)
        finally:
            event.remove(connection, "before_cursor_execute", note)
        lines = [line for statement, parameters in asked for line in _explained(connection, statement, parameters)]
        return list(dict.fromkeys(lines))

    return store.read(explain)


def read_whole(lines: Iterable[str]) -> list[str]:
    """Those lines in which a table that grows is read from end to end."""
    return [line for line in lines if _WHOLE.match(line)]


def _explained(connection: Connection, statement: str, parameters: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [line for line in (str(row[-1]) for row in rows) if line.startswith(("SCAN ", "SEARCH "))]
    driver: Any = connection.connection.driver_connection
    full = psycopg.ClientCursor(driver).mogrify(f"EXPLAIN {statement}", parameters)  # EXPLAIN takes no parameters
    with driver.cursor() as cursor:
        found = [_node(row[0]) for row in cursor.execute(full)]
    return [line for line in found if line]


def _node(line: str) -> str:
    """A line of PostgreSQL's plan without alias, costs and rows; empty when it reads no table."""
    match = _NODE.search(line)
    if match is None:
        return ""
    scan, index, table, bitmap, by, whole, of = match.groups()
    return f"{scan} using {index} on {table}" if scan else f"{bitmap} on {by}" if bitmap else f"{whole} on {of}"
