"""The working calendar against a slow counter that shares none of its code, and against its own laws.

The counter looks at every minute and asks what an office would: has the wall clock reached the opening, and
not yet the closing? In the night in which the clock is turned back, what it has shown once counts as reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from fixline.domain.calendar import CalendarException, Holiday, Window, WorkingCalendar

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
DAY_MINUTES = 1440
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# For each zone the dates around which its clock changes, or any date for a zone that leaves it alone.
ZONES = {
    "America/Chicago": (dt.date(2026, 3, 8), dt.date(2026, 11, 1)),
    "Europe/Berlin": (dt.date(2026, 3, 29), dt.date(2026, 10, 25)),
    "Australia/Lord_Howe": (dt.date(2026, 4, 5), dt.date(2026, 10, 4)),
    "Asia/Kolkata": (dt.date(2026, 1, 1),),
    "UTC": (dt.date(2024, 2, 29),),
}

Hours = list[tuple[int, int]]  # (opens, closes) in minutes after the local midnight


@dataclass
class Plan:
    """A calendar as plain numbers, for the counter and the calendar under test alike."""

    zone: str
    weekly: list[Hours]
    start: dt.datetime
    holidays: set[dt.date] = field(default_factory=set)
    exceptions: dict[dt.date, Hours] = field(default_factory=dict)

    def hours(self, date: dt.date) -> Hours:
        """The windows that start on a local date."""
        if date in self.exceptions:
            return self.exceptions[date]
        return [] if date in self.holidays else self.weekly[date.weekday()]

    def calendar(self) -> WorkingCalendar:
        """The calendar under test."""
        return WorkingCalendar(
            name="random",
            timezone=self.zone,
            day=dt.timedelta(hours=8),
            weekly={day: _windows(hours) for day, hours in zip(DAYS, self.weekly, strict=True)},
            holidays=tuple(Holiday(date=date, name="holiday") for date in self.holidays),
            exceptions=tuple(
                CalendarException(date=date, hours=_windows(hours), name="exception")
                for date, hours in self.exceptions.items()
            ),
        )


def _windows(hours: Hours) -> tuple[Window, ...]:
    return tuple(Window(opens=opens, closes=closes) for opens, closes in hours)


def open_minutes(plan: Plan, end: dt.datetime) -> Iterator[dt.datetime]:
    """The open minutes from the plan's start to the end, found by looking at each."""
    zone = ZoneInfo(plan.zone)
    now = plan.start - DAY  # the clock's highest reading so far has to be known by the start
    reached = now.astimezone(zone).replace(tzinfo=None, fold=0)
    open_on: dict[dt.date, set[int]] = {}
    while now < end:
        reached = max(reached, now.astimezone(zone).replace(tzinfo=None, fold=0))
        today = reached.date()
        if today not in open_on:
            open_on[today] = _minutes_within_hours(plan, today)
        if now >= plan.start and reached.hour * 60 + reached.minute in open_on[today]:
            yield now
        now += MINUTE


def _minutes_within_hours(plan: Plan, date: dt.date) -> set[int]:
    """The minutes of a wall clock's day that lie in a window of that date or of the evening before."""
    minutes: set[int] = set()
    for opens, closes in plan.hours(date):
        minutes.update(range(opens, min(closes, DAY_MINUTES)))
    for _, closes in plan.hours(date - DAY):
        minutes.update(range(closes - DAY_MINUTES))
    return minutes


def _day_hours(drawn: tuple[list[int], int]) -> Hours:
    """Windows between the drawn times of one date, the last one overnight when it lacks a closing."""
    times, overnight = drawn
    edges = sorted(set(times))
    if not edges and overnight % 2:
        return [(0, DAY_MINUTES)]
    hours = list(zip(edges[::2], edges[1::2], strict=False))
    if len(edges) % 2:
        hours.append((edges[-1], DAY_MINUTES + overnight))
    return hours


def _fitted(hours: Hours, following: Hours) -> Hours:
    """The hours with the last window cut where the following date opens, and to less than 24 hours."""
    if not hours or hours == [(0, DAY_MINUTES)]:
        return hours
    opens, closes = hours[-1]
    limit = DAY_MINUTES + (following[0][0] if following else DAY_MINUTES)
    return [*hours[:-1], (opens, min(closes, limit, opens + DAY_MINUTES - 1))]


def _plan(drawn: tuple[tuple[str, dt.date], list[Hours], int, list[int], dict[int, Hours]]) -> Plan:
    """A calendar, and a start within days of a change of its clock."""
    (zone, change), weekly, offset, holidays, exceptions = drawn
    if not any(weekly):
        weekly[offset % 7] = [(480, 990)]
    weekly = [_fitted(hours, weekly[(day + 1) % 7]) for day, hours in enumerate(weekly)]
    start = dt.datetime.combine(change, dt.time(), dt.UTC) + offset * MINUTE
    plan = Plan(zone, weekly, start, {change + days * DAY for days in holidays})
    for days, hours in exceptions.items():
        _make_exception(plan, change + days * DAY, hours)
    return plan


def _make_exception(plan: Plan, date: dt.date, hours: Hours) -> None:
    """Give a date its own hours, or close it where the evening before runs into them."""
    fitted = _fitted(hours, plan.hours(date + DAY))
    before = plan.hours(date - DAY)
    overlaps = fitted and before and before[-1][1] > DAY_MINUTES + fitted[0][0]
    plan.exceptions[date] = [] if overlaps else fitted


times = st.integers(0, DAY_MINUTES - 1) | st.integers(0, 3 * 60)  # clocks change in the small hours
day_hours = st.tuples(st.lists(times, max_size=5), st.integers(0, 8 * 60)).map(_day_hours)
near_days = st.integers(-2, 2) | st.integers(-5, 14)
plans = st.tuples(
    st.sampled_from([(zone, change) for zone, changes in ZONES.items() for change in changes]),
    st.lists(day_hours, min_size=7, max_size=7),
    st.integers(-2 * DAY_MINUTES, DAY_MINUTES),
    st.lists(near_days, max_size=3),
    st.dictionaries(near_days, day_hours, max_size=3),
).map(_plan)
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
