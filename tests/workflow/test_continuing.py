"""Continue as new: a server that asks for it after a few events, commands that keep coming, nothing lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from fixline.catalog import Catalog
from fixline.store.store import Store
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.temporal import TemporalServer, temporal_program
from tests.support.types import IN_TURN, errand, promised

pytestmark = pytest.mark.temporal
SUGGEST_AFTER_EVENTS = 40


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A server that suggests to continue as new after a few events."""
    log = tmp_path_factory.mktemp("impatient") / "server.log"
    limit = f"limit.historyCount.suggestContinueAsNew={SUGGEST_AFTER_EVENTS}"
    server = TemporalServer(temporal_program(), log, "--dynamic-config-value", limit)
    yield server
    server.stop()


@pytest.fixture
async def impatient(impatient_server: TemporalServer, sqlite_store: Store, catalog: Catalog) -> Shop:
    """The city at work on that server."""
    return Shop(await impatient_server.client(), sqlite_store, catalog)


async def runs(shop: Shop, request_id: str) -> int:
    """How many runs the request's workflow has had."""
    count = 0
    run: str | None = (await shop.handle(request_id).describe()).run_id
    while run:
        count += 1
        handle = shop.client.get_workflow_handle(request_id, run_id=run)
        first = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
        run = first.continued_execution_run_id or None
    return count


async def test_commands_that_keep_coming_are_all_applied(impatient: Shop) -> None:
    shop = impatient
    shop.city.publish(errand(IN_TURN))
    async with shop.worker():
        request_id = await shop.open()

        async def talk(who: int) -> list[str]:
            states = []
            for n in range(25):
                states.append((await shop.submit(request_id, "comment", text=f"{who}-{n}")).state)
                await asyncio.sleep(0.05)  # else one signal would speak for most of them
            return states

        said = await asyncio.gather(*(talk(who) for who in range(4)))
        assert said == [["applied"] * 25] * 4
        assert (await shop.complete(request_id, "again")).state == "applied"
        assert (await shop.complete(request_id, "done")).state == "applied"
        await shop.ended(request_id)
        assert await runs(shop, request_id) >= 2
    remarks = [row.text for row in shop.city.journal(request_id, "commented")]
    for who in range(4):
        assert [text for text in remarks if text.startswith(f"{who}-")] == [f"{who}-{n}" for n in range(25)]
    assert_consistent(shop.store, settled=True)


async def test_a_rung_that_lies_ahead_does_not_fire_with_the_new_run(impatient: Shop) -> None:
    """The armed instant goes with the run; that a run begins is no reason to take it for reached."""
    shop = impatient
    shop.city.publish(promised("2 calendar hours"))
    async with shop.worker():
        request_id = await shop.open("promise")
        while await runs(shop, request_id) < 3:
            assert (await shop.submit(request_id, "comment", text="x")).state == "applied"
        await shop.submit(request_id, "comment", text="last")
        await shop.settled(request_id)
        assert shop.city.journal(request_id, "rung_fired") == []
        row = shop.city.request(request_id)
        assert row.next_at == row.opened_at + timedelta(hours=1)
        started = (await shop.history(request_id)).events[0].workflow_execution_started_event_attributes
        carried = json.loads(started.input.payloads[0].data)
        assert datetime.fromisoformat(carried["armed_at"]) == row.next_at
        assert carried["runs"] >= 2
        # The server lets a run that follows one of less than a second wait a little.
        await shop.until(lambda: _armed(shop, request_id), "the timer of the new run")
        assert shop.city.journal(request_id, "rung_fired") == []
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_rung_due_around_the_change_of_runs_fires_once(impatient: Shop) -> None:
    shop = impatient
    shop.city.publish(promised("0.1 calendar minutes"))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.until(lambda: talking(shop, request_id), "both rungs", within=20, pause=0.01)
        assert await runs(shop, request_id) > 1
        await shop.settled(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    fired = shop.city.journal(request_id, "rung_fired")
    assert [row.data["last_rung"] for row in fired] == ["50%", "due"]
    opened = shop.city.request(request_id).opened_at
    assert [row.at >= opened + timedelta(seconds=s) for row, s in zip(fired, (3, 6), strict=True)] == [True, True]
    assert_consistent(shop.store, settled=True)


async def _armed(shop: Shop, request_id: str) -> bool:
    return "TIMER_STARTED" in await shop.events(request_id)


async def talking(shop: Shop, request_id: str) -> bool:
    """Say something; whether both rungs have fired."""
    await shop.submit(request_id, "comment", text="x")
    return len(shop.city.journal(request_id, "rung_fired")) == 2
