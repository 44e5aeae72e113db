"""Moments as people write them on a command line: `2026-11-20 16:00`, `Fri 16:00`, `16:00`.

Owns the reading of them in a calendar's time zone. Answers are aware UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fixline.cli.outcome import WrongUse

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BY_DAY = re.compile(r"(?:([a-z]+)\s+)?(\d{1,2}):(\d{2})", re.IGNORECASE)
_BY_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[ tT](\d{1,2}):(\d{2})(?::(\d{2}))?\s*(z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_SHAPES = "write it like '2026-11-20 16:00', '2026-11-20T16:00-06:00', 'Fri 16:00' or '16:00'"


class Moment(NamedTuple):
    """The instant, and what has to be said about how it was read (empty: nothing)."""

    at: datetime
    note: str


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> Moment:
    """The instant that a text means in the zone.

    A weekday means the next such time after `now`, a time alone the next time the clock shows it. A time that the
    clocks show twice is its first; one with an offset is exact. Raises WrongUse for what cannot be read, and for a
    time that the clocks skip.
    """
    plain = " ".join(text.split())
    if found := _BY_DATE.fullmatch(plain):
        return _by_date(plain, found, zone)
    if found := _BY_DAY.fullmatch(plain):
        return _by_day(plain, found, zone, now)
    raise WrongUse(f"--opened: '{text}' cannot be read: {_SHAPES}")


def _by_date(text: str, found: re.Match[str], zone: ZoneInfo) -> Moment:
    day, hour, minute, second, offset = found.groups()
    try:
        local = datetime.combine(date.fromisoformat(day), time(int(hour), int(minute), int(second or 0)))
        if offset is not None:
            exact = datetime.fromisoformat(f"{local.isoformat()}{offset.upper()}")
            return Moment(exact.astimezone(UTC), "")
    except ValueError as problem:
        raise WrongUse(f"--opened: '{text}' cannot be read ({problem}): {_SHAPES}") from None
    return _in_zone(local, zone, "")


def _by_day(text: str, found: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment:
    word, hour, minute = found.groups()
    names = [name for name in _DAYS if word and word.lower() in {name, _whole(name)}]
    if (word and not names) or int(hour) > 23 or int(minute) > 59:
        raise WrongUse(f"--opened: '{text}' cannot be read: {_SHAPES}")
    today = now.astimezone(zone).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        if names and _DAYS[day.weekday()] != names[0]:
            continue
        moment = _in_zone(datetime.combine(day, time(int(hour), int(minute))), zone, f"read as {day:%A, %Y-%m-%d}")
        if moment.at > now:
            return moment
    raise WrongUse(f"--opened: '{text}' does not come within nine days")


def _whole(day: str) -> str:
    return {"tue": "tuesday", "wed": "wednesday", "thu": "thursday", "sat": "saturday"}.get(day, f"{day}day")


def _in_zone(local: datetime, zone: ZoneInfo, note: str) -> Moment:
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return Moment(first.astimezone(UTC), note)
    shown = f"{local:%Y-%m-%d %H:%M}"
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise WrongUse(f"--opened: there is no {shown} in {zone.key}: the clocks go forward over it")
    other = f"write {second.isoformat()} for the other"
    twice = f"the clocks of {zone.key} show {shown} twice, the first is meant ({other})"
    return Moment(first.astimezone(UTC), f"{note}; {twice}" if note else twice)
