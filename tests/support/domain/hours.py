"""Calendars and instants for the tests of the working calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from fixline.domain.deadlines.calendar import (
    Weekday,
    WorkingCalendar,
)

CHICAGO = "America/Chicago"
OFFICE = ["08:00-16:30"]
EVERY_DAY: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = EVERY_DAY[:5]
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)
ZERO = dt.timedelta()


def calendar(hours: list[str], days: tuple[Weekday, ...] = EVERY_DAY, **more: Any) -> WorkingCalendar:
    """A calendar in Chicago with the same hours on some days, an eight-hour working day, and more fields."""
    fields = {"name": "works", "timezone": CHICAGO, "day": "8 hours", "weekly": dict.fromkeys(days, hours)}
    return WorkingCalendar.model_validate(fields | more)


def office(**more: Any) -> WorkingCalendar:
    """Monday to Friday, 08:00-16:30, in Chicago."""
    return calendar(OFFICE, WEEKDAYS, **more)


def at(text: str, *, zone: str = CHICAGO, fold: int = 0) -> dt.datetime:
    """A local wall-clock time as the UTC instant it stands for."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)
