"""Cases from the bug lists of other engines, each under the name of what went wrong there.

All instants are local to an office that is open Monday to Friday, 08:00 to 16:00, and closed on Friday, 3 July.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.state import ClockState
from fixline.domain.process.commands import SYSTEM
from tests.support.domain.deadlines import LADDER, OPENING, by_size, ticked
from tests.support.domain.driver import Driven, command
from tests.support.domain.samples import SUPERVISOR, at, simple, with_clock
from tests.support.domain.town import Town

AN_HOUR_BEFORE = [{"before": "1 working hour", "tell": "lead"}, {"at_due": True, "tell": "supervisor"}]


def typed(definition: Definition, type_: str, **parts: Any) -> Definition:
    """The same definition under another type, with other parts."""
    return Definition.model_validate({**definition.model_dump(mode="json", by_alias=True), "type": type_, **parts})


@pytest.mark.parametrize(
    ("budget", "due"),
    [("2 working days", at("tue 12:00", 5)), ("7 calendar days", at("mon 04:00", 6))],
)
def test_a_hold_over_weekend_and_holiday_removes_only_working_time(budget: str, due: dt.datetime) -> None:
    """From Thursday noon over the holiday to Monday morning: four working hours are lost, or what really passed."""
    opened = at("thu 08:00", 4)  # the second of July
    request = Driven.opened(with_clock(budget), opened)
    request.do("hold", at("thu 12:00", 4), reason="festival")
    request.do("resume", at("mon 08:00", 5))
    assert request.due() == due


def test_no_breach_while_held() -> None:
    """Held a minute before due, for three weeks of ticks and commands: nothing is late, and nobody is told."""
    request = Driven.opened(with_clock("1 working day", escalate=LADDER[1:]), OPENING)
    request.do("hold", at("mon 15:59"), reason="permit")
    assert request.next_at is None
    assert request.no("tick", at("mon 09:00", 3), SYSTEM).code == "nothing_due"
    request.do("comment", at("mon 09:00", 3), text="any news?")
    assert (request.clock().breached_at, request.told()) == (None, [])
    request.do("resume", at("mon 10:00", 3))
    assert request.due() == request.next_at == at("mon 10:01", 3)


def test_the_priority_changed_during_a_hold_and_after_it() -> None:
    """Used: two hours before the hold, none in it. Each change gives the new budget less those."""
    request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING)
    request.do("hold", at("mon 10:00"), reason="permit")
    request.do("amend", at("tue 10:00"), answers={"size": 10}, reason="deeper")
    assert request.due() is None
    request.do("resume", at("wed 08:00"))
    assert request.due() == at("wed 10:00")
    request.do("amend", at("wed 09:00"), answers={"size": 1}, reason="not so deep")
    assert request.due() == at("thu 14:00")
    request.do("priority", at("wed 09:30"), SUPERVISOR, priority="high", reason="school")
    assert request.due() == at("wed 10:00")
    assert request.clock().breached_at is None


def test_one_hour_before_due_across_closing_time() -> None:
    """Due half an hour after Monday's opening: the warning comes half an hour before Friday's closing."""
    request = Driven.opened(with_clock("4.5 working hours", escalate=AN_HOUR_BEFORE), at("fri 12:00"))
    assert (request.due(), request.next_at) == (at("mon 08:30", 1), at("fri 15:30"))
    ticked(request, at("mon 09:00", 1))
    warned = ("1 working hour before due", 1, at("fri 15:30"), False)
    assert request.rungs() == [warned, ("due", 1, at("mon 08:30", 1), False)]


def test_one_hour_before_due_moves_with_a_hold_and_comes_once() -> None:
    """A hold moves the warning as it moves due; a hold after it brings no second one."""
    request = Driven.opened(with_clock("1 working day", escalate=AN_HOUR_BEFORE), OPENING)
    request.do("hold", at("mon 10:00"), reason="permit")
    request.do("resume", at("tue 10:00"))
    assert request.next_at == at("tue 15:00")
    ticked(request, at("tue 15:00"))
    request.do("hold", at("tue 15:30"), reason="permit")
    request.do("resume", at("wed 15:30"))
    assert request.next_at == request.due() == at("wed 16:00")
    ticked(request, at("thu 16:00"))
    assert [which for which, *_ in request.rungs()] == ["1 working hour before due", "due"]


def test_a_warning_before_due_and_shares_take_turns_by_the_budget() -> None:
    """An hour before due comes before the half of ninety minutes, and after that of a day."""
    ladder = [{"at_percent": 50, "tell": "lead"}, *AN_HOUR_BEFORE]
    definition = by_size("1.5 working hours", "1 working day", escalate=ladder)
    short, long = (Driven.opened(definition, OPENING, answers={"size": size}) for size in (10, 1))
    for request in (short, long):
        ticked(request, at("tue 08:00"))
    named = ["1 working hour before due", "50%", "due"]
    assert [which for which, *_ in short.rungs()] == named
    assert [which for which, *_ in long.rungs()] == ["50%", named[0], "due"]


def test_repeated_reopening_starts_one_clock_each_time() -> None:
    """Three lives: each has its own clock and its own ladder; those that are over tell nobody again."""
    reopen = {"by": ["supervisor"], "within": "30 calendar days", "at": "work"}
    base = with_clock("1 working day", escalate=LADDER[1:2])
    request = Driven.opened(typed(base, "simple", reopen=reopen), OPENING)
    for life in range(3):
        ticked(request, at("tue 08:00", life))
        request.do("complete", at("tue 09:00", life), task=request.task.id, outcome="done")
        request.do("reopen", at("mon 08:00", life + 1), SUPERVISOR, reason="again")
    names = ["resolve", "resolve.2", "resolve.3", "resolve.4"]
    assert list(request.state.clocks) == names
    assert [clock.name for clock in request.state.live_clocks] == names[3:]
    assert request.due(names[3]) == at("mon 16:00", 3)
    assert request.told() == ["supervisor"] * 3
    assert [request.clock(name).state for name in names[:3]] == [ClockState.MET] * 3


def test_merged_requests_stop() -> None:
    """A request that was merged into another has no clock that runs, and is never late."""
    town = Town(with_clock("1 working day", escalate=LADDER), OPENING)
    town.open()
    town.open()
    town.attach(2, to=1)
    assert [clock.state for clock in town[2].state.clocks.values()] == [ClockState.ENDED]
    assert town[2].next_at is None
    assert town[2].told() == []
    ticked(town[1], at("mon 08:00", 1))
    assert town[1].told() == ["lead", "supervisor", "chief", "chief", "chief"]
    assert town[2].entries("rung_fired", "clock_breached") == []


def test_a_deadline_removed_by_recategorising_clears_its_escalation() -> None:
    """The new type has another deadline: the old one's rungs and repeats never fire again."""
    other = {"met_by": "closed", "within": {"otherwise": "10 working days"}}
    request = Driven.opened(with_clock("1 working day", escalate=LADDER), OPENING)
    request.targets = {"v2": typed(simple(), "other", deadlines={"finish": other})}
    ticked(request, at("tue 16:00"))
    told = request.told()
    assert told == ["lead", "supervisor", "chief"]
    request.do("recategorise", at("tue 17:00"), SUPERVISOR, type="other", version="v2", reason="wrong type")
    assert request.clock("resolve").state is ClockState.ENDED
    assert request.next_at == request.due("finish") == at("fri 16:00", 1)
    ticked(request, at("mon 16:00", 4))
    assert request.told() == told


