"""Steps that tell somebody, inspections of a sample, waits until a date, and the warning after many visits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.kinds.human import in_sample
from fixline.domain.process.kinds.wait import instant_of
from tests.support.domain.branching import hearing
from tests.support.domain.driver import Driven
from tests.support.domain.samples import ALWAYS, CREW, FIXED, at, simple

NOON = at("mon 12:00")
LATER = at("mon 14:00")
KNOWN = [8, 20, 22, 23, 29, 32]
KNOWN_VISITS = [22]
WORK = {"kind": "task", "title": "Do it", "team": "crew"}


def with_steps(start: str, **steps: Any) -> Definition:
    """The simple type with these steps and a close."""
    questions = {"day": {"kind": "date"}, "moment": {"kind": "datetime"}}
    return simple(start=start, steps={**steps, "fixed": FIXED}, intake={"location": "none", "questions": questions})


def complete(request: Driven, outcome: str, now: dt.datetime = LATER, **form: Any) -> None:
    """Complete the one open task."""
    request.do("complete", now, CREW, task=request.task.id, outcome=outcome, form=form)


class TestNotify:
    """A notify step tells somebody and goes on at once."""

    def test_a_role(self) -> None:
        """The effect names step and role, and carries no words; the journal has the words."""
        request = Driven.opened(hearing(), NOON)
        (effect,) = [effect for effect in request.effects if effect.kind == "notify"]
        assert effect.data == {"event": "step told", "audience": "alderman", "step": "told"}
        assert request.task.step == "look"
        (entry,) = [e for e in request.entries("step_entered") if e.data["step"] == "told"]
        assert entry.text == "Step told: the alderman is told: A complaint came in."

    @pytest.mark.parametrize(("has_contact", "times"), [(True, 1), (False, 0)])
    def test_the_reporter(self, has_contact: bool, times: int) -> None:
        """Who left no contact is not told, and the journal says so."""
        tell = {"kind": "notify", "role": "reporter", "say": "We begin.", "then": "work"}
        definition = with_steps("tell", tell=tell, work={**WORK, "then": {"done": "fixed"}})
        request = Driven.opened(definition, NOON, has_contact=has_contact)
        assert [effect.data["audience"] for effect in request.effects if effect.kind == "notify"] == [
            "reporter"
        ] * times
        assert ("has left no contact" in request.entries("step_entered")[0].text) == (not has_contact)

    def test_in_a_branch(self) -> None:
        """Its way on may be the end of the branch."""
        request = Driven.opened(hearing(), NOON, answers={"day": "2026-05-01"}, has_contact=True)
        complete(request, "bad")
        assert request.state.joined == ("hearing",)
        assert [e.data["event"] for e in (f for f in request.effects if f.kind == "notify")] == [
            "step told",
            "step tell",
        ]

    @pytest.mark.parametrize(
        ("told", "text"), [("amir", "The alderman was told"), (None, "Nobody was told as alderman")]
    )
    def test_the_report(self, told: str | None, text: str) -> None:
        """Who was told is on record, and also that nobody was."""
        request = Driven.opened(hearing(), NOON)
        body: dict[str, Any] = {
            "effect": "R-1:1:1",
            "effect_kind": "notify",
            "audience": "alderman",
            "about": "step told",
        }
        request.do("effect_result", LATER, SYSTEM, **body, step="told", told=told, channel="log")
        (entry,) = request.entries("notified")
        assert entry.text.startswith(text)
        assert entry.data.get("person") == told


class TestSample:
    """An inspection of a sample is decided once per visit, by a hash."""

    def test_the_share(self) -> None:
        """Of many requests about as many are inspected as the share says, and the same ones at every look."""
        chosen = [in_sample(f"R-{n}", "check", 1, 10) for n in range(10_000)]
        assert chosen == [in_sample(f"R-{n}", "check", 1, 10) for n in range(10_000)]
        assert 900 <= sum(chosen) <= 1_100

    def test_known_choices(self) -> None:
        """The hash stays the same for ever: these were chosen once."""
        assert [n for n in range(40) if in_sample(f"R-{n}", "check", 1, 10)] == KNOWN
        assert [visit for visit in range(1, 30) if in_sample("R-1", "check", visit, 10)] == KNOWN_VISITS

    @pytest.mark.parametrize("request_id", ["R-1", "R-2", "R-3", "R-4", "R-5", "R-6"])
    def test_who_is_not_in_it_goes_on(self, request_id: str) -> None:
        """The step is entered and left at once with the outcome, and no task is offered."""
        check = {"kind": "inspection", "title": "Check", "team": "crew", "sample": 50}
        definition = with_steps("check", check={**check, "then": {"fine": "fixed", "not_sampled": "fixed"}})
        request = Driven(definition, request_id)
        request.open(NOON)
        sampled = in_sample(request_id, "check", 1, 50)
        assert request.state.closed == (not sampled)
        assert bool(request.entries("task_offered")) == sampled
        assert [e.data["outcome"] for e in request.entries("step_left")] == (
            [] if sampled else ["not_sampled", "fixed"]
        )

    def test_nobody_gives_the_outcome(self) -> None:
        """It is the engine's own."""
        check = {"kind": "inspection", "title": "Check", "team": "crew", "sample": 99}
        definition = with_steps("check", check={**check, "then": {"fine": "fixed", "not_sampled": "fixed"}})
        request = Driven.opened(definition, NOON)
        refusal = request.no("complete", LATER, CREW, task=request.task.id, outcome="not_sampled")
        assert (refusal.code, refusal.data["outcomes"]) == ("unknown_outcome", ["fine"])


