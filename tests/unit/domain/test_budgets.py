"""Budgets by priority, backlogs, waits, and the properties of clocks' arithmetic."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.deadlines import clocks
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.state import Clock, ClockKind, ClockState, Stretch
from fixline.domain.process.commands import SYSTEM
from tests.support.domain.deadlines import INSTANT, LADDER, OPENING, SECOND, by_size, ticked
from tests.support.domain.driver import PLACE, Driven, command
from tests.support.domain.samples import OFFICE, at, looping, pothole, simple, with_clock


class TestPriorities:
    """A new priority gives a clock another budget, never another past."""

    def test_time_used_is_kept(self) -> None:
        """Two hours into two days, four hours leave two."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING)
        request.do("amend", at("mon 10:00"), answers={"size": 10}, reason="deeper")
        assert request.due() == at("mon 12:00")
        request.do("amend", at("mon 11:00"), answers={"size": 1}, reason="no")
        assert request.due() == at("tue 16:00")

    def test_holds_are_kept(self) -> None:
        """A hold before the change still counts as a hold."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING)
        request.do("hold", at("mon 09:00"), reason="x")
        request.do("resume", at("mon 13:00"))
        request.do("amend", at("mon 14:00"), answers={"size": 10}, reason="deeper")
        assert request.due() == at("mon 16:00")

    def test_due_is_never_before_now(self) -> None:
        """A budget that was used up long ago is due now, and the breach is recorded now."""
        request = Driven.opened(by_size("4 working hours", "2 working days", escalate=LADDER[:2]), OPENING)
        decision = request.do("amend", at("tue 10:00"), answers={"size": 10}, reason="deeper")
        assert request.due() == decision.next_at == at("tue 10:00")
        request.do("tick", at("tue 10:00"), SYSTEM)
        assert request.clock().breached_at == at("tue 10:00")
        assert {(which, late) for which, _, _, late in request.rungs()} == {("75%", False), ("due", False)}
        assert all(instant == at("tue 10:00") for _, _, instant, _ in request.rungs())

    def test_changed_on_hold(self) -> None:
        """A budget cut below the time used while the clock stood is due when it runs again, not before."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING)
        request.do("hold", at("tue 08:00"), reason="x")
        request.do("amend", at("tue 10:00"), answers={"size": 10}, reason="deeper")
        assert request.due() is None
        request.do("resume", at("wed 09:00"))
        assert request.due() == at("wed 09:00")

    def test_a_breach_never_moves(self) -> None:
        """A longer budget does not undo a breach."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING, answers={"size": 10})
        request.do("tick", at("mon 12:00"), SYSTEM)
        request.do("amend", at("mon 13:00"), answers={"size": 1}, reason="shallow")
        assert request.state.priority is Priority.NORMAL
        assert request.due() == request.clock().breached_at == at("mon 12:00")
        assert request.entries("clock_rebudgeted") == []

    def test_changed_at_the_due_instant(self) -> None:
        """A longer budget given at the due instant is in time."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING, answers={"size": 10})
        request.do("amend", at("mon 12:00"), answers={"size": 1}, reason="shallow")
        assert request.due() == at("tue 16:00")

    def test_a_raised_priority_is_a_floor(self) -> None:
        """What a rung has raised, better answers do not lower; worse ones may raise it further."""
        request = Driven.opened(looping(), OPENING)
        assert request.journal[0].data["priority"] == "low"
        ticked(request, at("tue 08:00"))
        assert (request.state.priority, request.state.floor) == (Priority.URGENT, Priority.URGENT)
        request.do("amend", at("tue 08:00"), answers={"sure": True, "weight": 1}, reason="weighed")
        assert request.state.priority is Priority.URGENT

    def test_a_floor_below_the_answers_priority(self) -> None:
        """A floor lower than the answers' priority shows when they fall."""
        request = Driven.opened(looping(), OPENING, answers={"weight": 101})
        request.do("send_back", OPENING, step="asked", reason="ask")  # both deadlines stand
        request.do("signal", at("mon 09:00"), name="answer")
        request.do("tick", at("thu 09:00"), SYSTEM)
        assert request.state.floor is Priority.URGENT

    def test_undecided_conditions_are_said(self) -> None:
        """A priority rule that lacks an answer does not hold, and the journal says so."""
        request = Driven.opened(by_size("4 working hours", "2 working days"), OPENING)
        (entry,) = request.entries("condition_undecided")
        assert entry.data["missing"] == ["size"]


