"""Search attributes on a real server: Temporal's own list answers the same questions as the store, and as truly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from fixline.catalog import Catalog
from fixline.messages import WorkflowInput
from fixline.search_attributes import KEYWORDS
from fixline.service.submissions import utc_now
from fixline.store.queries.requests import RequestFilter, list_requests
from fixline.store.queries.supervision import OVERDUE, Scope
from fixline.store.store import Store
from fixline.temporal.attributes import WANTED, SearchAttributes
from fixline.temporal.relay import PATIENCE
from tests.support.shop import Shop
from tests.support.temporal import TemporalServer, temporal_program
from tests.support.types import IN_TURN, errand, promised

pytestmark = pytest.mark.temporal
SUGGEST_AFTER_EVENTS = 40


async def listed(shop: Shop, query: str) -> set[str]:
    """The requests that Temporal lists, of this shop's."""
    query = f"({query}) AND TaskQueue = '{shop.queue}' AND ExecutionStatus != 'ContinuedAsNew'"
    return {found.id async for found in shop.client.list_workflows(query)}


def stored(shop: Shop, **wanted: Any) -> set[str]:
    """The requests that the store lists."""
    filter_ = RequestFilter(utc_now(), **wanted)
    return {line["id"] for line in shop.store.read(lambda s: list_requests(s, filter_, "opened", None, 500))[0]}


async def upserts(shop: Shop, request_id: str) -> int:
    """How often the last run has changed its attributes."""
    return (await shop.events(request_id)).count("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES")


async def test_a_list_by_query_answers_the_same_as_the_store(shop: Shop) -> None:
    shop.city.publish(errand(), promised("2 calendar hours"))
    async with shop.worker():
        potholes = [await shop.open("pothole") for _ in range(3)]
        light, promise, plain = [await shop.open(type_) for type_ in ("graffiti", "promise", "errand")]
        for request_id in (*potholes, light, promise, plain):
            await shop.settled(request_id)
        await shop.complete(potholes[0], "pothole", depth=12)  # goes to another team, with another priority
        await shop.submit(potholes[1], "cancel", reason="twice")
        await shop.submit(promise, "hold", reason="frost")  # the promise has no date while it stands
        await shop.submit(plain, "priority", priority="urgent", reason="school")
        await shop.ended(potholes[1])
        everything = stored(shop)
        lines = {line["id"]: line for line in shop.store.read(_all_lines)}
        questions = [
            (f"{key.name} = '{value}'", {"status": value} if name == "status" else {name: [value]})
            for name, key in KEYWORDS.items()
            for value in {line[name] for line in lines.values()} - {None}
        ]
        for due in {line["promised_at"] for line in lines.values()} - {None}:
            after = due + timedelta(seconds=1)
            query = f"FixlineDue < '{after.isoformat()}' AND FixlineStatus = 'open'"
            questions.append((query, {"due_before": after}))
        for query, same in questions:
            await shop.until(partial(_same, shop, query, stored(shop, **same)), query)
        assert lines[promise]["promised_at"] is None
        assert await listed(shop, "FixlineDue IS NULL AND FixlineType = 'promise'") == {promise}
        assert await listed(shop, "FixlineType IS NOT NULL") == everything


