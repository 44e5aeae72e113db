"""Duplicates on a real server: attached at their opening, closed with their original, each reporter told once."""

from __future__ import annotations

import asyncio

import pytest

from fixline.domain.definition.model import Definition, Reopen
from fixline.service.opening import Contact
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.temporal import TemporalServer
from tests.support.types import promised
from tests.support.worker_process import dying_worker

pytestmark = pytest.mark.temporal
HERE = {"latitude": 41.9, "longitude": -87.7}
RITA = Contact(name="Rita", email="rita@example.org")


def hole() -> Definition:
    """A type whose reports are attached to what was reported before."""
    duplicates = {"within_m": 30, "opened_in_last": "30 calendar days", "then": "attach"}
    intake = {"location": "required", "duplicates": duplicates}
    return promised("5 calendar days", type="hole", intake=intake)


async def reported(shop: Shop, *, begun: bool = True) -> tuple[str, list[str]]:
    """One report, and three more of the same."""
    first = await shop.open("hole", place=HERE, contact=RITA, begun=begun)
    others = [await shop.open("hole", place=HERE, contact=RITA, begun=begun) for _ in range(3)]
    return first, others


def told_of_close(shop: Shop, request_id: str) -> int:
    """How often its reporter was told that it was closed."""
    return sum(1 for row in shop.city.journal(request_id, "notified") if row.data["event"] == "closed")


def assert_closed_with(shop: Shop, original: str, others: list[str]) -> None:
    """Every duplicate is closed, once, its reporter told once, and both journals name the other."""
    for each in others:
        row = shop.city.request(each)
        assert (row.status, row.outcome, row.attached_to) == ("closed", "duplicate", original)
        (entry,) = shop.city.journal(each, "original_closed")
        assert entry.data == {"original": original, "outcome": "fixed"}
        assert told_of_close(shop, each) == 1
        assert not shop.city.journal(each, "step_entered", "clock_started", "rung_fired")
    named = [entry.data["duplicate"] for entry in shop.city.journal(original, "duplicate_attached")]
    assert sorted(named) == sorted(others)
    assert_consistent(shop.store, settled=True)


async def all_ended(shop: Shop, *request_ids: str) -> None:
    """The workflows end by themselves."""
    await asyncio.gather(*(shop.ended(each, within=30) for each in request_ids))


async def test_three_close_with_the_one_that_was_fixed(shop: Shop) -> None:
    shop.city.publish(hole())
    async with shop.worker():
        first, others = await reported(shop)
        await shop.settled(first)
        await shop.complete(first, "done")
        await all_ended(shop, first, *others)
    assert_closed_with(shop, first, others)


async def test_one_where_nothing_was_found_goes_on_in_its_own_workflow(shop: Shop) -> None:
    shop.city.publish(hole())
    async with shop.worker():
        first, (second, *_) = await reported(shop)
        await shop.settled(first)
        await shop.submit(first, "cancel", reason="mine was another")
        await shop.until(lambda: shop.city.request(second).step == "work", "the second begins")
        await shop.complete(second, "done")
        await all_ended(shop, first, second)
    assert shop.city.request(second).outcome == "fixed"


async def test_they_open_again_with_the_one_that_was_not_fixed(shop: Shop) -> None:
    """Their workflows had ended; new runs rest until the original closes again."""
    reopen = {"by": ["supervisor"], "within": "1 calendar day", "at": "work"}
    shop.city.publish(hole().model_copy(update={"reopen": Reopen.model_validate(reopen)}))
    async with shop.worker():
        first, others = await reported(shop)
        await shop.settled(first)
        await shop.complete(first, "done")
        await all_ended(shop, first, *others)
        await shop.submit(first, "reopen", reason="it is back")
        for each in others:
            await shop.until(lambda each=each: shop.city.request(each).status == "open", "it is open")  # type: ignore[misc]
            assert shop.city.request(each).attached_to == first
        await shop.complete(first, "done")
        await all_ended(shop, first, *others)
    for each in others:
        assert [entry.kind for entry in shop.city.journal(each, "closed", "reopened")] == [
            "closed",
            "reopened",
            "closed",
        ]
    assert_consistent(shop.store, settled=True)


async def test_a_worker_dies_while_the_duplicates_are_told(shop: Shop, temporal_server: TemporalServer) -> None:
    """After the commit of the first word's decision at the other; the relay of a later worker signals it."""
    shop.city.publish(hole())
    async with shop.worker():
        first, others = await reported(shop)
        await shop.settled(first)
    async with dying_worker(shop, temporal_server, "tell_request"):
        await shop.complete(first, "done")
    async with shop.worker():
        relay = asyncio.create_task(shop.relay.run())
        await all_ended(shop, first, *others)
        relay.cancel()
    assert_closed_with(shop, first, others)
