"""The working calendar: when a department is open, and how much working time lies between two instants. The arithmetic
behind it is `timeline`'s, the written forms of spans and windows are `span`'s; both are offered here again.

Conventions, each held by a test:
- Every instant given is aware (a naive one is a ValueError); every instant returned is in UTC. Intervals are
  half-open, [opening, closing), and all sums are whole microseconds of UTC.
- A window's edge is the first instant at which the local clock shows that time or later: one that a change to summer
  time skips falls on the instant of the change, one in a repeated hour is its first occurrence, for opening and closing
  alike. So windows that touch on paper touch in fact, and none is ever negative.
- A period, a holiday or an exception governs the windows that start on its local dates. An overnight window that
  started on the evening before runs to its end.
- Working time that is used up exactly at closing ends at that closing, not at the next opening.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, field_validator, model_validator

from fixline.domain.deadlines import timeline
from fixline.domain.deadlines.span import DayLength, Span, SpanError, Unit, Window, in_order, refuse_overlap
from fixline.domain.deadlines.timeline import DAY, CalendarExhausted, Hours, Timeline, instant, micros, shared_timeline
from fixline.domain.definition.fields import Part

__all__ = ["CalendarExhausted", "Span", "SpanError", "Unit", "Window"]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MICROSECOND = dt.timedelta(microseconds=1)
KnownDate = Annotated[dt.date, Field(ge=dt.date(timeline.FIRST_YEAR, 1, 1), le=dt.date(timeline.LAST_YEAR, 12, 31))]


class Holiday(Part):
    """A local date on which no weekly window starts, and the other date on which it is observed, if there is one."""

    date: KnownDate
    name: str
    observed: KnownDate | None = None

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """The dates that are closed for it."""
        return (self.date,) if self.observed is None else (self.date, self.observed)


Day = Annotated[tuple[Window, ...], AfterValidator(in_order)]


class CalendarException(Part):
    """The hours of one local date, instead of its weekly hours and even on a holiday; none means closed."""

    date: KnownDate
    hours: Day = ()
    name: str


def _whole_week(weekly: dict[Weekday, Day]) -> dict[Weekday, Day]:
    return {day: weekly.get(day, ()) for day in WEEKDAYS}


Weekly = Annotated[dict[Weekday, Day], AfterValidator(_whole_week)]


class Period(Part):
    """A stretch of local dates, first and last included, with a week of its own; one without hours is closed."""

    first: KnownDate
    last: KnownDate
    name: str
    weekly: Weekly

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the period {self.name!r} ends on {self.last}, before it begins on {self.first}")
        return self


class WorkingCalendar(Part):
    """A department's opening hours in its IANA time zone, its holidays, exceptions and length of working day.

    `weekly` always holds all seven days, mon to sun (a day left out is closed), and so does that of each period, which
    holds on its dates instead; windows, periods, holidays and exceptions are kept in time order. Raises ValueError for
    an unknown zone, for hours that overlap (into the next date, too), two exceptions on one date, two periods on one
    date, and a calendar without any weekly window. It is hashable, pickles and survives JSON; treat `weekly` as frozen
    too. Measuring is cheap once the years are built.
    """

    __slots__ = ("_kept_timeline",)  # never copied, compared or pickled, unlike a private attribute

    name: str
    timezone: str
    day: DayLength
    weekly: Weekly
    periods: tuple[Period, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    exceptions: tuple[CalendarException, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.day, self._hours()))

    def is_open(self, at: dt.datetime) -> bool:
        """Whether the instant lies in [opening, closing) of a window."""
        return self._timeline().is_open(micros(at))

    def working_time(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """The working time in [start, end); zero when end is not after start."""
        from_us, to_us = micros(start), micros(end)
        if to_us <= from_us:
            return dt.timedelta()
        return dt.timedelta(microseconds=self._timeline().between(from_us, to_us))

    def add_working(self, start: dt.datetime, amount: dt.timedelta) -> dt.datetime:
        """The earliest instant t >= start with working_time(start, t) == amount; start itself for no amount. Raises
        ValueError for a negative amount, CalendarExhausted when 40 years do not hold that much."""
        amount_us = amount // _MICROSECOND
        if amount_us < 0:
            raise ValueError(f"working time cannot be counted backwards: {amount}")
        start_us = micros(start)
        found_us = self._timeline().after(start_us, amount_us) if amount_us else start_us
        if found_us is None:
            years = f"in the {timeline.SEARCH_YEARS} years after {start.isoformat()}"
            raise CalendarExhausted(f"calendar {self.name!r} has less than {amount} of working time {years}")
        return instant(found_us)

    def add(self, start: dt.datetime, span: Span) -> dt.datetime:
        """The instant one span after start: on this calendar for a working span, else elapsed. Raises CalendarExhausted
        when it is out of reach."""
        length = span.length(self.day)
        if span.working:
            return self.add_working(start, length)
        try:
            return instant(micros(start)) + length
        except OverflowError:
            raise CalendarExhausted(f"{span} after {start.isoformat()} is past the last year there is") from None

    def ends_at(self, start: dt.datetime, span: Span | None) -> dt.datetime | None:
        """When what lasts so long is over; None without a limit, or for one beyond what a calendar knows."""
        try:
            return self.add(start, span) if span is not None else None
        except CalendarExhausted:
            return None

    def elapsed(self, start: dt.datetime, end: dt.datetime, *, working: bool) -> dt.timedelta:
        """The time in [start, end), working or elapsed; zero when end is not after start."""
        if working:
            return self.working_time(start, end)
        return max(dt.timedelta(microseconds=micros(end) - micros(start)), dt.timedelta())

    def next_opening(self, at: dt.datetime) -> dt.datetime:
        """The first open instant from `at` on, `at` itself when open; CalendarExhausted after 40 years."""
        found_us = self._timeline().next_open(micros(at))
        if found_us is None:
            years = f"in the {timeline.SEARCH_YEARS} years after {at.isoformat()}"
            raise CalendarExhausted(f"calendar {self.name!r} does not open {years}")
        return instant(found_us)

    def windows_between(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open intervals within [start, end) as UTC (opening, closing), in order, cut to that range. There is one
        for each window, so windows that touch at midnight come as two."""
        for opens_us, closes_us in self._timeline().intervals(micros(start), micros(end)):
            yield instant(opens_us), instant(closes_us)

    def local(self, at: dt.datetime) -> dt.datetime:
        """The instant in the calendar's zone, for display only."""
        return instant(micros(at)).astimezone(ZoneInfo(self.timezone))

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}: write an IANA name such as 'America/Chicago'") from None
        return name

    @field_validator("weekly")
    @classmethod
    def _check_week(cls, weekly: Weekly) -> Weekly:
        if not any(weekly.values()):
            raise ValueError("the calendar is never open: give at least one weekday a window such as '08:00-16:30'")
        return weekly

    @field_validator("periods")
    @classmethod
    def _order_periods(cls, periods: tuple[Period, ...]) -> tuple[Period, ...]:
        ordered = sorted(periods, key=lambda period: period.first)
        for earlier, later in pairwise(ordered):
            if earlier.last >= later.first:
                raise ValueError(f"the periods {earlier.name!r} and {later.name!r} overlap: one date has one period")
        return tuple(ordered)

    @field_validator("holidays")
    @classmethod
    def _order_holidays(cls, holidays: tuple[Holiday, ...]) -> tuple[Holiday, ...]:
        return tuple(sorted(holidays, key=lambda holiday: (holiday.date, holiday.name)))

    @field_validator("exceptions")
    @classmethod
    def _order_exceptions(cls, exceptions: tuple[CalendarException, ...]) -> tuple[CalendarException, ...]:
        ordered = sorted(exceptions, key=lambda exception: exception.date)
        for earlier, later in pairwise(ordered):
            if earlier.date == later.date:
                both = f"{earlier.name!r} and {later.name!r}"
                raise ValueError(f"two exceptions on {later.date}, {both}: one date has one")
        return tuple(ordered)

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse hours that overlap: once, where a validator would look again at each definition with the calendar."""
        weeks = [("", self.weekly), *((f" of period {each.name!r}", each.weekly) for each in self.periods)]
        for of_period, weekly in weeks:
            for position, day in enumerate(WEEKDAYS):
                following = WEEKDAYS[(position + 1) % 7]
                refuse_overlap((day + of_period, weekly[day]), (following + of_period, weekly[following]))
        hours = self._hours()
        special = dict(hours.special)
        edges = [date for period in self.periods for date in (period.first, period.last + DAY)]
        for date in [*edges, *(exception.date for exception in self.exceptions)]:
            around = [date + days * DAY for days in (-1, 0, 1)]
            labelled = [(str(each), special.get(each, hours.on(each))) for each in around]
            for day_hours, following_hours in pairwise(labelled):
                refuse_overlap(day_hours, following_hours)

    def hours_on(self, date: dt.date) -> tuple[Window, ...]:
        """The windows that start on a local date."""
        hours = self._hours()
        return dict(hours.special).get(date, hours.on(date))

    def _hours(self) -> Hours:
        closed = [(date, ()) for holiday in self.holidays for date in holiday.dates]
        return Hours(
            self.timezone,
            _week(self.weekly),
            tuple((period.first, period.last, _week(period.weekly)) for period in self.periods),
            (*closed, *((exception.date, exception.hours) for exception in self.exceptions)),
        )

    def _timeline(self) -> Timeline:
        kept: Timeline | None = getattr(self, "_kept_timeline", None)
        if kept is None:
            kept = shared_timeline(self._hours())
            object.__setattr__(self, "_kept_timeline", kept)
        return kept


def _week(weekly: Weekly) -> timeline.Week:
    return tuple(weekly[day] for day in WEEKDAYS)
