"""Reads a calendar file, definitions/calendars/<name>.yaml, into a WorkingCalendar; says what is wrong where."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from pydantic import ValidationError

from fixline.catalog.findings import Findings, Place
from fixline.catalog.grammar import TEXT, Grammar, Key, Pairs, Values, of_section, of_text
from fixline.catalog.organisation import TIMEZONE
from fixline.catalog.shape import KEY, Section, Written, check_name, text_of
from fixline.catalog.tree import Mapping, Node, Sequence, along
from fixline.domain.deadlines.calendar import (
    WEEKDAYS,
    CalendarException,
    Holiday,
    Period,
    Weekday,
    Window,
    WorkingCalendar,
)
from fixline.domain.deadlines.timeline import FIRST_YEAR, LAST_YEAR

_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})\b")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PERIOD = re.compile(r"of period '([^']*)'")


def read_calendar(tree: Mapping, name: str, findings: Findings) -> WorkingCalendar | None:
    """The calendar of the file called `name`, or None after its findings."""
    before = len(findings)
    top = Section(tree, findings)
    written = top.text("calendar")
    check_name(name, written.place if written else tree.place, KEY, findings)
    if written is not None and written.text != name:
        message = f"the calendar is called '{written.text}', its file '{name}': use one name for both"
        findings.add("FX210", written.place, message)
    found = _CALENDAR.values(top)
    if len(findings) > before:
        return None
    try:
        return WorkingCalendar.model_validate(found)
    except ValidationError as problem:
        _explain(problem, top, findings)
        return None


def _read_weekly(body: Section, _: Section) -> dict[Weekday, tuple[Window, ...]]:
    entries = {day: entry for day in WEEKDAYS if (entry := body.entry(day)) is not None}
    body.finish("'weekly'")
    return {day: _read_windows(entry.value, body.findings) for day, entry in entries.items()}


def _check_ever_open(top: Section, found: Values) -> None:
    weekly = top.section("weekly")
    days = [day.value for day in weekly.tree] if weekly is not None else None
    written = any(isinstance(day, Sequence) and not day.items for day in days or ())
    if days is not None and not any(found["weekly"].values()) and (written or not days):
        top.add("FX705", 'the calendar is never open: give a weekday its hours, such as ["08:00-16:30"]', "weekly")


def _read_windows(node: Node, findings: Findings) -> tuple[Window, ...]:
    if not isinstance(node, Sequence):
        findings.add("FX203", node.place, 'opening hours are a list, such as ["08:00-16:30"]')
        return ()
    windows: list[Window] = []
    for item in node.items:
        written = text_of(item, "an entry of opening hours", findings)
        if written is None:
            continue
        try:
            windows.append(Window.parse(written.text))
        except ValueError as problem:
            findings.add("FX704", written.place, _words(problem))
    return tuple(windows)


def _read_date(written: Written, body: Section) -> dt.date | None:
    try:
        date = dt.date.fromisoformat(written.text) if _DATE.fullmatch(written.text) else None
    except ValueError:
        date = None
    if date is None:
        body.findings.add("FX706", written.place, f"'{written.text}' is no date: write it like 2026-03-31")
    elif not FIRST_YEAR <= date.year <= LAST_YEAR:
        message = f"a calendar knows the years {FIRST_YEAR} to {LAST_YEAR}, and {date} is in none of them"
        body.findings.add("FX706", written.place, message)
        return None
    return date


def _read_hours(body: Section, key: str) -> tuple[Window, ...]:
    entry = body.entry(key, required=True)
    return () if entry is None else _read_windows(entry.value, body.findings)


def _check_period(body: Section, found: Values) -> None:
    if found.keys() >= {"first", "last", "name"} and found["last"] < found["first"]:
        last, first = found["last"], found.pop("first")
        message = f"the period ends on {last}, before it begins on {first}: put 'from' before 'until'"
        body.findings.add("FX713", body.value_place("until"), message)


def _check_periods(periods: Pairs[Period]) -> None:
    kept: list[Period] = []
    for body, period in periods:
        other = next((each for each in kept if each.first <= period.last and period.first <= each.last), None)
        if other is None:
            kept.append(period)
            continue
        message = f"the period overlaps '{other.name}', {other.first} to {other.last}: one date has one period"
        body.findings.add("FX713", body.value_place("from"), message)


def _check_holiday(body: Section, found: Values) -> None:
    if "observed" in found and "name" in found and found["observed"] == found.get("date"):
        message = f"{found.pop('date')} is the holiday itself: leave 'observed' out, or give the other date"
        body.findings.add("FX706", body.value_place("observed"), message)


def _check_holidays(holidays: Pairs[Holiday]) -> None:
    known: set[tuple[dt.date, str]] = set()
    for body, holiday in holidays:
        if (holiday.date, holiday.name) in known:
            body.add("FX217", f"'{holiday.name}' on {holiday.date} is in the list twice")
        known.add((holiday.date, holiday.name))


def _check_exceptions(exceptions: Pairs[CalendarException]) -> None:
    known: set[dt.date] = set()
    for body, exception in exceptions:
        if exception.date in known:
            body.findings.add("FX706", body.value_place("date"), f"{exception.date} has an exception already")
        elif exception.name:
            known.add(exception.date)


def _explain(problem: ValidationError, top: Section, findings: Findings) -> None:
    """Put the model's complaints at the keys that they are about."""
    for error in problem.errors():
        words = _words(error["msg"])
        findings.add("FX704", _about(top, words, str(error["loc"][0]) if error["loc"] else "weekly"), words)