def waiting(answer: str = "day", **answers: str) -> Driven:
    """A request that waits until an answer, then has work to do."""
    wait = {"kind": "wait", "until": answer, "waiting_as": "before", "then": {"timeout": "work"}}
    definition = with_steps("wait", wait=wait, work={**WORK, "then": {"done": "fixed"}})
    return Driven.opened(definition, NOON, answers=answers)


class TestUntil:
    """A wait until a date that somebody has given."""

    def test_a_date_begins_at_midnight(self) -> None:
        """In the calendar's zone."""
        request = waiting(day="2026-06-04")
        assert request.next_at == at("thu 00:00")
        request.do("tick", at("thu 00:00"), SYSTEM)
        assert request.task.step == "work"
        assert request.state.taken[0].outcome == "timeout"

    def test_a_datetime_is_an_instant(self) -> None:
        """Whatever zone it is written in."""
        request = waiting("moment", moment="2026-06-02T09:30:00-05:00")
        assert request.next_at == at("tue 09:30")

    @pytest.mark.parametrize("day", ["2026-06-01", "2026-05-30", "0001-01-01"])
    def test_a_date_that_has_come(self, day: str) -> None:
        """There is nothing to wait for, and the journal says so."""
        request = waiting(day=day)
        assert request.task.step == "work"
        assert request.entries("step_entered")[0].text == "Step wait: day has come, there is nothing to wait for."

    def test_a_missing_date(self) -> None:
        """Nothing is done too early: it waits for the answer, and the supervisor is told."""
        request = waiting()
        assert request.next_at is None
        (entry,) = request.entries("wait_undated")
        assert entry.data == {"step": "wait", "answer": "day"}
        assert [(e.data["role"], e.data["step"]) for e in request.effects] == [("supervisor", "wait")]
        request.do("amend", LATER, answers={"day": "2026-06-04"}, reason="the court said")
        assert request.next_at == at("thu 00:00")

    def test_a_date_that_is_put_off(self) -> None:
        """The wait follows the answer, and the journal says so."""
        request = waiting(day="2026-06-04")
        request.do("amend", LATER, answers={"day": "2026-06-05"}, reason="put off")
        assert request.next_at == at("fri 00:00")
        assert request.entries("wait_moved")[0].data["wait_until"] == "2026-06-05T05:00:00Z"
        request.do("tick", at("fri 00:00"), SYSTEM)
        assert request.task.step == "work"

    def test_a_date_that_is_put_into_the_past(self) -> None:
        """The wait is over at the next tick, which is due at once."""
        request = waiting(day="2026-06-04")
        request.do("amend", LATER, answers={"day": "2026-05-04"}, reason="it was in May")
        assert request.next_at == LATER
        request.do("tick", LATER, SYSTEM)
        assert request.task.step == "work"

    def test_another_branch_gives_the_date(self) -> None:
        """A wait in one branch follows the answer that a task of another gives."""
        request = Driven.opened(hearing(), NOON)
        complete(request, "bad")
        assert request.state.branches["hearing"].wait_until is None
        complete(request, "set", day="2026-06-03")
        assert request.state.branches["hearing"].wait_until == at("wed 00:00")
        assert rebuild(request.journal) == request.state

    def test_other_answers_move_nothing(self) -> None:
        """Only its own answer does."""
        request = waiting(day="2026-06-04")
        request.do("amend", LATER, answers={"moment": "2026-06-02T09:30:00-05:00"}, reason="more")
        assert request.entries("wait_moved") == []

    @pytest.mark.parametrize(
        ("answer", "instant"),
        [
            ("2026-03-08", "2026-03-08T06:00:00+00:00"),
            ("2026-11-02", "2026-11-02T06:00:00+00:00"),
            ("2200-12-31", "2200-12-31T06:00:00+00:00"),
            ("2201-01-01", None),
            ("9999-12-31", None),
            ("9999-12-31T23:59:59-12:00", None),
            ("2200-12-31T23:59:59-12:00", None),
            ("0001-01-01", "1900-01-01T00:00:00+00:00"),
            ("0001-01-01T00:00:00+14:00", "1900-01-01T00:00:00+00:00"),
        ],
    )
    def test_instants(self, answer: str, instant: str | None) -> None:
        """Around changes of the clocks, and at the ends of what a calendar knows."""
        found = instant_of(answer, ALWAYS)
        assert (found.isoformat() if found else None) == instant

    def test_a_midnight_that_the_clocks_skip(self) -> None:
        """Where a day begins at 01:00, so does the date."""
        beirut = WorkingCalendar.model_validate({**ALWAYS.model_dump(), "timezone": "Asia/Beirut"})
        found = instant_of("2026-03-29", beirut)
        assert found == dt.datetime(2026, 3, 28, 22, tzinfo=dt.UTC)


class TestVisits:
    """The supervisor is told when a step is entered for a certain time."""

    def test_once_at_that_visit(self) -> None:
        """And it goes on."""
        work = {**WORK, "warn_after": 3, "then": {"done": "fixed", "again": "work"}}
        request = Driven.opened(with_steps("work", work=work), NOON)
        for _ in range(4):
            complete(request, "again")
        (entry,) = request.entries("visits_warned")
        assert entry.data == {"step": "work", "visit": 3}
        (effect,) = [effect for effect in request.effects if effect.kind == "escalate"]
        assert effect.data == {"step": "work", "rung": "3 visits", "role": "supervisor", "task": "R-1-T3"}
        assert request.task.visit == 5

    def test_the_report(self) -> None:
        """Who was told is on record with the step."""
        request = Driven.opened(hearing(), NOON)
        body: dict[str, Any] = {
            "effect": "R-1:1:1",
            "effect_kind": "escalate",
            "audience": "supervisor",
            "about": "work",
        }
        request.do("effect_result", LATER, SYSTEM, **body, step="work", told="sue")
        (entry,) = request.entries("told")
        assert entry.data == {"step": "work", "role": "supervisor", "person": "sue"}
