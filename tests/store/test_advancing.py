"""The inbox: commands applied once, in order and in time, each with its answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fixline.store.arrivals import RequestUnknown
from fixline.store.inbox import StoreBehind
from fixline.store.tables import CommandRow
from tests.support.city import SUPERVISOR, City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand, nap, promised


@pytest.fixture
def errands(city: City) -> City:
    """The city with types that have deadlines of an hour, and a wait of ten minutes."""
    city.publish(errand(), promised(), nap("10 calendar minutes"))
    return city


def test_what_waits_is_applied_in_order_each_with_its_answer(errands: City) -> None:
    request_id = errands.open()
    task = errands.task(request_id).id
    errands.accept(request_id, "claim", task=task, assignee="gloria-mbeki")
    errands.accept(request_id, "complete", task=task, outcome="again", form={"note": "once more"})
    errands.accept(request_id, "comment", text="seen")
    applied = errands.advance(request_id)
    rows = errands.commands(request_id)
    assert [(row.number, row.state, row.decision) for row in rows] == [(n, "applied", n) for n in (1, 2, 3, 4)]
    assert rows[1].answer["task"]["assignee"] == "gloria-mbeki"
    assert rows[2].answer["task"]["state"] == "completed"
    assert [row.answer["request"]["decision"] for row in rows[1:]] == [2, 3, 4]
    assert (applied.decision, applied.closed, applied.step, applied.type) == (4, False, "work", "errand")
    assert [each.kind for each in applied.pending] == ["dispatch", "dispatch"]
    assert errands.task(request_id).visit == 2
    assert_consistent(errands.store)


def test_a_refusal_is_an_answer_and_no_decision(errands: City) -> None:
    request_id = errands.open()
    wrong = errands.accept(request_id, "complete", task=f"{request_id}-T9", outcome="done")
    right = errands.accept(request_id, "comment", text="x")
    errands.advance(request_id)
    refused = errands.command(wrong.id)
    assert (refused.state, refused.decision, refused.answer["code"]) == ("refused", None, "task_not_open")
    assert errands.command(right.id).decision == 2
    assert errands.request(request_id).decision == 2
    assert_consistent(errands.store)


def test_what_waits_behind_a_close_is_refused(errands: City) -> None:
    request_id = errands.open()
    errands.accept(request_id, "cancel", reason="x")
    late = errands.accept(request_id, "hold", reason="y")
    applied = errands.advance(request_id)
    assert applied.closed
    assert errands.command(late.id).answer["code"] == "request_closed"
    assert_consistent(errands.store)


def test_a_repeated_pass_changes_nothing(errands: City) -> None:
    request_id = errands.open("promise")
    errands.do(request_id, "comment", text="x")
    first = errands.advance(request_id)
    journal = [row.model_dump() for row in errands.journal(request_id)]
    assert errands.advance(request_id) == first
    assert errands.advance(request_id, known=first.decision) == first
    assert [row.model_dump() for row in errands.journal(request_id)] == journal


def test_the_first_pass_of_a_shell_is_noted_once(errands: City) -> None:
    request_id = errands.open()
    errands.advance(request_id)
    assert errands.request(request_id).shell_at is None
    errands.advance(request_id, first=True)
    noted = errands.now
    errands.later(hours=1)
    errands.advance(request_id, first=True)
    assert errands.request(request_id).shell_at == noted


def test_a_store_behind_its_workflow_says_so_and_changes_nothing(errands: City) -> None:
    request_id = errands.open()
    row = errands.accept(request_id, "comment", text="x")
    with pytest.raises(StoreBehind, match="has seen decision 7, the store 1"):
        errands.advance(request_id, known=7)
    assert errands.command(row.id).state == "waiting"


def test_a_request_that_nobody_knows(errands: City) -> None:
    with pytest.raises(RequestUnknown):
        errands.advance("SR26-99999999")


def test_next_is_the_first_rung_and_then_what_follows(errands: City) -> None:
    opened = errands.now
    request_id = errands.open("promise")
    assert errands.advance(request_id).next_at == opened + timedelta(minutes=30)
    half = errands.advance(request_id, errands.later(minutes=30))
    assert half.next_at == opened + timedelta(hours=1)
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%"]
    due = errands.advance(request_id, errands.later(minutes=30))
    assert due.next_at is None
    assert due.priority == "high"
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%", "due"]
    assert_consistent(errands.store)


def test_one_late_tick_fires_every_rung_that_is_due(errands: City) -> None:
    request_id = errands.open("promise")
    errands.advance(request_id, errands.later(days=3))
    fired = errands.journal(request_id, "rung_fired")
    assert [(row.data["last_rung"], row.data["late"]) for row in fired] == [("50%", True), ("due", True)]
    assert [row.decision for row in fired] == [2, 2]
    assert [effect.data["rung"] for effect in errands.effects_of(request_id, "escalate")] == ["50%", "due"]


def test_an_answer_given_in_time_never_breaches(errands: City) -> None:
    request_id = errands.open("promise")
    task = errands.task(request_id).id
    errands.accept(request_id, "complete", task=task, outcome="done", at=errands.later(minutes=59))
    applied = errands.advance(request_id, errands.later(hours=5))
    assert applied.closed
    clock = errands.clocks(request_id)["resolve"]
    assert (clock.state, clock.breached_at) == ("met", None)
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%"]
    assert_consistent(errands.store)


def test_what_fell_due_before_a_command_happens_before_it(errands: City) -> None:
    request_id = errands.open("promise")
    row = errands.accept(request_id, "comment", text="too late", at=errands.later(minutes=61))
    errands.advance(request_id, errands.later(hours=5))
    decision = [entry.kind for entry in errands.journal(request_id) if entry.decision == 2]
    assert decision == ["rung_fired", "clock_breached", "rung_fired", "priority_changed", "commented"]
    assert errands.command(row.id).decision == 2


def test_the_signal_comes_before_the_end_of_the_wait(errands: City) -> None:
    request_id = errands.open("nap")
    errands.accept(request_id, "signal", name="wake", at=errands.later(minutes=9))
    applied = errands.advance(request_id, errands.later(minutes=20))
    assert (applied.step, applied.closed) == ("work", False)
    assert_consistent(errands.store)


def test_the_wait_ends_before_a_signal_that_is_late(errands: City) -> None:
    request_id = errands.open("nap")
    late = errands.accept(request_id, "signal", name="wake", at=errands.later(minutes=11))
    applied = errands.advance(request_id, errands.later(minutes=20))
    assert (applied.closed, applied.outcome) == (True, "fixed")
    assert errands.command(late.id).state == "refused"
    assert_consistent(errands.store)


def test_a_tick_is_never_before_the_instant_it_was_armed_for(errands: City) -> None:
    """Clocks of two machines differ: the workflow's may be behind the instant for which its timer was set."""
    request_id = errands.open("promise")
    armed_at = errands.now + timedelta(minutes=30)
    behind = armed_at - timedelta(milliseconds=300)
    errands.advance(request_id, behind, armed_at=armed_at)
    (fired,) = errands.journal(request_id, "rung_fired")
    assert fired.at == armed_at


