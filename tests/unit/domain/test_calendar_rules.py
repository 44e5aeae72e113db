"""Exceptions and holidays of the working calendar, and what no calendar may be."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import ClassVar

import pytest
from pydantic import ValidationError

from fixline.domain.deadlines.calendar import (
    Span,
    Window,
    WorkingCalendar,
)
from tests.support.domain.hours import EVERY_DAY, HOUR, MINUTE, OFFICE, WEEKDAYS, ZERO, at, calendar, office


class TestPeriods:
    """Weeks that hold for a time."""

    WINTER: ClassVar = {
        "first": "2026-12-01",
        "last": "2027-02-28",
        "name": "Winter",
        "weekly": {"mon": ["10:00-14:00"]},
    }

    def test_the_week_changes_at_both_ends(self) -> None:
        """The last Monday before, the first and last within, the first after; no Tuesday within."""
        works = office(periods=[self.WINTER])
        open_on = {day: works.working_time(at(f"{day} 00:00"), at(f"{day} 23:59")) / HOUR for day in self.MONDAYS}
        assert open_on == {"2026-11-30": 8.5, "2026-12-07": 4, "2027-02-22": 4, "2027-03-01": 8.5}
        assert works.add_working(at("2026-11-30 16:30"), HOUR) == at("2026-12-07 11:00")

    MONDAYS = ("2026-11-30", "2026-12-07", "2027-02-22", "2027-03-01")

    def test_a_closed_season(self) -> None:
        """A period without hours is closed; holidays and exceptions hold within one as elsewhere."""
        summer = {"first": "2026-06-06", "last": "2026-08-31", "name": "Summer", "weekly": {}}
        fair = [{"date": "2026-07-04", "hours": ["09:00-10:00"], "name": "Fair"}]
        works = office(periods=[summer], exceptions=fair)
        assert works.working_time(at("2026-06-06 00:00"), at("2026-09-01 00:00")) == HOUR
        assert works.next_opening(at("2026-07-04 10:00")) == at("2026-09-01 08:00")
        holiday = [{"date": "2026-12-07", "name": "Holiday"}]
        assert not office(periods=[self.WINTER], holidays=holiday).is_open(at("2026-12-07 11:00"))

    def test_a_night_runs_out_of_its_period(self) -> None:
        """What began on the last evening runs to its end, under the new week."""
        nights = {"first": "2026-06-01", "last": "2026-06-05", "name": "Nights", "weekly": {"fri": ["22:00-06:00"]}}
        assert office(periods=[nights]).is_open(at("2026-06-06 05:59"))

    @pytest.mark.parametrize(
        ("periods", "words"),
        [
            ([WINTER, {**WINTER, "first": "2027-02-28", "last": "2027-03-01"}], "'Winter' and 'Winter' overlap"),
            ([{**WINTER, "last": "2026-11-30"}], "ends on 2026-11-30, before it begins on 2026-12-01"),
            ([{**WINTER, "weekly": {"mon": ["22:00-06:00"], "tue": ["05:00-07:00"]}}], "tue of period 'Winter'"),
            ([{**WINTER, "last": "2027-02-22", "weekly": {"mon": ["22:00-09:00"]}}], "of 2027-02-22 runs into"),
        ],
    )
    def test_periods_that_do_not_fit(self, periods: list[dict[str, object]], words: str) -> None:
        """Two on one date, one that ends before it begins, hours that overlap in it or where it ends."""
        with pytest.raises(ValidationError, match=words):
            office(periods=periods)


class TestHolidays:
    """Dates on which nobody begins."""

    def test_an_observed_holiday_closes_both_dates(self) -> None:
        """Independence Day on a Saturday, and the Friday on which it is observed."""
        both = [{"date": "2026-07-04", "observed": "2026-07-03", "name": "Independence Day"}]
        works = calendar(OFFICE, EVERY_DAY, holidays=both)
        assert works.working_time(at("2026-07-03 00:00"), at("2026-07-05 00:00")) == ZERO
        assert works.hours_on(dt.date(2026, 7, 3)) == ()
        assert works.hours_on(dt.date(2026, 7, 5)) == (Window.parse(OFFICE[0]),)


class TestExceptions:
    """Single dates with hours of their own."""

    def test_an_open_saturday(self) -> None:
        """A Saturday opened by exception is worked."""
        works = office(exceptions=[{"date": "2026-06-06", "hours": ["09:00-12:00"], "name": "Spring clean-up"}])
        assert works.add_working(at("2026-06-05 16:30"), HOUR) == at("2026-06-06 10:00")
        assert works.working_time(at("2026-06-06 00:00"), at("2026-06-07 00:00")) == 3 * HOUR

    def test_a_storm_closure(self) -> None:
        """A working day closed by exception is not worked."""
        works = office(exceptions=[{"date": "2026-06-05", "hours": [], "name": "Storm"}])
        assert works.working_time(at("2026-06-05 00:00"), at("2026-06-06 00:00")) == ZERO
        assert works.add_working(at("2026-06-05 10:00"), HOUR) == at("2026-06-08 09:00")

    def test_an_exception_beats_a_holiday(self) -> None:
        """A holiday worked by exception has the exception's hours."""
        works = office(
            holidays=[{"date": "2026-12-25", "name": "Christmas Day"}],
            exceptions=[{"date": "2026-12-25", "hours": ["10:00-12:00"], "name": "Snow crews"}],
        )
        assert works.working_time(at("2026-12-25 00:00"), at("2026-12-26 00:00")) == 2 * HOUR

    def test_two_exceptions_on_one_date_are_refused(self) -> None:
        """One date has one exception; the message names both."""
        twice = [{"date": "2026-06-06", "name": name} for name in ("Storm", "Parade")]
        with pytest.raises(ValidationError, match="two exceptions on 2026-06-06, 'Storm' and 'Parade'"):
            office(exceptions=twice)

    def test_an_exception_that_the_evening_before_runs_into_is_refused(self) -> None:
        """Friday's shift to 06:00 and an exception from 05:00 on Saturday overlap."""
        early = [{"date": "2026-06-06", "hours": ["05:00-12:00"], "name": "Parade"}]
        with pytest.raises(ValidationError, match="22:00-06:00 of 2026-06-05 runs into 05:00-12:00 of 2026-06-06"):
            calendar(["22:00-06:00"], ("fri",), exceptions=early)

    def test_an_exception_that_runs_into_the_next_morning_is_refused(self) -> None:
        """An overnight exception to 09:00 overlaps the next date's opening at 08:00."""
        late = [{"date": "2026-06-04", "hours": ["22:00-09:00"], "name": "Flood"}]
        with pytest.raises(ValidationError, match="22:00-09:00 of 2026-06-04 runs into 08:00-16:30 of 2026-06-05"):
            office(exceptions=late)

    def test_an_overnight_exception_before_a_holiday_is_allowed(self) -> None:
        """On a closed date there is nothing to run into."""
        late = [{"date": "2026-06-04", "hours": ["22:00-09:00"], "name": "Flood"}]
        works = office(exceptions=late, holidays=[{"date": "2026-06-05", "name": "Founders' Day"}])
        assert works.working_time(at("2026-06-04 00:00"), at("2026-06-06 00:00")) == 11 * HOUR


