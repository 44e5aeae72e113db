"""The working calendar: when a department is open, and how much working time lies between two instants.

Owns opening hours, holidays, exceptions and the arithmetic of working time; the written forms of spans and
windows are in `fixline.domain.span` and are offered here again. Must not import anything else of Fixline, nor
any third party but pydantic; reads no file and no clock (the time-zone data is the platform's).

Conventions, each held by a test:
- Every instant given is aware (a naive one is a ValueError); every instant returned is in UTC. Intervals are
  half-open, [opening, closing), and all sums are whole microseconds of UTC.
- A window's edge is the first instant at which the local clock shows that time or later. So an edge that a
  change to summer time skips falls on the instant of the change, and an edge in a repeated hour is its first
  occurrence, for opening and closing alike: windows that touch on paper touch in fact, none is ever negative.
- A holiday or an exception governs the windows that start on its local date. An overnight window that started
  on the evening before runs to its end.
- Working time that is used up exactly at closing ends at that closing, not at the next opening.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Annotated, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fixline.domain.span import DayLength, Span, SpanError, Unit, Window, in_order, refuse_overlap

__all__ = [
    "CalendarException",
    "CalendarExhausted",
    "Holiday",
    "Span",
    "SpanError",
    "Unit",
    "Weekday",
    "Window",
    "WorkingCalendar",
]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
SEARCH_YEARS: Final = 40

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY = dt.timedelta(days=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY_MICROS: Final = _DAY // _MICROSECOND
_SEARCH_STEPS_DAYS = (0, 30, 366, 4 * 366, 16 * 366, SEARCH_YEARS * 366)
_FROZEN = ConfigDict(frozen=True, extra="forbid")
KnownDate = Annotated[dt.date, Field(ge=dt.date(FIRST_YEAR, 1, 1), le=dt.date(LAST_YEAR, 12, 31))]


class CalendarExhausted(ValueError):
    """The answer lies further away than the calendar looks: 40 years, or outside the years 1900 to 2200."""


class Holiday(BaseModel):
    """A local date on which no weekly window starts; an observed holiday is simply the date observed."""

    model_config = _FROZEN

    date: KnownDate
    name: str


class CalendarException(BaseModel):
    """The hours of one local date, instead of its weekly hours and even on a holiday; none means closed."""

    model_config = _FROZEN

    date: KnownDate
    hours: tuple[Window, ...] = ()
    name: str


class WorkingCalendar(BaseModel):
    """A department's opening hours in its IANA time zone, its holidays, exceptions and length of working day.

    `weekly` always holds all seven days, mon to sun (a day left out is closed); windows, holidays and
    exceptions are kept in time order. Raises ValueError for an unknown zone, for hours that overlap (into the
    next date, too), two exceptions on one date, and a calendar without any weekly window. It is hashable,
    pickles and survives JSON; treat `weekly` as frozen too. Measuring is cheap once the years are built.
    """

    model_config = _FROZEN
    __slots__ = ("_kept_timeline",)  # never copied, compared or pickled, unlike a private attribute

    name: str
    timezone: str
    day: DayLength
    weekly: dict[Weekday, tuple[Window, ...]]
    holidays: tuple[Holiday, ...] = ()
    exceptions: tuple[CalendarException, ...] = ()

    def __hash__(self) -> int:
        return hash((self.name, self.day, self._hours()))

    def is_open(self, at: dt.datetime) -> bool:
        """Whether the instant lies in [opening, closing) of a window."""
        return self._timeline().is_open(_micros(at))

    def working_time(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """The working time in [start, end); zero when end is not after start."""
        from_us, to_us = _micros(start), _micros(end)
        if to_us <= from_us:
            return dt.timedelta()
        return dt.timedelta(microseconds=self._timeline().between(from_us, to_us))

    def add_working(self, start: dt.datetime, amount: dt.timedelta) -> dt.datetime:
        """The earliest instant t >= start with working_time(start, t) == amount; start itself for no amount.

        Raises ValueError for a negative amount, CalendarExhausted when 40 years do not hold that much.
        """
        amount_us = amount // _MICROSECOND
        if amount_us < 0:
            raise ValueError(f"working time cannot be counted backwards: {amount}")
        start_us = _micros(start)
        found_us = self._timeline().after(start_us, amount_us) if amount_us else start_us
        if found_us is None:
            raise CalendarExhausted(
                f"calendar {self.name!r} has less than {amount} of working time "
                f"in the {SEARCH_YEARS} years after {start.isoformat()}"
            )
        return _instant(found_us)

    def add(self, start: dt.datetime, span: Span) -> dt.datetime:
        """The instant one span after start: on this calendar for a working span, else elapsed.

        Raises CalendarExhausted when the instant is out of reach.
        """
        length = span.length(self)
        if span.working:
            return self.add_working(start, length)
        try:
            return _instant(_micros(start)) + length
        except OverflowError:
            raise CalendarExhausted(f"{span} after {start.isoformat()} is past the last year there is") from None

    def elapsed(self, start: dt.datetime, end: dt.datetime, *, working: bool) -> dt.timedelta:
        """The time in [start, end), working or elapsed; zero when end is not after start."""
        if working:
            return self.working_time(start, end)
        return max(dt.timedelta(microseconds=_micros(end) - _micros(start)), dt.timedelta())

    def next_opening(self, at: dt.datetime) -> dt.datetime:
        """The first open instant from `at` on, `at` itself when open; CalendarExhausted after 40 years."""
        found_us = self._timeline().next_open(_micros(at))
        if found_us is None:
            raise CalendarExhausted(
                f"calendar {self.name!r} does not open in the {SEARCH_YEARS} years after {at.isoformat()}"
            )
        return _instant(found_us)

    def windows_between(self, start: dt.datetime, end: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The open intervals within [start, end) as UTC (opening, closing), in order, cut to that range.

        One for each window, so windows that touch at midnight come as two.
        """
        for opens_us, closes_us in self._timeline().intervals(_micros(start), _micros(end)):
            yield _instant(opens_us), _instant(closes_us)

    def local(self, at: dt.datetime) -> dt.datetime:
        """The instant in the calendar's zone, for display only."""
        return _instant(_micros(at)).astimezone(ZoneInfo(self.timezone))

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
    def _order_week(cls, weekly: dict[Weekday, tuple[Window, ...]]) -> dict[Weekday, tuple[Window, ...]]:
        if not any(weekly.values()):
            raise ValueError("the calendar is never open: give at least one weekday a window such as '08:00-16:30'")
        return {day: in_order(weekly.get(day, ())) for day in WEEKDAYS}

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
                raise ValueError(
                    f"two exceptions on {later.date}, {earlier.name!r} and {later.name!r}: one date has one"
                )
        return tuple(item.model_copy(update={"hours": in_order(item.hours)}) for item in ordered)

    @model_validator(mode="after")
    def _check_overlaps(self) -> Self:
        for position, day in enumerate(WEEKDAYS):
            following = WEEKDAYS[(position + 1) % 7]
            refuse_overlap((day, self.weekly[day]), (following, self.weekly[following]))
        hours, special = self._hours(), self._hours().special()
        for exception in self.exceptions:
            around = [exception.date + days * _DAY for days in (-1, 0, 1)]
            labelled = [(str(date), special.get(date, hours.weekly[date.weekday()])) for date in around]
            for day_hours, following_hours in pairwise(labelled):
                refuse_overlap(day_hours, following_hours)
        return self

    def _hours(self) -> _Hours:
        return _Hours(
            self.timezone,
            tuple(self.weekly[day] for day in WEEKDAYS),
            tuple(holiday.date for holiday in self.holidays),
            tuple((exception.date, exception.hours) for exception in self.exceptions),
        )

    def _timeline(self) -> _Timeline:
        timeline: _Timeline | None = getattr(self, "_kept_timeline", None)
        if timeline is None:
            timeline = _shared_timeline(self._hours())
            object.__setattr__(self, "_kept_timeline", timeline)
        return timeline


