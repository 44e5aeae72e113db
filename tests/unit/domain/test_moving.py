"""An open request that goes on by another version: the cases of `process.moving` and `deadlines.moved_clocks`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.entry import rebuild
from fixline.domain.journal.state import ClockState, TaskState
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.moving import outline
from tests.support.domain.driver import Driven
from tests.support.domain.samples import CREW, OFFICE, at, simple, with_clock

OPENING = at("mon 08:00")
WORK: dict[str, Any] = {"kind": "task", "title": "Do it", "team": "crew", "then": {"done": "fixed", "again": "work"}}
FIXED = {"kind": "close", "outcome": "fixed", "say": "Done."}
PARTS: dict[str, Any] = {"waits": [], "clocks": [], "tasks": [], "effects": []}
NOTHING = {"step": None, "anew": None, "priority": None, **PARTS}
LEAD, DUE = {"at_percent": 50, "tell": "lead"}, {"at_due": True, "tell": "supervisor"}


def version(within: str = "2 working days", ladder: Any = (LEAD, DUE), **changes: Any) -> Definition:
    """A version of the simple type, with a deadline."""
    base = with_clock(within, escalate=list(ladder)).model_dump(mode="json", by_alias=True)
    return Definition.model_validate({**base, **changes})


def moved(now: dt.datetime, target: Definition, old: Definition | None = None, **body: Any) -> Driven:
    """A request that was opened by the old version and moved now."""
    request = Driven.opened(old or version(), OPENING)
    request.targets = {"v2": target}
    request.do("move", now, version="v2", **body)
    assert rebuild(request.journal) == request.state
    return request


def test_it_follows_the_new_version_from_where_it_is() -> None:
    """The task goes on with its new form and outcomes; nothing else has changed."""
    work = {**WORK, "form": {"note": {"kind": "text", "required": True}}, "then": {"finished": "fixed"}}
    request = Driven.opened(version(), OPENING)
    before = request.state
    request.targets = {"v2": version(steps={"work": work, "fixed": FIXED})}
    decision = request.do("move", at("mon 10:00"), version="v2", reason="new form")
    assert [entry.kind for entry in decision.entries] == ["moved"]
    assert outline(before, decision) == NOTHING
    assert (request.state.version, decision.effects) == ("v2", ())
    assert request.no("complete", at("mon 11:00"), task="R-1-T1", outcome="done").code == "unknown_outcome"
    assert request.no("complete", at("mon 11:00"), task="R-1-T1", outcome="finished").code == "form_invalid"
    request.do("complete", at("mon 11:00"), task="R-1-T1", outcome="finished", form={"note": "x"})
    assert request.state.closed


@pytest.mark.parametrize(
    ("within", "now", "due"),
    [
        ("1 working day", at("mon 10:00"), at("mon 16:00")),
        ("3 working days", at("mon 10:00"), at("wed 16:00")),
        ("1 working hour", at("mon 10:00"), at("mon 10:00")),  # never before now
    ],
)
def test_a_budget_keeps_the_time_used(within: str, now: dt.datetime, due: dt.datetime) -> None:
    """Due follows from the opening by the new budget, and is not put before now."""
    request = moved(now, version(within))
    assert request.due() == due
    assert request.clock().breached_at is None


def test_a_hold_before_the_move_still_counts_as_one() -> None:
    """The ledger stays."""
    request = Driven.opened(version(), OPENING)
    request.targets = {"v2": version("1 working day")}
    request.do("hold", at("mon 09:00"), reason="x")
    request.do("resume", at("mon 11:00"))
    request.do("move", at("mon 12:00"), version="v2")
    assert request.due() == at("tue 10:00")


def test_a_breach_stays() -> None:
    """More time does not undo it; rungs that follow are the new version's."""
    after = {"after": "1 working day", "tell": "commissioner"}
    request = Driven.opened(version("1 working day"), OPENING)
    request.targets = {"v2": version("9 working days", (LEAD, DUE, after))}
    request.do("tick", at("mon 16:00"), SYSTEM)
    request.do("move", at("tue 09:00"), version="v2")
    assert (request.clock().breached_at, request.due()) == (at("mon 16:00"), at("mon 16:00"))
    request.do("tick", at("tue 16:00"), SYSTEM)
    assert request.told()[-1] == "commissioner"


