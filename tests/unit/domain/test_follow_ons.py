"""Follow-ons: a step that is a request of another department, and what parent and child tell each other."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.effects import Effect
from tests.support.domain.driver import Driven
from tests.support.domain.samples import ADMIN, FIXED, at, simple, with_clock

WATER: dict[str, Any] = {
    "kind": "follow_on",
    "follow_on": "sewer-cave-in",
    "waiting_as": "with_water",
    "then": {"fixed": "fixed", "otherwise": "survey"},
}
SURVEY = {"kind": "task", "title": "Survey", "team": "crew", "then": {"sewer": "water", "nothing": "fixed"}}
CHILD = "R-2"
OUTCOMES = [("fixed", None), ("no_problem_found", "survey"), ("cancelled", "survey")]


def cave_in(**changes: Any) -> Definition:
    """A survey, a follow-on in Water, and the survey again when that did not help."""
    resolve = {"met_by": "closed", "within": {"otherwise": "7 working days"}, "paused_while": ["with_water"]}
    steps = {"survey": SURVEY, "water": WATER, "fixed": FIXED}
    parts: dict[str, Any] = {"start": "survey", "steps": steps, "deadlines": {"resolve": resolve}}
    return simple(**{**parts, "notify": ["step_done"], **changes})


def waiting(**changes: Any) -> Driven:
    """A cave-in whose follow-on is to be opened."""
    request = Driven.opened(cave_in(**changes), at("mon 08:00"), has_contact=True)
    request.do("complete", at("mon 09:00"), ADMIN, task="R-1-T1", outcome="sewer")
    return request


def opening(request: Driven) -> dict[str, Any]:
    effect = [each for each in request.effects if each.kind == "open_follow_on"][-1]
    facts = {"child_type": effect.data["type"], "step": effect.data["step"], "visit": effect.data["visit"]}
    return {"effect": effect.id, "effect_kind": "open_follow_on", **facts}


def with_child(**changes: Any) -> Driven:
    """A cave-in whose follow-on has been opened."""
    request = waiting(**changes)
    request.do("effect_result", at("mon 09:00"), SYSTEM, child=CHILD, **opening(request))
    return request


def told(request: Driven) -> list[tuple[str, str]]:
    """Whom the last decision tells what."""
    return [(e.data["to"], e.data["command"]["kind"]) for e in request.effects if e.kind == "tell_request"]


def test_the_step_asks_for_a_follow_on_and_waits() -> None:
    """The deadline that pauses for it stands; nobody has a task."""
    request = waiting()
    effect = [each for each in request.effects if each.kind == "open_follow_on"][-1]
    assert (effect.data["type"], effect.data["step"], effect.data["visit"]) == ("sewer-cave-in", "water", 1)
    assert request.state.conditions == {"with_water"}
    assert request.state.open_tasks == []
    assert request.next_at is None


def test_an_opened_follow_on_is_a_child() -> None:
    request = with_child()
    child = request.state.children[CHILD]
    assert (child.type, child.step, child.status, child.outcome) == ("sewer-cave-in", "water", "open", None)
    assert rebuild(request.journal) == request.state


@pytest.mark.parametrize(
    ("outcome", "step"), [("fixed", None), ("no_problem_found", "survey"), ("cancelled", "survey")]
)
def test_the_parent_goes_on_by_the_childs_outcome(outcome: str, step: str | None) -> None:
    """By the outcome's own way, else by `otherwise`; the reporter hears of it."""
    request = with_child()
    request.do("follow_on_closed", at("tue 09:00"), SYSTEM, child=CHILD, outcome=outcome)
    assert (request.state.position.step if request.state.position else None) == step
    child = request.state.children[CHILD]
    assert (child.status, child.outcome) == ("closed", outcome)
    assert "step_done" in [e.data.get("event") for e in request.effects if e.kind == "notify"]
    assert told(request) == []
    assert rebuild(request.journal) == request.state


def test_a_follow_on_that_cannot_be_opened() -> None:
    """The journal says why, and the request goes on by `otherwise`."""
    request = waiting()
    request.do("effect_result", at("mon 09:00"), SYSTEM, failed="there is no request type", **opening(request))
    (entry,) = request.entries("follow_on_failed")
    assert "there is no request type" in entry.text
    assert request.state.position
    assert request.state.position.step == "survey"
    assert request.state.children == {}


def test_a_cancelled_parent_tells_its_child() -> None:
    request = with_child()
    request.do("cancel", at("tue 09:00"), ADMIN, reason="x")
    assert told(request) == [(CHILD, "parent_left")]


