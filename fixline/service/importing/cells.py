"""Single cells: names of columns, dates, numbers, as open-data files write them.

Owns the spellings. Dates are local; a date without a time is its midnight.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from fixline.service.importing.records import Unfit

_WORDS = re.compile(r"[^a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))? ?([AP]M)?)?$", re.IGNORECASE)
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2}|\d{4})$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""The years that calendars know."""
_CENTURY_TURNS = 69
"""Two-digit years from here on are of the last century, as in POSIX."""


@lru_cache(maxsize=2_000)
def slug(text: str, between: str = "-") -> str:
    """Lower-case words, joined: a type's or a column's name however it is written."""
    return _WORDS.sub(between, text.lower()).strip(between)


def find_column(names: Sequence[str], spellings: Sequence[str]) -> int | None:
    """Where the column stands that has one of these names; None when none has."""
    return next((names.index(spelling) for spelling in spellings if spelling in names), None)


def clean(cell: str) -> str:
    """The text without control characters (databases refuse some) and outer space."""
    return cell.strip() if cell.isprintable() else _CONTROL.sub("", cell).strip()


def code(cell: str) -> str:
    """A code that spreadsheets have made a number of: 60620.0 is 60620."""
    return cell.removesuffix(".0")


@lru_cache(maxsize=20_000)
def local_instant(text: str, zone: ZoneInfo) -> datetime:
    """The local date, or date and time, as an instant in UTC. Raises Unfit."""
    try:
        local = _iso(text) or _slashed(text) or _named(text)
    except ValueError:
        local = None
    if local is None or not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise Unfit(f"the date {text[:40]!r} cannot be read")
    return local.replace(tzinfo=zone).astimezone(UTC)


def _iso(text: str) -> datetime | None:
    found = _ISO.match(text)
    return datetime(*(int(part or 0) for part in found.groups())) if found else None  # type: ignore[arg-type]  # noqa: DTZ001 - its zone is set by the caller


def _slashed(text: str) -> datetime | None:
    found = _SLASHED.match(text)
    if found is None:
        return None
    month, day, year, hour, minute, second, half = found.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))  # noqa: DTZ001


def _named(text: str) -> datetime | None:
    found = _NAMED.match(text)
    if found is None or found[2].lower() not in _MONTHS:
        return None
    year = int(found[3])
    if len(found[3]) == 2:
        year += 1900 if year >= _CENTURY_TURNS else 2000
    return datetime.combine(date(year, _MONTHS.index(found[2].lower()) + 1, int(found[1])), time())


def coordinates(latitude: str, longitude: str) -> tuple[float, float] | None:
    """The point in degrees; None when neither is given. Raises Unfit for half a point and for one not on earth."""
    if not latitude and not longitude:
        return None
    try:
        point = float(latitude), float(longitude)
    except ValueError:
        raise Unfit(f"the coordinates {latitude[:30]!r}, {longitude[:30]!r} cannot be read") from None
    if not (math.isfinite(point[0]) and math.isfinite(point[1])) or abs(point[0]) > 90 or abs(point[1]) > 180:
        raise Unfit(f"the coordinates {latitude[:30]}, {longitude[:30]} are out of range")
    return point
