"""What is due: it happens once and in time, after the commands that have waited; the workflow is told what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fixline.domain.process.commands import SYSTEM
from fixline.messages import PendingWork, Summary
from fixline.service.commands import StoreBehind
from fixline.service.submissions import RequestUnknown
from fixline.store.tables import CommandRow
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand, nap, promised


@pytest.fixture
def errands(city: City) -> City:
    """The city with types that have deadlines of an hour, and a wait of ten minutes."""
    city.publish(errand(), promised(), nap("10 calendar minutes"))
    return city


def test_next_is_the_first_rung_and_then_what_follows(errands: City) -> None:
    opened = errands.now
    request_id = errands.open("promise")
    assert errands.due(request_id).next_at == opened + timedelta(minutes=30)
    half = errands.due(request_id, errands.later(minutes=30))
    assert half.next_at == opened + timedelta(hours=1)
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%"]
    due = errands.due(request_id, errands.later(minutes=30))
    assert due.next_at is None
    assert due.summary.priority == "high"
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%", "due"]
    assert {row.actor for row in errands.journal(request_id, "rung_fired")} == {SYSTEM.name}
    assert_consistent(errands.store)


def test_the_answer_says_all_that_is_left_to_do(errands: City) -> None:
    request_id = errands.open("promise")
    work = errands.due(request_id, errands.later(minutes=30))
    assert (work.decision, work.closed, work.waiting, work.over) == (2, False, 0, False)
    assert [(each.effect_id, each.kind, each.reach) for each in work.effects] == [
        (f"{request_id}:1:1", "dispatch", "store"),
        (f"{request_id}:2:1", "escalate", "store"),
    ]
    assert work.summary == Summary("promise", "open", None, "work", "normal")
    assert replace(work, wake_at=None) == errands.work(request_id)


def test_one_late_tick_fires_every_rung_that_is_due(errands: City) -> None:
    request_id = errands.open("promise")
    errands.due(request_id, errands.later(days=3))
    fired = errands.journal(request_id, "rung_fired")
    assert [(row.data["last_rung"], row.data["late"]) for row in fired] == [("50%", True), ("due", True)]
    assert [row.decision for row in fired] == [2, 2]
    assert [effect.data["rung"] for effect in errands.effects_of(request_id, "escalate")] == ["50%", "due"]


def test_asking_again_changes_nothing(errands: City) -> None:
    request_id = errands.open("promise")
    errands.do(request_id, "comment", text="x")
    errands.later(minutes=40)
    errands.due(request_id)
    first = errands.due(request_id)
    journal = [row.model_dump() for row in errands.journal(request_id)]
    row = errands.request(request_id).model_dump()
    assert errands.due(request_id) == first
    assert errands.due(request_id, known=first.decision) == first
    assert [row.model_dump() for row in errands.journal(request_id)] == journal
    assert errands.request(request_id).model_dump() == row


def test_what_the_workflow_asks_for_it_knows(errands: City) -> None:
    """So no relay tells it again."""
    request_id = errands.open("promise")
    assert errands.request(request_id).signalled == 0
    errands.due(request_id)
    assert errands.request(request_id).signalled == 1
    errands.due(request_id, errands.later(minutes=30))
    assert (errands.request(request_id).decision, errands.request(request_id).signalled) == (2, 2)


def test_a_run_without_a_timer_is_told_when_to_wake(errands: City) -> None:
    """Also where the next instant is no news."""
    request_id = errands.open("promise")
    assert errands.due(request_id).wake_at is None
    work = errands.due(request_id, unarmed=True)
    assert work.wake_at == work.next_at == errands.now + timedelta(minutes=30)


def test_a_tick_is_never_before_the_instant_it_was_armed_for(errands: City) -> None:
    """Clocks of two machines differ: the workflow's may be behind the instant for which its timer was set."""
    request_id = errands.open("promise")
    armed_at = errands.now + timedelta(minutes=30)
    behind = armed_at - timedelta(milliseconds=300)
    errands.due(request_id, behind, armed_at=armed_at)
    (fired,) = errands.journal(request_id, "rung_fired")
    assert fired.at == armed_at


def test_a_closed_request_has_nothing_due(errands: City) -> None:
    request_id = errands.open("promise")
    errands.take(request_id)
    errands.do(request_id, "cancel", reason="x")
    work = errands.due(request_id, errands.later(days=1))
    assert (work.decision, work.closed, work.next_at, work.over) == (2, True, None, True)
    assert errands.journal(request_id, "rung_fired") == []


def test_a_store_behind_its_workflow_says_so_and_changes_nothing(errands: City) -> None:
    request_id = errands.open("promise")
    row = errands.waiting(request_id, "comment", text="x")
    errands.later(hours=2)
    with pytest.raises(StoreBehind, match="has seen decision 7, the store 1"):
        errands.due(request_id, known=7)
    assert errands.command(row.id).state == "waiting"
    assert (errands.request(request_id).decision, errands.request(request_id).signalled) == (1, 0)


def test_a_request_that_nobody_knows(errands: City) -> None:
    with pytest.raises(RequestUnknown):
        errands.due("SR26-99999999")


def test_asked_for_at_once_it_happens_once(errands: City) -> None:
    request_id = errands.open("promise")
    errands.later(hours=2)
    results = at_once([lambda: errands.due(request_id)] * 6)
    assert {result.decision for result in results} == {2}
    assert len(errands.journal(request_id, "rung_fired")) == 2
    assert_consistent(errands.store)