def test_a_parent_that_is_sent_back_tells_its_child() -> None:
    """And what that child comes to later leads nowhere: another one is waited for by then."""
    request = with_child()
    request.do("send_back", at("tue 09:00"), ADMIN, step="water", reason="x")
    assert told(request) == [(CHILD, "parent_left")]
    request.do("effect_result", at("tue 09:00"), SYSTEM, child="R-3", **opening(request))
    request.do("follow_on_closed", at("tue 10:00"), SYSTEM, child=CHILD, outcome="fixed")
    assert request.state.position
    assert (request.state.position.step, request.state.children[CHILD].status) == ("water", "closed")
    request.do("follow_on_closed", at("tue 11:00"), SYSTEM, child="R-3", outcome="fixed")
    assert request.state.closed


def test_a_child_that_comes_too_late_is_told_at_once() -> None:
    """The request was cancelled while its follow-on was being opened."""
    request = waiting()
    request.do("cancel", at("mon 09:00"), ADMIN, reason="x")
    request.do("effect_result", at("mon 09:01"), SYSTEM, child=CHILD, **opening(request))
    assert told(request) == [(CHILD, "parent_left")]
    assert request.state.children[CHILD].entered_at is None
    late = request.no("effect_result", at("mon 09:02"), SYSTEM, failed="x", **opening(request))
    assert late.code == "step_moved_on"


def test_a_closed_parent_notes_what_its_child_comes_to() -> None:
    request = with_child()
    request.do("cancel", at("tue 09:00"), ADMIN, reason="x")
    request.do("follow_on_closed", at("tue 09:01"), SYSTEM, child=CHILD, outcome="cancelled")
    request.do("follow_on_reopened", at("tue 09:02"), SYSTEM, child=CHILD)
    assert (request.state.children[CHILD].status, request.state.outcome) == ("open", "cancelled")
    assert rebuild(request.journal) == request.state


@pytest.mark.parametrize("body", [{"kind": "follow_on_closed", "outcome": "fixed"}, {"kind": "follow_on_reopened"}])
def test_a_stranger_is_no_child(body: dict[str, Any]) -> None:
    what = dict(body)
    assert with_child().no(what.pop("kind"), at("tue 09:00"), SYSTEM, child="R-9", **what).code == "unknown_follow_on"


def child_of(parent: str = "R-9", **changes: Any) -> Driven:
    """A follow-on that was opened for another request."""
    link = {"id": parent, "step": "water", "depth": 1}
    return Driven.opened(with_clock("2 working days", **changes), at("mon 08:00"), parent=link)


def test_a_child_tells_its_parent_how_it_ends() -> None:
    request = child_of()
    request.do("complete", at("mon 09:00"), ADMIN, task="R-1-T1", outcome="done")
    (effect,) = [each for each in request.effects if each.kind == "tell_request"]
    assert effect.data["to"] == "R-9"
    assert effect.data["command"] == {"kind": "follow_on_closed", "child": "R-1", "outcome": "fixed"}


def test_a_child_that_nobody_waits_for_is_cancelled() -> None:
    """And its parent hears of that, too."""
    request = child_of()
    request.do("parent_left", at("mon 09:00"), SYSTEM, parent="R-9")
    assert (request.state.outcome, request.state.live_clocks) == ("cancelled", [])
    assert told(request) == [("R-9", "follow_on_closed")]
    assert request.no("parent_left", at("mon 09:01"), SYSTEM, parent="R-9").code == "request_closed"


def test_a_child_opened_again_tells_its_parent() -> None:
    definition = simple(reopen={"by": ["supervisor"], "within": "14 calendar days", "at": "work"})
    request = Driven.opened(definition, at("mon 08:00"), parent={"id": "R-9", "step": "water", "depth": 1})
    request.do("complete", at("mon 09:00"), ADMIN, task="R-1-T1", outcome="done")
    request.do("reopen", at("mon 10:00"), ADMIN, reason="x")
    assert told(request)[-1] == ("R-9", "follow_on_reopened")


def test_remarks_are_seen_on_both() -> None:
    """Each remark goes to parent and children once, and is not sent back."""
    parent, child = with_child(), child_of()
    parent.do("comment", at("mon 10:00"), ADMIN, text="The barricade is gone.")
    child.do("comment", at("mon 10:00"), ADMIN, text="The pipe is open.")
    notes: list[Effect] = [each for each in (*parent.effects, *child.effects) if each.kind == "tell_request"]
    assert [each.data["to"] for each in notes] == [CHILD, "R-9"]
    command = dict(notes[1].data["command"])
    parent.do(command.pop("kind"), at("mon 10:01"), SYSTEM, **command)
    (entry,) = parent.entries("related_commented")
    assert entry.text == f"R-1, {ADMIN.name}: The pipe is open."
    assert len(told(parent)) == 1
