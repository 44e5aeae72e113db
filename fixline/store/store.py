"""The way into the store: an engine and the two kinds of transactions, reading and writing.

SQLite: WAL; every writing transaction is BEGIN IMMEDIATE behind one lock of this process (so that threads queue up
instead of polling); while another process writes, it is tried again every half millisecond, because SQLite's own busy
handler soon sleeps for longer than any transaction of Fixline lasts. What a power cut can lose with synchronous=NORMAL:
docs/operations.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from pydantic_core import from_json, to_json
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session

from fixline.errors import FixlineError
from fixline.store.prepared import Transaction

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 5_000
LOOK_EVERY_SECONDS = 0.0005
"""How soon a transaction of SQLite looks again whether another process still writes."""
STAY_SECONDS = 0.004
"""For how long it does so on the event loop before others have a turn there: another's transaction takes a millisecond
or two, and whoever gives way waits behind everything that is ready by then."""
CHECKPOINT_PAGES = 16_000
"""How many pages of 4 kB SQLite's log has before a commit writes it back; a worker does so sooner (`checkpoints`)."""
TRIES = 4
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY)
_UNIQUE = "23505"
_TRY_AGAIN_STATES = {"40001", "40P01", "55P03", _UNIQUE}
"""Serialization failure, deadlock, lock not available; and a key that another transaction has just written (a repeated
idempotency key, a year's first number): the next try finds its row."""


class StoreAway(FixlineError):
    """The database cannot be reached; nothing was written."""


class StoreBusy(StoreAway):
    """Others write just now, and the caller must not wait, or not any longer; nothing was written."""


_MUST_NOT_WAIT: ContextVar[bool] = ContextVar("_MUST_NOT_WAIT", default=False)
"""Whether a transaction is to raise StoreBusy rather than wait while others write."""


