"""Instants as a scenario writes them: "Mon 08:00", "2026-11-20 16:00", "+2 working hours", "09:00". Local times are
those of the definition's calendar, instants aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from fixline.catalog.shape import span_parsed
from fixline.domain.deadlines.calendar import CalendarExhausted, SpanError, WorkingCalendar
from fixline.errors import FixlineError

WEEK = datetime(2026, 9, 14)  # noqa: DTZ001 - local to each calendar
"""The Monday from which a scenario's first weekday is counted: no holiday and no change of the clocks is near."""
FORMS = "'Mon 08:00', '2026-11-20 16:00', '09:00' or '+2 working hours'"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = {name: number for number, day in enumerate(_DAYS) for name in (day, day + "day")} | {
    "tuesday": 1,
    "wednesday": 2,
    "thursday": 3,
    "saturday": 5,
}
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})"
_DATED = re.compile(rf"(?P<date>\d{{4}}-\d{{2}}-\d{{2}})[ T]{_TIME}")
_WEEKLY = re.compile(rf"(?:(?P<day>[A-Za-z]+) +)?{_TIME}")


class InstantError(FixlineError, ValueError):
    """A text that says no instant; the message is for whoever wrote it."""


def zone_of(calendar: WorkingCalendar) -> ZoneInfo:
    """The time zone in which a calendar's scenarios are written."""
    return ZoneInfo(calendar.timezone)


def first_monday(calendar: WorkingCalendar) -> datetime:
    """Midnight of the Monday from which the first weekday of a scenario is counted (aware UTC)."""
    return WEEK.replace(tzinfo=zone_of(calendar)).astimezone(UTC)


def instant(text: str, calendar: WorkingCalendar, since: datetime) -> datetime:
    """The instant (aware UTC) that a text says; weekdays, times of day and spans count from `since`. Raises
    InstantError."""
    text = text.strip()
    if text.startswith("+"):
        return _after(text[1:].strip(), calendar, since)
    if dated := _DATED.fullmatch(text):
        return _dated(dated, calendar)
    weekly = _WEEKLY.fullmatch(text)
    day = (weekly["day"] or "").lower() if weekly else ""
    if weekly is None or (day and day not in _NAMES):
        raise InstantError(f"'{text}' is no time: write {FORMS}")
    return _next(_NAMES.get(day), _clock(weekly), calendar, since)


def _after(span: str, calendar: WorkingCalendar, since: datetime) -> datetime:
    try:
        return calendar.add(since, span_parsed(span))
    except (SpanError, CalendarExhausted, OverflowError) as problem:
        raise InstantError(str(problem)) from None


def _clock(found: re.Match[str]) -> time:
    try:
        return time(int(found["hour"]), int(found["minute"]))
    except ValueError:
        raise InstantError(f"'{found[0]}' is no time of day: hours go from 00:00 to 23:59") from None


def _dated(found: re.Match[str], calendar: WorkingCalendar) -> datetime:
    try:
        date = datetime.fromisoformat(found["date"]).date()
        at = datetime.combine(date, _clock(found), zone_of(calendar)).astimezone(UTC)
        calendar.is_open(at)
    except (ValueError, OverflowError) as problem:
        raise InstantError(f"'{found[0]}' is no time: {problem}") from None
    return at


def _next(day: int | None, clock: time, calendar: WorkingCalendar, since: datetime) -> datetime:
    """The first such local time that is not before `since`."""
    zone = zone_of(calendar)
    first = since.astimezone(zone).date()
    dates = (first + timedelta(days=days) for days in count())
    coming = (datetime.combine(date, clock, zone).astimezone(UTC) for date in dates if day in (None, date.weekday()))
    return next(at for at in coming if at >= since)
