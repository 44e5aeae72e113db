"""Commands that wait by a fault of ours: the workflow has them tried; those that stay at fault are parked, and may be
retried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from fixline.domain.process.commands import Command
from fixline.service.commands import PARK_AFTER, retry_parked
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.faults import AMEND, Fault, amending, break_rules, catching_up
from tests.support.types import errand, promised


@pytest.fixture
def errands(city: City) -> City:
    """The city with types of one step, with and without a deadline of an hour."""
    city.publish(errand(), promised())
    return city


def test_a_command_that_stays_at_fault_is_parked_in_the_end(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    break_rules(monkeypatch, amending)
    bad = errands.do(request_id, "amend", **AMEND)
    errands.do(request_id, "comment", text="after")
    work = errands.due(request_id, errands.later(minutes=1))
    parked = errands.command(bad.id)
    assert (parked.state, parked.attempts, parked.answer["code"]) == ("failed", PARK_AFTER, "parked")
    assert (parked.decision, parked.applied_at) == (None, errands.now)
    assert parked.fault == "Fault: cannot decide amend"
    assert (work.decision, work.waiting) == (2, 0)
    assert errands.request(request_id).fault is None
    assert_consistent(errands.store)


def test_a_fault_that_passes_parks_nothing(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second try of the workflow's look finds the rules mended."""
    request_id = errands.open()
    tries = 0

    def at_first(command: Command, _: bool) -> bool:
        nonlocal tries
        tries += command.kind == "amend"
        return command.kind == "amend" and tries < PARK_AFTER

    break_rules(monkeypatch, at_first)
    bad = errands.do(request_id, "amend", **AMEND)
    errands.due(request_id)
    row = errands.command(bad.id)
    assert (row.state, row.attempts, row.decision) == ("applied", PARK_AFTER - 1, 2)
    assert row.fault == "Fault: cannot decide amend", "what was wrong with it stays to be read"
    assert errands.request(request_id).description == "x"
    assert_consistent(errands.store)