class Store:
    """The database behind one URL (`sqlite:///file` or `postgresql+psycopg://...`).

    Thread-safe. `pool_size` bounds the connections of this process.
    """

    def __init__(self, url: str, *, pool_size: int = 10, synchronous: str = "NORMAL") -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        # Errors must not print bound values: they may be contact data.
        arguments: dict[str, Any] = {"pool_size": pool_size, "max_overflow": pool_size, "hide_parameters": True}
        arguments |= {"json_serializer": _json_text, "json_deserializer": from_json}
        if self.sqlite:
            arguments["connect_args"] = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        else:
            arguments |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        self.engine: Engine = create_engine(url, **arguments)
        self._driver_error: Any = self.engine.dialect.loaded_dbapi.Error
        self._one_writer = threading.Lock()
        self._line = asyncio.Lock()  # of those on the event loop, in the order of their coming
        self._readers = asyncio.Lock()  # theirs: they need not wait for others to write
        self._queue: dict[object, float] = {}  # who waits for a transaction, and since when: the first longest
        # Where a commit waits for the disk, or for another machine, a thread must do the waiting.
        self._on_the_loop = self.sqlite and synchronous == "NORMAL"
        if self.sqlite:
            _prepare_sqlite(self.engine, synchronous)

    def read(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction that sees one snapshot (SQLite) or committed rows (PostgreSQL).

        Raises StoreAway when the database cannot be reached.
        """
        return self._tried("BEGIN", work)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one writing transaction and commit it; whatever it raises rolls everything back.

        `work` may run again when the database asks for a retry, so it must have no other effect than its
        writes. Raises StoreAway when the database cannot be reached.
        """
        return self._tried("BEGIN IMMEDIATE", work)

    async def in_turn(self, work: Callable[[*Ts], T], *args: *Ts, patience: float | None = None) -> T:
        """Run `work`, whose first act is a transaction, without stopping the event loop while others write.

        On SQLite it runs on the loop itself: a transaction there is a millisecond or two of this process's own
        processor, and on a thread beside the loop it takes three times as long, with the database locked. `work` runs
        again while somebody else writes; what only reads (`store.read`) waits for nobody who writes. Elsewhere a thread
        waits for the database.

        Raises as `work` does, and StoreBusy when others write for longer than `patience` seconds; with a patience also
        at once, while somebody has been waiting for longer than that: who came first goes first.
        """
        began = time.monotonic()
        first = next(iter(tuple(self._queue.values())), began)  # of a copy: threads take themselves out meanwhile
        if patience is not None and began - first > patience:
            raise StoreBusy("others have waited for too long already")
        waiting = object()
        self._queue[waiting] = began
        try:
            if self._on_the_loop:
                reading: object = self.read
                line = self._readers if work == reading else self._line
                return await self._on_loop(partial(work, *args), line, began, patience)
            return await asyncio.to_thread(self._on_thread, partial(work, *args), waiting, patience)
        finally:
            self._queue.pop(waiting, None)

    async def _on_loop(self, work: Callable[[], T], line: asyncio.Lock, began: float, patience: float | None) -> T:
        until = began + (BUSY_TIMEOUT_MS / 1000 if patience is None else patience)
        try:
            # In the order of their coming: whoever came later would go first otherwise, as long as others keep coming.
            async with asyncio.timeout(max(until - time.monotonic(), 0)):
                await line.acquire()
        except TimeoutError:
            raise StoreBusy("others write for too long") from None
        token = _MUST_NOT_WAIT.set(True)
        try:
            while True:
                try:
                    return work()
                except StoreBusy:
                    if time.monotonic() >= until:
                        raise
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        finally:
            _MUST_NOT_WAIT.reset(token)
            # One of each line for each round of the loop, in which uvloop takes one new connection: with all that is
            # ready done in one round, whoever comes new beside sixty others would wait for seconds to be let in.
            asyncio.get_running_loop().call_soon(line.release)

    def _on_thread(self, work: Callable[[], T], waiting: object, patience: float | None) -> T:
        began = self._queue.pop(waiting, 0.0)
        if patience is not None and time.monotonic() - began > patience:
            raise StoreBusy("no thread was free in time")
        return work()

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _turn(self, begin: str) -> Iterator[None]:
        """One writer at a time in this process, where the database has one writer only."""
        if not self.sqlite or begin == "BEGIN":
            yield
            return
        if not self._one_writer.acquire(blocking=not _MUST_NOT_WAIT.get()):
            raise StoreBusy("another thread writes")
        try:
            yield
        finally:
            self._one_writer.release()

    def _in_transaction(self, begin: str, work: Callable[[Session], T]) -> T:
        driver: PoolProxiedConnection | None = None
        with self._turn(begin):
            try:
                driver = self.engine.raw_connection()
                with Transaction(self.engine, driver) as session:
                    if self.sqlite:  # a driver of PostgreSQL begins by itself
                        _begin(driver.cursor(), begin)
                    result = work(session)
                    session.finish()
                    return result
            except self._driver_error as error:
                raise self._as_sqlalchemy_says(error, driver) from error
            finally:
                if driver is not None:
                    driver.close()

    def _as_sqlalchemy_says(self, error: Any, driver: PoolProxiedConnection | None) -> Exception:
        """An error of the driver as the one that every caller knows; a connection that is lost leaves the pool."""
        dialect = self.engine.dialect
        lost = driver is not None and dialect.is_disconnect(error, driver.dbapi_connection, None)
        if lost and driver is not None:
            driver.invalidate(error)
        known: Exception = DBAPIError.instance(
            None, None, error, self._driver_error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        )
        return known

    def _tried(self, begin: str, work: Callable[[Session], T]) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                return self._in_transaction(begin, work)
            except PoolTimeoutError as error:
                raise StoreAway(f"no connection is free: {error}") from error
            except DBAPIError as error:
                if not _passing(error):
                    if isinstance(error, OperationalError) or error.connection_invalidated:
                        raise StoreAway(str(error.orig)) from error
                    raise
                if attempt == TRIES:
                    if isinstance(error, IntegrityError):
                        raise
                    raise StoreAway(f"the database stayed busy: {error.orig}") from error
                log.info("the database is busy, trying again", extra={"attempt": attempt})
                time.sleep(0.05 * attempt + random.random() * 0.05)  # noqa: S311 - spreads retries, no secret
        raise AssertionError("unreachable")


def _begin(cursor: Any, begin: str) -> None:
    """Begin on SQLite: reading at once, writing as soon as nobody else does. Raises StoreBusy to who must not wait."""
    if begin == "BEGIN":
        cursor.execute(begin)
        return
    began = time.monotonic()
    until = began + BUSY_TIMEOUT_MS / 1000
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute(begin)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _BUSY or time.monotonic() >= until:
                    raise
                if _MUST_NOT_WAIT.get() and time.monotonic() >= began + STAY_SECONDS:
                    raise StoreBusy("another process writes") from error
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _json_text(value: Any) -> str:
    return to_json(value).decode()


def _passing(error: DBAPIError) -> bool:
    """Whether trying the same transaction again may help."""
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _TRY_AGAIN_STATES


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    if synchronous not in ("NORMAL", "FULL", "EXTRA"):
        raise ValueError(f"synchronous must be NORMAL, FULL or EXTRA, not {synchronous!r}")

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # this module begins transactions itself
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "cache_size=-65536",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
