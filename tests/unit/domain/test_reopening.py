"""A closed request opened again, and the priority set by hand.

Owns the cases of `fixline.domain.process.changing.reopen` and `prioritise` beside it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.entry import rebuild
from fixline.domain.journal.state import ClockState
from fixline.domain.process.commands import SYSTEM, Actor
from fixline.store.projection import promised_at
from tests.support.domain.driver import Driven
from tests.support.domain.samples import ADMIN, REPORTER, SERVICE, SUPERVISOR, at, pothole, simple, with_clock

OPENING = at("mon 08:00")
LADDER = [{"at_percent": 50, "tell": "lead"}, {"at_due": True, "tell": "supervisor"}]


def changed(definition: Any, **parts: Any) -> Any:
    """The definition with other parts."""
    return type(definition).model_validate({**definition.model_dump(mode="json", by_alias=True), **parts})


def promise(**rules: Any) -> Driven:
    """A request with a deadline of two days, closed on Monday at noon."""
    reopen = {"by": ["reporter", "supervisor"], "within": "2 working days", "at": "work", **rules}
    definition = changed(with_clock("2 working days", escalate=LADDER), reopen=reopen, notify=["reopened"])
    request = Driven.opened(definition, OPENING, has_contact=True)
    request.do("complete", at("mon 12:00"), task="R-1-T1", outcome="done")
    return request


def test_it_goes_on_with_clocks_of_its_own() -> None:
    """Open, at the step named, a second clock from the reopening, the first as it was, the reporter told."""
    request = promise()
    before = request.clock()
    decision = request.do("reopen", at("tue 09:00"), REPORTER, reason="It is there again")
    state = request.state
    assert (state.status, state.outcome, state.closed_at, state.reopened) == ("open", None, None, 1)
    assert state.position is not None
    assert (state.position.step, state.position.visit, state.visits) == ("work", 1, {"work": 1})
    assert request.clock() == before
    assert (request.clock("resolve.2").promise, request.clock("resolve.2").started_at) == ("resolve", at("tue 09:00"))
    assert request.due("resolve.2") == at("thu 09:00") == promised_at(request.definition, state)
    assert [effect.data.get("event") for effect in decision.effects] == ["reopened", None]
    assert request.task.id == "R-1-T2"
    assert rebuild(request.journal) == state


def test_the_second_clock_has_ladder_pauses_and_an_end() -> None:
    """Its rungs fire, it pauses on hold, closing meets it; and so does the third."""
    request = promise()
    request.do("reopen", at("tue 08:00"), SUPERVISOR, reason="x")
    request.do("tick", at("tue 16:00"), SYSTEM)
    assert request.rungs("resolve.2") == [("50%", 1, at("tue 16:00"), False)]
    request.do("hold", at("wed 08:00"), reason="x")
    assert request.clock("resolve.2").state is ClockState.PAUSED
    request.do("resume", at("wed 12:00"))
    assert request.due("resolve.2") == at("thu 12:00")
    request.do("complete", at("fri 12:00"), task="R-1-T2", outcome="done")
    assert request.clock("resolve.2").state is ClockState.MET
    assert request.clock("resolve.2").breached_at == at("thu 12:00")
    request.do("reopen", at("fri 13:00"), REPORTER, reason="x")
    assert list(request.state.promises.values()) == [request.clock("resolve.3")]
    request.do("complete", at("fri 14:00"), task="R-1-T3", outcome="done")
    assert request.clock("resolve.3").state is ClockState.MET
    assert request.state.reopened == 2
    assert rebuild(request.journal) == request.state


def test_a_change_of_priority_gives_the_live_clock_another_budget() -> None:
    """The clock of the present life follows, that of the life before does not."""
    within = {"by_priority": {"high": "1 working day"}, "otherwise": "2 working days"}
    reopen = {"by": ["supervisor"], "within": "2 working days", "at": "work"}
    request = Driven.opened(changed(with_clock(within), reopen=reopen), OPENING)
    request.do("complete", at("mon 12:00"), task="R-1-T1", outcome="done")
    request.do("reopen", at("tue 08:00"), reason="x")
    request.do("priority", at("tue 09:00"), priority="high", reason="school")
    assert request.clock().budget == Span.parse("2 working days")
    assert request.due("resolve.2") == at("tue 16:00")


@pytest.mark.parametrize(("late", "code"), [("wed 12:00", None), ("wed 12:01", "reopen_too_late")])
def test_within_the_span_from_closing(late: str, code: str | None) -> None:
    """Working days, by the calendar; the very instant is in time."""
    request = promise()
    if code is None:
        request.do("reopen", at(late), REPORTER, reason="x")
    else:
        refusal = request.no("reopen", at(late), REPORTER, reason="x")
        assert (refusal.code, refusal.data["until"]) == (code, at("wed 12:00").isoformat())


@pytest.mark.parametrize(
    ("by", "actor", "allowed"),
    [
        (["reporter"], REPORTER, True),
        (["reporter"], SERVICE, True),
        (["reporter"], SUPERVISOR, False),
        (["reporter"], ADMIN, True),
        (["supervisor"], REPORTER, False),
        (["supervisor"], SERVICE, False),
        (["supervisor"], SUPERVISOR, True),
    ],
)
def test_who_may(by: list[str], actor: Actor, allowed: bool) -> None:
    """Whoever `by` names; a service for the reporter; an admin always."""
    request = promise(by=by)
    if allowed:
        request.do("reopen", at("tue 08:00"), actor, reason="x")
    else:
        assert request.no("reopen", at("tue 08:00"), actor, reason="x").code == "not_reopenable"


def test_what_was_cancelled_a_supervisor_may_bring_back() -> None:
    """The reporter's right does not undo a cancelling."""
    reopen = {"by": ["reporter", "supervisor"], "within": "1 calendar day", "at": "work"}
    request = Driven.opened(simple(reopen=reopen), OPENING)
    request.do("cancel", OPENING, reason="x")
    assert request.no("reopen", at("mon 09:00"), REPORTER, reason="x").code == "not_reopenable"
    request.do("reopen", at("mon 09:00"), SUPERVISOR, reason="x")


