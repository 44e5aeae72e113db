"""A request that lives on while its definition, its calendar and the rules change around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.advance import advance as real_advance
from fixline.domain.process.commands import Command, Comment
from fixline.domain.process.decision import Decision, Refusal
from fixline.service import commands
from tests.support.consistency import assert_consistent
from tests.support.domain.samples import OFFICE
from tests.support.shop import Shop, replayer
from tests.support.types import IN_TURN, promised

pytestmark = pytest.mark.temporal


def changed_definition() -> Definition:
    """Other outcomes, another team, another promise."""
    steps = promised().model_dump(mode="json", by_alias=True)["steps"]
    steps["work"] |= {"then": {"finished": "fixed"}, "team": "street-dispatch"}
    return promised("5 calendar minutes", steps=steps)


def changed_calendar() -> Definition:
    """The same promise on a calendar that is closed most of the time."""
    calendar = WorkingCalendar.model_validate(
        {**OFFICE.model_dump(mode="json"), "name": "rarely", "weekly": {"mon": ["08:00-09:00"]}, "day": "1 hour"}
    )
    return promised("2 working hours", team=IN_TURN, calendar=calendar)


def refuse_comments(
    definition: Definition, state: RequestState | None, command: Command, now: datetime, **how: Any
) -> Decision | Refusal:
    """A new rule."""
    if isinstance(command, Comment):
        return Refusal(code="no_remarks", message="a new rule")
    return real_advance(definition, state, command, now, **how)


@pytest.mark.parametrize("change", ["definition", "calendar", "rules"])
async def test_it_replays_and_goes_on_after_a_change(shop: Shop, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    shop.city.publish(promised("2 calendar hours", team=IN_TURN))
    async with shop.worker():
        request_id = await shop.open("promise")
        await shop.settled(request_id)
        assert (await shop.submit(request_id, "comment", text="before")).state == "applied"
        assert (await shop.complete(request_id, "again")).state == "applied"
        await shop.settled(request_id)
    promise = shop.city.clocks(request_id)["resolve"].due_at
    if change == "definition":
        shop.city.publish(changed_definition())
    elif change == "calendar":
        shop.city.publish(changed_calendar())
    else:
        monkeypatch.setattr(commands, "advance", refuse_comments)
    async with shop.worker(max_cached_workflows=0):
        if change == "rules":
            assert (await shop.refusal(request_id, "comment", text="after")).code == "no_remarks"
        else:
            assert (await shop.submit(request_id, "comment", text="after")).state == "applied"
        assert shop.city.clocks(request_id)["resolve"].due_at == promise
        assert (await shop.complete(request_id, "done")).state == "applied"
        await shop.ended(request_id)
        history = await shop.history(request_id)
    await replayer().replay_workflow(history)
    assert_consistent(shop.store, settled=True)
