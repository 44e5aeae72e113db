"""The cave-in story on the real server: a survey, a follow-on in Water, the parent waits and goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio import activity

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import read_state
from fixline.messages import EffectInput, PendingWork
from fixline.store.tables import RequestRow
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import errand

pytestmark = pytest.mark.temporal


def task(title: str, team: str, **then: str) -> dict[str, Any]:
    return {"kind": "task", "title": title, "team": team, "then": then}


def cave_in() -> Definition:
    """Surveyed by Transportation, repaired below ground by Water, and above it by Transportation."""
    then = {"fixed": "repair", "otherwise": "survey"}
    return errand(
        type="pavement-cave-in",
        start="survey",
        intake={"location": "optional", "questions": {"depth": {"kind": "number"}}},
        steps={
            "survey": task("Survey the cave-in", "street-inspectors", sewer="water", nothing="nothing"),
            "water": {"kind": "follow_on", "follow_on": "sewer-cave-in", "waiting_as": "with_water", "then": then},
            "repair": task("Restore the pavement", "asphalt-central", done="fixed"),
            "fixed": {"kind": "close", "outcome": "fixed"},
            "nothing": {"kind": "close", "outcome": "no_problem_found"},
        },
    )


def sewer() -> Definition:
    """Water's own work."""
    return errand(
        type="sewer-cave-in",
        intake={"location": "optional", "questions": {"depth": {"kind": "number"}}},
        steps={
            "work": task("Repair the sewer", "street-dispatch", repaired="fixed", no_defect="nothing"),
            "fixed": {"kind": "close", "outcome": "fixed"},
            "nothing": {"kind": "close", "outcome": "no_problem_found"},
        },
    )


async def surveyed(shop: Shop) -> tuple[str, str]:
    """A cave-in that waits for Water, and Water's request."""
    request_id = await shop.open("pavement-cave-in", answers={"depth": 40})
    await shop.complete(request_id, "sewer")
    await shop.until(lambda: bool(children(shop, request_id)), "the follow-on")
    (child,) = children(shop, request_id)
    await shop.settled(child)
    return request_id, child


def children(shop: Shop, request_id: str) -> list[str]:
    return list(read_state(shop.city.request(request_id).state or "").children)


async def test_the_cave_in_story(shop: Shop) -> None:
    """Each department works on a request of its own; each sees the other's remarks."""
    shop.city.publish(cave_in(), sewer())
    async with shop.worker():
        request_id, child = await surveyed(shop)
        assert (shop.city.request(request_id).step, shop.city.request(request_id).waiting_as) == ("water", "with_water")
        assert shop.city.request(child).parent_id == request_id
        await shop.submit(request_id, "comment", text="The barricade is gone.")
        await shop.submit(child, "comment", text="The pipe is open.")
        await shop.until(lambda: len(shop.city.journal(child, "related_commented")) == 1, "the parent's remark")
        await shop.until(lambda: len(shop.city.journal(request_id, "related_commented")) == 1, "the child's remark")
        await shop.complete(child, "repaired")
        await shop.until(lambda: shop.city.request(request_id).step == "repair", "the parent to go on")
        await shop.complete(request_id, "done")
        await asyncio.gather(shop.ended(request_id), shop.ended(child))
    assert (shop.city.request(request_id).outcome, shop.city.request(child).outcome) == ("fixed", "fixed")
    kinds = [row.kind for row in shop.city.journal(request_id)]
    story = ["opened", "task_completed", "follow_on_opened", "related_commented", "follow_on_closed", "closed"]
    assert [kind for kind in kinds if kind in story and kind != "task_completed"] == [
        kind for kind in story if kind != "task_completed"
    ]
    assert_consistent(shop.store, settled=True)


async def test_a_cancelled_parent_cancels_its_follow_on(shop: Shop) -> None:
    shop.city.publish(cave_in(), sewer())
    async with shop.worker():
        request_id, child = await surveyed(shop)
        await shop.submit(request_id, "cancel", reason="reported by mistake")
        await asyncio.gather(shop.ended(request_id), shop.ended(child))
        await shop.until(lambda: len(shop.city.journal(request_id, "follow_on_closed")) == 1, "the end of the child")
        await shop.settled(request_id)
    assert (shop.city.request(child).status, shop.city.request(child).outcome) == ("closed", "cancelled")
    assert_consistent(shop.store, settled=True)


async def test_another_way_for_another_outcome(shop: Shop) -> None:
    """Water finds nothing: the survey is done again."""
    shop.city.publish(cave_in(), sewer())
    async with shop.worker():
        request_id, child = await surveyed(shop)
        await shop.complete(child, "no_defect")
        await shop.until(lambda: shop.city.request(request_id).step == "survey", "the parent to go on")
        await shop.complete(request_id, "nothing")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_follow_on_of_a_type_that_nobody_knows(shop: Shop) -> None:
    shop.city.publish(cave_in())
    async with shop.worker():
        request_id = await shop.open("pavement-cave-in")
        await shop.complete(request_id, "sewer")
        await shop.until(lambda: len(shop.city.journal(request_id, "follow_on_failed")) == 1, "the failure")
        assert shop.city.request(request_id).step == "survey"
    assert shop.city.count(RequestRow) == 1


async def test_one_follow_on_when_the_worker_dies_after_the_commit(shop: Shop) -> None:
    """The store has the child, Temporal does not know of it: the next worker opens no second one."""
    shop.city.publish(cave_in(), sewer())
    dying = [each for each in shop.activities if each.__name__ != "open_follow_on"]
    opening = next(each for each in shop.activities if each.__name__ == "open_follow_on")
    committed = asyncio.Event()

    @activity.defn(name="open_follow_on")
    async def open_follow_on(effect: EffectInput) -> PendingWork:
        work: PendingWork = await opening(effect)
        committed.set()
        await asyncio.sleep(60)  # the answer never gets to Temporal
        return work

    async with shop.worker([*dying, open_follow_on]):
        request_id = await shop.open("pavement-cave-in")
        await shop.submit(request_id, "complete", task=shop.city.task(request_id).id, outcome="sewer")
        await asyncio.wait_for(committed.wait(), 20)
    async with shop.worker():
        await shop.until(lambda: bool(children(shop, request_id)), "the follow-on", within=40)
        (child,) = children(shop, request_id)
        await shop.settled(request_id, within=40)
        await shop.submit(request_id, "cancel", reason="x")
        await asyncio.gather(shop.ended(request_id, 40), shop.ended(child, 40))
    assert shop.city.count(RequestRow) == 2
    assert_consistent(shop.store, settled=True)
