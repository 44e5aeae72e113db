"""Turns on the event loop: what others write is waited for without stopping the loop, for as long as the caller has
patience, on both databases.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import Session, text

from fixline.store import store as module
from fixline.store.store import Store, StoreAway, StoreBusy


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


class Writing:
    """Somebody else who writes, until told to end."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end


@contextlib.contextmanager
def another_process(store: Store) -> Iterator[Writing]:
    """As another process would: by a connection that this store does not know."""
    other = sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield Writing(other.rollback)
    finally:
        other.close()


@contextlib.contextmanager
def another_thread(store: Store) -> Iterator[Writing]:
    """A thread of this process, in a transaction of the store."""
    begun, end = threading.Event(), threading.Event()

    def long(session: Session) -> None:
        begun.set()
        end.wait()

    thread = threading.Thread(target=store.write, args=[long])
    thread.start()
    begun.wait()

    def leave() -> None:
        end.set()
        thread.join()

    try:
        yield Writing(leave)
    finally:
        leave()


others = pytest.mark.parametrize(
    ("somebody", "who"), [(another_process, "another process"), (another_thread, "another thread")]
)
Somebody = Callable[[Store], contextlib.AbstractContextManager[Writing]]


@others
async def test_the_loop_goes_on_while_somebody_else_writes(sqlite_store: Store, somebody: Somebody, who: str) -> None:
    with somebody(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
        for _ in range(5):
            await asyncio.sleep(0.002)
        assert not waiting.done()
        writing.end()
        assert await waiting == threading.get_ident()


@others
async def test_who_has_no_more_patience_is_told_and_others_wait_on(
    sqlite_store: Store, somebody: Somebody, who: str
) -> None:
    with somebody(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
        began = time.monotonic()
        with pytest.raises(StoreBusy, match=f"{who} writes"):
            await sqlite_store.in_turn(sqlite_store.write, thread_of, patience=0.05)
        assert 0.05 <= time.monotonic() - began < 2
        assert not waiting.done()
        writing.end()
        assert await waiting == threading.get_ident()
    assert await sqlite_store.in_turn(sqlite_store.write, thread_of, patience=0.05)


@others
async def test_patience_that_lasts_is_rewarded(sqlite_store: Store, somebody: Somebody, who: str) -> None:
    with somebody(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of, patience=5))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        writing.end()
        assert await waiting == threading.get_ident()


async def test_nobody_is_let_past_those_who_have_waited_for_longer_than_they_would(sqlite_store: Store) -> None:
    """They are told at once, and their work is not even tried; whoever would wait for longer is let in."""
    with another_process(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
        await asyncio.sleep(0.06)
        with pytest.raises(StoreBusy, match="others have waited for too long"):
            await sqlite_store.in_turn(pytest.fail, "tried", patience=0.05)
        patient = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of, patience=5))
        await asyncio.sleep(0.01)
        assert not patient.done()
        writing.end()
        assert {*await asyncio.gather(waiting, patient)} == {threading.get_ident()}
    assert await sqlite_store.in_turn(sqlite_store.write, thread_of, patience=0.05)