async def test_what_is_overdue_is_the_same_in_temporals_list(shop: Shop) -> None:
    """By department and the date that was promised: late, late and put on hold, late and met; in time, standing, of
    another department."""
    late, elsewhere = (
        promised("0.01 calendar minutes"),
        promised("0.01 calendar minutes", type="far", department="health"),
    )
    later = promised("1 calendar hour", type="later")
    shop.city.publish(late, elsewhere, later)
    async with shop.worker():
        overdue, frozen, done = [await shop.open("promise") for _ in range(3)]
        others = [await shop.open(type_) for type_ in ("far", "later", "later")]
        await shop.submit(others[2], "hold", reason="frost")  # before it is due: no date
        now = utc_now() + timedelta(seconds=2)
        await shop.until(lambda: utc_now() > now, "the due instant")
        await shop.submit(frozen, "hold", reason="frost")  # after it was due: still overdue
        await shop.complete(done, "done")
        wanted = Scope(now=now, department="transportation", clock="resolve")
        lines, _ = shop.store.read(lambda s: OVERDUE.page(s, wanted, None, 100))
        found = {line["id"] for line in lines}
        assert found == {overdue, frozen}
        query = f"FixlineStatus = 'open' AND FixlineDue < '{now.isoformat()}'"
        await shop.until(partial(_same, shop, f"FixlineDepartment = 'transportation' AND {query}", found), "the list")
        await shop.until(partial(_same, shop, query, found | {others[0]}), "the list of all departments")


def _all_lines(session: Any) -> list[dict[str, Any]]:
    return list_requests(session, RequestFilter(utc_now()), "opened", None, 500)[0]


async def _same(shop: Shop, query: str, wanted: set[str]) -> bool:
    return await listed(shop, query) == wanted


async def test_they_are_set_at_the_start_and_changed_only_when_they_change(shop: Shop) -> None:
    shop.city.publish(errand(IN_TURN))
    async with shop.worker():
        request_id = await shop.open()
        await shop.settled(request_id)
        for text in ("one", "two"):
            await shop.submit(request_id, "comment", text=text)
        await shop.settled(request_id)
        started = (await shop.history(request_id)).events[0].workflow_execution_started_event_attributes
        assert set(started.search_attributes.indexed_fields) == {
            *("FixlineType", "FixlineDepartment", "FixlineTeam", "FixlineStatus", "FixlinePriority"),
        }
        assert await upserts(shop, request_id) == 0
        await shop.submit(request_id, "priority", priority="high", reason="school")
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 1
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
        assert await upserts(shop, request_id) == 2
        assert await listed(shop, "FixlineStatus = 'closed' AND FixlineTeam IS NULL") == {request_id}


async def test_a_server_that_has_not_confirmed_them_gets_none(shop: Shop) -> None:
    """Neither at the start nor later; once it has confirmed them, the next answer brings them all."""

    class Unconfirmed(SearchAttributes):
        async def look(self) -> None:
            """The server says no."""

    shop.city.publish(errand(IN_TURN))
    unconfirmed = Unconfirmed(shop.client)
    shop.signals.attributes = unconfirmed
    async with shop.worker(attributes=unconfirmed):
        request_id = await shop.open()
        await shop.settled(request_id)
        await shop.submit(request_id, "priority", priority="high", reason="school")
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 0
        await SearchAttributes(shop.client).look()
        assert await listed(shop, "FixlineType IS NULL") == {request_id}
        unconfirmed.confirmed = True
        await shop.submit(request_id, "comment", text="and now")
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 1
        await shop.until(lambda: _same(shop, "FixlinePriority = 'high' AND FixlineType = 'errand'", {request_id}))


async def test_the_relay_starts_with_them(shop: Shop) -> None:
    """As whoever has opened the request would have: nothing is left to be set later."""
    shop.city.publish(errand(IN_TURN))
    request_id = await asyncio.to_thread(shop.city.open, "errand")
    shop.relay.clock = lambda: shop.city.clock() + PATIENCE
    async with shop.worker():
        assert await shop.relay.round() == (1, 1)
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 0
        await shop.until(lambda: _same(shop, "FixlineType = 'errand'", {request_id}))


