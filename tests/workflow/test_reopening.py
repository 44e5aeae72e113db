"""A closed request opened again on a real server: its workflow had ended, and starts anew."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowExecutionStatus

from fixline.service.opening import Contact
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import promised

pytestmark = pytest.mark.temporal
REOPEN = {"by": ["reporter", "supervisor"], "within": "1 calendar day", "at": "work"}
NOTIFY = ["received", "closed", "reopened"]


async def test_it_goes_on_in_a_new_run_twice(shop: Shop) -> None:
    """Id and commands are the same; timers and effects are the new run's; then it closes, and opens once more."""
    ladder = [{"at_due": True, "tell": "supervisor"}]
    shop.city.publish(promised("0.05 calendar minutes", ladder, reopen=REOPEN, notify=NOTIFY))
    runs = set()
    async with shop.worker():
        request_id = await shop.open("promise", contact=Contact(name="Rosalind"))
        for life in range(3):
            if life:
                await shop.ended(request_id)
                opened = await shop.submit(request_id, "reopen", reason="It is there again")
                assert opened.state == "applied", opened.answer
                assert opened.answer["request"]["status"] == "open"
            await shop.until(lambda: running(shop, request_id), "the run")
            runs.add((await shop.handle(request_id).describe()).run_id)
            if life == 1:  # its own timer fires its own clock
                await shop.until(lambda: "rung_fired" in [e.kind for e in shop.city.journal(request_id)], "the rung")
            assert (await shop.complete(request_id, "done")).answer["request"]["status"] == "closed"
        await shop.ended(request_id)
        await shop.settled(request_id)
    assert len(runs) == 3
    rungs = [entry.data["clock"] for entry in shop.city.journal(request_id) if entry.kind == "rung_fired"]
    assert rungs == ["resolve.2"]
    assert [notice.event for notice in shop.notices.sent].count("reopened") == 2
    assert assert_consistent(shop.store, settled=True) == 1


async def running(shop: Shop, request_id: str) -> bool:
    """Whether its workflow runs."""
    return (await shop.handle(request_id).describe()).status is WorkflowExecutionStatus.RUNNING


async def test_reopened_while_no_worker_runs(shop: Shop) -> None:
    """It is open at once; the next worker's workflow begins with it."""
    shop.city.publish(promised(reopen=REOPEN))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
    row = await shop.submit(request_id, "reopen", reason="x")
    assert (row.state, row.answer["request"]["status"]) == ("applied", "open")
    async with shop.worker():
        await shop.settled(request_id)
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)
