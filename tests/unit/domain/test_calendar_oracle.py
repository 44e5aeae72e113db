"""The working calendar and the clocks against a slow oracle that shares none of their code, and a calendar's own laws.

The oracle, tests/support/oracle.py, looks at every minute; `python -m bench.oracle` asks it about ten thousand cases.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.deadlines.calendar import WorkingCalendar
from tests.support.oracle import (
    DAY_MINUTES,
    MINUTE,
    ZONES,
    Hours,
    Plan,
    day_hours,
    foretold,
    lived,
    open_minutes,
    plan_of,
    random_promise,
)

BATCHES, OF_EACH = 20, 25
"""Five hundred promises on random calendars."""


@pytest.mark.parametrize("batch", range(BATCHES))
def test_deadlines_happen_when_the_oracle_says(batch: int) -> None:
    """Breach and rungs, with holds, overnight hours, exceptions, periods and changes of the clock."""
    for seed in range(batch * OF_EACH, (batch + 1) * OF_EACH):
        promise = random_promise(seed)
        assert lived(promise) == foretold(promise), seed


def _hours(drawn: tuple[list[int], int]) -> Hours:
    return day_hours(*drawn)


times = st.integers(0, DAY_MINUTES - 1) | st.integers(0, 3 * 60)  # clocks change in the small hours
hours = st.tuples(st.lists(times, max_size=5), st.integers(0, 8 * 60)).map(_hours)
weeks = st.lists(hours, min_size=7, max_size=7)
near_days = st.integers(-2, 2) | st.integers(-5, 14)
plans = st.tuples(
    st.sampled_from([(zone, change) for zone, changes in ZONES.items() for change in changes]),
    weeks,
    st.integers(-2 * DAY_MINUTES, DAY_MINUTES),
    st.lists(near_days, max_size=3),
    st.dictionaries(near_days, hours, max_size=3),
    st.none() | st.tuples(near_days, st.integers(0, 20), weeks),
).map(plan_of)
few_days = st.integers(0, 3 * DAY_MINUTES)
two_weeks = st.integers(0, 14 * DAY_MINUTES)
microseconds = st.integers(0, 60 * 24 * 3600 * 10**6).map(lambda count: dt.timedelta(microseconds=count))
# Little enough for forty years of a calendar that opens for one minute a week.
work = st.integers(0, 30 * 3600 * 10**6).map(lambda count: dt.timedelta(microseconds=count))
thorough = settings(max_examples=320, deadline=None)
lawful = settings(max_examples=100, deadline=None)


@thorough
@given(plan=plans, minutes=few_days | few_days | two_weeks, share=st.integers(1, 1000))
def test_agrees_with_the_slow_counter(plan: Plan, minutes: int, share: int) -> None:
    """Working time, and the instant after a part of it, are what counting minute by minute finds."""
    end = plan.start + minutes * MINUTE
    counted = list(open_minutes(plan, end))
    works = plan.calendar()
    assert works.working_time(plan.start, end) == len(counted) * MINUTE
    if counted:
        amount = max(1, len(counted) * share // 1000)
        assert works.add_working(plan.start, amount * MINUTE) == counted[amount - 1] + MINUTE
        assert works.next_opening(plan.start) == counted[0]
        assert works.is_open(counted[-1])


@lawful
@given(plan=plans, amounts=st.tuples(work, work))
def test_more_work_never_ends_earlier(plan: Plan, amounts: tuple[dt.timedelta, dt.timedelta]) -> None:
    """add_working is monotonic in the amount."""
    less, more = sorted(amounts)
    works = plan.calendar()
    sooner, later = works.add_working(plan.start, less), works.add_working(plan.start, more)
    assert sooner <= later
    assert (sooner == later) == (less == more)


@lawful
@given(plan=plans, offsets=st.tuples(microseconds, microseconds))
def test_parts_add_up(plan: Plan, offsets: tuple[dt.timedelta, dt.timedelta]) -> None:
    """Working time is additive over any point that splits the stretch."""
    split, end = (plan.start + offset for offset in sorted(offsets))
    works = plan.calendar()
    parts = works.working_time(plan.start, split) + works.working_time(split, end)
    assert parts == works.working_time(plan.start, end)
    assert dt.timedelta() <= parts <= end - plan.start


@lawful
@given(plan=plans, offset=microseconds, amount=work)
def test_what_is_added_is_measured(plan: Plan, offset: dt.timedelta, amount: dt.timedelta) -> None:
    """Up to the instant after so much working time lies exactly that much, and less up to any before it."""
    works, start = plan.calendar(), plan.start + offset
    end = works.add_working(start, amount)
    assert works.working_time(start, end) == amount
    if amount:
        assert works.working_time(start, end - dt.timedelta(microseconds=1)) < amount


@lawful
@given(plan=plans, offset=microseconds)
def test_windows_listed_are_the_time_measured(plan: Plan, offset: dt.timedelta) -> None:
    """The intervals of a stretch are in order, open at their beginning, and sum to its working time."""
    works, end = plan.calendar(), plan.start + offset
    intervals = list(works.windows_between(plan.start, end))
    assert sum((closes - opens for opens, closes in intervals), dt.timedelta()) == works.working_time(plan.start, end)
    bounds = [instant for interval in intervals for instant in interval]
    assert bounds == sorted(bounds)
    assert all(works.is_open(opens) for opens, _ in intervals)


@lawful
@given(plan=plans)
def test_random_calendars_survive_json(plan: Plan) -> None:
    """Whatever its hours, a calendar comes back from JSON the same."""
    works = plan.calendar()
    assert WorkingCalendar.model_validate_json(works.model_dump_json()) == works
