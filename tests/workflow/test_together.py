"""Branches that run side by side, on a real Temporal server."""

from __future__ import annotations

import asyncio

import pytest

from fixline.service.opening import Contact
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import side_by_side

pytestmark = pytest.mark.temporal


def open_tasks(shop: Shop, request_id: str) -> dict[str, str]:
    """The open tasks' numbers by their steps."""
    return {task.step: task.id for task in shop.city.tasks(request_id) if task.state == "offered"}


async def test_two_tasks_at_once_and_a_join(shop: Shop) -> None:
    """Both are open together; the first completion waits for the second; then people are told, and it closes."""
    shop.city.publish(side_by_side())
    async with shop.worker():
        request_id = await shop.open("side", contact=Contact(name="Rosalind"))
        tasks = open_tasks(shop, request_id)
        assert sorted(tasks) == ["permit", "signs"]
        placed = await shop.submit(request_id, "complete", task=tasks["signs"], outcome="placed")
        assert placed.answer["request"]["step"] == "prepare"
        asked = await shop.submit(request_id, "complete", task=tasks["permit"], outcome="wait")
        assert asked.answer["request"]["step"] == "prepare"
        assert shop.city.request(request_id).waiting_as == "with_permits"
        assert (await shop.submit(request_id, "signal", name="answer")).state == "applied"
        again = open_tasks(shop, request_id)
        done = await shop.submit(request_id, "complete", task=again["permit"], outcome="granted")
        assert (done.answer["request"]["status"], done.answer["request"]["outcome"]) == ("closed", "fixed")
        await shop.ended(request_id)
        await shop.settled(request_id)
    told = [(notice.event, notice.to) for notice in shop.notices.sent]
    assert ("step tell", "halina-wroblewska") in told
    assert ("step tell_reporter", "reporter") in told
    assert ("permit 2 visits", "halina-wroblewska") in told
    kinds = [entry.kind for entry in shop.city.journal(request_id)]
    assert kinds.count("branch_joined") == 2
    assert kinds.count("visits_warned") == 1
    notified = {e.data["event"]: e.data.get("person") for e in shop.city.journal(request_id, "notified")}
    assert (notified["step tell"], notified["step tell_reporter"]) == ("halina-wroblewska", None)
    assert [e.data["person"] for e in shop.city.journal(request_id, "told")] == ["halina-wroblewska"]
    assert assert_consistent(shop.store, settled=True) == 1


async def test_both_completed_while_no_worker_runs(shop: Shop) -> None:
    """Both are decided at once; the worker that comes has nothing left but to end."""
    shop.city.publish(side_by_side())
    request_id = await shop.open("side", begun=False)
    tasks = open_tasks(shop, request_id)
    for step, outcome in (("permit", "granted"), ("signs", "placed")):
        assert shop.city.do(request_id, "complete", task=tasks[step], outcome=outcome).state == "applied"
    assert shop.city.request(request_id).status == "closed"
    async with shop.worker():
        relaying = asyncio.create_task(shop.relay.run())
        await shop.settled(request_id)
        relaying.cancel()
        await shop.ended(request_id)
    assert shop.city.request(request_id).outcome == "fixed"
    assert assert_consistent(shop.store, settled=True) == 1


async def test_leading_out_withdraws_the_others(shop: Shop) -> None:
    """A refused permit closes the request; the signs' task is taken back."""
    shop.city.publish(side_by_side())
    async with shop.worker():
        request_id = await shop.open("side")
        tasks = open_tasks(shop, request_id)
        await shop.submit(request_id, "complete", task=tasks["permit"], outcome="refused")
        await shop.ended(request_id)
        await shop.settled(request_id)
    assert {task.step: task.state for task in shop.city.tasks(request_id)} == {
        "permit": "completed",
        "signs": "withdrawn",
    }
    assert assert_consistent(shop.store, settled=True) == 1