async def test_a_run_that_was_started_without_them_sets_them_all_at_once(shop: Shop) -> None:
    """As one started by hand: the first answer of an activity brings them."""
    shop.city.publish(errand(IN_TURN))
    await shop.attributes.look()
    request_id = await asyncio.to_thread(shop.city.open, "errand")
    async with shop.worker():
        start = WorkflowInput(request_id)
        await shop.client.start_workflow("ServiceRequest", start, id=request_id, task_queue=shop.queue)
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 1
        await shop.until(lambda: _same(shop, "FixlineType = 'errand'", {request_id}))


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A server that knows no attribute, and suggests to continue as new after a few events."""
    log = tmp_path_factory.mktemp("fresh") / "server.log"
    limit = f"limit.historyCount.suggestContinueAsNew={SUGGEST_AFTER_EVENTS}"
    server = TemporalServer(temporal_program(), log, "--dynamic-config-value", limit)
    yield server
    server.stop()


async def test_a_run_that_continues_as_new_keeps_them(
    fresh_server: TemporalServer, sqlite_store: Store, catalog: Catalog
) -> None:
    shop = Shop(await fresh_server.client(), sqlite_store, catalog)
    shop.city.publish(errand(IN_TURN))
    async with shop.worker():
        request_id = await shop.open()
        first = (await shop.handle(request_id).describe()).run_id
        while (await shop.handle(request_id).describe()).run_id == first:
            await shop.submit(request_id, "comment", text="x")
            await shop.settled(request_id)
        await shop.submit(request_id, "comment", text="y")
        await shop.settled(request_id)
        assert await upserts(shop, request_id) == 0
        await shop.until(lambda: _same(shop, "FixlineType = 'errand' AND FixlineStatus = 'open'", {request_id}))


async def test_a_server_that_refuses_them_at_a_start_is_asked_again(shop: Shop) -> None:
    """As one that was replaced since the last look: the relay's start comes without them."""
    nowhere = SearchAttributes(shop.client)
    nowhere.confirmed, nowhere._looked_at = True, float("inf")
    shop.city.publish(errand(IN_TURN))
    namespace = shop.client.config() | {"namespace": "no-such-namespace"}
    shop.signals.client, shop.signals.attributes = Client(**namespace), nowhere
    await shop.open(begun=False)
    await shop.until(lambda: not nowhere.confirmed, "the doubt")


class FakeOperator:
    """What a server may say about search attributes."""

    def __init__(self, known: dict[str, int], refusal: Exception | None = None) -> None:
        self.known, self.refusal = known, refusal
        self.asked = 0

    async def list_search_attributes(self, *_: Any, **__: Any) -> Any:
        """Those that it knows."""
        self.asked += 1
        known = dict(self.known)
        return type("Known", (), {"custom_attributes": known})

    async def add_search_attributes(self, request: Any, **_: Any) -> None:
        """Learn them, or refuse."""
        if self.refusal is not None:
            raise self.refusal
        self.known |= dict(request.search_attributes)


def asked_of(operator: FakeOperator) -> SearchAttributes:
    """The attributes as this server has them."""
    client: Any = type("AClient", (), {"namespace": "default", "operator_service": operator})
    return SearchAttributes(client)


async def test_what_is_missing_is_added_and_the_answer_holds_for_a_while() -> None:
    operator = FakeOperator({})
    attributes = asked_of(operator)
    assert await attributes.ready()
    assert operator.known == WANTED
    assert await attributes.ready()
    assert operator.asked == 2
    attributes.doubt()
    assert not attributes.confirmed
    assert await attributes.ready()
    assert operator.asked == 3


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (FakeOperator({**WANTED, "FixlineTeam": 3}), "FixlineTeam"),
        (FakeOperator({}, RPCError("too many", RPCStatusCode.INVALID_ARGUMENT, b"")), "too many"),
        (FakeOperator({}, RPCError("not yours", RPCStatusCode.PERMISSION_DENIED, b"")), "operator search-attribute"),
    ],
    ids=["other type", "no room", "no right"],
)
async def test_a_server_that_does_not_take_them_is_named_once(
    operator: FakeOperator, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    attributes = asked_of(operator)
    with caplog.at_level(logging.WARNING):
        assert not await attributes.ready()
        attributes.doubt()
        assert not await attributes.ready()
    assert said in caplog.text
    assert len(caplog.records) == 1
