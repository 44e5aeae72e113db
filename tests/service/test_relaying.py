"""What the relay is given to signal: what no workflow is known to have been told, after its patience, each to one
relay.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from fixline.catalog import Catalog
from fixline.messages import WorkflowSignal
from fixline.service import commands
from fixline.service.commands import retry_parked
from fixline.service.pending import claim_signals, mark_signalled
from fixline.service.submissions import lock_request
from fixline.store.store import Store
from tests.support.city import City
from tests.support.types import errand, promised

PATIENCE = timedelta(seconds=4)


@pytest.fixture
def errands(city: City) -> City:
    """The city with errands, with and without a deadline."""
    city.publish(errand(), promised())
    return city


def told(city: City, request_id: str) -> None:
    """The workflow has been told of the last decision."""
    number = city.request(request_id).decision
    city.store.write(lambda s: mark_signalled(s, {request_id: number}))


def started(city: City) -> str:
    """A request whose workflow knows all of it."""
    request_id = city.open()
    told(city, request_id)
    return request_id


def claim(city: City, limit: int = 50) -> list[WorkflowSignal]:
    """What is to be signalled now."""
    return city.store.write(lambda s: claim_signals(s, city.now, PATIENCE, limit, city.scheduling))


def claimed(city: City, limit: int = 50) -> list[str]:
    """Of which requests."""
    return [signal.request_id for signal in claim(city, limit)]


def test_a_request_that_is_behind_is_signalled_with_all_that_is_left(errands: City) -> None:
    """One signal, named after its last command, however many its workflow has missed."""
    request_id = errands.open("promise")
    told(errands, request_id)
    errands.do(request_id, "comment", text="a")
    errands.do(request_id, "priority", priority="high", reason="a school")
    errands.later(seconds=5)
    (signal,) = claim(errands)
    assert (signal.request_id, signal.name, signal.starts) == (request_id, "priority", False)
    work = signal.work
    assert (work.decision, work.summary.priority, [each.kind for each in work.effects]) == (3, "high", ["dispatch"])
    assert work.next_at == errands.request(request_id).next_at
    assert work.wake_at is not None, "nobody knows whether the workflow was told when to wake"


def test_a_request_whose_workflow_was_never_told_anything_is_signalled_as_opened(errands: City) -> None:
    """The relay finds out whether there is a workflow."""
    request_id = errands.open()
    errands.later(seconds=5)
    (signal,) = claim(errands)
    assert (signal.request_id, signal.name, signal.work.decision) == (request_id, "open", 1)


def test_a_fresh_decision_is_left_to_the_signal_of_its_own_process(errands: City) -> None:
    request_id = started(errands)
    errands.do(request_id, "comment", text="a")
    errands.later(seconds=3.9)
    assert claimed(errands) == []
    errands.later(seconds=0.1)
    assert claimed(errands) == [request_id]


def test_what_was_claimed_is_left_alone_for_a_while(errands: City) -> None:
    """For as long as the patience lasts; then it was not delivered, and is claimed anew."""
    request_id = started(errands)
    errands.do(request_id, "comment", text="a")
    errands.later(seconds=5)
    assert claimed(errands) == [request_id]
    assert errands.request(request_id).relayed_at == errands.now
    errands.later(seconds=3)
    assert claimed(errands) == []
    errands.later(seconds=1)
    assert claimed(errands) == [request_id]


def test_what_the_workflow_knows_is_not_signalled(errands: City) -> None:
    """It was told, or has asked itself."""
    one, other = errands.open(), errands.open()
    for request_id in (one, other):
        errands.do(request_id, "comment", text="a")
    told(errands, one)
    errands.due(other)
    errands.later(hours=1)
    assert claimed(errands) == []


def test_a_command_that_waits_is_signalled_also_where_the_workflow_knows_the_last_decision(errands: City) -> None:
    request_id = started(errands)
    errands.waiting(request_id, "hold", reason="a")
    errands.later(seconds=3.9)
    assert claimed(errands) == []
    errands.later(seconds=0.1)
    (signal,) = claim(errands)
    assert (signal.request_id, signal.name, signal.work.decision, signal.work.waiting) == (request_id, "hold", 1, 1)
    assert claimed(errands) == []
    errands.later(seconds=4)
    assert claimed(errands) == [request_id]
    errands.due(request_id)
    errands.later(hours=1)
    assert claimed(errands) == []


def test_a_request_that_is_behind_and_has_a_command_that_waits_is_claimed_once(errands: City) -> None:
    request_id = errands.open()
    errands.waiting(request_id, "comment", text="a")
    errands.later(seconds=5)
    (signal,) = claim(errands)
    assert (signal.request_id, signal.name, signal.work.waiting) == (request_id, "comment", 1)


def test_a_parked_command_is_signalled_once_it_is_retried(errands: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: it was given long ago."""
    request_id = started(errands)
    with monkeypatch.context() as broken:

        def fails(*_: object, **__: object) -> None:
            raise RuntimeError("a fault")

        broken.setattr(commands, "advance", fails)
        errands.do(request_id, "comment", text="a")
        errands.due(request_id)
    errands.later(hours=1)
    assert claimed(errands) == []
    errands.store.write(retry_parked)
    assert claimed(errands) == [request_id]


