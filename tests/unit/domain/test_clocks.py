"""Deadlines as requests live through them: budgets, pauses, ladders, lateness, priorities, backlogs.

Owns the named cases of clocks and the properties of their arithmetic; the calendar's own are in test_calendar.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import ClockState
from fixline.domain.process.commands import SYSTEM
from fixline.store.projection import promised_at
from tests.support.domain.deadlines import INSTANT, LADDER, OPENING, SECOND, ticked
from tests.support.domain.driver import Driven
from tests.support.domain.samples import ALWAYS, CHICAGO, CREW, MATE, at, pothole, simple, vehicle, with_clock


class TestPauses:
    """A clock that stands uses nothing up."""

    @pytest.mark.parametrize(
        ("budget", "due"),
        [("2 working days", at("wed 12:00", 1)), ("2 calendar days", at("thu 04:00", 1))],
    )
    def test_across_a_weekend(self, budget: str, due: dt.datetime) -> None:
        """Held from Friday noon to Tuesday morning: what was left on Friday is left on Tuesday."""
        request = Driven.opened(with_clock(budget), at("fri 08:00"))
        request.do("hold", at("fri 12:00"), reason="festival")
        assert request.due() is None
        request.do("resume", at("tue 08:00", 1))
        assert request.due() == due

    def test_promises_no_date_meanwhile(self) -> None:
        """While the clock of closing stands no date is promised; that of the first look does not take its place."""
        request = Driven.opened(pothole(), OPENING)
        assert promised_at(request.definition, request.state) == request.due("resolve")
        request.do("hold", at("mon 10:00"), reason="festival")
        assert request.due("first_look") is not None
        assert promised_at(request.definition, request.state) is None
        request.do("resume", at("mon 11:00"))
        assert promised_at(request.definition, request.state) == request.due("resolve")

    def test_two_in_one_minute(self) -> None:
        """Two holds within a minute cost their seconds, no more."""
        request = Driven.opened(with_clock("2 working days"), OPENING)
        ten = at("mon 10:00")
        request.do("hold", ten, reason="one")
        request.do("resume", ten + 20 * SECOND)
        request.do("hold", ten + 25 * SECOND, reason="two")
        request.do("resume", ten + 55 * SECOND)
        assert request.due() == at("wed 08:00") + 50 * SECOND

    def test_hold_of_no_length(self) -> None:
        """A hold that ends at its own instant changes nothing and leaves no empty stretch."""
        request = Driven.opened(with_clock("2 working days"), OPENING)
        request.do("hold", at("mon 10:00"), reason="oops")
        request.do("resume", at("mon 10:00"))
        request.do("hold", at("mon 10:00"), reason="oops")
        request.do("resume", at("mon 10:00"))
        assert request.due() == at("tue 16:00")
        assert len(request.clock().stretches) == 2

    def test_held_at_the_instant_of_the_opening(self) -> None:
        """A clock that never ran has its whole budget left."""
        request = Driven.opened(with_clock("1 working day"), OPENING)
        request.do("hold", OPENING, reason="strike")
        request.do("resume", at("wed 08:00"))
        assert request.due() == at("wed 16:00")

    def test_held_at_the_very_instant_of_due(self) -> None:
        """A hold at the due instant is in time; when the clock runs again it is due at once, not in the past."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER), OPENING)
        ticked(request, at("mon 15:59"))
        request.do("hold", at("mon 16:00"), reason="just in time")
        assert request.clock().breached_at is None
        decision = request.do("resume", at("wed 10:00"))
        assert request.due() == decision.next_at == at("wed 10:00")
        request.do("tick", at("wed 10:00"), SYSTEM)
        assert request.clock().breached_at == at("wed 10:00")
        assert request.rungs()[-1] == ("due", 1, at("wed 10:00"), False)

    def test_no_rung_fires_in_a_pause(self) -> None:
        """A breached clock on hold stays breached and tells nobody until it runs again."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER), OPENING)
        ticked(request, at("mon 16:00"))
        request.do("hold", at("tue 08:00"), reason="permit")
        assert request.next_at is None
        assert request.due() == request.clock().breached_at == at("mon 16:00")
        request.do("resume", at("thu 08:00"))
        assert request.next_at == at("thu 16:00")  # 16 of 24 hours had run, 8 are left

    @pytest.mark.parametrize("budget", ["30 calendar hours", "30 working hours"])
    def test_hold_in_the_repeated_hour(self, budget: str) -> None:
        """Held at half past one and resumed when the clock shows half past one again: an hour, and not none."""
        definition = with_clock(budget).model_copy(update={"calendar": ALWAYS})
        first, second = dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC), dt.datetime(2026, 11, 1, 7, 30, tzinfo=dt.UTC)
        assert {f"{instant.astimezone(CHICAGO):%H:%M}" for instant in (first, second)} == {"01:30"}
        request = Driven.opened(definition, first - dt.timedelta(hours=2))
        before = request.due()
        request.do("hold", first, reason="dark")
        request.do("resume", second)
        assert before is not None
        assert request.due() == before + dt.timedelta(hours=1)

    def test_wait_pauses_only_what_names_it(self) -> None:
        """Waiting for dry weather stops `resolve`; `first_look` knows nothing of the weather."""
        request = Driven.opened(pothole(), OPENING)
        form = {"depth": 40, "photo": "p"}
        request.do("complete", at("mon 09:00"), task="R-1-T1", outcome="pothole", form=form)
        assert request.state.position
        assert request.state.position.step == "dry_road"
        assert request.clock("resolve").state is ClockState.PAUSED
        assert request.clock("first_look").state is ClockState.MET
        request.do("signal", at("wed 09:00"), name="dry_weather")
        assert request.clock("resolve").state is ClockState.RUNNING
        assert request.due("resolve") == at("thu 16:00")  # high: 16 hours, one of them used

    def test_task_clocks_pause_on_hold(self) -> None:
        """Whoever waits for the end of a hold is not late."""
        request = Driven.opened(tasked(claim_within="2 working hours", due="4 working hours"), OPENING)
        request.do("hold", at("mon 09:00"), reason="strike")
        assert [clock.state for clock in request.state.live_clocks] == [ClockState.PAUSED] * 2
        request.do("resume", at("mon 15:00"))
        assert request.due("T1.claim") == at("mon 16:00")
        assert request.due("T1.due") == at("tue 10:00")

    def test_task_offered_on_hold(self) -> None:
        """The clocks of a task that is offered during a hold begin with its end."""
        request = Driven.opened(tasked(claim_within="2 working hours"), OPENING)
        request.do("hold", at("mon 09:00"), reason="strike")
        request.do("decline", at("mon 10:00"), task="R-1-T1", reason="no truck")
        assert request.clock("T1.claim.2").due_at is None
        request.do("resume", at("mon 12:00"))
        assert request.due("T1.claim.2") == at("mon 14:00")


def tasked(**step: Any) -> Definition:
    """The simple type with more said about its one step."""
    work = {"kind": "task", "title": "Do it", "team": "crew", "then": {"done": "fixed", "again": "work"}}
    return simple(steps={"work": {**work, **step}, "fixed": {"kind": "close", "outcome": "fixed"}})


class TestTaskClocks:
    """The two clocks of a task."""

    def test_claim_clock_starts_again_after_a_decline(self) -> None:
        """Each offer to a team has a claim clock of its own; the one to do it runs on."""
        request = Driven.opened(tasked(claim_within="1 working hour", due="1 working day"), OPENING)
        request.do("claim", at("mon 08:30"), CREW, task="R-1-T1")
        assert request.clock("T1.claim").state is ClockState.MET
        request.do("decline", at("mon 12:00"), CREW, task="R-1-T1", reason="too deep")
        assert request.due("T1.claim.2") == at("mon 13:00")
        assert request.due("T1.due") == at("mon 16:00")
        request.do("tick", at("mon 13:00"), SYSTEM)
        assert request.clock("T1.claim.2").breached_at == at("mon 13:00")
        assert request.told() == ["supervisor"]

    def test_unclaimed_offer_ends_with_the_next(self) -> None:
        """A claim clock that still runs ends when the task is put to a team anew."""
        request = Driven.opened(tasked(claim_within="1 working hour"), OPENING)
        request.do("reassign", at("mon 08:30"), team="other-team", reason="closer")
        assert request.clock("T1.claim").state is ClockState.ENDED
        assert request.due("T1.claim.2") == at("mon 09:30")

    def test_each_visit_has_its_own(self) -> None:
        """A step that is done again has a new task with new clocks; the old ones are met."""
        request = Driven.opened(tasked(due="1 working day"), OPENING)
        decision = request.do("complete", at("mon 10:00"), task="R-1-T1", outcome="again")
        assert {clock.name: clock.state for clock in decision.clocks} == {
            "T1.due": ClockState.MET,
            "T2.due": ClockState.RUNNING,
        }

    def test_withdrawn_with_their_task(self) -> None:
        """Sending back ends the clocks of the task that is withdrawn."""
        request = Driven.opened(tasked(claim_within="1 working hour", due="1 working day"), OPENING)
        decision = request.do("send_back", at("mon 10:00"), step="work", reason="wrong hole")
        ended = [clock.name for clock in decision.clocks if clock.state is ClockState.ENDED]
        assert ended == ["T1.claim", "T1.due"]


class TestLadder:
    """Rungs fire once each, in order, and say when they were late."""

    EXPECTED = (
        ("75%", 1, at("mon 14:00")),
        ("due", 1, at("mon 16:00")),
        ("after 1 calendar day", 1, at("tue 16:00")),
        ("after 1 calendar day", 2, at("wed 10:00")),
        ("after 1 calendar day", 3, at("wed 12:00")),
    )

    def test_mixed_units_in_time(self) -> None:
        """Each part of a ladder counts in its own unit."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER), OPENING)
        ticked(request, at("fri 16:00", 4))
        assert request.rungs() == [(*firing, False) for firing in self.EXPECTED]
        assert request.told() == ["lead", "supervisor", "chief", "chief", "chief"]
        assert request.next_at is None

    def test_after_downtime_each_once_in_order_and_late(self) -> None:
        """One tick after days of downtime fires all that was due, once, in the order of the instants."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER), OPENING)
        decision = request.do("tick", at("thu 09:00"), SYSTEM)
        assert request.rungs() == [(*firing, True) for firing in self.EXPECTED]
        assert request.clock().breached_at == at("mon 16:00")
        assert request.no("tick", at("fri 09:00"), SYSTEM).code == "nothing_due"
        assert len({effect.id for effect in decision.effects}) == 5

    def test_a_minute_is_not_late(self) -> None:
        """A timer is never exact; only what comes more than a minute after its instant is late."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER[:2]), OPENING)
        request.do("tick", at("mon 14:00") + 60 * SECOND, SYSTEM)
        request.do("tick", at("mon 16:00") + 61 * SECOND, SYSTEM)
        assert [late for *_, late in request.rungs()] == [False, True]

    def test_two_clocks_take_turns(self) -> None:
        """After downtime the rungs of several clocks come in the order of their instants."""
        short = {"met_by": "closed", "within": {"otherwise": "7 working hours"}, "escalate": LADDER[1:2]}
        long = {"met_by": "closed", "within": {"otherwise": "1 working day"}, "escalate": LADDER[:2]}
        request = Driven.opened(simple(deadlines={"b": long, "a": short}), OPENING)
        request.do("tick", at("fri 08:00"), SYSTEM)
        seen = [(e.kind, e.data["clock"]) for e in request.entries("rung_fired", "clock_breached")]
        assert seen == [
            ("rung_fired", "b"),
            ("clock_breached", "a"),
            ("rung_fired", "a"),
            ("clock_breached", "b"),
            ("rung_fired", "b"),
        ]

    def test_rungs_of_one_instant_in_the_ladders_order(self) -> None:
        """Two rungs at the same percentage both fire, as written."""
        request = Driven.opened(vehicle(), OPENING)
        request.do("tick", OPENING + dt.timedelta(days=5), SYSTEM)
        assert [role for role in request.told() if role != "supervisor"] == ["crew_lead", "clerk"]

    def test_a_command_lets_what_is_overdue_happen_first(self) -> None:
        """A comment after the due instant finds the clock breached and its rungs fired."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER[:2]), OPENING)
        decision = request.do("comment", at("tue 09:00"), text="still there")
        assert [entry.kind for entry in decision.entries] == [
            "rung_fired",
            "clock_breached",
            "rung_fired",
            "commented",
        ]

    def test_catching_up_can_be_left_to_a_tick(self) -> None:
        """Without catching up a hold goes through alone, but for the breach that its pause would hide."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER[:2]), OPENING)
        assert request.clock().breached_at is None
        decision = request.do("hold", at("tue 09:00"), reason="stop", catch_up=False)
        assert [entry.kind for entry in decision.entries] == ["held", "clock_breached", "clock_paused"]


