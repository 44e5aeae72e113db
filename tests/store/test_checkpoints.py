"""SQLite's log is written back beside those who write, and begins anew when it is long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from fixline.store.checkpoints import Checkpoint, checkpoint, keep_checkpointing
from fixline.store.store import Store

SOON = timedelta(milliseconds=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'log.db'}")
    store.write(lambda session: session.execute(text("CREATE TABLE kept (value TEXT)")))
    yield store
    store.close()


def _keep(store: Store, value: str) -> None:
    def work(session: Session) -> None:
        session.execute(text("INSERT INTO kept VALUES (:value)"), {"value": value})

    store.write(work)


def test_all_that_was_committed_is_written_back(store: Store) -> None:
    _keep(store, "x" * 50_000)
    found = checkpoint(store)
    assert found.pages > 10
    assert found == Checkpoint(False, found.pages, found.pages)


def test_a_long_log_begins_anew(store: Store) -> None:
    _keep(store, "x" * 50_000)
    long = checkpoint(store, long_pages=5).pages
    _keep(store, "y")
    assert checkpoint(store).pages < long, "the next commit wrote at the log's beginning"


def test_a_reader_of_an_old_state_is_let_finish(store: Store) -> None:
    _keep(store, "before")

    def reading(session: Session) -> Checkpoint:
        before = session.execute(text("SELECT count(*) FROM kept")).scalar_one()
        _keep(store, "meanwhile")
        found = checkpoint(store, long_pages=1)
        assert session.execute(text("SELECT count(*) FROM kept")).scalar_one() == before
        return found

    found = store.read(reading)
    assert found.gave_way
    assert found.written < found.pages


def test_the_connection_waits_for_others_as_before(store: Store) -> None:
    def waits(session: Session) -> int:
        found: int = session.execute(text("PRAGMA busy_timeout")).scalar_one()
        return found

    before = store.read(waits)
    checkpoint(store, long_pages=0)
    assert store.read(waits) == before


async def test_a_fault_is_logged_and_the_next_try_comes(
    store: Store, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    broken = Store(f"sqlite:///{tmp_path / 'none'}")
    caplog.set_level(logging.WARNING)
    keeping = asyncio.create_task(keep_checkpointing(broken, SOON))
    while len(caplog.records) < 2:
        await asyncio.sleep(0.005)
    keeping.cancel()
    assert caplog.records[0].getMessage().startswith("the log was not written back: unable to open")


async def test_the_log_is_written_back_by_itself(store: Store, tmp_path: Path) -> None:
    _keep(store, "told")
    file = tmp_path / "log.db"
    assert b"told" not in file.read_bytes()
    keeping = asyncio.create_task(keep_checkpointing(store, SOON))
    while b"told" not in file.read_bytes():
        await asyncio.sleep(0.005)
    keeping.cancel()