def test_rungs_of_the_new_ladder_that_are_past_are_not_told() -> None:
    """One that fired keeps its count; one before now has passed; one to come fires."""
    ladder = [{"at_percent": 10, "tell": "a"}, {"at_percent": 25, "tell": "b"}, {"at_percent": 75, "tell": "c"}, DUE]
    request = Driven.opened(version("1 working day", [{"at_percent": 25, "tell": "b"}, DUE]), OPENING)
    request.targets = {"v2": version("1 working day", ladder)}
    request.do("tick", at("mon 10:00"), SYSTEM)
    request.do("move", at("mon 11:00"), version="v2")
    assert request.clock().fired == (1, 1, 0, 0)
    request.do("tick", at("mon 16:00"), SYSTEM)
    assert request.told() == ["b", "c", "supervisor"]


def test_deadlines_come_and_go() -> None:
    """One that is gone ends and escalates no more; a new one counts from the opening, and can come back."""
    one = {"met_by": "closed", "within": {"otherwise": "1 working day"}, "escalate": [LEAD, DUE]}
    old, new = version(), version(deadlines={"first": one})
    request = moved(at("mon 13:00"), new, old)
    assert request.clock().state is ClockState.ENDED
    assert (request.due("first"), request.clock("first").fired) == (at("mon 16:00"), (1, 0))
    request.targets["v3"] = old
    request.do("move", at("mon 14:00"), version="v3")
    assert request.due("resolve.2") == at("tue 16:00")
    assert set(request.state.promises) == {"resolve", "first"}
    assert request.next_at == at("tue 08:00") - dt.timedelta(hours=16)  # half of it: Monday 16:00


def test_a_deadline_whose_step_is_done_does_not_start() -> None:
    """What meets it has happened before the version asked for it."""
    steps = {"look": {**WORK, "then": {"ok": "work"}}, "work": WORK, "fixed": FIXED}
    first = {"met_by": "look", "within": {"otherwise": "1 working day"}}
    old, new = simple(start="look", steps=steps), simple(start="look", steps=steps, deadlines={"first": first})
    request = Driven.opened(old, OPENING)
    request.targets = {"v2": new}
    request.do("complete", at("mon 09:00"), task="R-1-T1", outcome="ok")
    request.do("move", at("mon 10:00"), version="v2")
    assert request.state.promises == {}
    early = moved(at("mon 10:00"), new, old)
    assert early.due("first") == at("mon 16:00")


def test_a_step_that_is_gone_needs_a_name() -> None:
    """Refused with the step and those that there are; mapped, the task stays with whoever has it."""
    repair = {**WORK, "title": "Repair it", "kind": "dispatch", "then": {"done": "fixed"}}
    request = Driven.opened(simple(), OPENING)
    request.targets = {"v2": simple(start="repair", steps={"repair": repair, "fixed": FIXED})}
    request.do("claim", at("mon 09:00"), CREW, task="R-1-T1")
    before = request.state
    refusal = request.no("move", at("mon 10:00"), version="v2")
    assert (refusal.code, refusal.data) == ("step_missing", {"step": "work", "steps": ["repair", "fixed"]})
    decision = request.do("move", at("mon 10:00"), version="v2", steps={"work": "repair"})
    task = request.task
    assert (task.id, task.step, task.title, task.kind) == ("R-1-T1", "repair", "Repair it", "dispatch")
    assert (task.state, task.assignee) == (TaskState.CLAIMED, "carl")
    assert request.state.visits == {"repair": 1}
    assert outline(before, decision)["step"] == {"before": "work", "after": "repair"}
    assert rebuild(request.journal) == request.state