def test_one_at_fault_does_not_keep_others_from_being_decided(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    first = errands.waiting(request_id, "comment", text="before")
    bad = errands.waiting(request_id, "amend", **AMEND)
    last = errands.waiting(request_id, "comment", text="after")
    break_rules(monkeypatch, amending)
    assert errands.due(request_id).decision == 3
    assert [errands.command(row.id).state for row in (first, bad, last)] == ["applied", "failed", "applied"]
    assert [row.text for row in errands.journal(request_id, "commented")] == ["before", "after"]
    assert_consistent(errands.store)


@pytest.mark.parametrize(("kind", "status"), [("hold", "open"), ("cancel", "closed")])
def test_a_stop_that_had_to_wait_is_not_blocked_by_what_was_due_either(
    errands: City, monkeypatch: pytest.MonkeyPatch, kind: str, status: str
) -> None:
    request_id = errands.open("promise")
    row = errands.waiting(request_id, kind, reason="it must stop")
    errands.later(hours=2)
    break_rules(monkeypatch, catching_up)
    errands.due(request_id)
    stopped = errands.command(row.id)
    assert (stopped.state, stopped.attempts) == ("applied", 2)
    assert (errands.request(request_id).status, errands.request(request_id).on_hold) == (status, kind == "hold")
    assert errands.journal(request_id, "rung_fired") == []
    assert_consistent(errands.store)


def test_a_parked_command_is_applied_once_it_is_retried(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    with monkeypatch.context() as broken:
        break_rules(broken, amending)
        bad = errands.do(request_id, "amend", **AMEND)
        errands.due(request_id)
    errands.do(request_id, "comment", text="meanwhile")
    assert errands.store.write(retry_parked) == 1
    waiting = errands.command(bad.id)
    assert (waiting.state, waiting.attempts, waiting.retries, waiting.applied_at) == ("waiting", 0, 1, None)
    assert waiting.answer == {}
    assert_consistent(errands.store)
    errands.due(request_id)
    assert (errands.command(bad.id).state, errands.command(bad.id).decision) == ("applied", 3)
    assert errands.request(request_id).description == "x"
    assert_consistent(errands.store)


def test_a_retried_command_may_be_parked_again(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has as many tries as the first time."""
    request_id = errands.open()
    break_rules(monkeypatch, amending)
    bad = errands.do(request_id, "amend", **AMEND)
    errands.due(request_id)
    errands.store.write(retry_parked)
    errands.due(request_id)
    parked = errands.command(bad.id)
    assert (parked.state, parked.attempts, parked.retries) == ("failed", PARK_AFTER, 1)


def test_every_parked_command_can_be_retried_at_once(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [errands.open() for _ in range(3)]
    with monkeypatch.context() as broken:
        break_rules(broken, amending)
        for request_id in requests:
            errands.do(request_id, "amend", **AMEND)
            errands.due(request_id)
    assert errands.store.write(retry_parked) == 3
    for request_id in requests:
        errands.due(request_id)
        assert errands.request(request_id).description == "x"
    assert_consistent(errands.store)


def test_a_parked_command_keeps_its_key(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = errands.open()
    break_rules(monkeypatch, lambda command, _: command.kind == "comment")
    row = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    errands.due(request_id)
    again = errands.do(request_id, "comment", key="k", body_hash="one", text="x")
    assert (again.id, again.state) == (row.id, "failed")
    assert errands.request(request_id).last_command == 2


def test_a_fault_is_counted_on_no_other_command(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at once go on command by command: what the other one has applied must not be parked by this one."""
    request_id = errands.open()
    good = [errands.waiting(request_id, "comment", text=str(n)) for n in range(3)]
    bad = errands.waiting(request_id, "amend", **AMEND)
    good += [errands.waiting(request_id, "comment", text=str(n)) for n in range(3, 6)]
    break_rules(monkeypatch, amending)
    at_once([lambda: errands.due(request_id)] * 4)
    assert [errands.command(row.id).state for row in good] == ["applied"] * 6
    assert [errands.command(row.id).attempts for row in good] == [1] * 6
    assert (errands.command(bad.id).state, errands.command(bad.id).attempts) == ("failed", PARK_AFTER)
    assert [row.text for row in errands.journal(request_id, "commented")] == [str(n) for n in range(6)]
    assert_consistent(errands.store)


def test_a_command_that_another_run_has_decided_stays_so(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """This run reads that the command waits, then another decides it, then this one comes to it."""
    request_id = errands.open()
    first = errands.waiting(request_id, "comment", text="first")
    other = City(errands.store, errands.catalog)
    real_try = errands.rules._try

    def other_first(*arguments: Any) -> None:
        other.due(request_id)
        real_try(*arguments)

    monkeypatch.setattr(errands.rules, "_try", other_first)
    errands.due(request_id)
    assert (errands.command(first.id).state, errands.command(first.id).attempts) == ("applied", 1)
    assert len(errands.journal(request_id, "commented")) == 1
    assert_consistent(errands.store)


def test_a_fault_does_not_undo_what_another_run_has_decided_meanwhile(
    errands: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This run fails, and before the fault is counted another one, whose rules are mended, decides the command."""
    request_id = errands.open()
    first = errands.waiting(request_id, "amend", **AMEND)
    mended = False
    break_rules(monkeypatch, lambda command, _: command.kind == "amend" and not mended)
    real_write = errands.store.write

    def write(work: Callable[[Session], Any]) -> Any:
        nonlocal mended
        try:
            return real_write(work)
        except Fault:
            mended = True
            errands.due(request_id)
            raise

    monkeypatch.setattr(errands.store, "write", write)
    errands.due(request_id)
    row = errands.command(first.id)
    assert (row.state, row.attempts, row.fault) == ("applied", 1, "Fault: of the test's")
    assert_consistent(errands.store)
