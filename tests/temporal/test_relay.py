"""The relay's rounds and pauses, and the watch over the database; without a server, with fakes at the edges."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from fixline.service.pending import claim_signals
from fixline.store.store import Store, StoreAway
from fixline.temporal import relay as module
from fixline.temporal.health import FAILED_LOOKS, database_answers, while_database_answers
from fixline.temporal.relay import PATIENCE, Relay
from fixline.temporal.signals import Signals
from tests.support.city import City
from tests.support.temporal_double import QUEUE, Temporal


@pytest.fixture
async def signals(errands: City, client: Client) -> AsyncIterator[Signals]:
    """Signals on the test's server."""
    made = Signals(client, errands.store, task_queue=QUEUE)
    yield made
    await made.close(timedelta(0))


@pytest.fixture
def relay(errands: City, signals: Signals) -> Relay:
    """A relay of the city, by the city's clock."""
    return Relay(errands.store, signals, errands.rules, clock=errands.clock)


async def test_a_round_signals_what_is_behind_and_notes_it(errands: City, relay: Relay, temporal: Temporal) -> None:
    """A workflow that has missed a command, one that was never started, and one with a command that waits."""
    first, second, third = errands.open(), errands.open(), errands.open()
    temporal.running |= {first, third}
    errands.do(first, "comment", text="x")
    errands.due(third)
    errands.waiting(third, "hold", reason="x")
    errands.later(seconds=3.9)
    assert await relay.round() == (0, 0)
    errands.now += PATIENCE
    assert await relay.round() == (3, 3)
    told = {each.request_id: (each.name, each.started, each.work.decision, each.work.waiting) for each in temporal.told}
    assert told == {
        first: ("comment", False, 2, 0),
        second: ("open", True, 1, 0),
        third: ("hold", False, 1, 1),
    }
    assert [errands.request(each).signalled for each in (first, second, third)] == [2, 1, 1]
    assert await relay.round() == (0, 0)
    errands.now += PATIENCE
    assert await relay.round() == (1, 1), "the command still waits"


async def test_what_is_over_is_noted_without_a_workflow(errands: City, relay: Relay, temporal: Temporal) -> None:
    request_id = errands.open()
    errands.take(request_id)
    errands.do(request_id, "cancel", reason="x")
    errands.now += PATIENCE
    assert await relay.round() == (1, 1)
    assert temporal.told == []
    assert errands.request(request_id).signalled == 2


async def test_what_does_not_arrive_is_tried_again_after_a_while(
    errands: City, relay: Relay, temporal: Temporal
) -> None:
    request_id = errands.open()
    temporal.error = RPCError("nobody is there", RPCStatusCode.UNAVAILABLE, b"")
    errands.now += PATIENCE
    assert await relay.round() == (1, 0)
    assert errands.request(request_id).signalled == 0
    temporal.error = None
    assert await relay.round() == (0, 0), "it is claimed"
    errands.now += PATIENCE
    assert await relay.round() == (1, 1)
    assert errands.request(request_id).signalled == 1


async def test_the_relay_tries_while_others_do_not(
    errands: City, relay: Relay, signals: Signals, temporal: Temporal
) -> None:
    """It finds out that Temporal is back."""
    request_id = errands.open()
    temporal.error = RPCError("nobody is there", RPCStatusCode.UNAVAILABLE, b"")
    signals.send(errands.store.write(lambda s: claim_signals(s, errands.now, timedelta(0), 1, errands.scheduling)))
    await signals.close(timedelta(seconds=5))
    temporal.error = None
    errands.now += PATIENCE
    assert await relay.round() == (1, 1)
    assert temporal.names(request_id) == ["open"]


async def test_a_round_signals_a_few_at_once(errands: City, relay: Relay, temporal: Temporal) -> None:
    for _ in range(module.AT_ONCE * 2):
        errands.open()
    errands.now += PATIENCE
    temporal.open.clear()
    going = asyncio.create_task(relay.round())
    await until(lambda: temporal.under_way == module.AT_ONCE)
    await asyncio.sleep(0.01)
    temporal.open.set()
    assert await going == (module.AT_ONCE * 2, module.AT_ONCE * 2)
    assert temporal.most == module.AT_ONCE


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


async def test_the_relay_slows_down_while_nothing_arrives(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    async def undelivered() -> tuple[int, int]:
        return 3, 0

    monkeypatch.setattr(relay, "round", undelivered)
    assert await pauses_of(relay, 6, monkeypatch) == [2, 4, 8, 15, 15, 15]


async def test_the_relay_does_not_rest_while_there_is_more(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full batch of which something arrived is followed by the next at once."""
    rounds = iter([(module.BATCH, module.BATCH), (module.BATCH, 1), (module.BATCH - 1, 1), (module.BATCH, 0), (0, 0)])

    async def found() -> tuple[int, int]:
        return next(rounds)

    monkeypatch.setattr(relay, "round", found)
    assert await pauses_of(relay, 3, monkeypatch) == [1, 2, 1]
    assert next(rounds, None) is None


async def test_the_relay_outlives_an_absent_database(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0

    async def away_at_first() -> tuple[int, int]:
        nonlocal rounds
        rounds += 1
        if rounds <= 2:
            raise StoreAway("gone")
        return 0, 0

    monkeypatch.setattr(relay, "round", away_at_first)
    assert await pauses_of(relay, 4, monkeypatch) == [2, 4, 1, 1]


async def test_the_relay_outlives_a_fault_of_ours(
    relay: Relay, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One round has failed; the worker goes on, and says so."""
    rounds = iter([ZeroDivisionError("a fault of ours"), None, None])

    async def failing_at_first() -> tuple[int, int]:
        fault = next(rounds)
        if fault is not None:
            raise fault
        return 0, 0

    monkeypatch.setattr(relay, "round", failing_at_first)
    assert await pauses_of(relay, 3, monkeypatch) == [2, 1, 1]
    assert [record.getMessage() for record in caplog.records] == ["a round of the relay failed"]


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