@pytest.mark.parametrize(("begun", "team"), [(False, "other-crew"), (True, "crew")])
def test_another_team_gets_what_nobody_has_begun(begun: bool, team: str) -> None:
    """Work under way stays; the rest is offered to the new team."""
    request = Driven.opened(simple(), OPENING)
    request.targets = {"v2": simple(steps={"work": {**WORK, "team": "other-crew"}, "fixed": FIXED})}
    if begun:
        request.do("start", at("mon 09:00"), CREW, task="R-1-T1")
    request.do("move", at("mon 10:00"), version="v2")
    assert request.task.team == team


def test_a_step_of_another_kind_is_entered_anew() -> None:
    """What was a task is a wait now: the task is withdrawn and the wait begins."""
    wait = {"kind": "wait", "span": "1 working day", "waiting_as": "drying", "then": {"timeout": "fixed"}}
    request = moved(at("mon 10:00"), simple(steps={"work": wait, "fixed": FIXED}), simple())
    assert request.state.open_tasks == []
    assert request.state.conditions == {"drying"}
    assert request.next_at == at("tue 10:00")


def test_the_limit_of_a_wait_counts_from_its_beginning() -> None:
    """A shorter one is over now at the earliest."""

    def sleeping(limit: str) -> Definition:
        wait = {"kind": "wait", "signal": "go", "at_most": limit, "then": {"go": "fixed", "timeout": "fixed"}}
        return simple(start="sleep", steps={"sleep": wait, "fixed": FIXED})

    assert moved(at("mon 10:00"), sleeping("1 working day"), sleeping("3 working days")).next_at == at("mon 16:00")
    assert moved(at("tue 10:00"), sleeping("1 working day"), sleeping("3 working days")).next_at == at("tue 10:00")


def test_a_wait_for_another_date_follows_that_one() -> None:
    """The new version waits until another answer."""

    def until(answer: str) -> Definition:
        wait = {"kind": "wait", "until": answer, "then": {"timeout": "fixed"}}
        questions = {"first": {"kind": "date", "required": True}, "second": {"kind": "date"}}
        intake = {"location": "none", "questions": questions}
        return simple(start="sleep", steps={"sleep": wait, "fixed": FIXED}, intake=intake)

    request = Driven.opened(until("first"), at("mon 08:00"), answers={"first": "2026-06-05", "second": "2026-06-03"})
    assert request.next_at == at("fri 00:00")
    request.targets = {"v2": until("second")}
    request.do("move", at("mon 09:00"), version="v2")
    assert request.next_at == at("wed 00:00")


def test_the_clocks_of_a_task_move_with_it() -> None:
    """A budget of the step's that changes, goes or comes."""

    def with_times(**times: str) -> Definition:
        return simple(steps={"work": {**WORK, **times}, "fixed": FIXED})

    old = with_times(claim_within="1 working hour", due="1 working day")
    request = moved(at("mon 08:30"), with_times(claim_within="2 working hours"), old)
    assert request.due("T1.claim") == at("mon 10:00")
    assert request.clock("T1.due").state is ClockState.ENDED
    assert moved(at("mon 08:30"), with_times(due="1 working hour"), simple()).due("T1.due") == at("mon 09:30")


def test_priority_and_calendar_are_the_new_versions() -> None:
    """A list that says high, and a calendar with a holiday more."""
    holiday = OFFICE.model_copy(update={"holidays": (*OFFICE.holidays, OFFICE.holidays[0].model_copy(update={
        "date": dt.date(2026, 6, 2), "name": "A day off"}))})  # fmt: skip
    request = moved(at("mon 10:00"), version(priority=[{"is": "high"}], calendar=holiday.model_dump(mode="json")))
    assert request.state.priority is Priority.HIGH
    assert request.due() == at("wed 16:00")


