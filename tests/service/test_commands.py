"""A command at the door: decided where it arrives, once, with its answer; or refused, and nothing is written."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session

from fixline.domain.process.commands import COMMAND, Actor, Role
from fixline.domain.process.decision import Refusal, Refused
from fixline.messages import Attributes, Summary
from fixline.service.commands import Given
from fixline.service.submissions import (
    KeyReused,
    Locked,
    NotAllowed,
    RequestUnknown,
    Submission,
    find_stored,
)
from fixline.store.tables import CommandRow, JournalRow, RequestRow, table_of
from tests.support.city import SUPERVISOR, City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import QUEUE, errand, nap, promised


@pytest.fixture
def errands(city: City) -> City:
    """The city with types that have deadlines of an hour, and a wait of ten minutes."""
    city.publish(errand(), promised(), nap("10 calendar minutes"))
    return city


def refusal(city: City, request_id: str, kind: str, **body: Any) -> Refusal:
    """Why the rules refuse this command."""
    with pytest.raises(Refused) as refused:
        city.do(request_id, kind, **body)
    return refused.value.refusal


# -- decided where it arrives ------------------------------------------------------------------------------------------


def test_a_command_has_its_answer_when_it_is_taken(errands: City) -> None:
    request_id = errands.open()
    errands.later(minutes=1)
    row = errands.do(request_id, "comment", text="hello")
    kept = errands.command(row.id)
    assert kept.model_dump() == row._asdict()
    assert (kept.number, kept.kind, kept.state, kept.decision, kept.attempts) == (2, "comment", "applied", 2, 0)
    assert (kept.accepted_at, kept.applied_at) == (errands.now, errands.now)
    assert kept.body["text"] == "hello"
    assert kept.answer["request"]["decision"] == 2
    request = errands.request(request_id)
    assert (request.last_command, request.decision, request.updated_at) == (2, 2, errands.now)
    assert [(entry.kind, entry.text) for entry in errands.journal(request_id) if entry.decision == 2] == [
        ("commented", "hello")
    ]
    assert_consistent(errands.store)


def test_each_has_the_next_number_and_its_own_answer(errands: City) -> None:
    request_id = errands.open()
    task = errands.task(request_id).id
    errands.do(request_id, "claim", task=task, assignee="gloria-mbeki")
    errands.do(request_id, "complete", task=task, outcome="again", form={"note": "once more"})
    errands.do(request_id, "comment", text="seen")
    rows = errands.commands(request_id)
    assert [(row.number, row.state, row.decision) for row in rows] == [(n, "applied", n) for n in (1, 2, 3, 4)]
    assert rows[1].answer["task"]["assignee"] == "gloria-mbeki"
    assert rows[2].answer["task"]["state"] == "completed"
    assert [row.answer["request"]["decision"] for row in rows[1:]] == [2, 3, 4]
    assert errands.task(request_id).visit == 2
    assert_consistent(errands.store)


def test_the_workflow_is_to_be_told_all_that_is_left_to_do(errands: City) -> None:
    request_id = errands.open("promise")
    signal = errands.given(request_id, "priority", priority="high", reason="a school").signal
    assert signal is not None
    assert (signal.request_id, signal.name, signal.starts) == (request_id, "priority", False)
    work = signal.work
    assert work == errands.work(request_id)
    assert (work.decision, work.closed, work.over, work.waiting) == (2, False, False, 0)
    assert work.next_at == errands.now + timedelta(minutes=30)
    assert [(each.effect_id, each.kind, each.reach) for each in work.effects] == [
        (f"{request_id}:1:1", "dispatch", "store")
    ]
    assert work.summary == Summary("promise", "open", None, "work", "high")
    due = errands.now + timedelta(hours=1)
    assert work.attributes == Attributes("promise", "transportation", QUEUE, None, "open", "high", due)


def test_what_is_over_is_told_as_over(errands: City) -> None:
    request_id = errands.open()
    errands.take(request_id)
    given = errands.given(request_id, "cancel", reason="a mistake")
    assert given.signal is not None
    assert given.signal.work.over
    assert given.signal.work.summary == Summary("errand", "closed", "cancelled", None, "normal")


def test_after_a_decision_at_the_door_the_workflow_has_still_to_be_told(errands: City) -> None:
    """Only what it has asked for itself is known to it."""
    request_id = errands.open()
    errands.do(request_id, "comment", text="x")
    errands.work(request_id)
    assert errands.request(request_id).signalled == 0
    errands.due(request_id)
    assert errands.request(request_id).signalled == 2
    errands.do(request_id, "comment", text="y")
    assert errands.request(request_id).signalled == 2


# -- at the same time --------------------------------------------------------------------------------------------------


def test_numbers_have_no_gaps_however_many_come_at_once(errands: City) -> None:
    first, second = errands.open(), errands.open()
    works = [lambda r=r, n=n: errands.do(r, "comment", text=str(n)) for n in range(20) for r in (first, second)]
    rows = at_once(works)
    assert {row.state for row in rows} == {"applied"}
    for request_id in (first, second):
        numbers = [(row.number, row.decision) for row in errands.commands(request_id)]
        assert numbers == [(number, number) for number in range(1, 22)]
        assert errands.request(request_id).last_command == 21
        assert sorted(int(row.text) for row in errands.journal(request_id, "commented")) == list(range(20))
    assert_consistent(errands.store)


def test_of_commands_that_exclude_each_other_one_is_applied(errands: City) -> None:
    request_id = errands.open()
    task = errands.task(request_id).id

    def claim(who: str) -> str:
        try:
            return str(errands.do(request_id, "claim", task=task, assignee=who).answer["task"]["assignee"])
        except Refused as refused:
            return refused.refusal.code

    found = at_once([partial(claim, f"crew-{n}") for n in range(6)])
    *refused, claimed = sorted(found, key=lambda each: each.startswith("crew-"))
    assert refused == ["task_state"] * 5
    assert errands.task(request_id).assignee == claimed
    assert errands.request(request_id).last_command == 2
    assert_consistent(errands.store)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_a_repeated_key_gives_the_same_row_and_decides_nothing(errands: City) -> None:
    request_id = errands.open()
    first = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    errands.later(hours=1)
    again = errands.given(request_id, "comment", key="k", body_hash="one", text="x")
    assert again == Given(first, None)
    with pytest.raises(KeyReused):
        errands.do(request_id, "comment", key="k", body_hash="another", text="y")
    assert (errands.request(request_id).last_command, errands.request(request_id).decision) == (2, 2)


def test_the_same_command_again_is_one_command(errands: City) -> None:
    """By its own id, too, as Fixline itself gives commands."""
    request_id = errands.open()
    submission = errands.submission(COMMAND.validate_python({"kind": "comment", "text": "x"}), command_id="C-mine")
    first = errands.rules.submit(request_id, submission)
    assert errands.rules.submit(request_id, submission) == Given(first.row, None)
    assert errands.request(request_id).decision == 2


def test_a_key_belongs_to_its_caller(errands: City) -> None:
    request_id = errands.open()
    first = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    submission = errands.submission(errands.report().command, key="k", body_hash="two", caller="somebody else")
    assert errands.store.write(lambda s: find_stored(s, submission)) is None
    assert errands.command(first.id).caller == "tests"


def test_one_key_at_once_is_one_command(errands: City) -> None:
    request_id = errands.open()
    send = [lambda: errands.given(request_id, "comment", key="k", body_hash="one", text="x")] * 8
    given = at_once(send)
    assert len({each.row.id for each in given}) == 1
    assert len([each for each in given if each.signal is not None]) == 1
    assert (errands.request(request_id).last_command, errands.request(request_id).decision) == (2, 2)
    assert_consistent(errands.store)


def test_one_key_at_once_for_two_requests_is_one_command(errands: City) -> None:
    """A caller's mistake, but one that must not look like a fault of the database, nor wait as one."""
    requests = [errands.open() for _ in range(6)]

    def send(request_id: str) -> bool:
        try:
            errands.do(request_id, "comment", key="k", body_hash=request_id, text="x")
        except KeyReused:
            return False
        return True

    works = [lambda r=r: send(r) for r in requests]
    assert sorted(at_once(works)) == [False] * 5 + [True]
    assert errands.count(CommandRow) == 7
    assert_consistent(errands.store, settled=False)


