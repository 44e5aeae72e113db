"""Timers: one per request, set anew only when its instant changes; rungs fire once, in order; a pause is a pause."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from fixline.service.requests import RequestService
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import utc_now
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import nap, promised

pytestmark = pytest.mark.temporal

LADDER = [
    {"at_percent": 50, "tell": "crew_lead"},
    {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
    {"after": "0.02 calendar minutes", "every": "0.02 calendar minutes", "up_to": 2, "tell": "deputy_commissioner"},
]


async def test_rungs_fire_once_in_order_and_tell_whom_they_should(shop: Shop) -> None:
    shop.city.publish(promised("0.05 calendar minutes", LADDER))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 4, "the ladder", within=20)
        assert shop.city.request(request_id).priority == "high"
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    fired = shop.city.journal(request_id, "rung_fired")
    after = "after 0.02 calendar minutes"
    assert [row.data["last_rung"] for row in fired] == ["50%", "due", after, after]
    opened = shop.city.request(request_id).opened_at
    for row, seconds in zip(fired, (1.5, 3, 4.2, 5.4), strict=True):
        assert timedelta(0) <= row.at - (opened + timedelta(seconds=seconds)) < timedelta(seconds=10), row.text
        assert row.data["late"] is False
    told = [notice.to for notice in shop.notices.sent]
    assert told == ["gloria-mbeki", "halina-wroblewska", "desmond-achterberg", "desmond-achterberg"]
    assert_consistent(shop.store, settled=True)


async def test_what_falls_due_at_one_instant_is_woken_a_little_at_a_time(shop: Shop) -> None:
    """Each rung is for its instant, and none fires before it; the second is woken a second later, the third two."""
    shop.city.publish(promised("0.1 calendar minutes", [{"at_due": True, "tell": "supervisor"}]))
    opened_at = utc_now()
    due = opened_at + timedelta(seconds=6)
    shop.service = RequestService(
        shop.store, shop.signals, shop.city.zone, shop.city.versions, scheduling=Scheduling(per_second=1)
    )
    async with shop.worker():
        ids = [await shop.open("promise", opened_at=opened_at) for _ in range(3)]
        for each in ids:
            await shop.until(lambda: len(shop.city.journal(each, "told")) == 1, "the rung", within=20)  # noqa: B023
        for each in ids:
            await shop.submit(each, "cancel", reason="x")
            await shop.ended(each)
    for number, each in enumerate(ids):
        (fired,) = shop.city.journal(each, "rung_fired")
        assert datetime.fromisoformat(fired.data["at"]) == due
        assert fired.at >= due + timedelta(seconds=number)
        assert shop.city.clocks(each)["resolve"].breached_at == due
    assert_consistent(shop.store, settled=True)


async def test_a_wait_ends_by_itself(shop: Shop) -> None:
    shop.city.publish(nap("0.03 calendar minutes"))
    async with shop.worker():
        request_id = await shop.open("nap")
        await shop.ended(request_id)
    assert shop.city.request(request_id).outcome == "fixed"
    assert_consistent(shop.store, settled=True)


async def test_a_signal_comes_before_the_end_of_a_wait(shop: Shop) -> None:
    shop.city.publish(nap("0.06 calendar minutes"))
    async with shop.worker():
        request_id = await shop.open("nap")
        await shop.until(lambda: timer_is_set(shop, request_id), "the timer")
        assert (await shop.submit(request_id, "signal", name="wake")).answer["request"]["step"] == "work"
        await shop.settled(request_id)
        await asyncio.sleep(4)
        assert shop.city.request(request_id).step == "work"
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
        events = await shop.events(request_id)
    assert (events.count("TIMER_STARTED"), events.count("TIMER_CANCELED"), events.count("TIMER_FIRED")) == (1, 1, 0)
    assert_consistent(shop.store, settled=True)


async def test_the_timer_is_set_anew_only_when_its_instant_changes(shop: Shop) -> None:
    shop.city.publish(promised("2 calendar hours"))
    async with shop.worker():
        request_id = await shop.open("promise")
        for number in range(5):
            await shop.submit(request_id, "comment", text=str(number))
            await shop.settled(request_id)
        await shop.complete(request_id, "again")
        await shop.settled(request_id)
        assert (await shop.events(request_id)).count("TIMER_STARTED") == 1
        await shop.submit(request_id, "hold", reason="frost")
        await shop.submit(request_id, "comment", text="on hold")
        await shop.settled(request_id)
        events = await shop.events(request_id)
        assert (events.count("TIMER_STARTED"), events.count("TIMER_CANCELED")) == (1, 1)
        await shop.submit(request_id, "resume")
        await shop.settled(request_id)
        assert (await shop.events(request_id)).count("TIMER_STARTED") == 2
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_hold_pauses_and_the_rest_of_the_time_counts_afterwards(shop: Shop) -> None:
    shop.city.publish(promised("0.08 calendar minutes"))
    async with shop.worker():
        request_id = await shop.open("promise")
        held = await shop.submit(request_id, "hold", reason="frost")
        await asyncio.sleep(3)
        assert shop.city.journal(request_id, "rung_fired") == []
        await shop.submit(request_id, "resume")
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 2, "both rungs")
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    row = shop.city.request(request_id)
    resumed = shop.city.journal(request_id, "resumed")[0].at
    breached = shop.city.clocks(request_id)["resolve"].breached_at
    assert breached is not None
    spent = breached - resumed + (held.accepted_at - row.opened_at)
    assert spent == timedelta(seconds=4.8)
    assert_consistent(shop.store, settled=True)


async def test_what_fell_due_while_no_worker_ran_happens_when_one_is_back(shop: Shop) -> None:
    shop.city.publish(promised("0.1 calendar minutes"))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.settled(request_id)
    in_time = await asyncio.to_thread(shop.city.waiting, request_id, "comment", text="in time")
    opened = shop.city.request(request_id).opened_at
    await asyncio.sleep((opened + timedelta(seconds=6.5) - shop.city.clock()).total_seconds())
    async with shop.worker():
        await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 2, "both rungs")
        await shop.settled(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    fired = [(row.data["last_rung"], row.data["at"]) for row in shop.city.journal(request_id, "rung_fired")]
    assert [name for name, _ in fired] == ["50%", "due"]
    assert fired[1][1] == (opened + timedelta(seconds=6)).isoformat().replace("+00:00", "Z")
    comment = shop.city.journal(request_id, "commented")[0]
    assert comment.at == in_time.accepted_at, "a command that was kept waiting before the rungs is decided before them"
    assert comment.seq < shop.city.journal(request_id, "rung_fired")[0].seq
    assert_consistent(shop.store, settled=True)


async def timer_is_set(shop: Shop, request_id: str) -> bool:
    """Whether the request's workflow has a timer."""
    return "TIMER_STARTED" in await shop.events(request_id)
