"""Duplicates: attached to an older request, closed with it, or looked at on their own; whatever happens meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixline.domain.definition.model import Definition
from fixline.domain.journal.entry import rebuild
from fixline.domain.process.decision import Decision, Refusal
from tests.support.domain.samples import REPORTER, at
from tests.support.domain.town import Town, assert_at_rest, holes, notices


@pytest.fixture
def town() -> Town:
    """Three requests about the same hole."""
    made = Town(holes(), at("mon 09:00"))
    for _ in range(3):
        made.open()
    return made


# -- attached ----------------------------------------------------------------------------------------------------------


def test_an_attached_request_rests(town: Town) -> None:
    """It stays open; its task is withdrawn, its clocks have ended and none was met; the original knows it."""
    town.attach(2, to=1)
    assert_at_rest(town[2])
    assert town[2].state.attached_to == "R-1"
    assert town[1].state.attached == ("R-2",)
    assert {clock.state.value for clock in town[2].state.clocks.values()} == {"ended"}
    assert not town[2].entries("clock_met")
    (entry,) = town[2].entries("attached")
    assert (entry.data["to"], entry.text) == ("R-1", "Attached to R-1, which is about the same. the same")
    assert [e.text for e in town[1].entries("duplicate_attached")] == ["R-2 was reported of the same."]


def test_no_rung_of_an_attached_request_ever_fires(town: Town) -> None:
    """However much time passes, and whether or not it was late when it was attached."""
    town.now = at("thu 12:00")
    town.attach(2, to=1)
    before = len(town[2].entries("rung_fired", "clock_breached"))
    town.now = at("mon 12:00", week=40)
    assert isinstance(town.give(2, "tick"), Refusal)
    town.do(2, "comment", text="Still here.")
    assert len(town[2].entries("rung_fired", "clock_breached")) == before
    assert_at_rest(town[2])


def test_a_hold_ends_with_the_attaching(town: Town) -> None:
    """A request that waited for something waits for its original now."""
    town.do(2, "hold", reason="no road")
    town.attach(2, to=1)
    assert town[2].state.hold is None


def test_duplicates_follow_their_original(town: Town) -> None:
    """One that is attached takes its own duplicates along; nobody is the duplicate of a duplicate."""
    town.attach(3, to=2)
    town.attach(2, to=1)
    assert [town[n].state.attached_to for n in (1, 2, 3)] == [None, "R-1", "R-1"]
    assert town[1].state.attached == ("R-2", "R-3")
    assert town[2].state.attached == ()
    town.close(1)
    assert [town[n].state.outcome for n in (1, 2, 3)] == ["fixed", "duplicate", "duplicate"]


def test_only_an_older_request_can_be_the_original(town: Town) -> None:
    """So there is no circle."""
    refusal = town.give(1, "attach", to=town.original(2), reason="x")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "original_not_older"
    same_time = {"id": "R-0", "opened_at": town[1].state.opened_at}
    assert isinstance(town.give(1, "attach", to=same_time, reason="x"), Decision)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("claim", {"task": "R-2-T1"}),
        ("send_back", {"step": "work", "reason": "x"}),
        ("hold", {"reason": "x"}),
        ("resume", {}),
        ("reassign", {"team": "crew", "reason": "x"}),
        ("attach", {"to": {"id": "R-0", "opened_at": "2026-01-01T00:00:00Z"}, "reason": "x"}),
    ],
)
def test_what_is_for_the_original_is_refused(town: Town, kind: str, body: dict[str, Any]) -> None:
    """The refusal names it."""
    town.attach(2, to=1)
    refusal = town.give(2, kind, **body)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.data) == ("request_attached", {"attached_to": "R-1"})


def test_an_attached_request_can_be_put_right(town: Town) -> None:
    """Remarks, answers and the place are its own."""
    town.attach(2, to=1)
    town.do(2, "comment", text="Deeper now.")
    town.do(2, "amend", place={"address": "2 Main Street"}, description="deep", reason="typo")
    assert town[2].state.description == "deep"


def test_an_attached_request_follows_a_version(town: Town) -> None:
    """It goes on resting; when it is looked at on its own, it begins by that version."""
    town.attach(2, to=1)
    newer = holes().model_dump(mode="json", by_alias=True)
    newer["steps"]["look"] = {**newer["steps"]["work"], "title": "Look at it"}
    newer["deadlines"]["first"] = {"met_by": "closed", "within": {"otherwise": "1 working day"}}
    town[2].targets = {"v2": Definition.model_validate({**newer, "start": "look"})}
    town.do(2, "move", version="v2")
    assert town[2].journal[-1].kind == "moved"
    assert_at_rest(town[2])
    town.close(1, "nothing")
    assert (town[2].state.version, town[2].task.title) == ("v2", "Look at it")
    assert {clock.promise for clock in town[2].state.live_clocks if not clock.task} == {"resolve", "first"}
    assert rebuild(town[2].journal) == town[2].state


# -- the original ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "came_to"), [("done", "fixed"), ("same", "duplicate")])
def test_duplicates_close_with_their_original(town: Town, outcome: str, came_to: str) -> None:
    """As duplicates, with the original's outcome in the journal; each reporter is told once."""
    town.attach(2, to=1)
    town.attach(3, to=1)
    town.close(1, outcome)
    for number in (2, 3):
        assert town[number].state.outcome == "duplicate"
        assert notices(town[number]) == ["received", "closed"]
        (entry,) = town[number].entries("original_closed")
        assert entry.data == {"original": "R-1", "outcome": came_to}
    assert town[1].state.attached == ("R-2", "R-3")
    assert town[1].state.outcome == came_to


