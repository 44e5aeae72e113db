"""A bulk whose process has ended is taken up by a relay; giving it twice does no harm."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from fixline.catalog import Catalog
from fixline.domain.process.commands import Command, Comment, Hold
from fixline.messages import WorkflowSignal
from fixline.service.bulk import BulkOrder, accept_bulk, hand_in, read_bulk, read_failures
from fixline.service.requests import HANDED_AT_ONCE, RequestService
from fixline.service.submissions import Submission
from fixline.store.store import Store, StoreAway
from fixline.temporal.relay import BATCH, PATIENCE, Relay
from fixline.temporal.signals import Signals
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.domain.samples import ADMIN
from tests.support.temporal_double import QUEUE, Temporal
from tests.support.types import errand


@pytest.fixture
def errands(store: Store, catalog: Catalog) -> City:
    """The city with the type `errand`, on both databases."""
    city = City(store, catalog)
    city.publish(errand())
    return city


@pytest.fixture
async def signals(errands: City, client: Client, temporal: Temporal) -> AsyncIterator[Signals]:
    """Signals on the test's server."""
    made = Signals(client, errands.store, task_queue=QUEUE)
    yield made
    await made.close(timedelta(0))


def service_of(city: City, signals: Signals) -> RequestService:
    """A request service of the city."""
    return RequestService(city.store, signals, city.zone, city.versions, clock=city.clock)


def order_of(city: City, count: int, command: Command | None = None) -> BulkOrder:
    """A command for so many new requests, whose workflows know all of them; a remark unless it is another."""
    ids = [city.open() for _ in range(count)]
    for request_id in ids:
        city.due(request_id)
    return BulkOrder(Submission("B-1", command or Comment(text="We know."), ADMIN, city.now, "tests"), ids)


def give(city: City, limit: int) -> list[WorkflowSignal] | None:
    """Give the command to the next requests."""
    return hand_in(city.store, city.rules, "B-1", city.now, limit)


def counts(city: City) -> dict[str, int]:
    """How far the bulk is."""
    found = city.store.read(lambda s: read_bulk(s, "B-1"))
    assert found is not None
    return found.counts


async def test_the_desk_gives_a_command_to_many_requests_and_their_workflows_are_told(
    errands: City, signals: Signals, temporal: Temporal
) -> None:
    """More than are given theirs at once; each is decided by itself."""
    order = order_of(errands, HANDED_AT_ONCE + 3)
    temporal.running.update(order.request_ids)
    service = service_of(errands, signals)
    assert await service.submit_bulk(order) == "B-1"
    await service.close()
    assert counts(errands) == {"waiting": 0, "applied": HANDED_AT_ONCE + 3, "refused": 0, "failed": 0}
    assert sorted(told.request_id for told in temporal.told) == sorted(order.request_ids)
    assert {(told.name, told.work.decision) for told in temporal.told} == {("comment", 2)}
    assert [errands.request(request_id).signalled for request_id in order.request_ids] == [2] * len(order.request_ids)
    assert_consistent(errands.store)


async def test_the_relay_goes_on_where_a_process_has_ended(errands: City, signals: Signals, temporal: Temporal) -> None:
    count = BATCH + 5
    order = order_of(errands, count)
    temporal.running.update(order.request_ids)
    errands.store.write(lambda s: accept_bulk(s, order))
    assert len(give(errands, 3) or []) == 3  # and then it died, before it had told anybody
    relay = Relay(errands.store, signals, errands.rules, clock=errands.clock)
    assert await relay.round() == (0, 0)
    assert sum(len(errands.commands(request_id)) - 1 for request_id in order.request_ids) == 3
    errands.now += PATIENCE
    await relay.round()
    assert [len(errands.commands(request_id)) for request_id in order.request_ids] == [2] * count
    assert give(errands, BATCH) is None
    assert counts(errands) == {"waiting": 0, "applied": count, "refused": 0, "failed": 0}
    errands.now += PATIENCE
    while (await relay.round())[0]:
        pass
    assert [errands.request(request_id).signalled for request_id in order.request_ids] == [2] * count


async def test_what_the_desk_cannot_give_is_left_to_the_relay(
    errands: City, signals: Signals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    order = order_of(errands, 1)

    def away(*_: object) -> None:
        raise StoreAway("gone")

    monkeypatch.setattr("fixline.service.requests.hand_in", away)
    service = service_of(errands, signals)
    with caplog.at_level(logging.WARNING):
        assert await service.submit_bulk(order) == "B-1"
        await service.close()
    assert "left to the relay" in caplog.text
    assert [len(errands.commands(request_id)) for request_id in order.request_ids] == [1]


def test_given_by_two_at_once_each_request_has_the_command_once(errands: City) -> None:
    """The service may be slow, and the relay think that it has ended."""
    order = order_of(errands, 12)
    errands.store.write(lambda s: accept_bulk(s, order))
    at_once([lambda: give(errands, 12)] * 3)
    assert counts(errands) == {"waiting": 0, "applied": 12, "refused": 0, "failed": 0}
    assert [len(errands.commands(request_id)) for request_id in order.request_ids] == [2] * 12
    assert_consistent(errands.store)


def test_a_refusal_is_noted_with_the_bulk_and_stops_nobody(errands: City) -> None:
    """No row of the request's own is written for it; it says nothing to the workflow."""
    order = order_of(errands, 3, Hold(reason="frost"))
    errands.do(order.request_ids[1], "hold", reason="earlier")
    errands.store.write(lambda s: accept_bulk(s, order))
    signals = give(errands, 10)
    assert signals is not None
    assert [signal.request_id for signal in signals] == [order.request_ids[0], order.request_ids[2]]
    assert counts(errands) == {"waiting": 0, "applied": 2, "refused": 1, "failed": 0}
    (item,), rest = errands.store.read(lambda s: read_failures(s, "B-1", 0, 10))
    assert (item["request"], item["command_id"], item["code"], rest) == (
        order.request_ids[1],
        None,
        "already_on_hold",
        None,
    )
    assert len(errands.commands(order.request_ids[1])) == 2


def test_a_command_at_fault_counts_as_waiting_until_it_is_decided(
    errands: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has been given, and is not given again."""
    order = order_of(errands, 2)
    errands.store.write(lambda s: accept_bulk(s, order))
    with monkeypatch.context() as broken:

        def fails(*_: object, **__: object) -> None:
            raise ZeroDivisionError("a fault of ours")

        broken.setattr("fixline.service.commands.advance", fails)
        signals = give(errands, 10)
    assert signals is not None
    assert [signal.work.waiting for signal in signals] == [1, 1]
    assert counts(errands) == {"waiting": 2, "applied": 0, "refused": 0, "failed": 0}
    assert give(errands, 10) is None
    for request_id in order.request_ids:
        errands.due(request_id)
    assert counts(errands) == {"waiting": 0, "applied": 2, "refused": 0, "failed": 0}
    assert_consistent(errands.store)
