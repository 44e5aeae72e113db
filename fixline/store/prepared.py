"""Statements of the hot path: compiled once, then run on the driver's own cursor.

Owns `Prepared` and the session of a store's transaction. What SQLAlchemy does for every execution (a cache key, a
context, events, a result object) costs ten times what SQLite does; a statement that every decision runs is
compiled once for its database and its columns, with the conversions of its types, and then costs little more than the
driver. It runs in the session's own transaction; parameters are bound, never put into the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session

Parameters = Mapping[str, Any]
Convert = Callable[[Any], Any] | None


class Transaction(Session):
    """A session on a driver's connection that has begun; objects and Core statements join when they are first used.

    Most transactions use prepared statements alone, and never pay for the session's own machinery.
    """

    def __init__(self, engine: Engine, driver: PoolProxiedConnection) -> None:
        super().__init__(expire_on_commit=False)
        self.driver = driver
        self.dialect = engine.dialect
        self._engine = engine
        self._joined: Connection | None = None

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """What statements and objects run on: the connection that has begun."""
        if self._joined is None:
            self._joined = Connection(self._engine, self.driver)
        return self._joined

    def finish(self) -> None:
        """Write what objects hold, and commit."""
        if self.in_transaction():
            self.commit()
        if self.driver.is_valid:
            self.driver.commit()

    def close(self) -> None:
        """Forget the objects, if there are any."""
        if self._joined is not None:
            super().close()

    def undo(self) -> None:
        """Roll everything back."""
        if self.in_transaction():
            self.rollback()
        if self.driver.is_valid:
            self.driver.rollback()


class _Compiled(NamedTuple):
    """A statement for one database and one set of columns.

    `defaults` are the values that the statement itself holds; `names` the order of the parameters, None where they go
    by name; `into` and `out_of` convert parameters and the columns of a row.
    """

    text: str
    names: tuple[str, ...] | None
    defaults: dict[str, Any]
    into: tuple[tuple[str, Callable[[Any], Any]], ...]
    out_of: tuple[Convert, ...] | None


class Prepared:
    """A Core statement to be run often. `statement` may be one for each database, by the name of its dialect.

    The parameters' names decide which columns an INSERT or UPDATE writes. No statement with an expanding IN.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def first(self, session: Session, parameters: Parameters) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return next(iter(self.all(session, parameters)), None)

    def all(self, session: Session, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Every row."""
        compiled, cursor = self._execute(session, [parameters])
        rows = cursor.fetchall()
        cursor.close()
        return [_converted(compiled, row) for row in rows]

    def run(self, session: Session, parameters: Parameters | Sequence[Parameters]) -> None:
        """Run it for its effect: once, or once for each of several sets of parameters of the same names."""
        several = [parameters] if isinstance(parameters, Mapping) else parameters
        if several:
            self._execute(session, several)[1].close()

    def _execute(self, session: Session, several: Sequence[Parameters]) -> tuple[_Compiled, Any]:
        driver, dialect = _driver_of(session)
        compiled = self._for(dialect, several[0])
        cursor = driver.cursor()
        first, *others = [_bound(compiled, each) for each in several]
        if others:
            cursor.executemany(compiled.text, [first, *others])
        else:
            cursor.execute(compiled.text, first)
        return compiled, cursor

    def _for(self, dialect: Dialect, parameters: Parameters) -> _Compiled:
        key = (dialect.name, tuple(parameters))
        found = self._compiled.get(key)
        if found is None:
            statement = self._statement[dialect.name] if isinstance(self._statement, dict) else self._statement
            found = self._compiled[key] = _compile(statement, dialect, list(parameters))
        return found


def _driver_of(session: Session) -> tuple[PoolProxiedConnection, Dialect]:
    if isinstance(session, Transaction):
        return session.driver, session.dialect
    connection = session.connection()
    return connection.connection, connection.dialect


def _compile(statement: Any, dialect: Dialect, names: list[str]) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for bind, name in compiled.bind_names.items()}
    columns = [column.type.dialect_impl(dialect) for column in getattr(statement, "exported_columns", ())]
    out_of = tuple(each.result_processor(dialect, None) for each in columns)
    return _Compiled(
        text=str(compiled),
        names=tuple(compiled.positiontup) if compiled.positional else None,
        defaults={name: value for name, value in compiled.params.items() if name not in names},
        into=tuple((name, convert) for name, convert in into.items() if convert is not None),
        out_of=out_of if any(out_of) else None,
    )


def _bound(compiled: _Compiled, parameters: Parameters) -> Any:
    values = {**compiled.defaults, **parameters}
    for name, convert in compiled.into:
        values[name] = convert(values[name])
    return [values[name] for name in compiled.names] if compiled.names is not None else values


def _converted(compiled: _Compiled, row: Sequence[Any]) -> tuple[Any, ...]:
    if compiled.out_of is None:
        return tuple(row)
    return tuple([c(v) if c is not None else v for c, v in zip(compiled.out_of, row, strict=True)])