def test_a_key_of_a_refused_command_is_free(errands: City) -> None:
    request_id = errands.open()
    assert refusal(errands, request_id, "resume", key="k", body_hash="one").code == "not_on_hold"
    errands.do(request_id, "hold", reason="frost")
    assert errands.do(request_id, "resume", key="k", body_hash="two").state == "applied"


def test_a_repeated_key_is_answered_after_the_close_too(errands: City) -> None:
    request_id = errands.open()
    first = errands.do(request_id, "cancel", key="k", body_hash="one", reason="a mistake")
    again = errands.given(request_id, "cancel", key="k", body_hash="one", reason="a mistake")
    assert again == Given(first, None)


# -- refused -----------------------------------------------------------------------------------------------------------


def test_a_refusal_writes_nothing(errands: City) -> None:
    """Not even what was due before: the workflow's timer sees to that."""
    request_id = errands.open("promise")
    before = errands.request(request_id).model_dump()
    errands.later(hours=2)
    assert refusal(errands, request_id, "claim", task=f"{request_id}-T9", assignee="x").code == "task_not_open"
    assert errands.request(request_id).model_dump() == before
    assert (errands.count(CommandRow), errands.journal(request_id, "rung_fired")) == (1, [])
    assert errands.due(request_id).decision == 2
    assert len(errands.journal(request_id, "rung_fired")) == 2
    assert_consistent(errands.store)


