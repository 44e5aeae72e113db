"""Faults of ours: a command that cannot be applied is parked, later ones go on, nothing blocks hold and cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from fixline.domain.advance import advance as real_advance
from fixline.domain.commands import Command, Tick
from fixline.domain.decision import Decision, Refusal
from fixline.domain.definition import Definition
from fixline.domain.state import RequestState
from fixline.store import inbox
from fixline.store.inbox import FAULT_PAUSE, PARK_AFTER, retry_parked
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand, promised

Faulty = Callable[[Command, bool], bool]


class Fault(Exception):
    """A fault of ours."""


def break_rules(monkeypatch: pytest.MonkeyPatch, faulty: Faulty) -> None:
    """Make the rules raise for these commands (given with whether they are to catch up first)."""

    def advance(
        definition: Definition, state: RequestState | None, command: Command, now: datetime, **how: Any
    ) -> Decision | Refusal:
        if faulty(command, how.get("catch_up", True)):
            raise Fault(f"cannot decide {command.kind}")
        return real_advance(definition, state, command, now, **how)

    monkeypatch.setattr(inbox, "advance", advance)


@pytest.fixture
def errands(city: City) -> City:
    """The city with types of one step, with and without a deadline of an hour."""
    city.publish(errand(), promised())
    return city


def test_a_command_at_fault_is_parked_and_later_ones_go_on(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    first = errands.accept(request_id, "comment", text="before")
    bad = errands.accept(request_id, "amend", description="x", reason="y")
    last = errands.accept(request_id, "comment", text="after")
    break_rules(monkeypatch, lambda command, _: command.kind == "amend")
    applied = errands.advance(request_id)
    assert applied.decision == 3
    assert [errands.command(row.id).state for row in (first, bad, last)] == ["applied", "failed", "applied"]
    parked = errands.command(bad.id)
    assert (parked.attempts, parked.answer["code"], parked.decision) == (PARK_AFTER, "parked", None)
    assert parked.fault == "Fault: cannot decide amend"
    assert errands.request(request_id).fault is None
    assert_consistent(errands.store)


def test_a_parked_command_is_applied_once_it_is_retried(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    bad = errands.accept(request_id, "amend", description="x", reason="y")
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: command.kind == "amend")
        errands.advance(request_id)
    errands.do(request_id, "comment", text="meanwhile")
    assert errands.store.write(lambda s: retry_parked(s, ["C-none"])) == 0
    assert errands.store.write(lambda s: retry_parked(s, [bad.id])) == 1
    waiting = errands.command(bad.id)
    assert (waiting.state, waiting.attempts, waiting.retries, waiting.rung_at) == ("waiting", 0, 1, None)
    assert waiting.answer == {}
    assert_consistent(errands.store)
    errands.advance(request_id)
    assert (errands.command(bad.id).state, errands.command(bad.id).decision) == ("applied", 3)
    assert errands.request(request_id).description == "x"
    assert_consistent(errands.store)


def test_every_parked_command_can_be_retried_at_once(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [errands.open() for _ in range(3)]
    for request_id in requests:
        errands.accept(request_id, "amend", description="x", reason="y")
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: command.kind == "amend")
        for request_id in requests:
            errands.advance(request_id)
    assert errands.store.write(retry_parked) == 3
    for request_id in requests:
        errands.advance(request_id)
        assert errands.request(request_id).description == "x"
    assert_consistent(errands.store, settled=False)


def test_a_parked_command_keeps_its_key(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    break_rules(monkeypatch, lambda command, _: command.kind == "comment")
    row = errands.accept(request_id, "comment", key="k", body_hash="one", text="x")
    errands.advance(request_id)
    again = errands.accept(request_id, "comment", key="k", body_hash="one", text="x")
    assert (again.id, again.state) == (row.id, "failed")
    assert errands.request(request_id).inbox == 2


@pytest.mark.parametrize(("kind", "status"), [("hold", "open"), ("cancel", "closed")])
def test_a_fault_in_catching_up_does_not_block(
    errands: City, monkeypatch: pytest.MonkeyPatch, kind: str, status: str
) -> None:
    request_id = errands.open("promise")
    errands.later(hours=2)
    break_rules(monkeypatch, lambda _, catch_up: catch_up)
    other = errands.accept(request_id, "comment", text="x")
    row = errands.accept(request_id, kind, reason="it must stop")
    errands.advance(request_id)
    assert errands.command(row.id).state == "applied"
    assert errands.command(other.id).state == "failed"
    request = errands.request(request_id)
    assert (request.status, request.on_hold) == (status, kind == "hold")
    assert errands.journal(request_id, "rung_fired") == []
    assert_consistent(errands.store)


def test_a_failing_tick_is_noted_put_off_and_forgotten_when_it_succeeds(
    errands: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = errands.open("promise")
    at = errands.later(minutes=30)
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: isinstance(command, Tick))
        applied = errands.advance(request_id, armed_at=at)
    assert applied.next_at == at + FAULT_PAUSE
    request = errands.request(request_id)
    assert (request.fault, request.next_at) == ("Fault: cannot decide tick", at + FAULT_PAUSE)
    assert errands.journal(request_id, "rung_fired") == []
    assert_consistent(errands.store)
    errands.advance(request_id, errands.later(minutes=15), armed_at=at + FAULT_PAUSE)
    request = errands.request(request_id)
    assert (request.fault, request.next_at) == (None, at + timedelta(minutes=30))
    (fired,) = errands.journal(request_id, "rung_fired")
    assert (fired.data["last_rung"], fired.data["late"]) == ("50%", True)
    assert_consistent(errands.store)


def test_a_fault_ends_with_the_request(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open("promise")
    errands.later(minutes=30)
    with monkeypatch.context() as broken:
        break_rules(broken, lambda command, _: isinstance(command, Tick))
        errands.advance(request_id)
    assert errands.request(request_id).fault is not None
    applied = errands.do(request_id, "cancel", reason="x")
    assert applied.state == "applied"
    assert (errands.request(request_id).fault, errands.request(request_id).next_at) == (None, None)


def test_after_a_fault_nothing_is_left_to_fire_for_ever(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer for an instant that has passed, at which nothing is due, would fire again and again."""
    request_id = errands.open()
    errands.accept(request_id, "comment", text="x")
    with monkeypatch.context() as broken:

        def unreadable(*_: object) -> Definition:
            raise Fault("the version cannot be read")

        broken.setattr(errands.versions, "load", unreadable)
        applied = errands.advance(request_id)
    assert applied.next_at == errands.now + FAULT_PAUSE
    assert errands.commands(request_id)[1].state == "failed"
    applied = errands.advance(request_id, errands.later(minutes=15), armed_at=applied.next_at)
    assert (applied.next_at, errands.request(request_id).fault) == (None, None)
    assert_consistent(errands.store)