def test_a_nearer_clock_does_not_hide_a_later_one() -> None:
    """The short clock breaches and goes on telling; the long one's warning and breach come at their instants."""
    nagging = [{"after": "1 working hour", "every": "1 working hour", "up_to": 50, "tell": "chief"}]
    short = {"met_by": "closed", "within": {"otherwise": "1 working hour"}, "escalate": nagging}
    long = {"met_by": "closed", "within": {"otherwise": "2 working days"}, "escalate": LADDER[:2]}
    request = Driven.opened(simple(deadlines={"near": short, "far": long}), OPENING)
    ticked(request, at("fri 16:00"))
    assert request.rungs("far") == [("75%", 1, at("tue 12:00"), False), ("due", 1, at("tue 16:00"), False)]
    assert request.clock("far").breached_at == at("tue 16:00")
    assert len(request.rungs("near")) == 39  # every working hour of the week but the first


def test_missed_rungs_after_downtime_fire_once_in_order_marked_late() -> None:
    """A weekend of downtime over all rungs of two clocks, then one tick, then a second."""
    short = {"met_by": "closed", "within": {"otherwise": "4 working hours"}, "escalate": LADDER}
    long = {"met_by": "closed", "within": {"otherwise": "1 working day"}, "escalate": LADDER}
    definition = simple(deadlines={"a": short, "b": long})
    timely, late = (Driven.opened(definition, OPENING) for _ in range(2))
    ticked(timely, at("mon 08:00", 1))
    late.do("tick", at("mon 08:00", 1), SYSTEM)
    fired = [
        [(e.data["clock"], e.data["rung"], e.data["time"], e.data["at"]) for e in each.entries("rung_fired")]
        for each in (timely, late)
    ]
    assert fired[0] == fired[1]
    assert len(fired[1]) == 2 * 5
    assert all(entry.data["late"] for entry in late.entries("rung_fired"))
    assert [instant for *_, instant in fired[1]] == sorted(instant for *_, instant in fired[1])
    assert late.no("tick", at("tue 08:00", 1), SYSTEM).code == "nothing_due"