def test_where_nothing_was_found_the_duplicate_is_looked_at(town: Town) -> None:
    """From its start, with clocks of its own that count from now; the old ones stay as history."""
    town.attach(2, to=1)
    town.now = at("wed 10:00")
    town.close(1, "nothing")
    second = town[2]
    assert (second.state.status, second.state.attached_to) == ("open", None)
    assert second.task.step == "work"
    assert second.clock("resolve").state.value == "ended"
    fresh = second.clock("resolve.2")
    assert (fresh.state.value, fresh.started_at, fresh.due_at) == ("running", town.now, at("wed 10:00", week=1))
    assert town[1].state.attached == ()
    assert notices(second) == ["received"]
    town.close(2)
    assert second.clock("resolve.2").state.value == "met"


def test_a_type_may_let_them_close(town: Town) -> None:
    """`when_nothing_found: close`."""
    town = Town(holes(when_nothing_found="close"), at("mon 09:00"))
    town.open()
    town.open()
    town.attach(2, to=1)
    town.close(1, "nothing")
    assert town[2].state.outcome == "duplicate"


def test_a_cancelled_original_leaves_its_duplicates(town: Town) -> None:
    """Whoever withdrew one report has not withdrawn the others'."""
    town.attach(2, to=1)
    town.do(1, "cancel", reason="sold")
    assert (town[2].state.status, town[2].task.step) == ("open", "work")


# -- the duplicate goes its own way ------------------------------------------------------------------------------------


def test_a_detached_request_begins_at_its_start(town: Town) -> None:
    """The original forgets it."""
    town.attach(2, to=1)
    town.now = at("tue 09:00")
    town.do(2, "detach", reason="another hole")
    assert town[2].task.visit == 2
    assert town[2].clock("resolve.2").started_at == town.now
    assert town[1].state.attached == ()
    town.close(1)
    assert not town[2].state.closed
    assert [entry.data["original"] for entry in town[2].entries("detached")] == ["R-1"]