async def test_who_gives_up_is_not_waited_for(sqlite_store: Store) -> None:
    with another_process(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
        await asyncio.sleep(0.03)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        with pytest.raises(StoreBusy, match="another process writes"):
            await sqlite_store.in_turn(sqlite_store.write, thread_of, patience=0.01)
        writing.end()


async def test_reading_waits_for_nobody(sqlite_store: Store) -> None:
    """Neither for who writes nor for those who wait to: whoever asks for a page must not pay for them."""
    with another_process(sqlite_store) as writing:
        waiting = asyncio.create_task(sqlite_store.in_turn(sqlite_store.write, thread_of))
        await asyncio.sleep(0.005)
        async with asyncio.timeout(1):
            assert await sqlite_store.in_turn(sqlite_store.read, thread_of) == threading.get_ident()
        assert not waiting.done()
        writing.end()
        await waiting


async def test_who_came_first_goes_first(sqlite_store: Store) -> None:
    """Also before those who come at the very moment at which the database is free."""
    done: list[int] = []

    async def write(number: int) -> None:
        await sqlite_store.in_turn(sqlite_store.write, lambda _: done.append(number))

    with another_process(sqlite_store) as writing:
        waiting = [asyncio.create_task(write(number)) for number in range(5)]
        await asyncio.sleep(0.005)
        assert done == []
        writing.end()
        waiting.append(asyncio.create_task(write(5)))
        await asyncio.gather(*waiting)
    assert done == [0, 1, 2, 3, 4, 5]


async def test_others_have_a_turn_between_two_transactions(sqlite_store: Store) -> None:
    """One a round of the loop, however many are ready: who is new must be let in meanwhile."""
    loop, rounds = asyncio.get_running_loop(), 0

    def again() -> None:
        nonlocal rounds
        rounds += 1
        loop.call_soon(again)

    async def write() -> int:
        await sqlite_store.in_turn(sqlite_store.write, thread_of)
        return rounds

    loop.call_soon(again)
    ended = await asyncio.gather(*(write() for _ in range(20)))
    assert len(set(ended)) == 20


async def test_work_of_several_transactions_begins_anew_where_it_had_to_stop(sqlite_store: Store) -> None:
    """What it had committed stays; so it must do no harm a second time."""
    runs = 0
    with contextlib.ExitStack() as stack:

        def work() -> int:
            nonlocal runs
            runs += 1
            sqlite_store.write(thread_of)
            if runs == 1:
                writing = stack.enter_context(another_process(sqlite_store))
                asyncio.get_running_loop().call_later(0.01, writing.end)
            return sqlite_store.write(thread_of)

        assert await sqlite_store.in_turn(work) == threading.get_ident()
    assert runs > 1


@pytest.fixture
async def one_thread() -> ThreadPoolExecutor:
    """The loop has one thread for what would stop it."""
    pool = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(pool)
    return pool


@pytest.mark.postgres
async def test_on_postgresql_patience_is_for_a_thread(postgres_store: Store, one_thread: ThreadPoolExecutor) -> None:
    """Who gets one too late is told so instead of going on; who has not said how long waits."""
    end = threading.Event()
    busy = asyncio.create_task(postgres_store.in_turn(end.wait))
    await asyncio.sleep(0.01)
    impatient = asyncio.create_task(postgres_store.in_turn(pytest.fail, "tried", patience=0.02))
    patient = asyncio.create_task(postgres_store.in_turn(postgres_store.write, thread_of, patience=5))
    waiting = asyncio.create_task(postgres_store.in_turn(postgres_store.write, thread_of))
    await asyncio.sleep(0.03)
    end.set()
    with pytest.raises(StoreBusy, match="no thread was free in time"):
        await impatient
    assert await busy is True
    assert await patient == await waiting != threading.get_ident()


@pytest.mark.postgres
async def test_on_postgresql_nobody_is_let_past_those_who_have_waited_for_longer(
    postgres_store: Store, one_thread: ThreadPoolExecutor
) -> None:
    """Who has a thread waits for the database alone, and is not counted."""
    end = threading.Event()
    busy = asyncio.create_task(postgres_store.in_turn(end.wait))
    await asyncio.sleep(0.03)
    first = asyncio.create_task(postgres_store.in_turn(postgres_store.write, thread_of, patience=0.02))
    await asyncio.sleep(0.01)
    assert not first.done(), "nobody else had waited for a thread"
    await asyncio.sleep(0.03)
    with pytest.raises(StoreBusy, match="others have waited for too long"):
        await postgres_store.in_turn(postgres_store.write, thread_of, patience=0.02)
    end.set()
    assert await busy is True
    with pytest.raises(StoreBusy, match="no thread was free in time"):
        await first
    assert await postgres_store.in_turn(postgres_store.write, thread_of, patience=5)


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
