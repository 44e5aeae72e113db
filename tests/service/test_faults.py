"""Faults of ours: what cannot be decided waits or is put off, later commands go on, nothing blocks hold and cancel."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.domain.process.commands import COMMAND, Tick
from fixline.domain.process.decision import Refused
from fixline.service.commands import FAULT_PAUSE, Given
from fixline.service.submissions import KeyReused, Locked, NotAllowed
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.faults import AMEND, Fault, amending, break_rules, catching_up
from tests.support.types import errand, promised


@pytest.fixture
def errands(city: City) -> City:
    """The city with types of one step, with and without a deadline of an hour."""
    city.publish(errand(), promised())
    return city


# -- at the door -------------------------------------------------------------------------------------------------------


def test_a_command_at_fault_waits_and_later_ones_go_on(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    first = errands.do(request_id, "comment", text="before")
    break_rules(monkeypatch, amending)
    errands.later(minutes=1)
    bad, signal = errands.given(request_id, "amend", **AMEND)
    last = errands.do(request_id, "comment", text="after")
    waiting = errands.command(bad.id)
    assert waiting.model_dump() == bad._asdict()
    assert (waiting.state, waiting.attempts, waiting.fault) == ("waiting", 1, "Fault: cannot decide amend")
    assert (waiting.number, waiting.answer, waiting.decision, waiting.applied_at) == (3, {}, None, None)
    assert waiting.accepted_at == errands.now
    assert [(first.decision, first.number), (last.decision, last.number)] == [(2, 2), (3, 4)]
    assert signal is not None
    assert (signal.name, signal.work.decision, signal.work.waiting, signal.work.over) == ("amend", 2, 1, False)
    assert errands.request(request_id).fault is None
    assert_consistent(errands.store)


def test_a_closed_request_with_a_command_that_waits_is_not_over(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workflow must live until the command is decided or parked."""
    request_id = errands.open()
    errands.take(request_id)
    errands.do(request_id, "cancel", reason="x")
    break_rules(monkeypatch, lambda command, _: command.kind == "comment")
    given = errands.given(request_id, "comment", text="thanks")
    assert given.signal is not None
    assert (given.signal.work.closed, given.signal.work.over) == (True, False)