class TestBacklog:
    """A request from another system runs since its real opening and wakes nobody about the past."""

    def opened(self, **body: Any) -> Driven:
        """A request of the week before."""
        ladder = [*LADDER[:2], {"after": "1 working day", "every": "1 working day", "up_to": 5, "tell": "chief"}]
        definition = with_clock("1 working day", escalate=ladder)
        return Driven.opened(definition, at("mon 10:00", 1), opened_at=OPENING, **body)

    def test_rungs_past_have_passed(self) -> None:
        """What was due before it came in counts as fired; the breach is at the real due."""
        request = self.opened(backlog=True, has_contact=True)
        assert request.clock().fired == (1, 1, 4)
        assert request.due() == request.clock().breached_at == at("mon 16:00")
        assert request.entries("rung_fired") == []
        assert [effect.kind for effect in request.effects] == ["dispatch"]
        assert request.state.opened_at == OPENING
        assert request.next_at == at("mon 16:00", 1)

    def test_rungs_to_come_fire(self) -> None:
        """What falls due afterwards is told as ever."""
        request = self.opened(backlog=True)
        request.do("tick", at("mon 16:00", 1), SYSTEM)
        assert request.rungs() == [("after 1 working day", 5, at("mon 16:00", 1), False)]
        assert request.next_at is None

    def test_another_system_never_asked_our_questions(self) -> None:
        """What a backlog does not answer is not known; what it does answer must fit."""
        request = Driven(pothole())
        request.open(OPENING, answers={}, backlog=True)
        assert request.state.answers == {}
        wrong: dict[str, Any] = {
            "type": "pothole",
            "version": "v1",
            "place": PLACE,
            "answers": {"lane": "pavement"},
            "backlog": True,
        }
        assert Driven(pothole()).no("open", OPENING, **wrong).code == "answers_invalid"

    def test_not_breached_yet(self) -> None:
        """A young request of a backlog is due when it is due."""
        definition = with_clock("10 working days", escalate=LADDER)
        request = Driven.opened(definition, at("tue 08:00", 1), opened_at=OPENING, backlog=True)
        assert request.clock().breached_at is None
        assert request.clock().fired == (0, 0, 0)

    def test_an_older_opening_without_backlog(self) -> None:
        """A report that came in late climbs its ladder late, at once."""
        request = self.opened()
        assert request.next_at == at("mon 10:00", 1)
        request.do("tick", at("mon 10:00", 1), SYSTEM)
        assert len(request.told()) == 6
        assert all(late for *_, late in request.rungs())

    def test_an_opening_to_come_is_now(self) -> None:
        """Nothing opens in the future."""
        request = Driven.opened(with_clock("1 working day"), OPENING, opened_at=at("tue 08:00"))
        assert request.state.opened_at == OPENING


class TestWaits:
    """A wait ends by its signal or by its time, whichever comes first."""

    @pytest.fixture
    def request_(self) -> Driven:
        """A pothole that waits for dry weather since Monday nine o'clock."""
        request = Driven.opened(pothole(), OPENING)
        request.do("send_back", at("mon 09:00"), step="dry_road", reason="rain")
        return request

    def test_signal_at_the_last_instant(self, request_: Driven) -> None:
        """The signal at the end of the wait is in time."""
        request_.do("tick", at("sat 08:59"), SYSTEM)
        request_.do("signal", at("sat 09:00"), name="dry_weather")
        assert request_.state.taken[-1].outcome == "dry_weather"

    def test_signal_too_late(self, request_: Driven) -> None:
        """A signal after the end finds that time has passed, and is refused; the tick then goes on."""
        refusal = request_.no("signal", at("sat 09:00") + INSTANT, name="dry_weather")
        assert refusal.code == "signal_not_awaited"
        request_.do("tick", at("sat 09:00") + INSTANT, SYSTEM)
        assert request_.state.taken[-1].outcome == "timeout"
        assert request_.task.step == "repair"

    def test_a_breach_before_the_end_of_a_wait_of_the_same_instant(self) -> None:
        """What is due at the instant at which a wait ends is breached, then the wait ends."""
        wait = {"kind": "wait", "span": "1 calendar day", "then": {"timeout": "fixed"}}
        definition = simple(
            deadlines={"d": {"met_by": "closed", "within": {"otherwise": "1 calendar day"}}},
            start="sleep",
            steps={"sleep": wait, "fixed": {"kind": "close", "outcome": "fixed"}},
        )
        request = Driven.opened(definition, OPENING)
        decision = request.do("tick", at("tue 08:00"), SYSTEM)
        assert [entry.kind for entry in decision.entries][:2] == ["clock_breached", "step_left"]
        assert decision.clocks[0].state is ClockState.MET

    def test_longer_than_any_calendar(self) -> None:
        """A wait beyond what a calendar knows has no end of its own, and breaks nothing."""
        wait = {"kind": "wait", "span": "1000000 working days", "then": {"timeout": "fixed"}}
        definition = simple(start="sleep", steps={"sleep": wait, "fixed": {"kind": "close", "outcome": "fixed"}})
        assert Driven.opened(definition, OPENING).next_at is None

    @pytest.mark.parametrize("unit", ["working days", "calendar days"])
    def test_rungs_beyond_any_calendar(self, unit: str) -> None:
        """Rungs that lie beyond the years there are never fire, and break nothing."""
        far = {"after": f"1000000 {unit}", "every": f"1000000 {unit}", "up_to": 9, "tell": "nobody"}
        request = Driven.opened(with_clock("1 working day", escalate=[far]), OPENING)
        request.do("tick", at("mon 16:00"), SYSTEM)
        assert request.clock().fired == (0,)


