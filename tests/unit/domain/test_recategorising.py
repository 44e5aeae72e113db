"""A request that turns out to be of another type. Owns the cases of `fixline.domain.process.changing.recategorise`."""

from __future__ import annotations

from typing import Any

from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.entry import rebuild
from fixline.domain.journal.state import ClockState
from fixline.domain.process.commands import SYSTEM
from fixline.store.projection import promised_at
from tests.support.domain.driver import Driven
from tests.support.domain.samples import at, pothole, with_clock

OPENING = at("mon 08:00")
SINKHOLE: dict[str, Any] = {
    "type": "sinkhole",
    "department": "water",
    "intake": {
        "location": "required",
        "questions": {
            "depth": {"kind": "number", "required": True},
            "lane": {"kind": "choice", "options": {"curb": "Curb"}},
            "colour": {"kind": "text"},
        },
    },
    "priority": [{"when": "depth >= 50", "is": "urgent"}, {"is": "normal"}],
    "notify": ["due_changed"],
}
LADDER = [{"at_percent": 50, "tell": "lead"}, {"at_due": True, "tell": "supervisor", "raise_priority": "urgent"}]


def sinkhole(within: str = "1 working day", **changes: Any) -> Definition:
    """Another type, of another department, with a deadline of the same name."""
    base = with_clock(within, escalate=LADDER).model_dump(mode="json", by_alias=True)
    return Definition.model_validate({**base, **SINKHOLE, **changes})


def hole(**body: Any) -> Driven:
    """A pothole that may be recategorised as a sinkhole."""
    request = Driven.opened(pothole(), OPENING, has_contact=True, **body)
    request.targets = {"s1": sinkhole(), "p1": pothole()}
    return request


def test_it_goes_on_as_the_other_type() -> None:
    """New start, new deadlines from the original opening, the old ones ended; the journal alone leads to it."""
    request = hole(answers={"lane": "curb", "depth": 3})
    decision = request.do("recategorise", at("mon 10:00"), type="sinkhole", version="s1", reason="it is deep")
    state = request.state
    assert (state.type, state.version, state.visits) == ("sinkhole", "s1", {"work": 1})
    assert state.answers == {"depth": 3, "lane": "curb"}
    assert request.task.step == "work"
    assert request.clock("resolve").state is ClockState.ENDED
    assert (request.clock("resolve.2").started_at, request.due("resolve.2")) == (OPENING, at("mon 16:00"))
    assert promised_at(request.definition, state) == at("mon 16:00")
    assert {clock.promise for clock in state.live_clocks} == {"resolve"}
    assert "due_changed" in [effect.data.get("event") for effect in decision.effects]
    assert rebuild(request.journal) == state


def test_what_is_past_of_the_new_deadlines_tells_nobody() -> None:
    """A day late: breached when it was due, its rungs passed, nobody told, no priority raised."""
    request = hole(answers={"lane": "curb", "depth": 3})
    told = len(request.told())
    request.do("recategorise", at("wed 09:00"), type="sinkhole", version="s1", reason="x")
    clock = request.clock("resolve.2")
    assert (clock.breached_at, clock.fired, clock.last_rung) == (at("mon 16:00"), (1, 1), "due")
    assert request.state.priority is Priority.NORMAL
    assert request.told()[told:] == ["supervisor"]  # the inspector's claim, which had run out before
    assert request.next_at is None


def test_required_answers_come_with_the_command() -> None:
    """What is missing is named; what does not fit is dropped; what is given counts."""
    request = hole(answers={"lane": "bike"})
    before = request.state
    refusal = request.no("recategorise", at("mon 10:00"), type="sinkhole", version="s1", reason="x")
    assert [(p.field, p.code) for p in refusal.fields] == [("depth", "missing")]
    assert request.state is before
    wrong = {"depth": "deep", "size": 1}
    refusal = request.no("recategorise", at("mon 10:00"), type="sinkhole", version="s1", answers=wrong, reason="x")
    assert [(p.field, p.code) for p in refusal.fields] == [("depth", "not_a_number"), ("size", "unknown_field")]
    request.do("recategorise", at("mon 10:00"), type="sinkhole", version="s1", answers={"depth": 60}, reason="x")
    assert request.state.answers == {"depth": 60}
    assert request.state.priority is Priority.URGENT
    assert request.entries("recategorised")[0].data["dropped"] == ["lane"]


def test_hold_and_floor_stay_and_it_can_go_back() -> None:
    """A hold pauses the new clocks, too; the priority set by hand holds; back again has third clocks."""
    request = hole(answers={"lane": "curb", "depth": 3})
    request.do("priority", at("mon 09:00"), priority="high", reason="x")
    request.do("hold", at("mon 09:00"), reason="x")
    request.do("recategorise", at("mon 10:00"), type="sinkhole", version="s1", reason="x")
    assert request.state.priority is Priority.HIGH
    assert request.state.hold is not None
    assert request.clock("resolve.2").state is ClockState.PAUSED
    request.do("resume", at("mon 12:00"))
    assert request.due("resolve.2") == at("tue 10:00")
    request.do("recategorise", at("mon 13:00"), type="pothole", version="p1", reason="x")
    assert list(request.state.promises) == ["first_look", "resolve"]
    assert request.state.promises["resolve"].name == "resolve.3"
    assert rebuild(request.journal) == request.state


def test_after_a_reopening_it_counts_from_there() -> None:
    """The life before is over, for the new type's deadlines, too."""
    reopen = {"by": ["reporter"], "within": "9 calendar days", "at": "inspect"}
    old = Definition.model_validate({**pothole().model_dump(mode="json", by_alias=True), "reopen": reopen})
    request = Driven.opened(old, OPENING, answers={"lane": "curb", "depth": 3})
    request.targets = {"s1": sinkhole()}
    request.do("complete", at("mon 09:00"), task="R-1-T1", outcome="nothing_found", form={"photo": "p"})
    request.do("reopen", at("wed 08:00"), reason="x")
    request.do("recategorise", at("wed 09:00"), type="sinkhole", version="s1", reason="x")
    assert request.due("resolve.3") == at("wed 16:00")
    request.do("tick", at("wed 12:00"), SYSTEM)
    assert request.rungs("resolve.3") == [("50%", 1, at("wed 12:00"), False)]
