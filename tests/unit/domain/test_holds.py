"""Holds with codes: what a definition names, what a deadline pauses for, what is refused."""

from __future__ import annotations

import datetime as dt

from fixline.domain.journal.entry import rebuild
from tests.support.domain.driver import Driven
from tests.support.domain.samples import with_clock

MONDAY = dt.datetime(2026, 9, 14, 14, tzinfo=dt.UTC)  # 09:00 in Chicago
HOUR = dt.timedelta(hours=1)
HOLDS = {"permit": "Waiting for a permit", "parts": "Parts are on order"}


def held() -> Driven:
    """A request whose deadline of 8 working hours pauses for a permit, and not for parts."""
    definition = with_clock("8 working hours", paused_while=["permit"]).model_copy(update={"holds": HOLDS})
    return Driven.opened(definition, MONDAY)


def test_a_deadline_pauses_for_the_codes_that_it_names() -> None:
    request = held()
    due = request.clock("resolve").due_at
    assert due is not None
    request.do("hold", MONDAY + HOUR, reason="At the permit office", code="permit")
    assert request.state.conditions == {"on_hold", "permit"}
    assert request.clock("resolve").due_at is None
    request.do("resume", MONDAY + 3 * HOUR)
    assert request.clock("resolve").due_at == due + 2 * HOUR
    request.do("hold", MONDAY + 4 * HOUR, reason="No asphalt", code="parts")
    assert request.clock("resolve").due_at == due + 2 * HOUR
    assert rebuild(request.journal) == request.state


def test_the_journal_says_the_code_and_its_title() -> None:
    request = held()
    entry = request.do("hold", MONDAY, reason="At the office", code="permit").entries[0]
    assert (entry.text, entry.data) == (
        "On hold: Waiting for a permit. At the office",
        {"reason": "At the office", "code": "permit"},
    )


def test_a_hold_names_a_code_where_there_are_any() -> None:
    request = held()
    for code in (None, "snow"):
        refusal = request.no("hold", MONDAY, reason="So", code=code)
        assert (refusal.code, refusal.data) == ("hold_code", {"codes": ["permit", "parts"]})
        assert refusal.message == "a hold has a code: permit, parts"


def test_and_none_where_there_are_none() -> None:
    request = Driven.opened(with_clock("8 working hours"), MONDAY)
    refusal = request.no("hold", MONDAY, reason="So", code="permit")
    assert (refusal.code, refusal.data) == ("hold_code", {"codes": []})
    assert request.do("hold", MONDAY, reason="So").entries[0].data == {"reason": "So"}
