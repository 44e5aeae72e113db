"""A request moved to another version on a real server: its workflow goes on by it, timers included."""

from __future__ import annotations

import pytest

from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import errand, promised

pytestmark = pytest.mark.temporal


async def test_the_running_workflow_follows_the_new_version(shop: Shop) -> None:
    """The new budget's timer fires; the new outcome ends it; the one that was not moved keeps its rules."""
    steps = errand().model_dump(mode="json", by_alias=True)["steps"]
    steps["work"]["then"] = {"finished": "fixed"}
    old = promised("1 calendar hour", [{"at_due": True, "tell": "supervisor"}])
    new = promised("0.05 calendar minutes", [{"at_due": True, "tell": "supervisor"}], steps=steps)
    shop.city.publish(old)
    async with shop.worker():
        moved, left = await shop.open("promise"), await shop.open("promise")
        shop.city.publish(new)
        row = await shop.submit(moved, "move", version=new.version, reason="faster")
        assert row.state == "applied", row.answer
        await shop.until(lambda: "rung_fired" in [e.kind for e in shop.city.journal(moved)], "the rung")
        done = await shop.refusal(moved, "complete", task=shop.city.task(moved).id, outcome="done")
        assert done.code == "unknown_outcome"
        await shop.complete(moved, "finished")
        await shop.complete(left, "done")
        await shop.ended(moved)
        await shop.ended(left)
        await shop.settled(moved)
    assert shop.city.request(moved).version == new.version
    assert shop.city.request(left).version == old.version
    assert "rung_fired" not in [entry.kind for entry in shop.city.journal(left)]
    assert_consistent(shop.store)
