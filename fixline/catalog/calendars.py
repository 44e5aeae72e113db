"""Reads a calendar file into a WorkingCalendar.

Owns the keys of definitions/calendars/<name>.yaml and the places of what is wrong in one. The arithmetic
and the rules of opening hours are `fixline.domain.calendar`'s. Must not import anything of Fixline but the
reading of sections and that module.
"""

from __future__ import annotations

import datetime as dt
import re

from pydantic import ValidationError

from fixline.catalog.findings import Findings, Place
from fixline.catalog.organisation import check_timezone
from fixline.catalog.reading import Mapping, Node, Sequence
from fixline.catalog.shape import KEY, Section, check_name, section_of, text_of
from fixline.domain.calendar import CalendarException, Holiday, Weekday, Window, WorkingCalendar

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})\b")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


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
    holidays, exceptions = _read_holidays(top), _read_exceptions(top)
    top.finish("a calendar", ("seasons", "inherits", "until"))
    if len(findings) > before or timezone is None or day is None or not known_zone:
        return None
    parts = {"name": name, "timezone": timezone.text, "day": day.text, "weekly": weekly}
    try:
        return WorkingCalendar.model_validate({**parts, "holidays": holidays, "exceptions": exceptions})
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
    written = any(isinstance(entry.value, Sequence) and not entry.value.items for entry in body.tree)
    if not any(weekly.values()) and (written or not body.tree.entries):
        message = 'the calendar is never open: give a weekday its hours, such as ["08:00-16:30"]'
        top.findings.add("FX705", top.key_place("weekly"), message)
    return weekly


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


def _read_holidays(top: Section) -> list[Holiday]:
    found: list[Holiday] = []
    for body in _dated(top, "holidays"):
        date, name = _read_date(body), body.text("name", required=True)
        body.finish("a holiday")
        if date is not None and name is not None:
            found.append(Holiday(date=date, name=name.text))
    return found


def _read_exceptions(top: Section) -> list[CalendarException]:
    found: dict[dt.date, CalendarException] = {}
    for body in _dated(top, "exceptions"):
        date, name = _read_date(body), body.text("name", required=True)
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


def _read_date(body: Section) -> dt.date | None:
    written = body.text("date", required=True)
    if written is None:
        return None
    try:
        if _DATE.fullmatch(written.text):
            return dt.date.fromisoformat(written.text)
    except ValueError:
        pass
    body.findings.add("FX706", written.place, f"'{written.text}' is no date: write it like 2026-03-31")
    return None


def _value_place(body: Section, key: str) -> Place:
    entry = body.tree.entries.get(key)
    return body.owner if entry is None else entry.value.place


def _explain(problem: ValidationError, top: Section, findings: Findings) -> None:
    """Put the model's complaints at the keys that they are about."""
    for error in problem.errors():
        words = _words(error["msg"])
        findings.add("FX704", _about(top, words, str(error["loc"][0]) if error["loc"] else "weekly"), words)


def _about(top: Section, words: str, key: str) -> Place:
    """The hours of the weekday that the words name; the key's value when they name none."""
    weekly = top.tree.entries.get("weekly")
    day = _WEEKDAY.search(words)
    if day is not None and weekly is not None and isinstance(weekly.value, Mapping):
        entry = weekly.value.entries.get(day[0])
        if entry is not None:
            return entry.value.place
    return _value_place(top, "exceptions" if re.search(r"\d{4}-", words) else key)


def _words(problem: object) -> str:
    if isinstance(problem, ValidationError):
        problem = problem.errors()[0]["msg"]
    return str(problem).removeprefix("Value error, ")