def test_a_refusal_is_kept_where_nobody_waits_for_an_answer(errands: City) -> None:
    """What an effect learned, and what one request tells another, is a row of the request in any case."""
    request_id = errands.open()
    command = COMMAND.validate_python({"kind": "resume"})
    submission = errands.submission(command, actor=Actor(name="SR26-00000099", role=Role.SYSTEM))
    given = errands.store.write(lambda s: errands.rules.decide(s, request_id, submission, keep_refusal=True))
    kept = errands.command(submission.command_id)
    assert kept.model_dump() == given.row._asdict()
    assert (kept.number, kept.state, kept.decision, kept.applied_at) == (2, "refused", None, errands.now)
    assert kept.answer["code"] == "not_on_hold"
    assert given.signal is not None
    assert (given.signal.name, given.signal.work.decision) == ("resume", 1)
    assert (errands.request(request_id).last_command, errands.request(request_id).decision) == (2, 1)
    assert_consistent(errands.store)


def test_a_closed_request_takes_remarks_only(errands: City) -> None:
    request_id = errands.open()
    errands.do(request_id, "cancel", reason="a mistake")
    refused = refusal(errands, request_id, "hold", reason="too late")
    assert (refused.code, refused.data) == ("request_closed", {"outcome": "cancelled"})
    assert errands.request(request_id).last_command == 2
    assert errands.do(request_id, "comment", text="thank you").state == "applied"
    assert_consistent(errands.store)


def test_history_from_another_system_takes_no_commands(errands: City) -> None:
    request_id = errands.open()
    request = table_of(RequestRow)
    errands.store.write(lambda s: s.connection().execute(update(request).values(state=None, version=None)))
    assert refusal(errands, request_id, "comment", text="x").code == "request_is_history"
    assert errands.count(CommandRow) == 1


def test_a_request_that_nobody_knows_takes_nothing(errands: City) -> None:
    with pytest.raises(RequestUnknown):
        errands.do("SR26-99999999", "comment", text="x")
    assert errands.count(CommandRow) == 0


def test_who_may_not_give_a_command_is_told_so_and_nothing_else(errands: City) -> None:
    """Asked about the locked request; also where the command was given before, whose answer is not theirs."""
    request_id = errands.open()
    asked: list[str | None] = []
    not_allowed = NotAllowed("not yours")

    def nobody(session: Session, row: Locked) -> None:
        asked.append(row.team)
        raise not_allowed

    def submit(submission: Submission) -> None:
        with pytest.raises(NotAllowed, match="not yours") as said:
            errands.rules.submit(request_id, submission, nobody)
        assert said.value is not_allowed

    command = COMMAND.validate_python({"kind": "comment", "text": "x"})
    submit(errands.submission(command))
    assert errands.request(request_id).last_command == 1
    errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    submit(errands.submission(command, key="k", body_hash="one"))
    assert asked == [QUEUE, QUEUE]
    assert errands.request(request_id).last_command == 2


# -- in time -----------------------------------------------------------------------------------------------------------


def test_what_fell_due_before_a_command_happens_before_it(errands: City) -> None:
    request_id = errands.open("promise")
    errands.later(minutes=61)
    row = errands.do(request_id, "comment", text="too late")
    decision = [entry.kind for entry in errands.journal(request_id) if entry.decision == 2]
    assert decision == ["rung_fired", "clock_breached", "rung_fired", "priority_changed", "commented"]
    assert row.decision == 2
    assert errands.count(JournalRow) == len(errands.journal(request_id))
    assert_consistent(errands.store)


def test_an_answer_given_in_time_never_breaches(errands: City) -> None:
    request_id = errands.open("promise")
    errands.later(minutes=59)
    errands.do(request_id, "complete", task=errands.task(request_id).id, outcome="done")
    assert errands.due(request_id, errands.later(hours=5)).closed
    clock = errands.clocks(request_id)["resolve"]
    assert (clock.state, clock.breached_at) == ("met", None)
    assert [row.data["last_rung"] for row in errands.journal(request_id, "rung_fired")] == ["50%"]
    assert_consistent(errands.store)


def test_the_signal_comes_before_the_end_of_the_wait(errands: City) -> None:
    request_id = errands.open("nap")
    errands.later(minutes=9)
    errands.do(request_id, "signal", name="wake")
    work = errands.due(request_id, errands.later(minutes=11))
    assert (work.summary.step, work.closed) == ("work", False)
    assert_consistent(errands.store)


def test_the_wait_ends_before_a_signal_that_is_late(errands: City) -> None:
    """The signal is refused, so nothing is written; the end of the wait is left to the timer."""
    request_id = errands.open("nap")
    errands.later(minutes=11)
    assert refusal(errands, request_id, "signal", name="wake").code == "request_closed"
    work = errands.due(request_id)
    assert (work.closed, work.summary.outcome) == (True, "fixed")
    assert_consistent(errands.store)


def test_a_hold_stops_the_clocks(errands: City) -> None:
    request_id = errands.open("promise")
    errands.later(minutes=20)
    held = errands.given(request_id, "hold", reason="frost", actor=SUPERVISOR)
    assert held.row.answer["request"]["on_hold"] is True
    assert held.signal is not None
    assert held.signal.work.next_at is None
    assert errands.due(request_id, errands.later(days=2)).next_at is None
    assert errands.journal(request_id, "rung_fired") == []
    resumed = errands.given(request_id, "resume")
    assert resumed.signal is not None
    assert resumed.signal.work.next_at == errands.now + timedelta(minutes=10)
    assert_consistent(errands.store)