def test_a_hold_stops_the_clocks(errands: City) -> None:
    request_id = errands.open("promise")
    errands.later(minutes=20)
    held = errands.do(request_id, "hold", reason="frost", actor=SUPERVISOR)
    assert held.answer["request"]["on_hold"] is True
    assert errands.advance(request_id, errands.later(days=2)).next_at is None
    assert errands.journal(request_id, "rung_fired") == []
    errands.do(request_id, "resume")
    assert errands.advance(request_id).next_at == errands.now + timedelta(minutes=10)
    assert_consistent(errands.store)


def test_passes_at_once_apply_each_command_once(errands: City) -> None:
    request_id = errands.open()
    for number in range(12):
        errands.accept(request_id, "comment", text=str(number))
    results = at_once([lambda: errands.advance(request_id)] * 6)
    assert {result.decision for result in results} == {13}
    texts = [row.text for row in errands.journal(request_id, "commented")]
    assert texts == [str(number) for number in range(12)]
    assert_consistent(errands.store)


def test_accepting_and_applying_at_once_loses_nothing(errands: City) -> None:
    request_id = errands.open()

    def give(number: int) -> None:
        errands.accept(request_id, "comment", text=str(number))
        errands.advance(request_id)

    works = [lambda n=n: give(n) for n in range(16)]
    at_once(works)
    assert sorted(int(row.text) for row in errands.journal(request_id, "commented")) == list(range(16))
    assert {row.state for row in errands.commands(request_id)} == {"applied"}
    assert errands.count(CommandRow) == 17
    assert_consistent(errands.store)
