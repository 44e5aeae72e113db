"""On whom a request waits, what comes next on its ladder, and what counts as something happening."""

from __future__ import annotations

import datetime as dt

import pytest

from fixline.domain.deadlines.calendar import Span
from fixline.domain.deadlines.forecast import next_rung
from fixline.domain.journal.entry import FACTS
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.waiting import QUIET, QUIET_BY_ITSELF, happened_at, waits
from fixline.domain.records import change
from fixline.store.queries.supervision import ago, ahead
from tests.support.domain.branching import market
from tests.support.domain.driver import Driven
from tests.support.domain.samples import OFFICE, at
from tests.support.types import asking, errand, promised

NOON = at("mon 12:00")
LATER = at("mon 14:00")


def whom(request: Driven) -> list[tuple[str, str]]:
    """Kind and name of each wait."""
    return [(each.kind, each.on) for each in waits(request.definition, request.state)]


def test_a_task_waits_for_its_team_then_for_whoever_has_it() -> None:
    request = Driven.opened(errand(), NOON)
    (task,) = request.state.open_tasks
    assert whom(request) == [("team", "street-dispatch")]
    request.do("claim", LATER, task=task.id, assignee="anneke")
    (held,) = waits(request.definition, request.state)
    assert (held.kind, held.on, held.step, held.since) == ("person", "anneke", "work", LATER)


def test_a_hold_comes_first_and_a_closed_request_waits_for_nobody() -> None:
    request = Driven.opened(errand(), NOON)
    request.do("hold", LATER, reason="closed off")
    assert [kind for kind, _ in whom(request)] == ["hold", "team"]
    request.do("cancel", LATER, reason="gone")
    assert whom(request) == []


def test_steps_of_others_are_waited_for_by_name() -> None:
    request = Driven.opened(asking(start="gas"), NOON)
    assert [kind for kind, _ in whom(request)] == ["agency"]
    request = Driven.opened(errand(), NOON)
    (task,) = request.state.open_tasks
    request.do("complete", LATER, task=task.id, outcome="later")
    assert whom(request) == [("signal", "wake")]


def test_branches_wait_side_by_side() -> None:
    found = Driven.opened(market(), NOON)
    assert [each.step for each in waits(found.definition, found.state)] == ["place_signs", "permit", "notice"]


def test_only_what_is_about_clocks_and_reminders_is_quiet() -> None:
    """Every quiet kind is a kind; a breach and a raised priority are nothing that happens, a remark is."""
    assert set(QUIET) | {QUIET_BY_ITSELF} <= set(FACTS)
    request = Driven.opened(promised("1 calendar hour"), NOON)
    due = request.do("tick", NOON + dt.timedelta(hours=2), SYSTEM)
    assert [entry.kind for entry in due.entries].count("priority_changed") == 1
    assert happened_at(due) is None
    said = request.do("comment", NOON + dt.timedelta(hours=3), text="I look into it.")
    assert happened_at(said) == NOON + dt.timedelta(hours=3)


def test_the_next_rung_is_the_one_that_fires_next() -> None:
    request = Driven.opened(promised("2 calendar hours"), NOON)
    clock = request.state.clocks["resolve"]
    found = next_rung(request.definition, clock)
    assert found is not None
    assert (found.at, found.rung.when, found.rung.tell) == (NOON + dt.timedelta(hours=1), "50%", "crew_lead")
    request.do("hold", NOON + dt.timedelta(minutes=30), reason="closed off")
    assert next_rung(request.definition, request.state.clocks["resolve"]) is None
    request.do("resume", NOON + dt.timedelta(minutes=60))
    request.do("tick", NOON + dt.timedelta(hours=9), SYSTEM)
    assert next_rung(request.definition, request.state.clocks["resolve"]) is None
    assert next_rung(request.definition, change(clock, fired=(0,))) is None


@pytest.mark.parametrize("text", ["1 working day", "7 working hours", "12 working days", "3 calendar days"])
@pytest.mark.parametrize("day", ["mon 12:00", "sat 12:00", "fri 23:00"])
def test_a_span_ago_is_the_last_instant_from_which_it_has_passed(text: str, day: str) -> None:
    span, now = Span.parse(text), at(day)
    found = ago(now, span)(OFFICE)
    assert found is not None
    length, tick = span.length(OFFICE.day), dt.timedelta(microseconds=1)
    assert OFFICE.elapsed(found, now, working=span.working) == length
    assert OFFICE.elapsed(found + tick, now, working=span.working) < length


def test_what_no_calendar_reaches_is_never_and_nothing() -> None:
    assert ago(NOON, Span.parse("1000000 working days"))(OFFICE) is None
    assert ago(NOON, Span.parse("1000000 calendar days"))(OFFICE) is None
    for text in ("1000000 working days", "1000000 calendar days"):
        found = ahead(NOON, Span.parse(text))(OFFICE)
        assert found is not None
        assert found.year > 4000


def test_a_decision_without_entries_is_nothing_that_happens() -> None:
    request = Driven.opened(errand(), NOON)
    last = request.do("comment", LATER, text="A remark.")
    assert happened_at(change(last, entries=())) is None
