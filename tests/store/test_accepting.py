"""Accepting a command at the door: numbers, keys, refusals, the cap on doorbells."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from fixline.store.arrivals import MAX_BELLS, KeyReused, RefusedAtDoor, RequestUnknown, find_received
from fixline.store.tables import CommandRow, RequestRow, table_of
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand


@pytest.fixture
def errands(city: City) -> City:
    """The city with the type `errand`."""
    city.publish(errand())
    return city


def test_an_accepted_command_waits_under_the_next_number(errands: City) -> None:
    request_id = errands.open()
    row = errands.accept(request_id, "comment", text="hello")
    kept = errands.command(row.id)
    assert (kept.number, kept.kind, kept.state, kept.answer, kept.decision) == (2, "comment", "waiting", {}, None)
    assert (kept.accepted_at, kept.rung_at, kept.applied_at) == (errands.now, errands.now, None)
    assert kept.body["text"] == "hello"
    assert errands.request(request_id).inbox == 2
    assert errands.request(request_id).decision == 1


def test_numbers_have_no_gaps_however_many_come_at_once(errands: City) -> None:
    first, second = errands.open(), errands.open()
    works = [lambda r=r, n=n: errands.accept(r, "comment", text=str(n)) for n in range(10) for r in (first, second)]
    at_once(works)
    for request_id in (first, second):
        assert [row.number for row in errands.commands(request_id)] == list(range(1, 12))
        assert errands.request(request_id).inbox == 11
    assert_consistent(errands.store)


def test_at_most_eight_bells_ring_for_a_request(errands: City) -> None:
    request_id = errands.open()
    at_once([lambda: errands.accept(request_id, "comment", text="x")] * 12)
    rung = [row.rung_at is not None for row in errands.commands(request_id)[1:]]
    assert rung == [True] * MAX_BELLS + [False] * 4
    errands.advance(request_id)
    assert errands.accept(request_id, "comment", text="x").rung_at is not None


def test_a_repeated_key_gives_the_same_row(errands: City) -> None:
    request_id = errands.open()
    first = errands.accept(request_id, "comment", key="k", body_hash="one", text="x")
    assert errands.accept(request_id, "comment", key="k", body_hash="one", text="x").id == first.id
    errands.advance(request_id)
    again = errands.accept(request_id, "comment", key="k", body_hash="one", text="x")
    assert (again.id, again.state) == (first.id, "applied")
    with pytest.raises(KeyReused):
        errands.accept(request_id, "comment", key="k", body_hash="another", text="y")
    assert errands.request(request_id).inbox == 2


def test_a_key_belongs_to_its_caller(errands: City) -> None:
    request_id = errands.open()
    first = errands.accept(request_id, "comment", key="k", body_hash="one", text="x")
    arrival = errands.arrival(errands.report().command, key="k", body_hash="two", caller="somebody else")
    assert errands.store.write(lambda s: find_received(s, arrival)) is None
    assert errands.command(first.id).caller == "tests"


def test_one_key_at_once_is_one_command(errands: City) -> None:
    request_id = errands.open()
    send = [lambda: errands.accept(request_id, "comment", key="k", body_hash="one", text="x")] * 8
    assert len({row.id for row in at_once(send)}) == 1
    assert errands.request(request_id).inbox == 2


def test_one_key_at_once_for_two_requests_is_one_command(errands: City) -> None:
    """A caller's mistake, but one that must not look like a fault of the database."""
    requests = [errands.open() for _ in range(6)]

    def send(request_id: str) -> bool:
        try:
            errands.accept(request_id, "comment", key="k", body_hash=request_id, text="x")
        except KeyReused:
            return False
        return True

    works = [lambda r=r: send(r) for r in requests]
    assert sorted(at_once(works)) == [False] * 5 + [True]
    assert errands.count(CommandRow) == 7
    assert_consistent(errands.store)


def test_the_door_is_closed_with_the_request_but_for_remarks(errands: City) -> None:
    request_id = errands.open()
    errands.do(request_id, "cancel", reason="a mistake")
    with pytest.raises(RefusedAtDoor) as refused:
        errands.accept(request_id, "hold", reason="too late")
    assert refused.value.refusal.code == "request_closed"
    assert refused.value.refusal.data == {"outcome": "cancelled"}
    assert errands.request(request_id).inbox == 2
    assert errands.do(request_id, "comment", text="thank you").state == "applied"
    assert_consistent(errands.store)


def test_a_repeated_key_is_answered_after_the_close_too(errands: City) -> None:
    request_id = errands.open()
    errands.accept(request_id, "cancel", key="k", body_hash="one", reason="a mistake")
    errands.advance(request_id)
    assert errands.accept(request_id, "cancel", key="k", body_hash="one", reason="a mistake").state == "applied"


def test_history_from_another_system_takes_no_commands(errands: City) -> None:
    request_id = errands.open()
    request = table_of(RequestRow)
    errands.store.write(lambda s: s.connection().execute(update(request).values(state=None, version=None)))
    with pytest.raises(RefusedAtDoor) as refused:
        errands.accept(request_id, "comment", text="x")
    assert refused.value.refusal.code == "request_is_history"


def test_a_request_that_nobody_knows_takes_nothing(errands: City) -> None:
    with pytest.raises(RequestUnknown):
        errands.accept("SR26-99999999", "comment", text="x")
    assert errands.count(CommandRow) == 0
