"""The store may be ahead of a workflow: what was committed before Temporal could record it is told again.

A bell that Temporal has not accepted is not durable there. When Temporal ends between the store's commit and the record
of the bell, the command is answered, and only the relay can tell the workflow.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity

from fixline.catalog import Catalog
from fixline.delivery.desk import Desk
from fixline.delivery.doorbell import Doorbell
from fixline.delivery.relay import UNHEARD_PATIENCE, Relay
from fixline.domain.commands import COMMAND
from fixline.messages import ADVANCE_ACTIVITY, Advanced, AdvanceOrder
from fixline.store.relaying import Call, claim_unheard, mark_heard
from fixline.store.store import Store
from tests.acceptance.audit import no_workflow_runs
from tests.acceptance.conftest import Cluster
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import errand

PATIENCE = timedelta(seconds=10)


class Fuse:
    """The activity `advance`, which ends Temporal once, between its commit and its answer."""

    def __init__(self, advance: Callable[[AdvanceOrder], Awaitable[Advanced]], blow: Callable[[], Any]) -> None:
        self._advance = advance
        self._blow = blow
        self.armed = False

    @activity.defn(name=ADVANCE_ACTIVITY)
    async def advance(self, order: AdvanceOrder) -> Advanced:
        """Commit, then perhaps blow."""
        answer = await self._advance(order)
        if self.armed:
            self.armed = False
            self._blow()
        return answer


@pytest.mark.temporal
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_temporal_ends_between_the_commit_and_its_record(cluster: Cluster, catalog: Catalog) -> None:
    """The caller has the answer, nobody calls again; the workflow learns that its request is closed, and ends."""
    cluster.start_temporal()
    shop = Shop(await cluster.client(), cluster.store, catalog)
    shop.city.publish(errand())
    fuse = Fuse(shop.activities[0], lambda: cluster.temporal.end(signal.SIGKILL))
    relay = asyncio.create_task(shop.relay.run())
    try:
        async with shop.worker([fuse.advance, *shop.activities[1:]]):
            request_id = await shop.open()
            await shop.settled(request_id, within=30)
            fuse.armed = True
            assert (await shop.submit(request_id, "cancel", reason="x")).state == "applied"
            await shop.until(lambda: cluster.temporal.process is None, "Temporal's end")
            cluster.start_temporal()
            await no_workflow_runs(await cluster.client())
    finally:
        relay.cancel()
    assert_consistent(cluster.store, settled=True)


class Bell(Doorbell):
    """A doorbell that empties the inbox itself; whether that was heard, the test says."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.heard = True
        self.rung: list[int] = []

    async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
        """Note it, and empty the inbox."""
        self.rung.append(number)
        await asyncio.to_thread(self._city.advance, request_id)
        return self.heard


@pytest.fixture
def errands(city: City) -> City:
    """The city with the type `errand`."""
    city.publish(errand())
    return city


def unheard(city: City, limit: int = 50) -> list[Call]:
    """What has to be rung for once more."""
    return city.store.write(lambda s: claim_unheard(s, city.now, PATIENCE, limit))


def test_an_answered_command_is_rung_for_until_its_bell_is_heard(errands: City) -> None:
    """After the patience, again after the patience, and never once it is noted."""
    request_id = errands.open()
    errands.do(request_id, "comment", text="a")
    assert unheard(errands) == []
    errands.later(seconds=10)
    assert unheard(errands) == [Call(request_id, "comment", 2)]
    assert unheard(errands) == []
    errands.later(seconds=10)
    assert unheard(errands) == [Call(request_id, "comment", 2)]
    errands.store.write(lambda s: mark_heard(s, [(request_id, 2)]))
    errands.later(hours=1)
    assert unheard(errands) == []


def test_the_last_command_of_a_request_speaks_for_those_before(errands: City) -> None:
    """One bell for each request, closed ones included."""
    first, second = errands.open(), errands.open()
    for number in range(3):
        errands.do(first, "comment", text=f"{number}")
    errands.do(second, "cancel", reason="x")
    errands.later(hours=1)
    assert unheard(errands, limit=0) == []
    assert sorted(unheard(errands)) == [Call(first, "comment", 4), Call(second, "cancel", 2)]
    errands.store.write(lambda s: mark_heard(s, [(first, 4), (second, 2)]))
    assert {row.rung_at for row in [*errands.commands(first), *errands.commands(second)]} == {None}


def test_a_command_that_waits_is_not_noted_as_heard(errands: City) -> None:
    """Its bell counts among those in flight until it is answered."""
    request_id = errands.open()
    row = errands.accept(request_id, "comment", text="a")
    errands.later(hours=1)
    errands.store.write(lambda s: mark_heard(s, [(request_id, row.number)]))
    assert errands.command(row.id).rung_at is not None
    assert unheard(errands) == []


async def test_the_desk_and_the_relay_note_what_they_have_heard(sqlite_store: Store, catalog: Catalog) -> None:
    """What the desk could not ring for the relay rings for, once."""
    city = City(sqlite_store, catalog)
    city.publish(errand())
    request_id = city.open()
    bell = Bell(city)
    desk = Desk(sqlite_store, bell, city.zone, answer_within_seconds=5)
    for bell.heard in (True, False):
        command = COMMAND.validate_python({"kind": "comment", "text": "a"})
        assert (await desk.submit(request_id, city.arrival(command))).state == "applied"
    await desk.close()
    assert [row.rung_at is not None for row in city.commands(request_id)] == [False, False, True]
    relay = Relay(sqlite_store, bell, clock=lambda: city.now + UNHEARD_PATIENCE)
    city.advance(request_id, first=True)
    assert await relay.round() == (1, 0)
    assert await relay.round() == (0, 0)
    city.now += UNHEARD_PATIENCE
    bell.heard = True
    assert await relay.round() == (1, 1)
    city.now += UNHEARD_PATIENCE
    assert await relay.round() == (0, 0)
    assert bell.rung == [2, 3, 3, 3]