def test_no_more_than_asked_for_those_behind_first_and_the_longest_first(errands: City) -> None:
    requests = [started(errands) for _ in range(3)]
    waits = started(errands)
    errands.waiting(waits, "comment", text="a")
    for request_id in reversed(requests):
        errands.later(seconds=1)
        errands.do(request_id, "comment", text="a")
    errands.later(seconds=10)
    assert claimed(errands, limit=2) == [requests[2], requests[1]]
    assert claimed(errands, limit=2) == [requests[0], waits]
    assert claimed(errands) == []


def test_a_note_never_takes_back_what_the_workflow_knows(errands: City) -> None:
    """Notes may come late, and about many requests at once; what nobody knows any more is passed over."""
    one, other, third = (errands.open() for _ in range(3))
    for request_id in (one, other):
        errands.do(request_id, "comment", text="a")
    errands.due(other)
    errands.store.write(lambda s: mark_signalled(s, {one: 1, other: 1, "SR26-99999999": 4}))
    assert [errands.request(each).signalled for each in (one, other, third)] == [1, 2, 0]
    errands.store.write(lambda s: mark_signalled(s, {third: 1, one: 2}))
    assert [errands.request(each).signalled for each in (one, other, third)] == [2, 2, 1]


@pytest.mark.postgres
def test_two_relays_never_get_the_same_request(postgres_store: Store, catalog: Catalog) -> None:
    city = City(postgres_store, catalog)
    city.publish(errand())
    requests = []
    for _ in range(4):
        requests.append(city.open())
        city.later(milliseconds=1)
    waiting = [started(city) for _ in range(2)]
    for request_id in waiting:
        city.waiting(request_id, "comment", text="a")
    city.later(seconds=5)
    with Session(postgres_store.engine) as one, Session(postgres_store.engine) as other, one.begin(), other.begin():
        first = claim_signals(one, city.now, PATIENCE, 3, city.scheduling)
        second = claim_signals(other, city.now, PATIENCE, 50, city.scheduling)
    assert [signal.request_id for signal in first] == requests[:3]
    assert second[0].request_id == requests[3]
    assert {signal.request_id for signal in second[1:]} == set(waiting)


@pytest.mark.postgres
def test_a_relay_does_not_wait_for_a_request_that_is_being_decided(postgres_store: Store, catalog: Catalog) -> None:
    city = City(postgres_store, catalog)
    city.publish(errand())
    busy, free = city.open(), city.open()
    city.later(seconds=5)
    with Session(postgres_store.engine) as deciding, deciding.begin():
        lock_request(deciding, busy)
        assert claimed(city) == [free]
    assert claimed(city) == [busy]
