"""What falls due at one instant is woken a little at a time, by a count in the process's memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fixline.store import pacing
from fixline.store.pacing import Pacing
from tests.support.city import MORNING, City
from tests.support.types import promised

MONDAY = datetime(2026, 11, 23, 14, tzinfo=UTC)


def test_the_first_are_woken_at_the_instant_and_none_before_it() -> None:
    paced = Pacing(per_second=2)
    assert [(paced.wake_at(MONDAY) - MONDAY).total_seconds() for _ in range(5)] == [0, 0, 1, 1, 2]


def test_other_instants_are_counted_by_themselves() -> None:
    paced = Pacing(per_second=1)
    paced.wake_at(MONDAY)
    later = MONDAY + timedelta(microseconds=1)
    assert paced.wake_at(later) == later


def test_the_instant_that_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "INSTANTS", 2)
    paced = Pacing(per_second=1)
    first, second, third = (MONDAY + timedelta(hours=n) for n in range(3))
    for instant in (first, second, first, third):
        paced.wake_at(instant)
    assert paced.wake_at(first) == first + timedelta(seconds=2)
    assert paced.wake_at(second) == second


def test_a_request_is_counted_when_its_next_instant_is_news(city: City) -> None:
    """Not when it is looked at again, and once more by a run that has no timer yet."""
    city.publish(promised("1 calendar hour"))
    first, second = (city.open("promise", opened_at=MORNING) for _ in range(2))
    assert city.advance(first).wake_at is None
    looked = city.advance(first, first=True)
    assert looked.wake_at == looked.next_at == MORNING + timedelta(minutes=30)
    city.accept(second, "hold", reason="rain")
    assert city.advance(second).wake_at is None
    city.accept(second, "resume")
    resumed = city.advance(second)
    assert resumed.wake_at == resumed.next_at