class TestValidation:
    """What a calendar refuses, and how it is kept."""

    @pytest.mark.parametrize("weekly", [{}, {"mon": []}])
    def test_a_never_open_calendar_is_refused(self, weekly: dict[str, list[str]]) -> None:
        """Without any weekly window nothing would ever be due."""
        with pytest.raises(ValidationError, match="never open"):
            office(weekly=weekly)

    def test_overlapping_windows_of_a_day_are_refused(self) -> None:
        """Two windows of one day that overlap are a mistake, and the message names them."""
        with pytest.raises(ValidationError, match="overlap on mon: 08:00-12:00 and 11:30-16:00"):
            calendar(["11:30-16:00", "08:00-12:00"])

    def test_overnight_overlap_with_the_next_day_is_refused(self) -> None:
        """Sunday's night shift that runs past Monday's opening is a mistake."""
        with pytest.raises(ValidationError, match="22:00-09:00 of sun runs into 08:00-16:30 of mon"):
            office(weekly={"sun": ["22:00-09:00"], "mon": OFFICE})

    @pytest.mark.parametrize("zone", ["America/Chicgo", "", "America", "../etc/passwd", "CST/"])
    def test_an_unknown_zone_is_refused(self, zone: str) -> None:
        """A zone that the platform does not know is a mistake."""
        with pytest.raises(ValidationError, match="no time zone"):
            office(timezone=zone)

    @pytest.mark.parametrize("day", ["0 hours", "25 hours", "8", 8, "", "0.001 hours", "30 seconds"])
    def test_a_wrong_length_of_working_day_is_refused(self, day: object) -> None:
        """A working day is whole minutes, above none and at most 24 hours, with its unit."""
        with pytest.raises(ValidationError, match="working day"):
            office(day=day)

    @pytest.mark.parametrize(
        ("day", "minutes", "text"),
        [
            ("8 hours", 480, "8 hours"),
            ("1 hour", 60, "1 hour"),
            ("7.5 hours", 450, "450 minutes"),
            ("7 hours 30 minutes", 450, "450 minutes"),
            (dt.timedelta(hours=24), 1440, "24 hours"),
        ],
    )
    def test_lengths_of_working_day(self, day: object, minutes: int, text: str) -> None:
        """The ways to write a working day, and the one way it is written back."""
        works = office(day=day)
        assert works.day == minutes * MINUTE
        assert works.model_dump()["day"] == text

    def test_unknown_keys_and_days_are_refused(self) -> None:
        """No key is accepted and not used."""
        with pytest.raises(ValidationError):
            office(opens="08:00")
        with pytest.raises(ValidationError):
            office(weekly={"monday": OFFICE})

    def test_dates_out_of_reach_are_refused(self) -> None:
        """A holiday in the year 1 is a slip of the pen."""
        with pytest.raises(ValidationError):
            office(holidays=[{"date": "0001-01-01", "name": "Slip"}])

    def test_json_round_trip(self) -> None:
        """A calendar comes back from its JSON the same, used or not."""
        works = office(
            holidays=[{"date": "2026-12-25", "name": "Christmas Day"}],
            exceptions=[{"date": "2026-06-06", "hours": ["22:00-06:00"], "name": "Clean-up"}],
        )
        assert works.is_open(at("2026-06-06 23:00"))
        again = WorkingCalendar.model_validate_json(works.model_dump_json())
        assert again == works
        assert hash(again) == hash(works)
        assert again.model_dump_json() == works.model_dump_json()

    def test_the_order_written_does_not_matter(self) -> None:
        """Days, windows, holidays and exceptions in another order are the same calendar."""
        dates = [{"date": "2026-12-25", "name": "Christmas"}, {"date": "2026-01-01", "name": "New Year"}]
        one = office(weekly={"mon": ["08:00-12:00", "13:00-17:00"], "tue": OFFICE}, holidays=dates)
        other = office(weekly={"tue": OFFICE, "mon": ["13:00-17:00", "08:00-12:00"]}, holidays=dates[::-1])
        assert one.model_dump_json() == other.model_dump_json()
        assert one == other

    def test_pickle_round_trip(self) -> None:
        """A calendar in use can be sent to another process."""
        works = office()
        assert works.is_open(at("2026-06-05 10:00"))
        again = pickle.loads(pickle.dumps(works))  # noqa: S301
        assert again == works
        assert again.is_open(at("2026-06-05 10:00"))

    def test_an_edited_copy_measures_by_its_own_hours(self) -> None:
        """A calendar edited while clocks run is another calendar; the one in use does not change."""
        works = office()
        assert works.is_open(at("2026-06-05 10:00"))
        closed = Window.parse("12:00-16:00")
        edited = works.model_copy(update={"weekly": dict.fromkeys(EVERY_DAY, (closed,))})
        assert not edited.is_open(at("2026-06-05 10:00"))
        assert works.is_open(at("2026-06-05 10:00"))

    def test_calendars_with_the_same_hours_keep_their_own_names(self) -> None:
        """Two calendars may share hours and differ in name and working day."""
        one, other = office(), office(name="water", day="4 hours")
        span, opening = Span.parse("1 working day"), at("2026-06-05 08:00")
        assert one != other
        assert one.add(opening, span) == at("2026-06-05 16:00")
        assert other.add(opening, span) == at("2026-06-05 12:00")

    def test_a_quarter_of_a_century_adds_up(self) -> None:
        """Work measured over 25 years and added again ends at the same instant."""
        works = calendar(["08:00-12:00", "12:30-16:30"], WEEKDAYS)
        start, end = at("2001-06-05 10:00"), at("2026-06-05 10:00")
        amount = works.working_time(start, end)
        assert works.add_working(start, amount) == end
