"""A bulk whose process has ended is taken up by a relay; handing in twice does no harm."""

from __future__ import annotations

import logging

import pytest

from fixline.catalog import Catalog
from fixline.delivery.desk import Desk
from fixline.delivery.relay import BATCH, PATIENCE, Relay
from fixline.domain.commands import Comment
from fixline.store.bulk import BulkOrder, accept_bulk, hand_in, read_bulk
from fixline.store.store import Store, StoreAway
from tests.delivery.test_relay import Heard
from tests.support.city import City
from tests.support.types import errand
from tests.unit.domain.samples import ADMIN


@pytest.fixture
def errands(store: Store, catalog: Catalog) -> City:
    """The city with the type `errand`."""
    city = City(store, catalog)
    city.publish(errand())
    return city


def order_of(city: City, count: int) -> BulkOrder:
    """A remark for so many new requests."""
    ids = [city.open() for _ in range(count)]
    for request_id in ids:
        city.advance(request_id, first=True)
    return BulkOrder("B-1", Comment(text="We know."), ids, ADMIN, "tests", city.now)


async def test_the_relay_goes_on_where_a_process_has_ended(errands: City) -> None:
    count = BATCH + 5
    order = order_of(errands, count)
    errands.store.write(lambda s: accept_bulk(s, order))
    errands.store.write(lambda s: hand_in(s, order.id, errands.now, 3))  # and then it died
    relay = Relay(errands.store, Heard(), clock=errands.clock)
    await relay.round()
    assert sum(len(errands.commands(request_id)) - 1 for request_id in order.request_ids) == 3
    errands.now += PATIENCE
    await relay.round()
    assert [len(errands.commands(request_id)) for request_id in order.request_ids] == [2] * count
    assert errands.store.write(lambda s: hand_in(s, order.id, errands.now, BATCH)) is None
    for request_id in order.request_ids:
        errands.advance(request_id)
    found = errands.store.read(lambda s: read_bulk(s, order.id))
    assert found is not None
    assert found.counts == {"waiting": 0, "applied": count, "refused": 0, "failed": 0}


async def test_what_the_desk_cannot_hand_in_is_left_to_the_relay(
    errands: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    order = order_of(errands, 1)

    def away(*_: object) -> None:
        raise StoreAway("gone")

    monkeypatch.setattr("fixline.delivery.desk.hand_in", away)
    desk = Desk(errands.store, Heard(), errands.zone)
    with caplog.at_level(logging.WARNING):
        assert await desk.submit_bulk(order) == "B-1"
        await desk.close()
    assert "left to the relay" in caplog.text
    assert [len(errands.commands(request_id)) for request_id in order.request_ids] == [1]
