"""Reads a calendar file into a WorkingCalendar.

Owns the keys of definitions/calendars/<name>.yaml and the places of what is wrong in one. The arithmetic
and the rules of opening hours are `fixline.domain.deadlines.calendar`'s. Must not import anything of Fixline but the
reading of sections and that module.
"""

from __future__ import annotations

import datetime as dt
import re

from pydantic import ValidationError

from fixline.catalog.findings import Findings, Place
from fixline.catalog.organisation import check_timezone
from fixline.catalog.reading import Mapping, Node, Scalar, Sequence
from fixline.catalog.shape import KEY, Section, check_name, section_of, text_of
from fixline.domain.deadlines.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    CalendarException,
    Holiday,
    Period,
    Weekday,
    Window,
    WorkingCalendar,
)

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})\b")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PERIOD = re.compile(r"of period '([^']*)'")


def read_calendar(tree: Mapping, name: str, findings: Findings) -> WorkingCalendar | None:
    """The calendar of the file called `name`, or None after its findings."""
    before = len(findings)
    top = Section(tree, findings)
    written = top.text("calendar", required=True)
    check_name(name, written.place if written else tree.place, KEY, findings)
    if written is not None and written.text != name:
        message = f"the calendar is called '{written.text}', its file '{name}': use one name for both"
        findings.add("FX210", written.place, message)
    timezone = top.text("timezone", required=True)
    known_zone = timezone is not None and check_timezone(timezone, findings)
    day = top.text("day", required=True)
    weekly = _read_weekly(top)
    _check_ever_open(top, weekly)
    dated = {
        "periods": _read_periods(top),
        "holidays": _read_holidays(top),
        "exceptions": _read_exceptions(top),
    }
    top.finish("a calendar", ("seasons", "inherits", "until"))
    if len(findings) > before or timezone is None or day is None or not known_zone:
        return None
    parts = {"name": name, "timezone": timezone.text, "day": day.text, "weekly": weekly}
    try:
        return WorkingCalendar.model_validate({**parts, **dated})
    except ValidationError as problem:
        _explain(problem, top, findings)
        return None


def _read_weekly(top: Section) -> dict[Weekday, tuple[Window, ...]]:
    body = top.section("weekly", required=True)
    weekly: dict[Weekday, tuple[Window, ...]] = {}
    if body is None:
        return weekly
    for day in WEEKDAYS:
        entry = body.entry(day)
        if entry is not None:
            weekly[day] = _read_windows(entry.value, body.findings)
    body.finish("'weekly'")
    return weekly


def _check_ever_open(top: Section, weekly: dict[Weekday, tuple[Window, ...]]) -> None:
    entry = top.tree.entries.get("weekly")
    if entry is None or not isinstance(entry.value, Mapping):
        return
    written = any(isinstance(day.value, Sequence) and not day.value.items for day in entry.value)
    if not any(weekly.values()) and (written or not entry.value.entries):
        message = 'the calendar is never open: give a weekday its hours, such as ["08:00-16:30"]'
        top.findings.add("FX705", top.key_place("weekly"), message)


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


def _read_periods(top: Section) -> list[Period]:
    found: list[Period] = []
    for body in _dated(top, "periods"):
        first, last = _read_date(body, "from"), _read_date(body, "until")
        name, weekly = body.text("name", required=True), _read_weekly(body)
        body.finish("a period", ("inherits",))
        if first is None or last is None or name is None:
            continue
        if last < first:
            message = f"the period ends on {last}, before it begins on {first}: put 'from' before 'until'"
            body.findings.add("FX713", _value_place(body, "until"), message)
            continue
        other = next((each for each in found if each.first <= last and first <= each.last), None)
        if other is not None:
            message = f"the period overlaps '{other.name}', {other.first} to {other.last}: one date has one period"
            body.findings.add("FX713", _value_place(body, "from"), message)
            continue
        found.append(Period(first=first, last=last, name=name.text, weekly=weekly))
    return found


def _read_holidays(top: Section) -> list[Holiday]:
    found: dict[tuple[dt.date, str], Holiday] = {}
    for body in _dated(top, "holidays"):
        date, name = _read_date(body, "date"), body.text("name", required=True)
        observed = _read_date(body, "observed") if body.has("observed") else None
        body.finish("a holiday")
        if date is None or name is None:
            continue
        if observed == date:
            message = f"{date} is the holiday itself: leave 'observed' out, or give the other date"
            body.findings.add("FX706", _value_place(body, "observed"), message)
            continue
        if (date, name.text) in found:
            body.findings.add("FX217", body.owner, f"'{name.text}' on {date} is in the list twice")
        else:
            found[date, name.text] = Holiday(date=date, name=name.text, observed=observed)
    return list(found.values())


def _read_exceptions(top: Section) -> list[CalendarException]:
    found: dict[dt.date, CalendarException] = {}
    for body in _dated(top, "exceptions"):
        date, name = _read_date(body, "date"), body.text("name", required=True)
        entry = body.entry("hours", required=True)
        hours = _read_windows(entry.value, body.findings) if entry else ()
        body.finish("an exception")
        if date is not None and date in found:
            body.findings.add("FX706", _value_place(body, "date"), f"{date} has an exception already")
        elif date is not None and name is not None:
            found[date] = CalendarException(date=date, hours=hours, name=name.text)
    return list(found.values())


def _dated(top: Section, key: str) -> list[Section]:
    bodies = [section_of(item, f"an entry of '{key}'", top.findings) for item in top.items(key) or ()]
    return [body for body in bodies if body is not None]


def _read_date(body: Section, key: str) -> dt.date | None:
    written = body.text(key, required=True)
    if written is None:
        return None
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


def _value_place(body: Section, key: str) -> Place:
    entry = body.tree.entries.get(key)
    return body.owner if entry is None else entry.value.place


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
    holder = entry or top.tree
    weekly = holder.entries.get("weekly")
    if not dates and day is not None and weekly is not None and isinstance(weekly.value, Mapping):
        hours = weekly.value.entries.get(day[0])
        if hours is not None:
            return hours.value.place
    return _value_place(top, key) if entry is None else entry.place


def _listed(top: Section, key: str, names: tuple[str, ...], texts: set[str]) -> Mapping | None:
    """The entry of a list that has one of these texts at one of these keys."""
    listed = top.tree.entries.get(key)
    for item in listed.value.items if listed is not None and isinstance(listed.value, Sequence) else ():
        if isinstance(item, Mapping):
            values = [item.entries[name].value for name in names if name in item.entries]
            if any(isinstance(value, Scalar) and value.text in texts for value in values):
                return item
    return None


def _words(problem: object) -> str:
    if isinstance(problem, ValidationError):
        problem = problem.errors()[0]["msg"]
    return str(problem).removeprefix("Value error, ")