# -- commands that wait ------------------------------------------------------------------------------------------------


def test_what_waits_is_decided_in_order_each_with_its_answer(errands: City) -> None:
    request_id = errands.open()
    task = errands.task(request_id).id
    errands.waiting(request_id, "claim", task=task, assignee="gloria-mbeki")
    errands.waiting(request_id, "complete", task=task, outcome="again", form={"note": "once more"})
    errands.waiting(request_id, "comment", text="seen")
    assert errands.work(request_id).waiting == 3
    work = errands.due(request_id, errands.later(minutes=1))
    rows = errands.commands(request_id)
    assert [(row.number, row.state, row.decision) for row in rows] == [(n, "applied", n) for n in (1, 2, 3, 4)]
    assert [row.applied_at for row in rows[1:]] == [errands.now] * 3
    assert rows[1].answer["task"]["assignee"] == "gloria-mbeki"
    assert rows[2].answer["task"]["state"] == "completed"
    assert [row.answer["request"]["decision"] for row in rows[1:]] == [2, 3, 4]
    assert (work.decision, work.closed, work.waiting) == (4, False, 0)
    assert [each.kind for each in work.effects] == ["dispatch", "dispatch"]
    assert errands.task(request_id).visit == 2
    assert errands.request(request_id).signalled == 4
    assert_consistent(errands.store)


def test_a_refusal_is_the_answer_of_one_that_has_waited(errands: City) -> None:
    request_id = errands.open()
    wrong = errands.waiting(request_id, "complete", task=f"{request_id}-T9", outcome="done")
    right = errands.waiting(request_id, "comment", text="x")
    errands.due(request_id)
    refused = errands.command(wrong.id)
    assert (refused.state, refused.decision, refused.answer["code"]) == ("refused", None, "task_not_open")
    assert errands.command(right.id).decision == 2
    assert errands.request(request_id).decision == 2
    assert_consistent(errands.store)


def test_what_has_waited_behind_a_close_is_refused(errands: City) -> None:
    request_id = errands.open()
    errands.waiting(request_id, "cancel", reason="x")
    late = errands.waiting(request_id, "hold", reason="y")
    assert errands.due(request_id).closed
    assert errands.command(late.id).answer["code"] == "request_closed"
    assert_consistent(errands.store)


def test_an_answer_that_was_given_in_time_and_had_to_wait_never_breaches(errands: City) -> None:
    """It is decided as of the instant at which it was given, before what has fallen due since."""
    request_id = errands.open("promise")
    errands.later(minutes=59)
    errands.waiting(request_id, "complete", task=errands.task(request_id).id, outcome="done")
    assert errands.due(request_id, errands.later(hours=4)).closed
    clock = errands.clocks(request_id)["resolve"]
    assert (clock.state, clock.breached_at) == ("met", None)
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%"]
    assert_consistent(errands.store)


def test_the_signal_that_had_to_wait_comes_before_the_end_of_the_wait(errands: City) -> None:
    request_id = errands.open("nap")
    errands.later(minutes=9)
    errands.waiting(request_id, "signal", name="wake")
    work = errands.due(request_id, errands.later(minutes=11))
    assert (work.summary.step, work.closed) == ("work", False)
    assert_consistent(errands.store)


def test_the_wait_ends_before_a_signal_that_is_late(errands: City) -> None:
    request_id = errands.open("nap")
    errands.later(minutes=11)
    late = errands.waiting(request_id, "signal", name="wake")
    work = errands.due(request_id, errands.later(minutes=9))
    assert (work.closed, work.summary.outcome) == (True, "fixed")
    assert errands.command(late.id).state == "refused"
    assert_consistent(errands.store)


def test_later_commands_do_not_wait_for_one_that_waits(errands: City) -> None:
    """And what had to wait is decided then as if it had come last."""
    request_id = errands.open()
    waiting = errands.waiting(request_id, "comment", text="first")
    errands.later(minutes=1)
    assert errands.do(request_id, "comment", text="second").decision == 2
    errands.due(request_id, errands.later(minutes=1))
    assert (errands.command(waiting.id).state, errands.command(waiting.id).decision) == ("applied", 3)
    remarks = errands.journal(request_id, "commented")
    assert [row.text for row in remarks] == ["second", "first"]
    assert remarks[0].at <= remarks[1].at
    assert_consistent(errands.store)


def test_what_comes_to_wait_meanwhile_is_said(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow then looks again."""
    request_id = errands.open()
    errands.waiting(request_id, "comment", text="first")
    real_try = errands.rules._try

    def another_comes(*arguments: Any) -> None:
        real_try(*arguments)
        errands.waiting(request_id, "comment", text="second")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(errands.rules, "_try", another_comes)
        work = errands.due(request_id)
    assert (work.decision, work.waiting) == (2, 1)
    assert errands.due(request_id).waiting == 0
    assert_consistent(errands.store)


def test_runs_at_once_decide_each_command_once(errands: City) -> None:
    request_id = errands.open()
    for number in range(12):
        errands.waiting(request_id, "comment", text=str(number))
    results: list[PendingWork] = at_once([lambda: errands.due(request_id)] * 6)
    assert max(result.decision for result in results) == 13
    assert errands.due(request_id).decision == 13
    texts = [row.text for row in errands.journal(request_id, "commented")]
    assert texts == [str(number) for number in range(12)]
    assert errands.count(CommandRow) == 13
    assert_consistent(errands.store)
