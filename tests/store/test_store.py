"""The store's door: transactions begin, are retried, roll back, and say when the database is away."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import Session

from fixline.store import store as module
from fixline.store.store import Store, StoreAway
from fixline.store.tables import CounterRow, DefinitionVersionRow
from tests.support.city import at_once
from tests.support.databases import Postgres


def bump(session: Session) -> int:
    """Count one up, reading first and writing then, as every decision does."""
    row = session.get(CounterRow, "n", with_for_update=True)
    if row is None:
        row = CounterRow(name="n", last=0)
    row.last += 1
    session.add(row)
    return row.last


def last(store: Store) -> int:
    """What has been counted."""
    return store.read(lambda s: s.get_one(CounterRow, "n").last)


def test_what_is_written_is_read(store: Store) -> None:
    assert store.write(bump) == 1
    assert last(store) == 1


def test_an_error_rolls_everything_back(store: Store) -> None:
    store.write(bump)

    def fails(session: Session) -> None:
        bump(session)
        session.flush()
        raise KeyError("a mistake")

    with pytest.raises(KeyError):
        store.write(fails)
    assert last(store) == 1


def test_a_mistake_in_a_statement_is_no_absence(store: Store) -> None:
    with pytest.raises((ProgrammingError, StoreAway)) as raised:
        store.read(lambda s: s.connection().execute(text("SELECT 1 FROM nothing_of_the_kind")))
    if not store.sqlite:
        assert isinstance(raised.value, ProgrammingError)


def test_a_key_that_stays_taken_is_an_error_of_its_own(store: Store) -> None:
    store.write(bump)
    with pytest.raises(IntegrityError):
        store.write(lambda s: s.add(CounterRow(name="n", last=7)))
    assert last(store) == 1


def test_writers_at_once_wait_for_each_other(store: Store) -> None:
    store.write(bump)
    assert sorted(at_once([lambda: store.write(bump)] * 12)) == list(range(2, 14))


def test_the_first_of_a_key_may_come_from_many_at_once(store: Store) -> None:
    assert sorted(at_once([lambda: store.write(bump)] * 8)) == list(range(1, 9))


def test_instants_come_back_aware_and_in_utc(store: Store) -> None:
    instant = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)

    def write(session: Session) -> None:
        row = DefinitionVersionRow(
            hash="h", type="t", number=1, title="t", department="d", body="{}", published_at=instant, current=True
        )
        session.add(row)

    store.write(write)
    kept = store.read(lambda s: s.get_one(DefinitionVersionRow, "h").published_at)
    assert (kept, kept.tzinfo) == (instant, UTC)


def test_a_writing_transaction_on_sqlite_locks_at_its_beginning(sqlite_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "fixline.db", timeout=0)

    def locked(session: Session) -> bool:
        session.connection()
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        other.rollback()
        return False

    assert sqlite_store.write(locked) is True
    assert sqlite_store.read(locked) is False
    other.close()


def test_sqlite_runs_as_the_docs_say(sqlite_store: Store) -> None:
    def pragma(name: str) -> object:
        return sqlite_store.read(lambda s: s.connection().exec_driver_sql(f"PRAGMA {name}").scalar())

    assert [pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")] == ["wal", 1, 1]


def test_a_power_cut_proof_setting_is_taken_and_a_wrong_one_refused(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'full.db'}", synchronous="FULL")
    assert store.read(lambda s: s.connection().exec_driver_sql("PRAGMA synchronous").scalar()) == 2
    store.close()
    with pytest.raises(ValueError, match="synchronous"):
        Store(f"sqlite:///{tmp_path / 'full.db'}", synchronous="OFF")


def test_a_busy_database_is_tried_again(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 10)
    impatient = Store(f"sqlite:///{tmp_path / 'fixline.db'}")
    other = sqlite3.connect(tmp_path / "fixline.db", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, other.rollback)
    release.start()
    assert impatient.write(bump) == 1
    release.join()
    other.close()
    impatient.close()


def test_a_database_that_stays_busy_is_away(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 10)
    impatient = Store(f"sqlite:///{tmp_path / 'fixline.db'}")
    other = sqlite3.connect(tmp_path / "fixline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAway, match="busy"):
        impatient.write(bump)
    other.rollback()
    assert impatient.write(bump) == 1
    other.close()
    impatient.close()


def test_without_its_folder_the_database_is_away(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'fixline.db'}")
    store.read(lambda s: s.connection().exec_driver_sql("SELECT 1").scalar())
    store.close()
    shutil.rmtree(folder)
    for transaction in (store.read, store.write):
        with pytest.raises(StoreAway):
            transaction(lambda s: s.connection().exec_driver_sql("SELECT 1").scalar())
    store.close()


def test_when_every_connection_is_in_use_the_database_is_away(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{sqlite_template}", pool_size=1)
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.05)
    with store.engine.connect(), store.engine.connect(), pytest.raises(StoreAway, match="no connection is free"):
        store.read(lambda s: s.connection())
    store.close()


@pytest.mark.postgres
def test_a_stopped_postgres_is_away_and_comes_back(postgres: Postgres, postgres_store: Store) -> None:
    postgres_store.write(bump)
    postgres.stop()
    try:
        began = time.monotonic()
        for transaction in (postgres_store.read, postgres_store.write):
            with pytest.raises(StoreAway):
                transaction(bump)
        assert time.monotonic() - began < 5
    finally:
        postgres.start()
    assert postgres_store.write(bump) == 2


@pytest.mark.postgres
def test_a_connection_that_breaks_in_a_transaction_is_an_absence(postgres: Postgres, postgres_store: Store) -> None:
    postgres_store.write(bump)

    def breaks(session: Session) -> int:
        bump(session)
        session.flush()
        postgres.stop()
        return bump(session)

    try:
        with pytest.raises(StoreAway):
            postgres_store.write(breaks)
    finally:
        postgres.start()
    assert last(postgres_store) == 1
