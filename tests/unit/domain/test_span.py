"""Windows and spans as text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from fixline.domain.deadlines.calendar import (
    Span,
    SpanError,
    Unit,
    Window,
)
from tests.support.domain.hours import HOUR, MINUTE, at, office


class TestWindow:
    """Opening hours as text."""

    @pytest.mark.parametrize(
        ("text", "opens", "closes"),
        [
            ("08:00-16:30", 480, 990),
            ("22:00-06:00", 1320, 1800),
            ("00:00-24:00", 0, 1440),
            ("16:00-24:00", 960, 1440),
            ("00:01-00:00", 1, 1440),
            ("8:00 - 9:00", 480, 540),
            ("23:59-23:58", 1439, 2878),
        ],
    )
    def test_good_texts(self, text: str, opens: int, closes: int) -> None:
        """Texts that are read, and read again from what they are written as."""
        window = Window.parse(text)
        assert (window.opens, window.closes) == (opens, closes)
        assert Window.parse(str(window)) == window
        assert TypeAdapter(Window).validate_json(window.model_dump_json()) == window

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("08:00", "no opening window"),
            ("8-16", "no opening window"),
            ("08:00-16:60", "no opening window"),
            ("", "no opening window"),
            ("08:00-25:00", "past the end"),
            ("24:00-06:00", "past the end"),
            ("08:00-08:00", "same time"),
            ("00:00-00:00", "'00:00-24:00'"),
        ],
    )
    def test_bad_texts(self, text: str, words: str) -> None:
        """Texts that are refused, with words that help."""
        with pytest.raises(ValueError, match=words):
            Window.parse(text)
        with pytest.raises(ValidationError, match=words):
            TypeAdapter(Window).validate_python(text)

    @pytest.mark.parametrize(
        ("opens", "closes"), [(480, 480), (480, 400), (480, 1920), (0, 1441), (-1, 5), (1440, 1500)]
    )
    def test_bad_minutes(self, opens: int, closes: int) -> None:
        """A window closes after it opens and within 24 hours."""
        with pytest.raises(ValidationError):
            Window(opens=opens, closes=closes)

    def test_schema_for_editors_is_a_text(self) -> None:
        """Editors are told that a window is written as text."""
        assert Window.model_json_schema()["type"] == "string"


class TestSpan:
    """Lengths of time as text."""

    @pytest.mark.parametrize(
        ("text", "count", "unit"),
        [
            ("4 working hours", "4", Unit.WORKING_HOURS),
            ("1 working day", "1", Unit.WORKING_DAYS),
            ("7 calendar days", "7", Unit.CALENDAR_DAYS),
            ("90 working minutes", "90", Unit.WORKING_MINUTES),
            ("0.5 working days", "0.5", Unit.WORKING_DAYS),
            ("1 calendar hour", "1", Unit.CALENDAR_HOURS),
            ("2.25 calendar hours", "2.25", Unit.CALENDAR_HOURS),
            ("30 calendar minutes", "30", Unit.CALENDAR_MINUTES),
        ],
    )
    def test_good_texts(self, text: str, count: str, unit: Unit) -> None:
        """Texts that are read, and written back as they were."""
        span = Span.parse(text)
        assert (span.count, span.unit) == (Decimal(count), unit)
        assert str(span) == text
        assert span.working == text.split()[1].startswith("working")

    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("1 working days", "1 working day"),
            ("2 working day", "2 working days"),
            ("  2   Working  DAYS ", "2 working days"),
            ("1.50 working hours", "1.5 working hours"),
            ("100 working hours", "100 working hours"),
            ("1.00 working hours", "1 working hour"),
        ],
    )
    def test_canonical_text(self, text: str, canonical: str) -> None:
        """However it is written, a span has one text, which reads back as the same span."""
        assert str(Span.parse(text)) == canonical
        assert Span.parse(canonical) == Span.parse(text)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("2 days", "say 'working days' or 'calendar days'"),
            ("1 day", "say 'working days' or 'calendar days'"),
            ("3 hours", "say 'working hours' or 'calendar hours'"),
            ("10 minutes", "say 'working minutes' or 'calendar minutes'"),
            ("1 week", "say 'working days' or 'calendar days'"),
            ("2 working weeks", "no known unit"),
            ("2 working", "no known unit"),
            ("working days", "not a length of time"),
            ("two working days", "not a length of time"),
            ("", "not a length of time"),
            ("2", "not a length of time"),
            ("1,5 working days", "not a length of time"),
            ("0 working days", "not above zero"),
            ("-1 working days", "not above zero"),
            ("0.001 working days", "two decimals"),
            ("1000001 working days", "too long"),
        ],
    )
    def test_bad_texts(self, text: str, words: str) -> None:
        """Texts that are refused, with words that say what to write."""
        with pytest.raises(SpanError, match=words):
            Span.parse(text)
        with pytest.raises(ValidationError, match=words):
            TypeAdapter(Span).validate_python(text)

    def test_units_know_whether_they_are_working_time(self) -> None:
        """Three units count opening hours, three elapsed time."""
        assert [unit.value for unit in Unit if Span(count=Decimal(1), unit=unit).working] == [
            "working minutes",
            "working hours",
            "working days",
        ]

    def test_lengths(self) -> None:
        """A working day is the calendar's; a calendar day is 24 elapsed hours."""
        works = office(day="7.5 hours")
        lengths = {
            "1 working day": 450 * MINUTE,
            "0.5 working days": 225 * MINUTE,
            "4 working hours": 4 * HOUR,
            "90 working minutes": 90 * MINUTE,
            "7 calendar days": 168 * HOUR,
            "0.01 calendar minutes": dt.timedelta(milliseconds=600),
        }
        assert {text: Span.parse(text).length(works.day) for text in lengths} == lengths

    def test_calendar_days_are_elapsed_even_over_a_clock_change(self) -> None:
        """One calendar day over the March night ends an hour later on the wall clock."""
        assert office().add(at("2026-03-07 12:00"), Span.parse("1 calendar day")) == at("2026-03-08 13:00")

    def test_working_span_on_the_calendar(self) -> None:
        """Two working days of eight hours from Thursday noon end on Monday at 11:00, in 8.5-hour days."""
        assert office().add(at("2026-06-04 12:00"), Span.parse("2 working days")) == at("2026-06-08 11:00")

    def test_json_round_trip(self) -> None:
        """A span is its text in JSON."""
        span = Span.parse("0.5 working days")
        assert span.model_dump_json() == '"0.5 working days"'
        assert Span.model_validate_json(span.model_dump_json()) == span
        assert hash(Span(count=Decimal("0.50"), unit=Unit.WORKING_DAYS)) == hash(span)

    @pytest.mark.parametrize("count", ["0", "-1", "0.001", "1000001", "NaN", "Infinity"])
    def test_bad_counts(self, count: str) -> None:
        """The count's limits hold however the span is made."""
        with pytest.raises(ValidationError):
            Span(count=Decimal(count), unit=Unit.WORKING_DAYS)

    def test_schema_for_editors_is_a_text(self) -> None:
        """Editors are told that a span is written as text."""
        assert Span.model_json_schema()["type"] == "string"