UNITS = ["working minutes", "working hours", "working days", "calendar minutes", "calendar hours", "calendar days"]
spans = st.builds(lambda count, unit: f"{count} {unit}", st.integers(1, 300), st.sampled_from(UNITS))
gaps = st.lists(st.integers(0, 40 * 3600), min_size=1, max_size=6)


def instants(seconds: list[int], start: dt.datetime = OPENING) -> list[dt.datetime]:
    """Instants one after the other, by the seconds between them."""
    found = []
    for gap in seconds:
        start += gap * SECOND
        found.append(start)
    return found


def ledger(seconds: list[int], budget: str) -> Clock:
    """A running clock with some pauses behind it."""
    marks = [OPENING, *instants(seconds)]
    if len(marks) % 2 == 0:
        marks.pop()
    ends = [*marks[1::2], None]
    stretches = [Stretch(since=s, until=u) for s, u in zip(marks[::2], ends, strict=True)]
    return Clock(
        name="c",
        kind=ClockKind.DEADLINE,
        budget=Span.parse(budget),
        started_at=OPENING,
        stretches=tuple(stretches),
    )


class TestProperties:
    """What holds for every budget and every pause."""

    @given(budget=spans, seconds=st.lists(st.integers(0, 40 * 3600), min_size=3, max_size=3))
    @settings(max_examples=60, deadline=None)
    def test_splitting_a_hold_changes_nothing(self, budget: str, seconds: list[int]) -> None:
        """One long hold, or two that touch: the same due."""
        held, between, resumed = instants(seconds)
        whole, split = (Driven.opened(with_clock(budget), OPENING) for _ in range(2))
        for request in (whole, split):
            request.do("hold", held, reason="x")
        split.do("resume", between)
        split.do("hold", between, reason="again")
        for request in (whole, split):
            request.do("resume", resumed)
        assert whole.due() == split.due()
        assert whole.next_at == split.next_at

    @given(budget=spans, seconds=gaps)
    @settings(max_examples=80, deadline=None)
    def test_pausing_never_brings_due_nearer(self, budget: str, seconds: list[int]) -> None:
        """With every hold the due instant stays or moves away; a breach stays."""
        request = Driven.opened(with_clock(budget), OPENING)
        before = request.due()
        for number, instant in enumerate(instants(seconds)):
            request.do("resume" if number % 2 else "hold", instant, reason="x")
            due = request.due()
            if due is not None:
                assert before is not None
                assert due >= before
                before = due

    @given(count=st.integers(1, 200), more=st.integers(0, 200), unit=st.sampled_from(UNITS), seconds=gaps)
    @settings(max_examples=120, deadline=None)
    def test_more_budget_is_never_due_earlier(self, count: int, more: int, unit: str, seconds: list[int]) -> None:
        """Due is monotonic in the budget, whatever the pauses."""
        small = clocks.due(ledger(seconds, f"{count} {unit}"), OFFICE)
        large = clocks.due(ledger(seconds, f"{count + more} {unit}"), OFFICE)
        assert small is not None
        assert large is not None
        assert small <= large

    @given(budget=spans, seconds=gaps)
    @settings(max_examples=120, deadline=None)
    def test_spent_at_due_is_the_budget(self, budget: str, seconds: list[int]) -> None:
        """By its due instant a clock has used its budget, unless that was used up before its last pause."""
        clock = ledger(seconds, budget)
        due = clocks.due(clock, OFFICE)
        assert due is not None
        used = clocks.spent(clock, OFFICE, due)
        assert used == clock.budget.length(OFFICE.day) or due == clock.stretches[-1].since

    @given(budget=spans, first=spans, again=spans, seconds=gaps, days=st.integers(1, 60))
    @settings(max_examples=80, deadline=None)
    def test_late_ticks_fire_what_timely_ones_fire(
        self, budget: str, first: str, again: str, seconds: list[int], days: int
    ) -> None:
        """Whether the timer fires at every instant or only once at the end: the same firings and breaches."""
        ladder = [*LADDER[:2], {"after": first, "every": again, "up_to": 4, "tell": "chief"}]
        definition = with_clock(budget, escalate=ladder)
        timely, late = (Driven.opened(definition, OPENING) for _ in range(2))
        marks = instants(seconds)
        for number, instant in enumerate(marks):
            ticked(timely, instant - INSTANT)
            for request in (timely, late):
                request.do("resume" if number % 2 else "hold", instant, reason="x")
        end = marks[-1] + dt.timedelta(days=days)
        ticked(timely, end)
        late.give(command("tick"), end, SYSTEM)
        assert [firing[:3] for firing in timely.rungs()] == [firing[:3] for firing in late.rungs()]
        assert timely.clock().breached_at == late.clock().breached_at
        assert timely.next_at == late.next_at
