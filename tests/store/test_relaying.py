"""What the relay is given to ring for: per request the lowest, after its patience, each to one relay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session

from fixline.catalog import Catalog
from fixline.store import inbox
from fixline.store.inbox import retry_parked
from fixline.store.relaying import Call, claim_calls
from fixline.store.store import Store
from fixline.store.tables import RequestRow
from tests.support.city import City
from tests.support.types import errand

PATIENCE = timedelta(seconds=4)


@pytest.fixture
def errands(city: City) -> City:
    """The city with the type `errand`."""
    city.publish(errand())
    return city


def started(city: City) -> str:
    """A request whose workflow has taken it up."""
    request_id = city.open()
    city.advance(request_id, first=True)
    return request_id


def claim(city: City, limit: int = 50) -> list[Call]:
    """What is due now."""
    return city.store.write(lambda s: claim_calls(s, city.now, PATIENCE, limit))


def test_the_lowest_waiting_command_of_each_request(errands: City) -> None:
    first, second = started(errands), started(errands)
    errands.accept(first, "comment", text="a")
    errands.accept(first, "hold", reason="b")
    errands.accept(second, "hold", reason="c")
    errands.later(seconds=5)
    assert claim(errands) == [Call(first, "comment", 2), Call(second, "hold", 2)]


def test_a_fresh_command_is_left_to_its_own_bell(errands: City) -> None:
    request_id = started(errands)
    errands.accept(request_id, "comment", text="a")
    errands.later(seconds=3.9)
    assert claim(errands) == []
    errands.later(seconds=0.1)
    assert claim(errands) == [Call(request_id, "comment", 2)]


def test_what_was_claimed_is_left_alone_for_a_while(errands: City) -> None:
    request_id = started(errands)
    row = errands.accept(request_id, "comment", text="a")
    errands.later(seconds=5)
    assert len(claim(errands)) == 1
    assert errands.command(row.id).rung_at == errands.now
    errands.later(seconds=3)
    assert claim(errands) == []
    errands.later(seconds=1)
    assert len(claim(errands)) == 1


def test_what_is_answered_is_not_rung_for(errands: City) -> None:
    request_id = started(errands)
    errands.accept(request_id, "comment", text="a")
    errands.accept(request_id, "claim", task="none")
    errands.advance(request_id)
    errands.later(hours=1)
    assert claim(errands) == []


def test_a_parked_command_is_rung_for_anew_once_it_is_retried(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = started(errands)
    errands.accept(request_id, "comment", text="a")
    with monkeypatch.context() as broken:

        def fails(*_: object, **__: object) -> None:
            raise RuntimeError("a fault")

        broken.setattr(inbox, "advance", fails)
        errands.advance(request_id)
    errands.later(hours=1)
    assert claim(errands) == []
    errands.store.write(retry_parked)
    assert claim(errands) == [Call(request_id, "comment", 2, again=1)]


def test_a_request_that_no_workflow_has_taken_up_is_started(errands: City) -> None:
    request_id = errands.open()
    errands.later(seconds=3)
    assert claim(errands) == []
    errands.later(seconds=1)
    assert claim(errands) == [Call(request_id)]
    assert claim(errands) == []
    errands.later(seconds=4)
    assert claim(errands) == [Call(request_id)]
    errands.advance(request_id, first=True)
    errands.later(hours=1)
    assert claim(errands) == []


def test_a_closed_request_with_nothing_left_to_do_is_not_started(errands: City) -> None:
    request_id = errands.open()
    for effect in errands.effects_of(request_id):
        errands.effects.take(request_id, effect.id, errands.now, lambda *_: None)
    errands.store.write(lambda s: s.execute(update(RequestRow).values(shell_at=None)))
    errands.do(request_id, "cancel", reason="x")
    errands.later(hours=1)
    assert claim(errands) == []


def test_no_more_than_asked_for_commands_first_and_the_oldest_first(errands: City) -> None:
    requests = [started(errands) for _ in range(3)]
    for request_id in reversed(requests):
        errands.accept(request_id, "comment", text="a")
        errands.later(seconds=1)
    waiting = errands.open()
    errands.later(seconds=10)
    assert [call.request_id for call in claim(errands, limit=2)] == [requests[2], requests[1]]
    assert [call.request_id for call in claim(errands, limit=2)] == [requests[0], waiting]


@pytest.mark.postgres
def test_two_relays_never_get_the_same_request(postgres_store: Store, catalog: Catalog) -> None:
    city = City(postgres_store, catalog)
    city.publish(errand())
    requests = [started(city) for _ in range(4)]
    for request_id in requests:
        city.accept(request_id, "comment", text="a")
    opened = [city.open() for _ in range(2)]
    city.later(seconds=5)
    with Session(postgres_store.engine) as one, Session(postgres_store.engine) as other, one.begin(), other.begin():
        first = claim_calls(one, city.now, PATIENCE, 3)
        second = claim_calls(other, city.now, PATIENCE, 50)
    assert [call.request_id for call in first] == requests[:3]
    assert [call.request_id for call in second] == [requests[3], *opened]
