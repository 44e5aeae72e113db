"""`fixline calendar`: what a month of a working calendar comes to, day by day."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from fixline.cli.common import AsJson, CalendarName, WrongUse, put
from fixline.cli.definitions import checked_calendar
from fixline.domain.deadlines.calendar import WorkingCalendar
from fixline.domain.deadlines.timeline import FIRST_YEAR, LAST_YEAR

DAY = dt.timedelta(days=1)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def calendar(
    name: CalendarName,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Which month. [default: this one, in the calendar's zone]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    found = checked_calendar(name)
    first = _read_month(month) if month else found.local(dt.datetime.now(dt.UTC)).date().replace(day=1)
    told = month_of(found, first)
    put(told, _in_words(told), as_json=as_json)


def _read_month(text: str) -> dt.date:
    """The first day of a month written 2026-12. Raises WrongUse for anything else, and out of a calendar's years."""
    match = _MONTH.fullmatch(text)
    if match is None or not FIRST_YEAR < int(match[1]) < LAST_YEAR:
        raise WrongUse(f"--month {text}: write a month like 2026-12, between {FIRST_YEAR + 1} and {LAST_YEAR - 1}")
    return dt.date(int(match[1]), int(match[2]), 1)


def month_of(calendar: WorkingCalendar, first: dt.date) -> dict[str, Any]:
    """Everything that the command tells, as JSON: local dates and hours; lengths in minutes of real time."""
    after = (first + 31 * DAY).replace(day=1)
    zone = ZoneInfo(calendar.timezone)
    total = calendar.working_time(_midnight(first, zone), _midnight(after, zone))
    return {
        "calendar": calendar.name,
        "timezone": calendar.timezone,
        "day_minutes": _minutes(calendar.day),
        "month": f"{first:%Y-%m}",
        "open_minutes": _minutes(total),
        "working_days": round(total / calendar.day, 2),
        "days": [_day(calendar, first + number * DAY, zone) for number in range((after - first).days)],
    }


def _day(calendar: WorkingCalendar, date: dt.date, zone: ZoneInfo) -> dict[str, Any]:
    midnight, next_midnight = _midnight(date, zone), _midnight(date + DAY, zone)
    around = calendar.windows_between(midnight - DAY, next_midnight + DAY)
    lengths = [closes - opens for opens, closes in around if midnight <= opens < next_midnight]
    return {
        "date": date.isoformat(),
        "hours": [str(window) for window in calendar.hours_on(date)],
        "open_minutes": _minutes(sum(lengths, dt.timedelta())),
        "why": _why(calendar, date),
        "clock_changes": next_midnight - midnight != DAY,
    }


def _why(calendar: WorkingCalendar, date: dt.date) -> str | None:
    """What makes the date another than its weekday: the exception, else the holiday, else the period."""
    for exception in calendar.exceptions:
        if exception.date == date:
            return exception.name
    for holiday in calendar.holidays:
        if date in holiday.dates:
            return holiday.name if date == holiday.date else f"{holiday.name} (observed)"
    return next((period.name for period in calendar.periods if period.first <= date <= period.last), None)


def _midnight(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), zone).astimezone(dt.UTC)


def _minutes(length: dt.timedelta) -> int:
    return length // dt.timedelta(minutes=1)


def _in_words(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['calendar']} ({told['timezone']}), {told['month']}, a working day is {_hours(told['day_minutes'])}"
    width = max(len(", ".join(day["hours"]) or "closed") for day in told["days"])
    for day in told["days"]:
        date = dt.date.fromisoformat(day["date"])
        notes = [day["why"] or "", "the clocks change" if day["clock_changes"] else ""]
        length = _hours(day["open_minutes"]) if day["open_minutes"] else ""
        hours = ", ".join(day["hours"]) or "closed"
        yield f"{date:%a %Y-%m-%d}  {hours:<{width}}  {length:>5}  {'; '.join(filter(None, notes))}".rstrip()
    yield f"{_hours(told['open_minutes'])} of working time in the month, {told['working_days']:g} working days"


def _hours(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