def test_until_in_cancel_counts_from_the_reopening() -> None:
    """The reporter may cancel until the step is entered again."""
    reopen = {"by": ["reporter"], "within": "9 calendar days", "at": "inspect"}
    definition = changed(pothole(), reopen=reopen, cancel={"reporter": "repair"})
    request = Driven.opened(definition, OPENING)
    request.do("complete", at("mon 09:00"), task="R-1-T1", outcome="pothole", form={"depth": 5, "photo": "p"})
    assert request.no("cancel", at("mon 10:00"), REPORTER, reason="x").code == "not_cancellable"
    request.do("send_back", at("mon 10:00"), step="inspect", reason="x")
    assert request.no("cancel", at("mon 10:00"), REPORTER, reason="x").code == "not_cancellable"
    request.do("complete", at("mon 11:00"), task="R-1-T3", outcome="nothing_found", form={"photo": "p"})
    request.do("reopen", at("mon 12:00"), REPORTER, reason="x")
    again = Driven(definition)
    again.__dict__.update(vars(request))
    request.do("cancel", at("mon 13:00"), REPORTER, reason="x")
    again.do("complete", at("mon 13:00"), task="R-1-T4", outcome="pothole", form={"depth": 5, "photo": "p"})
    assert again.no("cancel", at("mon 14:00"), REPORTER, reason="x").code == "not_cancellable"


def prioritised(answers: dict[str, Any] | None = None) -> Driven:
    """A pothole."""
    return Driven.opened(pothole(), OPENING, answers=answers or {"lane": "curb"})


def test_a_priority_by_hand_is_a_floor() -> None:
    """It holds when answers would lower it, and gives way to answers that raise it."""
    request = prioritised()
    request.do("priority", at("mon 09:00"), SUPERVISOR, priority="high", reason="school")
    assert (request.state.priority, request.state.floor) == (Priority.HIGH, Priority.HIGH)
    assert request.due() == at("tue 16:00")
    request.do("amend", at("mon 10:00"), answers={"depth": 3}, reason="x")
    assert request.state.priority is Priority.HIGH
    request.do("priority", at("mon 11:00"), SUPERVISOR, priority=None, reason="holidays")
    assert (request.state.priority, request.state.floor) == (Priority.NORMAL, None)
    assert request.due() == at("tue 16:00", 1)
    assert rebuild(request.journal) == request.state


def test_a_raised_priority_can_be_taken_back_by_hand() -> None:
    """A rung has raised it; a supervisor's word stands in place of the rung's."""
    definition = with_clock("1 working day", escalate=[{"at_due": True, "raise_priority": "urgent"}])
    request = Driven.opened(definition, OPENING)
    request.do("tick", at("tue 08:00"), SYSTEM)
    assert request.state.floor is Priority.URGENT
    request.do("priority", at("tue 09:00"), priority="high", reason="x")
    assert (request.state.priority, request.state.floor) == (Priority.HIGH, Priority.HIGH)


def test_it_does_not_go_below_what_the_answers_make_it() -> None:
    """Whoever wants less puts the answers right."""
    request = prioritised({"lane": "bike"})
    refusal = request.no("priority", at("mon 09:00"), priority="low", reason="x")
    assert (refusal.code, refusal.data) == ("priority_ruled", {"ruled": "high"})


def test_a_floor_as_high_as_ruled_is_kept_for_later() -> None:
    """The priority stays, and does not fall when the answers do."""
    request = prioritised({"lane": "bike"})
    decision = request.do("priority", at("mon 09:00"), priority="high", reason="x")
    assert "kept" in decision.entries[0].text
    request.do("amend", at("mon 10:00"), answers={"lane": "curb"}, reason="x")
    assert request.state.priority is Priority.HIGH


def test_due_does_not_fall_before_the_change() -> None:
    """A smaller budget that is spent already is due now."""
    request = prioritised()
    late = at("mon 08:00", 1)
    request.do("priority", late, priority="urgent", reason="x")
    assert request.due() is not None
    assert request.due() >= late - dt.timedelta()  # type: ignore[operator]