def test_a_command_that_waits_keeps_its_key(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated, it is the same row, and is not decided anew: its turn has come when the workflow looks."""
    request_id = errands.open()
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: command.kind == "comment")
        first = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
        assert errands.given(request_id, "comment", key="k", body_hash="one", text="x") == Given(first, None)
    assert errands.given(request_id, "comment", key="k", body_hash="one", text="x") == Given(first, None)
    with pytest.raises(KeyReused):
        errands.do(request_id, "comment", key="k", body_hash="two", text="y")
    errands.due(request_id)
    again = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    assert (again.id, again.state) == (first.id, "applied")
    assert errands.request(request_id).last_command == 2
    assert_consistent(errands.store)


def test_one_key_at_once_waits_once(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    break_rules(monkeypatch, amending)
    given = at_once([lambda: errands.given(request_id, "amend", key="k", body_hash="one", **AMEND)] * 6)
    assert len({each.row.id for each in given}) == 1
    assert len([each for each in given if each.signal is not None]) == 1
    assert errands.request(request_id).last_command == 2
    assert_consistent(errands.store)


def test_who_may_not_give_a_command_cannot_have_it_wait_either(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked anew, for the request may be another's by then."""
    request_id = errands.open()
    break_rules(monkeypatch, amending)
    asked: list[str] = []

    def once(session: Session, row: Locked) -> None:
        asked.append(row.id)
        if len(asked) > 1:
            raise NotAllowed("not yours")

    submission = errands.submission(COMMAND.validate_python({"kind": "amend", **AMEND}))
    with pytest.raises(NotAllowed):
        errands.rules.submit(request_id, submission, once)
    assert len(asked) == 2
    assert errands.request(request_id).last_command == 1


@pytest.mark.parametrize(("kind", "status"), [("hold", "open"), ("cancel", "closed")])
def test_a_fault_in_catching_up_does_not_block(
    errands: City, monkeypatch: pytest.MonkeyPatch, kind: str, status: str
) -> None:
    request_id = errands.open("promise")
    errands.later(hours=2)
    break_rules(monkeypatch, catching_up)
    other = errands.do(request_id, "comment", text="x")
    row = errands.do(request_id, kind, reason="it must stop")
    assert (other.state, row.state) == ("waiting", "applied")
    request = errands.request(request_id)
    assert (request.status, request.on_hold) == (status, kind == "hold")
    assert errands.journal(request_id, "rung_fired") == []
    assert_consistent(errands.store)
    errands.due(request_id)
    assert (errands.command(other.id).state, errands.command(row.id).state) == ("failed", "applied")
    assert_consistent(errands.store)


def test_a_refusal_without_catching_up_is_the_answer(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open("promise")
    errands.do(request_id, "hold", reason="x")
    break_rules(monkeypatch, catching_up)
    with pytest.raises(Refused) as refused:
        errands.do(request_id, "hold", reason="again")
    assert refused.value.refusal.code == "already_on_hold"
    assert errands.request(request_id).last_command == 2


def test_what_cannot_be_decided_without_catching_up_either_waits(
    errands: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    request_id = errands.open("promise")
    break_rules(monkeypatch, lambda command, _: command.kind == "hold")
    with caplog.at_level(logging.ERROR):
        row = errands.do(request_id, "hold", reason="x")
    assert (row.state, row.attempts) == ("waiting", 1)
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
    assert "without catching up failed, too" in caplog.text


# -- what is due -------------------------------------------------------------------------------------------------------


def test_a_failing_tick_is_noted_put_off_and_forgotten_when_it_succeeds(
    errands: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = errands.open("promise")
    at = errands.later(minutes=30)
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: isinstance(command, Tick))
        work = errands.due(request_id, armed_at=at)
    assert work.next_at == work.wake_at == at + FAULT_PAUSE
    request = errands.request(request_id)
    assert (request.fault, request.next_at) == ("Fault: cannot decide tick", at + FAULT_PAUSE)
    assert errands.journal(request_id, "rung_fired") == []
    assert_consistent(errands.store)
    errands.due(request_id, errands.later(minutes=15), armed_at=at + FAULT_PAUSE)
    request = errands.request(request_id)
    assert (request.fault, request.next_at) == (None, at + timedelta(minutes=30))
    (fired,) = errands.journal(request_id, "rung_fired")
    assert (fired.data["last_rung"], fired.data["late"]) == ("50%", True)
    assert_consistent(errands.store)


def put_off(city: City, monkeypatch: pytest.MonkeyPatch) -> str:
    """A request of which what was due could not be decided."""
    request_id = city.open("promise")
    city.later(minutes=30)
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: isinstance(command, Tick))
        city.due(request_id)
    assert city.request(request_id).fault is not None
    return request_id


def test_a_fault_ends_with_the_first_command_that_catches_up(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it has happened."""
    request_id = put_off(errands, monkeypatch)
    errands.later(minutes=1)
    given = errands.given(request_id, "comment", text="x")
    request = errands.request(request_id)
    assert (request.fault, len(errands.journal(request_id, "rung_fired"))) == (None, 1)
    assert given.signal is not None
    assert given.signal.work.next_at == request.next_at == errands.now + timedelta(minutes=29)
    assert_consistent(errands.store)


def test_a_refused_command_does_not_end_a_fault(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = put_off(errands, monkeypatch)
    before = errands.request(request_id).model_dump()
    errands.later(minutes=1)
    with pytest.raises(Refused):
        errands.do(request_id, "resume")
    assert errands.request(request_id).model_dump() == before


def test_a_fault_ends_with_the_request(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = put_off(errands, monkeypatch)
    applied = errands.do(request_id, "cancel", reason="x")
    assert applied.state == "applied"
    assert (errands.request(request_id).fault, errands.request(request_id).next_at) == (None, None)


def test_a_fault_ends_with_a_request_that_cannot_catch_up(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is due any more, and no workflow is left to look."""
    request_id = put_off(errands, monkeypatch)
    break_rules(monkeypatch, catching_up)
    assert errands.do(request_id, "cancel", reason="x").state == "applied"
    assert (errands.request(request_id).fault, errands.request(request_id).next_at) == (None, None)
    assert_consistent(errands.store)


def test_a_fault_ends_with_a_command_that_has_waited(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """It, too, catches up with what was due before it was given."""
    request_id = put_off(errands, monkeypatch)
    errands.later(minutes=1)
    errands.waiting(request_id, "comment", text="x")
    errands.due(request_id)
    request = errands.request(request_id)
    assert (request.fault, len(errands.journal(request_id, "rung_fired"))) == (None, 1)
    assert_consistent(errands.store)


def test_after_a_fault_nothing_is_left_to_fire_for_ever(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer for an instant that has passed, at which nothing is due, would fire again and again."""
    request_id = errands.open()
    with monkeypatch.context() as broken:

        def unreadable(*_: object) -> Definition:
            raise Fault("the version cannot be read")

        broken.setattr(errands.versions, "load", unreadable)
        assert errands.do(request_id, "comment", text="x").state == "waiting"
        work = errands.due(request_id)
    assert work.next_at == errands.now + FAULT_PAUSE
    assert errands.commands(request_id)[1].state == "failed"
    work = errands.due(request_id, errands.later(minutes=15), armed_at=work.next_at)
    assert (work.next_at, errands.request(request_id).fault) == (None, None)
    assert_consistent(errands.store)


def test_a_workflow_knows_that_what_is_due_was_put_off(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the relay would tell it for ever."""
    request_id = put_off(errands, monkeypatch)
    request = errands.request(request_id)
    assert request.signalled == request.decision == 1