class TestActs:
    """What a rung does, besides telling."""

    def test_reassign_to_gives_the_work_to_another_team(self) -> None:
        """At due the task is put to the other team, with a claim clock of its own, by nobody but the system."""
        ladder = [{"at_due": True, "reassign_to": "central"}]
        work = {
            "kind": "task",
            "title": "Do it",
            "team": "crew",
            "claim_within": "2 working days",
            "then": {"done": "f"},
        }
        steps = {"work": work, "f": {"kind": "close", "outcome": "fixed"}}
        deadline = {"met_by": "closed", "within": {"otherwise": "1 working day"}, "escalate": ladder}
        request = Driven.opened(simple(deadlines={"resolve": deadline}, steps=steps), OPENING)
        request.do("claim", at("mon 09:00"), task="R-1-T1", assignee="mia")
        decision = request.do("tick", at("mon 16:00"), SYSTEM)
        assert (request.task.team, request.task.assignee, request.task.offers) == ("central", None, 2)
        assert request.due("T1.claim.2") == at("wed 16:00")
        (entry,) = request.entries("task_reassigned")
        assert (entry.actor, entry.text) == (SYSTEM.name, "Do it: given to central. resolve: due.")
        assert [effect.kind for effect in decision.effects] == ["dispatch"]

    def test_work_under_way_stays(self) -> None:
        """Whoever has begun goes on; the rung has fired all the same."""
        request = Driven.opened(with_clock("1 working day", escalate=[{"at_due": True, "reassign_to": "c"}]), OPENING)
        request.do("start", at("mon 09:00"), task="R-1-T1", assignee="mia")
        request.do("tick", at("mon 16:00"), SYSTEM)
        assert (request.task.team, request.task.assignee) == ("crew", "mia")
        assert request.rungs() == [("due", 1, at("mon 16:00"), False)]

    def test_a_command_that_finds_it_due_is_not_its_author(self) -> None:
        """Catching up before a comment: the reassigning is the system's."""
        request = Driven.opened(with_clock("1 working day", escalate=[{"at_due": True, "reassign_to": "c"}]), OPENING)
        request.do("comment", at("tue 09:00"), SUPERVISOR, text="and?")
        assert [entry.actor for entry in request.entries("task_reassigned")] == [SYSTEM.name]

    def test_raise_tell_and_reassign_in_one_rung(self) -> None:
        """All three happen, and repeat no more often than they may."""
        acts = {"tell": "chief", "raise_priority": "urgent", "reassign_to": "central"}
        ladder = [{"after": "1 working hour", "every": "1 working hour", "up_to": 2, **acts}]
        request = Driven.opened(with_clock("1 working day", escalate=ladder), OPENING)
        ticked(request, at("fri 16:00"))
        assert request.state.priority is Priority.URGENT
        assert request.task.team == "central"
        assert request.told() == ["chief", "chief"]
        assert len(request.entries("task_reassigned")) == 1