def test_a_cancelled_duplicate_is_gone(town: Town) -> None:
    """Its reporter may withdraw it as any other; the original forgets it."""
    town.attach(2, to=1)
    result = town[2].do("cancel", town.now, REPORTER, reason="mine")
    town._collect(town[2])
    town.tell_all()
    assert result.state.outcome == "cancelled"
    assert town[1].state.attached == ()


# -- at the opening ----------------------------------------------------------------------------------------------------


def test_a_report_is_attached_at_its_opening(town: Town) -> None:
    """It never begins: no task, no clock; its reporter is told that it was received."""
    fourth = town.open(attach_to=town.original(1))
    town.tell_all()
    assert_at_rest(fourth)
    assert fourth.state.clocks == {}
    assert fourth.state.decision == 1
    assert [entry.kind for entry in fourth.journal] == ["opened", "attached"]
    assert notices(fourth) == ["received"]
    assert town[1].state.attached == ("R-4",)


def test_an_original_that_is_not_older_is_none(town: Town) -> None:
    """A clock that stood wrong at the door must not cost the report."""
    later = {"id": "R-9", "opened_at": town.now + dt.timedelta(days=1)}
    fourth = town.open(attach_to=later)
    assert (fourth.state.attached_to, fourth.task.step) == (None, "work")


# -- at the same time --------------------------------------------------------------------------------------------------


def test_the_original_closes_before_it_hears_of_its_duplicate(town: Town) -> None:
    """The duplicate hears of it all the same."""
    town.give(2, "attach", to=town.original(1), reason="x")
    town.give(1, "complete", task=town[1].task.id, outcome="done")
    town.tell_all()
    assert town[2].state.outcome == "duplicate"
    assert town[1].state.attached == ("R-2",)


def test_the_original_is_attached_before_it_hears_of_its_duplicate(town: Town) -> None:
    """The duplicate is sent on."""
    town.give(3, "attach", to=town.original(2), reason="x")
    town.give(2, "attach", to=town.original(1), reason="x")
    town.tell_all()
    assert town[3].state.attached_to == "R-1"
    assert town[1].state.attached == ("R-2", "R-3")


def test_a_duplicate_is_detached_while_its_original_closes(town: Town) -> None:
    """It goes its own way; what it is told too late is refused."""
    town.attach(2, to=1)
    town.give(1, "complete", task=town[1].task.id, outcome="done")
    town.give(2, "detach", reason="another hole")
    town.tell_all()
    assert town[2].task.step == "work"
    assert town[1].state.attached == ()


MOVES = st.one_of(
    st.tuples(st.just("tell"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("attach"), st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.just("detach"), st.integers(1, 5), st.just(0)),
    st.tuples(st.sampled_from(["done", "nothing", "cancel", "reopen"]), st.integers(1, 5), st.just(0)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves=st.lists(MOVES, max_size=25), last=st.lists(st.integers(0, 9), max_size=40))
def test_whatever_happens_meanwhile_they_agree_in_the_end(moves: list[tuple[str, int, int]], last: list[int]) -> None:
    """Five requests, any commands, told in any order: an attached one's original is open and knows it."""
    town = Town(holes(), at("mon 09:00"))
    for _ in range(5):
        town.open()
    for kind, number, other in moves:
        if kind == "tell":
            town.tell(number)
        elif kind == "attach":
            town.give(number, "attach", to=town.original(other), reason="x")
        elif kind in ("detach", "cancel", "reopen"):
            town.give(number, kind, reason="x")
        else:
            town.give(number, "complete", task=f"R-{number}-T{town[number].state.tasks_made}", outcome=kind)
    for which in last:
        town.tell(which)
    town.tell_all()
    for request in town.requests.values():
        state = request.state
        assert rebuild(request.journal) == state
        if state.attached_to and not state.closed:
            original = town.requests[state.attached_to].state
            assert not original.closed
            assert original.attached_to is None
            assert state.id in original.attached
            assert_at_rest(request)
        for duplicate in state.attached:
            assert town.requests[duplicate].state.attached_to == state.id
