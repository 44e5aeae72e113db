"""Turns on the event loop: what others write is waited for without stopping the loop, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlmodel import Session, text

from fixline.store import store as module
from fixline.store.store import Store, StoreAway


def thread_of(session: Session) -> int:
    """Which thread the transaction ran on."""
    session.connection().execute(text("SELECT 1"))
    return threading.get_ident()


async def test_a_transaction_runs_on_the_loop_on_sqlite_and_beside_it_on_postgresql(store: Store) -> None:
    ran_on = await store.in_turn(store.write, thread_of)
    assert (ran_on == threading.get_ident()) == store.sqlite


async def test_where_a_commit_waits_for_the_disk_it_runs_beside_the_loop(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'full.db'}", synchronous="FULL")
    assert await store.in_turn(store.write, thread_of) != threading.get_ident()
    store.close()


async def test_the_loop_goes_on_while_another_process_writes(sqlite_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "fixline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
    for _ in range(5):
        await asyncio.sleep(0.002)
    assert not waiting.done()
    other.rollback()
    assert await waiting == threading.get_ident()
    other.close()


async def test_the_loop_goes_on_while_another_thread_writes(sqlite_store: Store) -> None:
    begun, end = threading.Event(), threading.Event()

    def long(session: Session) -> None:
        begun.set()
        end.wait()

    thread = threading.Thread(target=sqlite_store.write, args=[long])
    thread.start()
    await asyncio.to_thread(begun.wait)
    waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    end.set()
    assert await waiting == threading.get_ident()
    thread.join()


async def test_a_database_that_stays_busy_is_away(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 10)
    other = sqlite3.connect(tmp_path / "fixline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAway, match="another process writes"):
        await sqlite_store.in_turn(sqlite_store.write, thread_of)
    other.rollback()
    assert await sqlite_store.in_turn(sqlite_store.write, thread_of)
    other.close()


async def test_what_the_work_raises_comes_out_and_is_not_repeated(sqlite_store: Store) -> None:
    runs = 0

    def wrong(session: Session) -> None:
        nonlocal runs
        runs += 1
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await sqlite_store.in_turn(sqlite_store.write, wrong)
    assert runs == 1