class TestInTime:
    """An answer at the due instant is in time, and stays so."""

    def test_at_exactly_the_due_instant(self) -> None:
        """Done at the very instant: met, not breached."""
        request = Driven.opened(with_clock("1 working day", escalate=LADDER[1:2]), OPENING)
        request.do("complete", at("mon 16:00"), task="R-1-T1", outcome="done")
        assert (request.clock().state, request.clock().breached_at) == (ClockState.MET, None)
        assert request.told() == []

    def test_an_instant_later(self) -> None:
        """A microsecond late is late: breached at its due, then met."""
        request = Driven.opened(with_clock("1 working day"), OPENING)
        request.do("complete", at("mon 16:00") + INSTANT, task="R-1-T1", outcome="done")
        assert request.clock().state is ClockState.MET
        assert request.clock().breached_at == at("mon 16:00")
        assert request.entries("clock_met")[0].text.endswith("late.")

    def test_tick_at_exactly_the_due_instant(self) -> None:
        """The timer at the due instant breaches it."""
        request = Driven.opened(with_clock("1 working day"), OPENING)
        request.do("tick", at("mon 16:00"), SYSTEM)
        assert request.clock().breached_at == at("mon 16:00")

    def test_given_in_time_and_ticked_late(self) -> None:
        """What was met before due is not breached by a tick that comes after it."""
        request = Driven.opened(pothole(), OPENING)
        form = {"depth": 5, "photo": "p"}
        request.do("complete", at("tue 15:59"), task="R-1-T1", outcome="pothole", form=form)
        request.do("tick", at("fri 09:00", 1), SYSTEM)
        assert request.clock("first_look").breached_at is None
        assert {e.data["clock"] for e in request.entries("clock_breached")} == {
            "T1.claim",
            "T2.claim",
            "T2.due",
            "resolve",
        }

    def test_earlier_now_counts_as_the_last_decisions(self) -> None:
        """A command that says an instant before the last decision is decided at that decision's."""
        request = Driven.opened(with_clock("1 working day"), OPENING)
        request.do("comment", at("mon 12:00"), text="a")
        assert request.do("comment", at("mon 09:00"), text="b").at == at("mon 12:00")


def test_holder_of_the_claim_clock_may_change() -> None:
    """Taking over what a rule gave away meets nothing twice."""
    request = Driven.opened(tasked(claim_within="1 working hour"), OPENING)
    report: dict[str, Any] = {"effect": "R-1:1:1", "effect_kind": "dispatch", "task": "R-1-T1", "assignee": "mia"}
    request.do("effect_result", at("mon 08:10"), SYSTEM, rule="queue", **report)
    request.do("claim", at("mon 08:20"), CREW, task="R-1-T1")
    assert request.clock("T1.claim").ended_at == at("mon 08:10")
    assert request.no("claim", at("mon 08:30"), MATE, task="R-1-T1").code == "task_state"
