"""Crashes and absences: workers that die or stop, a database that goes away; nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import timedelta

import pytest

from fixline.outbound import Notice
from fixline.service.opening import Contact
from fixline.store.store import StoreAway
from fixline.temporal.health import while_database_answers
from fixline.temporal.relay import PATIENCE
from tests.support.consistency import assert_consistent
from tests.support.databases import Postgres
from tests.support.shop import Notices, Shop
from tests.support.temporal import TemporalServer
from tests.support.types import IN_TURN, errand, promised
from tests.support.worker_process import dying_worker
from worker import build_activities

pytestmark = pytest.mark.temporal


async def test_an_effect_whose_worker_dies_after_the_commit_is_taken_once(
    shop: Shop, temporal_server: TemporalServer
) -> None:
    shop.city.publish(errand(IN_TURN, kind="dispatch"))
    async with dying_worker(shop, temporal_server, "dispatch"):
        request_id = await shop.open()
    assert shop.city.task(request_id).assignee == "anneke-vos"
    async with shop.worker():
        assert (await shop.complete(request_id, "done")).state == "applied"
        await shop.ended(request_id)
    (effect,) = shop.city.effects_of(request_id)
    assert (effect.state, effect.attempts) == ("done", 1)
    assert len(shop.city.journal(request_id, "task_claimed")) == 1
    assert_consistent(shop.store, settled=True)


async def test_a_rung_whose_worker_dies_after_the_commit_fires_once(
    shop: Shop, temporal_server: TemporalServer
) -> None:
    shop.city.publish(promised("0.05 calendar minutes"))
    async with dying_worker(shop, temporal_server, "decide_due"):
        request_id = await shop.open("promise")
    assert shop.city.journal(request_id, "rung_fired")[0].data["last_rung"] == "50%"
    async with shop.worker():
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 2, "both are told", within=20)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert [row.data["last_rung"] for row in shop.city.journal(request_id, "rung_fired")] == ["50%", "due"]
    assert [notice.to for notice in shop.notices.sent] == ["gloria-mbeki", "halina-wroblewska"]
    assert_consistent(shop.store, settled=True)


async def test_a_command_whose_process_dies_before_the_signal_is_relayed(shop: Shop) -> None:
    """The store has it, nobody has told the workflow: any worker's relay does."""
    shop.city.publish(errand(IN_TURN))
    async with shop.worker():
        request_id = await shop.open()
        await shop.settled(request_id)
        row = await asyncio.to_thread(shop.city.do, request_id, "complete", task=f"{request_id}-T1", outcome="again")
        assert row.state == "applied"
        assert await shop.relay.round() == (0, 0), "left to the process that decided it for a while"
        shop.relay.clock = lambda: shop.city.clock() + PATIENCE
        assert await shop.relay.round() == (1, 1)
        await shop.settled(request_id)
        assert await shop.relay.round() == (0, 0)
        assert shop.city.task(request_id).assignee is not None, "the effect was taken"
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_request_whose_workflow_was_never_started_is_started_by_the_relay(shop: Shop) -> None:
    shop.city.publish(errand(IN_TURN))
    request_id = await asyncio.to_thread(shop.city.open)
    shop.relay.clock = lambda: shop.city.clock() + PATIENCE
    async with shop.worker():
        assert await shop.relay.round() == (1, 1)
        await shop.settled(request_id)
        assert shop.city.request(request_id).signalled == 2
        assert await shop.relay.round() == (0, 0)
        await shop.handle(request_id).terminate()
    assert_consistent(shop.store, settled=True)


async def test_a_terminated_workflow_is_taken_up_again_by_the_next_command(shop: Shop) -> None:
    shop.city.publish(promised("2 calendar hours"))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.settled(request_id)
        await shop.handle(request_id).terminate()
        assert (await shop.submit(request_id, "comment", text="still there?")).state == "applied"
        await shop.settled(request_id)
        assert "TIMER_STARTED" in await shop.events(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


class Mute(Notices):
    """A channel that waits for others, and does not work, until it does."""

    outside = True

    def __init__(self) -> None:
        super().__init__()
        self.tries = 0
        self.works = False

    def send(self, notice: Notice) -> None:
        """Send, if it works."""
        self.tries += 1
        if not self.works:
            raise OSError("no line")
        super().send(notice)


async def test_effects_that_failed_when_the_worker_stopped_are_taken_by_the_next(shop: Shop) -> None:
    shop.city.publish(errand())
    mute = Mute()
    broken = build_activities(shop.store, shop.city.organisation, mute)
    async with shop.worker(broken):
        request_id = await shop.open(contact=Contact(name="Rosalind"))
        await shop.until(lambda: mute.tries >= 2, "two tries")
        assert (await shop.submit(request_id, "comment", text="not held up")).state == "applied"
        (notice,) = shop.city.effects_of(request_id, "notify")
        assert (notice.state, notice.last_error) == ("failed", "OSError: no line")
    async with shop.worker():
        await shop.settled(request_id, within=30)
        (notice,) = shop.city.effects_of(request_id, "notify")
        assert (notice.state, notice.last_error) == ("done", None)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert [notice.event for notice in shop.notices.sent] == ["received", "closed"]
    assert_consistent(shop.store, settled=True)


@pytest.mark.postgres
async def test_a_database_that_goes_away_costs_nothing_but_time(postgres_shop: Shop, postgres: Postgres) -> None:
    """The worker stops polling, the timer falls due meanwhile, commands are not accepted; then all goes on."""
    shop = postgres_shop
    shop.city.publish(promised("0.05 calendar minutes"))
    working = asyncio.create_task(_work(shop))
    try:
        request_id = await shop.open("promise")
        assert (await shop.submit(request_id, "comment", text="before")).state == "applied"
        await asyncio.to_thread(postgres.stop)
        with pytest.raises(StoreAway):
            await shop.submit(request_id, "comment", text="meanwhile")
        await asyncio.sleep(4)
        await asyncio.to_thread(postgres.start)
        began = time.monotonic()
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 2, "both rungs", within=60)
        assert (await shop.submit(request_id, "comment", text="after")).state == "applied"
        assert time.monotonic() - began < 60
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id, within=30)
    finally:
        await asyncio.to_thread(postgres.start)
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
    assert [row.text for row in shop.city.journal(request_id, "commented")] == ["before", "after"]
    assert [row.data["last_rung"] for row in shop.city.journal(request_id, "rung_fired")] == ["50%", "due"]
    assert_consistent(shop.store, settled=True)


async def _work(shop: Shop) -> None:
    await while_database_answers(shop.store, shop.worker, look_every=timedelta(seconds=0.3))