def _micros(at: dt.datetime) -> int:
    """An aware instant in microseconds since 1970; ValueError for a naive one."""
    try:
        since = at - _EPOCH
    except TypeError:
        raise ValueError(f"{at.isoformat()} is naive: an instant needs its time zone") from None
    return since.days * _DAY_MICROS + since.seconds * 1_000_000 + since.microseconds


def _instant(micros: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=micros)


_FIRST_INSTANT = _micros(dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC))
_END_INSTANT = _micros(dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC))


class _Hours(NamedTuple):
    """All that decides when a calendar is open and nothing else: the key by which timelines are shared."""

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: tuple[dt.date, ...]
    exceptions: tuple[tuple[dt.date, tuple[Window, ...]], ...]

    def special(self) -> dict[dt.date, tuple[Window, ...]]:
        """The windows of the dates that do not follow the week."""
        return {**dict.fromkeys(self.holidays, ()), **dict(self.exceptions)}


class _Stretch(NamedTuple):
    """The open intervals of some whole years, in microseconds since 1970, and the working time before each.

    Complete for instants in [valid_from, valid_to]; never changed once built, so threads may share it.
    """

    years: range
    opens: array[int]
    closes: array[int]
    before: array[int]
    valid_from: int
    valid_to: int

    def worked(self, at: int) -> int:
        """The working time from the beginning of the stretch up to an instant, in microseconds."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.closes[index]) - self.opens[index]


_NOTHING: Final = _Stretch(range(0), array("q"), array("q"), array("q"), 0, -1)


class _Timeline:
    """A calendar's open intervals in UTC, built by whole years when first needed and searched by bisection.

    Instants and amounts are in microseconds. The stretch at hand is replaced whole, never changed: a race
    between threads costs a little work and nothing else.
    """

    def __init__(self, hours: _Hours) -> None:
        self._zone = ZoneInfo(hours.timezone)
        self._weekly = hours.weekly
        self._special = hours.special()
        self._stretch = _NOTHING

    def is_open(self, at: int) -> bool:
        stretch = self._covering(at, at)
        index = bisect_right(stretch.opens, at) - 1
        return index >= 0 and at < stretch.closes[index]

    def between(self, start: int, end: int) -> int:
        stretch = self._covering(start, end)
        return stretch.worked(end) - stretch.worked(start)

    def after(self, start: int, amount: int) -> int | None:
        """The first instant with that much work since start; None when the search ends before it."""
        for stretch, last in self._growing(start):
            target = stretch.worked(start) + amount
            index = bisect_left(stretch.before, target) - 1
            found = stretch.opens[index] + target - stretch.before[index] if index >= 0 else last + 1
            if found <= last and found <= stretch.closes[index]:
                return found
        return None

    def next_open(self, at: int) -> int | None:
        """The first open instant from `at` on; None when the search ends before it."""
        for stretch, last in self._growing(at):
            index = bisect_right(stretch.closes, at)
            if index < len(stretch.opens) and stretch.opens[index] <= last:
                return max(at, stretch.opens[index])
        return None

    def intervals(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The open intervals within [start, end), cut to it."""
        if end <= start:
            return
        stretch = self._covering(start, end)
        for index in range(bisect_right(stretch.closes, start), bisect_left(stretch.opens, end)):
            yield max(start, stretch.opens[index]), min(end, stretch.closes[index])

    def _growing(self, start: int) -> Iterator[tuple[_Stretch, int]]:
        """Ever longer stretches after start, each with the last instant that it may answer for."""
        limit = start + _SEARCH_STEPS_DAYS[-1] * _DAY_MICROS
        for days in _SEARCH_STEPS_DAYS:
            end = min(start + days * _DAY_MICROS, _END_INSTANT)
            stretch = self._covering(start, max(start, end))
            yield stretch, min(stretch.valid_to, limit, _END_INSTANT)

    def _covering(self, start: int, end: int) -> _Stretch:
        """The stretch at hand, lengthened when it does not hold both instants."""
        stretch = self._stretch
        if start < stretch.valid_from or end > stretch.valid_to:
            stretch = self._stretch = self._lengthened(stretch, start, end)
        return stretch

    def _lengthened(self, known: _Stretch, start: int, end: int) -> _Stretch:
        """The known stretch and the years up to both instants, two days to spare, no year left out."""
        if start < _FIRST_INSTANT or end > _END_INSTANT:
            raise CalendarExhausted(f"a calendar knows the years {FIRST_YEAR} to {LAST_YEAR} only")
        first = _instant(start - 2 * _DAY_MICROS).year
        last = _instant(end + 2 * _DAY_MICROS).year
        years = known.years or range(first, first)
        earlier = self._open_intervals(range(first, years.start))
        later = self._open_intervals(range(years.stop, last + 1))
        opens, closes = earlier[0] + known.opens + later[0], earlier[1] + known.closes + later[1]
        lengths = (closing - opening for opening, closing in zip(opens, closes, strict=True))
        before = array("q", accumulate(lengths, initial=0))
        years = range(min(first, years.start), max(last + 1, years.stop))
        valid_from = _micros(dt.datetime(years.start, 1, 3, tzinfo=dt.UTC))
        valid_to = _micros(dt.datetime(years.stop - 1, 12, 30, tzinfo=dt.UTC))
        return _Stretch(years, opens, closes, before[:-1], valid_from, valid_to)

    def _open_intervals(self, years: range) -> tuple[array[int], array[int]]:
        """The openings and closings of the windows that start on the local dates of some years."""
        opens, closes = array("q"), array("q")
        if years:
            date, end = dt.date(years.start, 1, 1), dt.date(years.stop, 1, 1)
            while date < end:
                for window in self._special.get(date, self._weekly[date.weekday()]):
                    opening, closing = self._edge(date, window.opens), self._edge(date, window.closes)
                    if opening < closing:
                        opens.append(opening)
                        closes.append(closing)
                date += _DAY
        return opens, closes

    def _edge(self, date: dt.date, minutes: int) -> int:
        """The first instant at which the local clock shows that time of the date, or later."""
        midnight = dt.datetime(date.year, date.month, date.day, tzinfo=self._zone)
        first = midnight + dt.timedelta(minutes=minutes)  # on the wall clock, as Python adds within one zone
        second = first.replace(fold=1)
        if first.utcoffset() == second.utcoffset():
            return _micros(first)
        before, after = _micros(second), _micros(first)
        return after if after < before else self._end_of_gap(first, before, after)

    def _end_of_gap(self, skipped: dt.datetime, before: int, after: int) -> int:
        """The instant in (before, after], to the second, at which the local clock jumps over a time."""
        shown = skipped.replace(tzinfo=None)
        while after - before > 1_000_000:
            middle = (before + after) // 2_000_000 * 1_000_000
            if _instant(middle).astimezone(self._zone).replace(tzinfo=None) < shown:
                before = middle
            else:
                after = middle
        return after


@lru_cache(maxsize=128)
def _shared_timeline(hours: _Hours) -> _Timeline:
    """One timeline for all calendars with the same hours, such as those pinned with many definitions."""
    return _Timeline(hours)
