"""The open intervals of a calendar in whole microseconds of UTC since 1970, by the conventions of
`fixline.domain.deadlines.calendar`. The time-zone data is the platform's.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fixline.domain.deadlines.span import Window
from fixline.errors import FixlineError

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200
FIRST: Final = dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC)
END: Final = dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC)
SEARCH_YEARS: Final = 40
DAY: Final = dt.timedelta(days=1)

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_MICROS: Final = DAY // dt.timedelta(microseconds=1)
_SEARCH_STEPS_DAYS = (0, 30, 366, 4 * 366, 16 * 366, SEARCH_YEARS * 366)
_ANSWERS_KEPT: Final = 16_384
Week = tuple[tuple[Window, ...], ...]
"""The windows of the seven weekdays, from Monday on."""


class CalendarExhausted(FixlineError, ValueError):
    """The answer lies further away than the calendar looks: 40 years, or outside the years 1900 to 2200."""


def micros(at: dt.datetime) -> int:
    """An aware instant in microseconds since 1970; ValueError for a naive one."""
    try:
        since = at - _EPOCH
    except TypeError:
        raise ValueError(f"{at.isoformat()} is naive: an instant needs its time zone") from None
    return since.days * _DAY_MICROS + since.seconds * 1_000_000 + since.microseconds


def instant(count: int) -> dt.datetime:
    """The instant so many microseconds after the beginning of 1970, in UTC."""
    return _EPOCH + dt.timedelta(microseconds=count)


_FIRST_INSTANT, _END_INSTANT = micros(FIRST), micros(END)


class Hours(NamedTuple):
    """All that decides when a calendar is open and nothing else: the key by which timelines are shared. `periods` are
    stretches of dates, both included, with a week of their own; `special` the dates that follow no week."""

    timezone: str
    weekly: Week
    periods: tuple[tuple[dt.date, dt.date, Week], ...]
    special: tuple[tuple[dt.date, tuple[Window, ...]], ...]

    def on(self, date: dt.date) -> tuple[Window, ...]:
        """The windows that start on a local date which is not special."""
        for first, last, week in self.periods:
            if first <= date <= last:
                return week[date.weekday()]
        return self.weekly[date.weekday()]


class _Stretch(NamedTuple):
    """The open intervals of some whole years, in microseconds since 1970, and the working time before each: complete
    for instants in [valid_from, valid_to], and never changed once built, so threads may share it."""

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


class Timeline:
    """A calendar's open intervals in microseconds of UTC, built by whole years when first needed. The stretch at hand
    is replaced whole, never changed: a race between threads costs a little work and nothing else."""

    def __init__(self, hours: Hours) -> None:
        self._zone = ZoneInfo(hours.timezone)
        self._hours = hours
        self._special = dict(hours.special)
        self._stretch = _NOTHING
        self.after = lru_cache(maxsize=_ANSWERS_KEPT)(self._after)
        """The first instant with so much work since another; None when the search ends before it. Answers are kept:
        each decision asks the same of the clocks that it finds running."""

    def is_open(self, at: int) -> bool:
        stretch = self._covering(at, at)
        index = bisect_right(stretch.opens, at) - 1
        return index >= 0 and at < stretch.closes[index]

    def between(self, start: int, end: int) -> int:
        stretch = self._covering(start, end)
        return stretch.worked(end) - stretch.worked(start)

    def _after(self, start: int, amount: int) -> int | None:
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
        first = instant(start - 2 * _DAY_MICROS).year
        last = instant(end + 2 * _DAY_MICROS).year
        years = known.years or range(first, first)
        earlier = self._open_intervals(range(first, years.start))
        later = self._open_intervals(range(years.stop, last + 1))
        opens, closes = earlier[0] + known.opens + later[0], earlier[1] + known.closes + later[1]
        lengths = (closing - opening for opening, closing in zip(opens, closes, strict=True))
        before = array("q", accumulate(lengths, initial=0))
        years = range(min(first, years.start), max(last + 1, years.stop))
        valid_from = micros(dt.datetime(years.start, 1, 3, tzinfo=dt.UTC))
        valid_to = micros(dt.datetime(years.stop - 1, 12, 30, tzinfo=dt.UTC))
        return _Stretch(years, opens, closes, before[:-1], valid_from, valid_to)

    def _open_intervals(self, years: range) -> tuple[array[int], array[int]]:
        """The openings and closings of the windows that start on the local dates of some years."""
        opens, closes = array("q"), array("q")
        date, end = dt.date(years.start, 1, 1), dt.date(years.stop, 1, 1)
        while date < end:
            windows = self._special.get(date)
            for window in self._hours.on(date) if windows is None else windows:
                opening, closing = self._edge(date, window.opens), self._edge(date, window.closes)
                if opening < closing:
                    opens.append(opening)
                    closes.append(closing)
            date += DAY
        return opens, closes

    def _edge(self, date: dt.date, minutes: int) -> int:
        """The first instant at which the local clock shows that time of the date, or later."""
        midnight = dt.datetime(date.year, date.month, date.day, tzinfo=self._zone)
        first = midnight + dt.timedelta(minutes=minutes)  # on the wall clock, as Python adds within one zone
        second = first.replace(fold=1)
        if first.utcoffset() == second.utcoffset():
            return micros(first)
        before, after = micros(second), micros(first)
        return after if after < before else self._end_of_gap(first, before, after)

    def _end_of_gap(self, skipped: dt.datetime, before: int, after: int) -> int:
        """The instant in (before, after], to the second, at which the local clock jumps over a time."""
        shown = skipped.replace(tzinfo=None)
        while after - before > 1_000_000:
            middle = (before + after) // 2_000_000 * 1_000_000
            if instant(middle).astimezone(self._zone).replace(tzinfo=None) < shown:
                before = middle
            else:
                after = middle
        return after


@lru_cache(maxsize=128)
def shared_timeline(hours: Hours) -> Timeline:
    """One timeline for all calendars with the same hours, such as those pinned with many definitions."""
    return Timeline(hours)
