"""Single cells: names of columns, dates, numbers, as open-data files write them.

Dates are local; a date without a time is its midnight.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from fixline.errors import FixlineError

_WORDS = re.compile(r"[^a-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DATES = (
    re.compile(
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
        r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?)?$"
    ),
    re.compile(
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})"
        r"(?: (?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))? ?(?P<half>[AP]M)?)?$",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<day>\d{1,2})-(?P<month>[A-Za-z]{3})-(?P<year>\d{2}|\d{4})$"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""The years that calendars know."""
_CENTURY_TURNS = 69
"""Two-digit years from here on are of the last century, as in POSIX."""


class Unfit(FixlineError, ValueError):
    """A row cannot be imported; the text is the reason that goes into the rejects file."""


@lru_cache(maxsize=2_000)
def slug(text: str, between: str = "-") -> str:
    """Lower-case words, joined: a type's or a column's name however it is written."""
    return _WORDS.sub(between, text.lower()).strip(between)


def clean(cell: str) -> str:
    """The text without control characters (databases refuse some) and outer space."""
    return cell.strip() if cell.isprintable() else _CONTROL.sub("", cell).strip()


def code(cell: str) -> str:
    """A code that spreadsheets have made a number of: 60620.0 is 60620."""
    return cell.removesuffix(".0")


@lru_cache(maxsize=20_000)
def local_instant(text: str, zone: ZoneInfo) -> datetime:
    """The local date, or date and time, as an instant in UTC. Raises Unfit."""
    found = next((found for each in _DATES if (found := each.match(text))), None)
    try:
        local = _local(found.groupdict()) if found else None
    except ValueError:
        local = None
    if local is None or not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise Unfit(f"the date {text[:40]!r} cannot be read")
    return local.replace(tzinfo=zone).astimezone(UTC)


def _local(parts: dict[str, str | None]) -> datetime:
    """Raises ValueError for a date that there is not."""
    written, name, half = parts["year"] or "", (parts["month"] or "").lower(), parts.get("half")
    year, hour = int(written), int(parts.get("hour") or 0)
    if len(written) == 2:
        year += 1900 if year >= _CENTURY_TURNS else 2000
    month = int(name) if name.isdecimal() else _MONTHS.index(name) + 1
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    return datetime(year, month, int(parts["day"] or 0), hour, minute, second)  # noqa: DTZ001 - the caller sets its zone


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
