"""The outlook is what a running request comes to: the same instants as `advance`, rung by rung."""

from __future__ import annotations

import datetime as dt

import pytest

from fixline.catalog import read_catalog
from fixline.domain.deadlines.forecast import deadlines_ahead, steps_ahead, usual_priority
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.process.commands import SYSTEM
from fixline.settings import PACKAGED_DEFINITIONS
from tests.support.domain.deadlines import LADDER, by_size
from tests.support.domain.driver import Driven
from tests.support.domain.samples import at, with_clock

SHIPPED = read_catalog(PACKAGED_DEFINITIONS).catalog.definitions
FRIDAY = dt.datetime(2026, 11, 20, 22, tzinfo=dt.UTC)
CLOCKS_GO_BACK = dt.datetime(2026, 10, 30, 20, tzinfo=dt.UTC)


def lived(definition: Definition, opened_at: dt.datetime, until: dt.datetime) -> Driven:
    """A request that nobody works on, with the timer firing whenever it is armed."""
    request = Driven.opened(definition, opened_at)
    while request.next_at is not None and request.next_at <= until:
        request.do("tick", request.next_at, SYSTEM)
    return request


@pytest.mark.parametrize("opened_at", [at("mon 08:00"), at("fri 15:30"), at("sat 12:00"), CLOCKS_GO_BACK])
def test_rungs_fire_when_the_outlook_says(opened_at: dt.datetime) -> None:
    definition = with_clock({"otherwise": "9 working hours"}, escalate=LADDER)
    request = lived(definition, opened_at, opened_at + dt.timedelta(days=30))
    (ahead,) = deadlines_ahead(definition, opened_at, usual_priority(definition))
    assert request.clock().breached_at == ahead.due_at
    assert request.rungs() == [(rung.rung.when, rung.time, rung.at, False) for rung in ahead.rungs]
    assert len(ahead.rungs) == 5


def test_the_budget_is_the_prioritys() -> None:
    definition = by_size("2 working hours", "8 working hours")
    request = Driven(definition)
    request.open(at("mon 08:00"), answers={"size": 10}, place=None)
    (high,) = deadlines_ahead(definition, at("mon 08:00"), Priority.HIGH)
    (normal,) = deadlines_ahead(definition, at("mon 08:00"), usual_priority(definition))
    assert high.due_at == request.due()
    assert normal.due_at is not None
    assert high.due_at is not None
    assert normal.due_at > high.due_at


@pytest.mark.parametrize("name", ["pothole", "graffiti", "rodent-baiting"])
def test_shipped_deadlines_and_first_tasks_start_as_the_outlook_says(name: str) -> None:
    definition = SHIPPED[name]
    request = Driven(definition)
    answers = {"lane": "curb"} if name == "pothole" else {}
    given = {"answers": answers} if name == "pothole" else {"answers": _least(definition)}
    request.open(FRIDAY, place={"address": "1 Main Street", "latitude": 41.88, "longitude": -87.63}, **given)
    for ahead in deadlines_ahead(definition, FRIDAY, request.state.priority):
        assert request.due(ahead.name) == ahead.due_at
    limits = {"claim_within": "claim", "due": "due"}
    ahead_of = {
        (step, limits.get(limit)): clock.due_at for (step, limit), clock in steps_ahead(definition, FRIDAY).items()
    }
    started = {(clock.step, clock.kind.value): clock.due_at for clock in request.state.clocks.values() if clock.step}
    assert started
    assert {which: ahead_of[which] for which in started} == started


def _least(definition: Definition) -> dict[str, object]:
    """An answer to each question that must be answered."""
    found: dict[str, object] = {}
    for name, question in definition.intake.questions.items():
        if question.required:
            values = {"choice": next(iter(question.options), None), "choices": list(question.options)[:1]}
            plain = {"number": 1, "yes_no": False, "text": "x", "date": "2026-11-20"}
            found[name] = values.get(question.kind) or plain.get(question.kind)
    return found


def test_every_limit_of_every_step_is_ahead() -> None:
    limits = steps_ahead(SHIPPED["pothole"], FRIDAY).keys()
    assert {("inspect", "claim_within"), ("repair", "due"), ("dry_road", "at_most"), ("signs_stand", "span")} <= limits
    assert ("inspect", "due") not in limits


def test_a_span_that_the_calendar_does_not_reach_has_no_instant() -> None:
    definition = with_clock({"otherwise": "1000000 working days"}, escalate=LADDER)
    (ahead,) = deadlines_ahead(definition, FRIDAY, Priority.NORMAL)
    assert ahead.due_at is None
    assert [rung.rung.when for rung in ahead.rungs] in ([], ["75%"])
