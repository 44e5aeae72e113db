"""What measuring working time costs: lists measure lateness over decades, so it must not depend on the span."""

from __future__ import annotations

import datetime as dt
import timeit

from fixline.domain.deadlines.calendar import WorkingCalendar

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
CALLS = 2_000


def measure() -> None:
    """Print microseconds per call, best of five, over a day, a year and 25 years."""
    hours = {day: ["08:00-12:00", "12:30-16:30"] for day in WEEKDAYS}
    fields = {"name": "bench", "timezone": "America/Chicago", "day": "8 hours", "weekly": hours}
    calendar = WorkingCalendar.model_validate(fields)
    end = dt.datetime(2026, 6, 5, 15, tzinfo=dt.UTC)
    print(f"Working time, two windows a day (microseconds per call, best of 5 x {CALLS})")
    for years in (0, 1, 25):
        start = end.replace(year=2026 - years) - dt.timedelta(days=1)
        amount = calendar.working_time(start, end)
        between = timeit.repeat(lambda s=start: calendar.working_time(s, end), number=CALLS)  # type: ignore[misc]
        after = timeit.repeat(lambda s=start, a=amount: calendar.add_working(s, a), number=CALLS)  # type: ignore[misc]
        print(f"  {years:2} years: working_time {_micros(between):5.1f}   add_working {_micros(after):5.1f}")


def _micros(rounds: list[float]) -> float:
    return min(rounds) / CALLS * 1e6
