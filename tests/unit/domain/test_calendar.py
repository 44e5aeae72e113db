"""The working calendar, one named case at a time.

Owns the examples that the conventions of `fixline.domain.deadlines.calendar` promise; the random comparison with a slow
counter is in test_calendar_oracle.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from fixline.domain.deadlines.calendar import (
    CalendarExhausted,
    Span,
    WorkingCalendar,
)
from tests.support.domain.hours import CHICAGO, HOUR, MINUTE, OFFICE, ZERO, at, calendar, office


class TestClockChanges:
    """What the two nights of the year on which the clock changes do to opening hours."""

    def test_overnight_window_is_seven_hours_in_march(self) -> None:
        """A 22:00-06:00 shift over the change to summer time is seven real hours."""
        works = calendar(["22:00-06:00"])
        assert works.working_time(at("2026-03-07 12:00"), at("2026-03-08 12:00")) == 7 * HOUR

    def test_overnight_window_is_nine_hours_in_november(self) -> None:
        """A 22:00-06:00 shift over the change back is nine real hours."""
        works = calendar(["22:00-06:00"])
        assert works.working_time(at("2026-10-31 12:00"), at("2026-11-01 12:00")) == 9 * HOUR

    def test_night_of_five_hours(self) -> None:
        """A 00:00-06:00 window in the March night is five real hours."""
        works = calendar(["00:00-06:00"])
        assert works.working_time(at("2026-03-08 00:00"), at("2026-03-08 12:00")) == 5 * HOUR

    def test_night_of_seven_hours(self) -> None:
        """A 00:00-06:00 window in the November night is seven real hours."""
        works = calendar(["00:00-06:00"])
        assert works.working_time(at("2026-11-01 00:00"), at("2026-11-01 12:00")) == 7 * HOUR

    def test_eight_hours_stay_eight_over_the_change(self) -> None:
        """Eight working hours begun at 22:00 before the change end at 07:00, were the shift that long."""
        works = calendar(["22:00-08:00"])
        assert works.add_working(at("2026-03-07 22:00"), 8 * HOUR) == at("2026-03-08 07:00")
        assert works.add_working(at("2026-10-31 22:00"), 8 * HOUR) == at("2026-11-01 05:00")

    def test_opening_in_the_skipped_hour_is_the_change_itself(self) -> None:
        """02:30 does not exist in the March night: the window opens when the clock jumps to 03:00."""
        works = calendar(["02:30-05:00"])
        assert works.next_opening(at("2026-03-08 01:00")) == at("2026-03-08 03:00")
        assert works.working_time(at("2026-03-08 00:00"), at("2026-03-08 12:00")) == 2 * HOUR

    def test_closing_in_the_skipped_hour_is_the_change_itself(self) -> None:
        """A window 01:30-02:30 is open for half an hour in the March night."""
        works = calendar(["01:30-02:30"])
        assert works.working_time(at("2026-03-08 00:00"), at("2026-03-08 12:00")) == 30 * MINUTE

    def test_window_within_the_skipped_hour_is_empty(self) -> None:
        """A window that the March night skips is never open, and never negative."""
        works = calendar(["02:15-02:45"])
        assert works.working_time(at("2026-03-08 00:00"), at("2026-03-08 12:00")) == ZERO
        assert works.next_opening(at("2026-03-08 00:00")) == at("2026-03-09 02:15")

    def test_windows_that_touch_in_the_skipped_hour_stay_apart(self) -> None:
        """01:00-02:30 and 02:30-05:00 make three hours of the March night, none counted twice."""
        works = calendar(["01:00-02:30", "02:30-05:00"])
        assert works.working_time(at("2026-03-08 00:00"), at("2026-03-08 12:00")) == 3 * HOUR

    def test_opening_in_the_repeated_hour_is_its_first_occurrence(self) -> None:
        """A window 01:30-05:00 in the November night opens at the first 01:30."""
        works = calendar(["01:30-05:00"])
        assert works.next_opening(at("2026-11-01 00:00")) == at("2026-11-01 01:30", fold=0)
        assert works.working_time(at("2026-11-01 00:00"), at("2026-11-01 12:00")) == 4.5 * HOUR

    def test_closing_in_the_repeated_hour_is_its_first_occurrence(self) -> None:
        """A window 22:00-01:30 over the November night closes at the first 01:30 and does not open again."""
        works = calendar(["22:00-01:30"])
        assert works.working_time(at("2026-10-31 12:00"), at("2026-11-01 12:00")) == 3.5 * HOUR
        assert not works.is_open(at("2026-11-01 01:10", fold=1))

    def test_windows_that_touch_in_the_repeated_hour_still_touch(self) -> None:
        """22:00-01:30 and 01:30-06:00 together are the whole nine hours of the November night."""
        works = calendar(["01:30-06:00", "22:00-01:30"])
        assert works.working_time(at("2026-10-31 12:00"), at("2026-11-01 12:00")) == 9 * HOUR

    def test_an_instant_in_each_pass_of_the_repeated_hour(self) -> None:
        """01:30 comes twice in the November night: a clock started at the second has an hour less to go."""
        works = calendar(["00:00-06:00"])
        first, second = at("2026-11-01 01:30", fold=0), at("2026-11-01 01:30", fold=1)
        assert works.is_open(first)
        assert works.is_open(second)
        assert works.working_time(first, second) == HOUR
        assert works.working_time(first, at("2026-11-01 06:00")) == 5.5 * HOUR
        assert works.working_time(second, at("2026-11-01 06:00")) == 4.5 * HOUR
        assert works.add_working(first, HOUR) == second

    def test_half_hour_change(self) -> None:
        """Lord Howe moves its clock by half an hour: a 00:00-06:00 night has 5.5 and 6.5 hours."""
        works = calendar(["00:00-06:00"], timezone="Australia/Lord_Howe")
        spring, autumn = (at(day, zone="Australia/Lord_Howe") for day in ("2026-10-04", "2026-04-05"))
        assert works.working_time(spring, spring + 12 * HOUR) == 5.5 * HOUR
        assert works.working_time(autumn, autumn + 12 * HOUR) == 6.5 * HOUR

    def test_change_at_midnight(self) -> None:
        """Beirut skips 00:00 to 01:00: windows that meet at that midnight meet at the change."""
        works = calendar(["00:00-04:00", "20:00-24:00"], timezone="Asia/Beirut")
        evening = at("2026-03-28 20:00", zone="Asia/Beirut")
        assert works.working_time(evening, evening + 12 * HOUR) == 7 * HOUR

    def test_a_date_that_a_zone_left_out(self) -> None:
        """Samoa had no 30 December 2011: its windows are empty."""
        works = calendar(OFFICE, timezone="Pacific/Apia")
        start = at("2011-12-29 00:00", zone="Pacific/Apia")
        assert works.working_time(start, start + 48 * HOUR) == 17 * HOUR
        assert works.local(start + 24 * HOUR).date() == dt.date(2011, 12, 31)


class TestRoundTheClock:
    """A calendar that never closes measures elapsed time."""

    @pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
    def test_local_days_of_23_24_and_25_hours(self, day: str, hours: int) -> None:
        """One local date is as long as it is, the clock changes included."""
        works = calendar(["00:00-24:00"])
        following = str(dt.date.fromisoformat(day) + dt.timedelta(days=1))
        assert works.working_time(at(day), at(following)) == hours * HOUR

    def test_equals_elapsed_time_over_years(self) -> None:
        """Between any two instants, to the microsecond, it is their difference."""
        works = calendar(["00:00-24:00"])
        start = dt.datetime(2001, 3, 4, 5, 6, 7, 89, tzinfo=dt.UTC)
        end = dt.datetime(2026, 11, 1, 7, 30, 0, 1, tzinfo=dt.UTC)
        assert works.working_time(start, end) == end - start
        assert works.add_working(start, end - start) == end
        assert works.elapsed(start, end, working=True) == works.elapsed(start, end, working=False)


class TestMeasuring:
    """Working time between instants, and instants after so much working time."""

    def test_overnight_window_belongs_to_the_date_it_starts_on(self) -> None:
        """A Friday-only 22:00-06:00 shift runs into Saturday and not into Friday's morning."""
        works = calendar(["22:00-06:00"], ("fri",))
        assert works.is_open(at("2026-06-06 05:59"))
        assert not works.is_open(at("2026-06-06 06:00"))
        assert not works.is_open(at("2026-06-05 05:00"))

    def test_sunday_night_runs_into_monday(self) -> None:
        """The week wraps round: Sunday's overnight shift ends on Monday."""
        works = calendar(["22:00-06:00"], ("sun",))
        assert works.working_time(at("2026-06-08 00:00"), at("2026-06-09 00:00")) == 6 * HOUR

    def test_windows_to_midnight_meet_the_next_morning(self) -> None:
        """16:00-24:00 followed by 00:00-04:00 is twelve hours without a break."""
        works = calendar(["00:00-04:00", "16:00-24:00"])
        assert works.working_time(at("2026-06-01 16:00"), at("2026-06-02 04:00")) == 12 * HOUR
        assert works.add_working(at("2026-06-01 16:00"), 12 * HOUR) == at("2026-06-02 04:00")
        assert works.is_open(at("2026-06-02 00:00"))

    def test_reaching_the_amount_at_closing_time_gives_the_closing(self) -> None:
        """Working time used up exactly at closing ends at that closing, not at the next opening."""
        works = office()
        assert works.add_working(at("2026-06-05 08:00"), 8.5 * HOUR) == at("2026-06-05 16:30")

    def test_one_microsecond_more_goes_to_the_next_opening(self) -> None:
        """A microsecond past closing is a microsecond into Monday."""
        works = office()
        one = dt.timedelta(microseconds=1)
        assert works.add_working(at("2026-06-05 08:00"), 8.5 * HOUR + one) == at("2026-06-08 08:00") + one

    def test_no_amount_is_the_start_itself(self) -> None:
        """Adding nothing changes nothing, even while closed."""
        sunday = at("2026-06-07 12:00")
        assert office().add_working(sunday, ZERO) == sunday

    def test_negative_amount_is_refused(self) -> None:
        """Working time is not counted backwards."""
        with pytest.raises(ValueError, match="backwards"):
            office().add_working(at("2026-06-05 08:00"), -MINUTE)

    def test_opened_friday_at_four(self) -> None:
        """Four working hours from Friday 16:00 end on Monday at 11:30."""
        assert office().add_working(at("2026-06-05 16:00"), 4 * HOUR) == at("2026-06-08 11:30")

    def test_opened_outside_hours(self) -> None:
        """A request opened in the evening starts at the next morning's opening."""
        works = office()
        assert works.add_working(at("2026-06-01 20:00"), HOUR) == at("2026-06-02 09:00")
        assert works.working_time(at("2026-06-01 20:00"), at("2026-06-02 09:00")) == HOUR

    def test_opened_on_a_holiday(self) -> None:
        """A request opened on a holiday starts on the next working day."""
        works = office(holidays=[{"date": "2026-12-25", "name": "Christmas Day"}])
        assert works.add_working(at("2026-12-25 10:00"), HOUR) == at("2026-12-28 09:00")

    def test_observed_holiday(self) -> None:
        """Independence Day 2026 is a Saturday, observed on Friday: the date given is the date closed."""
        works = office(holidays=[{"date": "2026-07-03", "name": "Independence Day (observed)"}])
        assert not works.is_open(at("2026-07-03 10:00"))
        assert works.add_working(at("2026-07-02 16:00"), HOUR) == at("2026-07-06 08:30")

    def test_overnight_window_before_a_holiday_runs_to_its_end(self) -> None:
        """A holiday closes what starts on its date, so the evening before is worked to 06:00."""
        works = calendar(["22:00-06:00"], holidays=[{"date": "2026-12-25", "name": "Christmas Day"}])
        assert works.is_open(at("2026-12-25 05:59"))
        assert not works.is_open(at("2026-12-25 22:00"))
        assert works.next_opening(at("2026-12-25 06:00")) == at("2026-12-26 22:00")

    def test_a_hold_across_a_weekend(self) -> None:
        """A hold from Friday 15:00 to Monday 09:00 takes two and a half working hours."""
        assert office().working_time(at("2026-06-05 15:00"), at("2026-06-08 09:00")) == 2.5 * HOUR

    def test_two_stretches_in_one_minute(self) -> None:
        """Two holds of seconds within one minute add up to the second."""
        works, minute = office(), at("2026-06-05 10:00")
        bounds = [minute + dt.timedelta(seconds=seconds) for seconds in (5, 17, 30, 59)]
        first, second = works.working_time(*bounds[:2]), works.working_time(*bounds[2:])
        assert first + second == dt.timedelta(seconds=41)

    def test_a_one_day_a_week_calendar(self) -> None:
        """Two working days on a Wednesday-only calendar of six-hour days take two Wednesdays."""
        works = calendar(["09:00-15:00"], ("wed",), day="6 hours")
        span = Span.parse("2 working days")
        assert works.add(at("2026-06-04 12:00"), span) == at("2026-06-17 15:00")

    def test_end_before_start_is_nothing(self) -> None:
        """Time does not run backwards: an end at or before the start measures zero."""
        works, now = office(), at("2026-06-05 10:00")
        assert works.working_time(now, now - HOUR) == ZERO
        assert works.working_time(now, now) == ZERO
        assert works.elapsed(now, now - HOUR, working=False) == ZERO

    def test_elapsed_counts_nights_and_weekends(self) -> None:
        """Elapsed time is the plain difference."""
        works = office()
        assert works.elapsed(at("2026-06-05 10:00"), at("2026-06-08 10:00"), working=False) == 72 * HOUR
        assert works.elapsed(at("2026-06-05 10:00"), at("2026-06-08 10:00"), working=True) == 8.5 * HOUR

    def test_next_opening_is_the_instant_itself_when_open(self) -> None:
        """While open, and at the opening itself, there is nothing to wait for; at closing there is."""
        works = office()
        assert works.next_opening(at("2026-06-05 10:00")) == at("2026-06-05 10:00")
        assert works.next_opening(at("2026-06-05 08:00")) == at("2026-06-05 08:00")
        assert works.next_opening(at("2026-06-05 16:30")) == at("2026-06-08 08:00")

    def test_windows_between_are_cut_to_the_range(self) -> None:
        """The intervals listed begin and end within the range asked for."""
        found = list(office().windows_between(at("2026-06-05 16:00"), at("2026-06-09 08:00")))
        assert found == [
            (at("2026-06-05 16:00"), at("2026-06-05 16:30")),
            (at("2026-06-08 08:00"), at("2026-06-08 16:30")),
        ]
        assert list(office().windows_between(at("2026-06-05 16:00"), at("2026-06-05 09:00"))) == []

    def test_local_shows_the_wall_clock(self) -> None:
        """For display, an instant appears in the calendar's zone."""
        shown = office().local(dt.datetime(2026, 6, 5, 15, 0, tzinfo=dt.UTC))
        assert shown.isoformat() == "2026-06-05T10:00:00-05:00"

    def test_results_are_in_utc_whatever_came_in(self) -> None:
        """An instant given in another zone is the same instant, answered in UTC."""
        start = dt.datetime(2026, 6, 5, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
        assert office().add_working(start, HOUR).tzinfo is dt.UTC
        assert office().add_working(start, HOUR) == office().add_working(start.astimezone(dt.UTC), HOUR)

    def test_years_may_be_asked_for_in_any_order(self) -> None:
        """Later, earlier and in between: the years built so far never change an answer."""
        works = office(name="any order", holidays=[{"date": "2003-05-26", "name": "Memorial Day"}])
        late = works.working_time(at("2026-06-01 00:00"), at("2026-06-08 00:00"))
        early = works.working_time(at("2003-05-26 00:00"), at("2003-06-02 00:00"))
        both = works.working_time(at("2003-05-26 00:00"), at("2026-06-08 00:00"))
        middle = works.working_time(at("2003-06-02 00:00"), at("2026-06-01 00:00"))
        assert (late, early) == (42.5 * HOUR, 34 * HOUR)
        assert both == early + middle + late

    @pytest.mark.parametrize(
        "ask",
        [
            lambda works, now: works.is_open(now),
            lambda works, now: works.working_time(now, at("2026-06-05 10:00")),
            lambda works, now: works.working_time(at("2026-06-05 10:00"), now),
            lambda works, now: works.add_working(now, HOUR),
            lambda works, now: works.add_working(now, ZERO),
            lambda works, now: works.add(now, Span.parse("1 calendar day")),
            lambda works, now: works.elapsed(now, now, working=False),
            lambda works, now: works.next_opening(now),
            lambda works, now: works.local(now),
            lambda works, now: list(works.windows_between(now, now)),
        ],
    )
    def test_naive_datetimes_are_refused(self, ask: Callable[[WorkingCalendar, dt.datetime], object]) -> None:
        """An instant without a zone is a mistake wherever it is given."""
        naive = dt.datetime(2026, 6, 5, 10, 0, tzinfo=dt.UTC).replace(tzinfo=None)
        with pytest.raises(ValueError, match="naive"):
            ask(office(), naive)


class TestLimits:
    """Where a calendar stops looking."""

    def test_more_work_than_forty_years_hold(self) -> None:
        """A minute a week never adds up to a hundred hours within forty years."""
        works = calendar(["09:00-09:01"], ("wed",))
        with pytest.raises(CalendarExhausted, match="40 years"):
            works.add_working(at("2026-06-03 12:00"), 100 * HOUR)

    def test_a_search_of_decades_ends_well(self) -> None:
        """Thirty hours of a minute a week are found, 1800 weeks on."""
        works = calendar(["09:00-09:01"], ("wed",))
        found = works.add_working(at("2026-06-03 12:00"), 30 * HOUR)
        assert found == at("2026-06-03 09:01") + dt.timedelta(weeks=1800) + (HOUR if _is_winter(found) else ZERO)

    def test_years_out_of_reach(self) -> None:
        """Before 1900 and after 2200 a calendar has no answer, and says so."""
        works = office()
        for year in (1899, 2201):
            with pytest.raises(CalendarExhausted, match="1900 to 2200"):
                works.is_open(dt.datetime(year, 6, 1, tzinfo=dt.UTC))
        for year in (1, 9999):
            with pytest.raises(CalendarExhausted, match="1900 to 2200"):
                works.add_working(dt.datetime(year, 6, 1, tzinfo=dt.UTC), HOUR)

    def test_first_and_last_instants_within_reach(self) -> None:
        """The whole of 1900 and of 2200 can be asked about."""
        works = calendar(["00:00-24:00"])
        first, last = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 12, 31, 23, tzinfo=dt.UTC)
        assert works.is_open(first)
        assert works.is_open(last)
        assert works.working_time(last - HOUR, last) == HOUR
        assert works.next_opening(last) == last
        with pytest.raises(CalendarExhausted):
            works.add_working(last, 100 * 24 * HOUR)

    def test_calendar_days_past_the_last_year(self) -> None:
        """An elapsed span that leaves the years Python knows is refused in words."""
        with pytest.raises(CalendarExhausted, match="last year"):
            office().add(dt.datetime(9999, 12, 31, tzinfo=dt.UTC), Span.parse("7 calendar days"))


def _is_winter(instant: dt.datetime) -> bool:
    return not instant.astimezone(ZoneInfo(CHICAGO)).dst()