def other_hours(**changes: Any) -> dict[str, Any]:
    """The office's calendar with other parts."""
    return {**OFFICE.model_dump(mode="json"), **changes}


STORM = {"date": "2026-06-02", "hours": [], "name": "Storm"}
FAIR = {"date": "2026-05-31", "hours": ["08:00-14:00"], "name": "Fair"}


class TestAnotherCalendar:
    """What a corrected calendar does to a request that is under way."""

    def test_time_used_is_counted_anew(self) -> None:
        """Two working days from Monday: the storm of Tuesday, known on Wednesday, gives the day back."""
        request = moved(at("tue 15:00"), version(calendar=other_hours(exceptions=[STORM])))
        assert (request.due(), request.clock().breached_at) == (at("wed 16:00"), None)
        assert [entry.kind for entry in request.entries("clock_moved")] == ["clock_moved"]

    def test_a_breach_is_not_undone(self) -> None:
        """What was missed by the calendar of that day stays missed."""
        request = moved(at("wed 09:00"), version(calendar=other_hours(exceptions=[STORM])))
        assert request.clock().breached_at == request.due() == at("tue 16:00")

    def test_due_is_not_put_before_now(self) -> None:
        """A Sunday that turns out to have been worked: due at once, and not late already."""
        old = version("1 working day")
        request = Driven.opened(old, at("sun 08:00", -1))
        request.targets = {"v2": version("1 working day", calendar=other_hours(exceptions=[FAIR]))}
        assert request.due() == at("mon 16:00")
        request.do("move", at("mon 11:00"), version="v2")
        assert request.due() == request.next_at == at("mon 11:00")

    def test_a_share_that_is_past_by_it_fires_now_and_is_not_late(self) -> None:
        """Half of two days by the fair's hours was on Monday at ten, and nobody could know; due is still to come."""
        request = Driven.opened(version(), at("sun 08:00", -1))
        request.targets = {"v2": version(calendar=other_hours(exceptions=[FAIR]))}
        request.do("move", at("mon 11:00"), version="v2")
        assert (request.next_at, request.due()) == (at("mon 11:00"), at("tue 10:00"))
        request.do("tick", at("mon 11:00"), SYSTEM)
        assert request.rungs() == [("50%", 1, at("mon 11:00"), False)]

    def test_clocks_of_tasks_and_waits_follow(self) -> None:
        """A claim clock, and the end of a wait in working time."""
        wait = {"kind": "wait", "span": "2 working days", "then": {"timeout": "fixed"}}
        parts: dict[str, Any] = {"start": "sleep", "steps": {"sleep": wait, "fixed": FIXED}}
        stormy = {"calendar": other_hours(exceptions=[STORM])}
        assert moved(at("mon 10:00"), simple(**parts, **stormy), simple(**parts)).next_at == at("wed 16:00")
        steps = {"steps": {"work": {**WORK, "claim_within": "10 working hours"}, "fixed": FIXED}}
        assert moved(at("mon 10:00"), simple(**steps, **stormy), simple(**steps)).due("T1.claim") == at("wed 10:00")

    def test_who_is_asked_outside_gets_the_time(self) -> None:
        """The reply of an agency, and the answer of a system, may take the working time that was promised."""
        for asks in (
            {"kind": "agency", "agency": "gas", "reply_within": "2 working days", "waiting_as": "gas"},
            {"kind": "call", "call": "permits", "at_most": "2 working days"},
        ):
            ways = {"no_reply" if "agency" in asks else "timeout": "fixed", "done": "fixed"}
            parts: dict[str, Any] = {"start": "ask", "steps": {"ask": {**asks, "then": ways}, "fixed": FIXED}}
            stormy = {"calendar": other_hours(exceptions=[STORM])}
            assert moved(at("mon 10:00"), simple(**parts, **stormy), simple(**parts)).next_at == at("wed 16:00")
