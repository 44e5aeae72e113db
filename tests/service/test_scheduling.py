"""What falls due at one instant is woken a little at a time, by a count in the process's memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixline.service import scheduling
from fixline.service.commands import Commands, Given
from fixline.service.scheduling import Scheduling
from tests.support.city import MORNING, City
from tests.support.types import promised

MONDAY = datetime(2026, 11, 23, 14, tzinfo=UTC)


def test_the_first_are_woken_at_the_instant_and_none_before_it() -> None:
    paced = Scheduling(per_second=2)
    assert [(paced.wake_at(MONDAY, f"R{n}") - MONDAY).total_seconds() for n in range(5)] == [0, 0, 1, 1, 2]


def test_a_request_that_is_asked_for_again_keeps_its_place() -> None:
    """As by a relay while Temporal is away: else what is due would be woken later and later."""
    paced = Scheduling(per_second=1)
    found = {(paced.wake_at(MONDAY, "R1"), paced.wake_at(MONDAY, "R2")) for _ in range(100)}
    assert found == {(MONDAY, MONDAY + timedelta(seconds=1))}


def test_other_instants_are_counted_by_themselves() -> None:
    paced = Scheduling(per_second=1)
    paced.wake_at(MONDAY, "R1")
    later = MONDAY + timedelta(microseconds=1)
    assert paced.wake_at(later, "R2") == later


def test_the_instant_that_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "INSTANTS", 2)
    paced = Scheduling(per_second=1)
    first, second, third = (MONDAY + timedelta(hours=n) for n in range(3))
    for number, instant in enumerate((first, second, first, third)):
        paced.wake_at(instant, f"R{number}")
    assert paced.wake_at(first, "R9") == first + timedelta(seconds=2)
    assert paced.wake_at(second, "R9") == second


def wake_at(given: Given) -> datetime | None:
    """When the workflow is told to wake."""
    assert given.signal is not None
    return given.signal.work.wake_at


def test_a_request_is_counted_when_its_next_instant_is_news(city: City) -> None:
    """As it is opened, not when it is looked at again; a run that has no timer yet is told its place."""
    city.publish(promised("1 calendar hour"))
    city.scheduling = Scheduling(per_second=1)
    city.rules = Commands(city.store, city.versions, city.scheduling)
    half = MORNING + timedelta(minutes=30)
    first, second = (city.opened("promise", opened_at=MORNING) for _ in range(2))
    assert [wake_at(given) for given in (first, second)] == [half, half + timedelta(seconds=1)]
    request_id = first.row.request_id
    assert city.due(request_id).wake_at is None
    assert city.due(request_id, unarmed=True).wake_at == half
    assert wake_at(city.given(request_id, "comment", text="x")) is None
    assert wake_at(city.given(request_id, "hold", reason="rain")) is None
    assert wake_at(city.given(request_id, "resume")) == half
    assert city.due(request_id, half).wake_at == half + timedelta(minutes=30)