def test_a_late_raise_does_not_take_back_a_breach_that_came_before_it() -> None:
    """Down over two dues: the first raises the priority when the system is back. By then the second has been overdue
    for an hour: its budget is no longer changed, and it has not become due anew."""
    deadlines = {
        "first": {
            "met_by": "closed",
            "within": {"otherwise": "1 working hour"},
            "escalate": [{"at_due": True, "raise_priority": "high", "tell": "chief"}],
        },
        "second": {
            "met_by": "closed",
            "within": {"by_priority": {"high": "30 working minutes"}, "otherwise": "2 working hours"},
        },
    }
    request = Driven.opened(simple(deadlines=deadlines), at("mon 08:00"))
    request.do("tick", at("mon 11:00"), SYSTEM)
    assert request.state.priority == "high"
    assert request.state.clocks["first"].breached_at == at("mon 09:00")
    assert request.state.clocks["second"].breached_at == at("mon 10:00")


@pytest.mark.parametrize(("onward", "state"), [("again", "paused"), ("fixed", "met")])
def test_what_a_wait_leads_to_after_downtime_does_not_hide_a_breach(onward: str, state: str) -> None:
    """Down over the end of a wait and over due: what the wait leads to, late, neither pauses the breach away nor keeps
    the promise."""
    steps = {
        "rest": {"kind": "wait", "span": "1 working hour", "then": {"timeout": onward}},
        "again": {"kind": "wait", "signal": "dry", "waiting_as": "wet", "then": {"dry": "fixed"}},
        "fixed": {"kind": "close", "outcome": "fixed"},
    }
    resolve = {"met_by": "closed", "within": {"otherwise": "2 working hours"}, "paused_while": ["wet"]}
    request = Driven.opened(simple(deadlines={"resolve": resolve}, start="rest", steps=steps), at("mon 08:00"))
    request.do("tick", at("mon 11:00"), SYSTEM)
    clock = request.state.clocks["resolve"]
    assert (clock.state, clock.breached_at, clock.due_at) == (state, at("mon 10:00"), at("mon 10:00"))


def test_a_hold_let_through_a_fault_does_not_take_back_a_breach() -> None:
    """What was due is left to a later tick; the clock was overdue when it was paused, and stays so."""
    request = Driven.opened(with_clock("1 working hour"), at("mon 08:00"))
    request.give(command("hold", reason="x"), at("mon 10:00"), catch_up=False)
    assert request.clock().breached_at == request.due() == at("mon 09:00")


def test_a_source_that_closed_it_in_time_keeps_the_promise() -> None:
    """The close comes in after due, which the system has not got to; what counts is when the source closed it."""
    for closed, breached in (("mon 08:59", None), ("mon 09:01", at("mon 09:00"))):
        request = Driven.opened(with_clock("1 working hour"), at("mon 08:00"))
        request.do("source_closed", at("mon 10:00"), SYSTEM, source="x", outcome="fixed", closed_at=at(closed))
        assert (request.clock().state, request.clock().breached_at) == (ClockState.MET, breached)
