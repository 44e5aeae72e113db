"""The relay's rounds and pauses, and the watch over the database; without a server, with fakes at the edges."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import pytest
from temporalio.worker import Worker

from fixline.catalog import Catalog
from fixline.delivery import relay as module
from fixline.delivery.doorbell import Doorbell
from fixline.delivery.relay import PATIENCE, Relay
from fixline.delivery.watch import FAILED_LOOKS, database_answers, while_database_answers
from fixline.store.store import Store, StoreAway
from tests.support.city import City
from tests.support.types import errand


class Heard(Doorbell):
    """Notes what is asked of it."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.calls: list[tuple[str, str, int, int]] = []
        self.under_way = self.most = 0

    async def start(self, request_id: str, *_: Any) -> bool:
        """Note it."""
        self.calls.append((request_id, "start", 0, 0))
        return self.answers

    async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
        """Note it, and take a while."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.01)
        self.under_way -= 1
        self.calls.append((request_id, kind, number, again))
        return self.answers


@pytest.fixture
def errands(sqlite_store: Store, catalog: Catalog) -> City:
    """The city with the type `errand`."""
    city = City(sqlite_store, catalog)
    city.publish(errand())
    return city


async def test_a_round_rings_for_what_waits_and_starts_what_has_no_workflow(errands: City) -> None:
    first, second = errands.open(), errands.open()
    errands.advance(first, first=True)
    errands.accept(first, "comment", text="x")
    errands.now += PATIENCE
    bell = Heard()
    relay = Relay(errands.store, bell, clock=errands.clock)
    assert await relay.round() == (2, 2)
    assert sorted(bell.calls) == sorted([(first, "comment", 2, 0), (second, "start", 0, 0)])
    assert await relay.round() == (0, 0)


async def test_a_round_rings_for_a_few_at_once(errands: City) -> None:
    for _ in range(module.AT_ONCE * 2):
        request_id = errands.open()
        errands.advance(request_id, first=True)
        errands.accept(request_id, "comment", text="x")
    errands.now += PATIENCE
    bell = Heard(answers=False)
    assert await Relay(errands.store, bell, clock=errands.clock).round() == (module.AT_ONCE * 2, 0)
    assert bell.most == module.AT_ONCE


async def pauses_of(relay: Relay, count: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The first pauses between the relay's rounds."""
    slept: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real_sleep(0)
        if len(slept) == count:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with contextlib.suppress(asyncio.CancelledError):
        await relay.run()
    return slept


async def test_the_relay_slows_down_while_nobody_hears(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay(errands.store, Heard(), clock=errands.clock)

    async def unheard() -> tuple[int, int]:
        return 3, 0

    monkeypatch.setattr(relay, "round", unheard)
    assert await pauses_of(relay, 6, monkeypatch) == [2, 4, 8, 15, 15, 15]


async def test_the_relay_outlives_an_absent_database(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay(errands.store, Heard(), clock=errands.clock)
    rounds = 0

    async def away_at_first() -> tuple[int, int]:
        nonlocal rounds
        rounds += 1
        if rounds <= 2:
            raise StoreAway("gone")
        return 0, 0

    monkeypatch.setattr(relay, "round", away_at_first)
    assert await pauses_of(relay, 4, monkeypatch) == [2, 4, 1, 1]


class FakeWorker(Worker):
    """Notes when it polls."""

    polling = 0
    started = 0

    def __init__(self) -> None:
        """Nothing to connect to."""

    async def __aenter__(self) -> Self:
        FakeWorker.polling += 1
        FakeWorker.started += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        FakeWorker.polling -= 1


async def until(holds: Any) -> None:
    """Wait until it does."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


async def test_a_worker_polls_only_while_its_database_answers(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeWorker.polling = FakeWorker.started = 0
    looks = 0
    real_read = sqlite_store.read

    def away(_: object) -> None:
        nonlocal looks
        looks += 1
        raise StoreAway("gone")

    monkeypatch.setattr(sqlite_store, "read", away)
    watch = while_database_answers(sqlite_store, FakeWorker, look_every=timedelta(milliseconds=10))
    watching = asyncio.create_task(watch)
    await until(lambda: looks > 3)
    assert FakeWorker.started == 0, "no polling before the database has answered"
    monkeypatch.setattr(sqlite_store, "read", real_read)
    await until(lambda: FakeWorker.polling == 1)
    looks = 0
    monkeypatch.setattr(sqlite_store, "read", away)
    await until(lambda: FakeWorker.polling == 0)
    assert looks >= FAILED_LOOKS
    monkeypatch.setattr(sqlite_store, "read", real_read)
    await until(lambda: FakeWorker.polling == 1)
    assert FakeWorker.started == 2
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert FakeWorker.polling == 0


async def test_whether_a_database_answers(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await database_answers(sqlite_store) is True

    def away(_: object) -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(sqlite_store, "read", away)
    assert await database_answers(sqlite_store) is False