def test_a_fault_in_the_first_pass_does_not_hide_the_shell(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the relay would try to start it for ever."""
    request_id = errands.open()
    errands.accept(request_id, "comment", text="x")
    break_rules(monkeypatch, lambda command, _: command.kind == "comment")
    errands.advance(request_id, first=True)
    assert errands.request(request_id).shell_at == errands.now


def test_a_fault_is_counted_on_no_other_command(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two passes at once go on command by command: what the other one has applied must not be parked by this one."""
    request_id = errands.open()
    good = [errands.accept(request_id, "comment", text=str(n)) for n in range(3)]
    bad = errands.accept(request_id, "amend", description="x", reason="y")
    good += [errands.accept(request_id, "comment", text=str(n)) for n in range(3, 6)]
    break_rules(monkeypatch, lambda command, _: command.kind == "amend")
    at_once([lambda: errands.advance(request_id)] * 4)
    assert [errands.command(row.id).state for row in good] == ["applied"] * 6
    assert errands.command(bad.id).state == "failed"
    assert [row.text for row in errands.journal(request_id, "commented")] == [str(n) for n in range(6)]
    assert_consistent(errands.store)


def test_a_command_that_another_pass_has_applied_stays_applied(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """This pass reads that the command waits, then another applies it, then this one fails at the next command."""
    request_id = errands.open()
    first = errands.accept(request_id, "comment", text="first")
    errands.accept(request_id, "amend", description="x", reason="y")
    other = City(errands.store, errands.catalog)
    passes = 0

    def faulty(command: Command, _: bool) -> bool:
        return command.kind == "amend"

    break_rules(monkeypatch, faulty)
    real_one = errands.inbox._one

    def one(*arguments: Any) -> None:
        nonlocal passes
        passes += 1
        if passes == 1:
            other.advance(request_id)
        real_one(*arguments)

    monkeypatch.setattr(errands.inbox, "_one", one)
    errands.advance(request_id)
    assert (errands.command(first.id).state, errands.command(first.id).attempts) == ("applied", 0)
    assert len(errands.journal(request_id, "commented")) == 1
    assert_consistent(errands.store)