def _about(top: Section, words: str, key: str) -> Place:
    """The entry whose date or period the words name, or the hours of the weekday; else the key's value."""
    dates, period, day = set(_DATE.findall(words)), _PERIOD.search(words), _WEEKDAY.search(words)
    entry = _listed(top, "exceptions", ("date",), dates) or _listed(top, "periods", ("from", "until"), dates)
    if period is not None:
        entry = _listed(top, "periods", ("name",), {period[1]})
    if not dates and day is not None and len(hours := along(entry or top.tree, ("weekly", day[0]))) == 3:
        return hours[-1][0].place
    return top.value_place(key) if entry is None else entry.place


def _listed(top: Section, key: str, names: tuple[str, ...], texts: set[str]) -> Mapping | None:
    """The entry of a list that has one of these texts at one of these keys."""
    entries = [item for item in top.items(key) or () if isinstance(item, Mapping)]
    has = ((item, Section(item, top.findings).string(name)) for item in entries for name in names)
    return next((item for item, text in has if text in texts), None)


def _words(problem: object) -> str:
    if isinstance(problem, ValidationError):
        problem = problem.errors()[0]["msg"]
    return str(problem).removeprefix("Value error, ")


_DAY = of_text(_read_date)
_WEEKLY = of_section(_read_weekly, absent={})
_PERIODS = Grammar(
    Period,
    "a period",
    {"first": replace(_DAY, name="from"), "last": replace(_DAY, name="until"), "weekly": _WEEKLY},
    later=("inherits",),
    needs={"first", "last", "name"},
    check=_check_period,
)
_HOLIDAYS = Grammar(
    Holiday, "a holiday", {"date": _DAY, "observed": _DAY}, needs={"date", "name"}, check=_check_holiday
)
_EXCEPTIONS = Grammar(
    CalendarException, "an exception", {"date": _DAY, "hours": Key(_read_hours, required=True)}, needs={"date"}
)
_CALENDAR = Grammar(
    WorkingCalendar,
    "a calendar",
    {
        "name": replace(TEXT, name="calendar"),
        "timezone": TIMEZONE,
        "day": TEXT,
        "weekly": _WEEKLY,
        "periods": _PERIODS.listed("an entry of 'periods'", _check_periods),
        "holidays": _HOLIDAYS.listed("an entry of 'holidays'", _check_holidays),
        "exceptions": _EXCEPTIONS.listed("an entry of 'exceptions'", _check_exceptions),
    },
    later=("seasons", "inherits", "until"),
    check=_check_ever_open,
)
