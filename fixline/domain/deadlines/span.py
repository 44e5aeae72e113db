"""Lengths of time and opening hours as a department writes them: "4 working hours" (Span), "08:00-16:30" (Window) and
"8 hours" (the declared length of a working day). What is read here is written back in one canonical text.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Self

import pydantic
from pydantic import Field, model_validator
from pydantic_core import CoreSchema

from fixline.errors import FixlineError

DAY_MINUTES = 24 * 60
LARGEST_COUNT = 1_000_000
_MICROSECOND = dt.timedelta(microseconds=1)


class SpanError(FixlineError, ValueError):
    """A length of time that cannot be read; its text tells the writer what to write instead."""


class Unit(StrEnum):
    """What a span counts: time while the calendar is open (working), or elapsed time (calendar)."""

    WORKING_MINUTES = "working minutes"
    WORKING_HOURS = "working hours"
    WORKING_DAYS = "working days"
    CALENDAR_MINUTES = "calendar minutes"
    CALENDAR_HOURS = "calendar hours"
    CALENDAR_DAYS = "calendar days"


_WORKING = frozenset(unit for unit in Unit if unit.startswith("working"))
_SPAN = re.compile(r"(?P<count>[+-]?\d+(?:\.\d+)?) ?(?P<unit>[a-z].*)")
_UNITS = {name: unit for unit in Unit for name in (unit.value, unit.value.removesuffix("s"))}
_BARE = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks"}
_LENGTHS = {unit: dt.timedelta(**{unit.value.split()[1]: 1}) for unit in Unit}
"""How long one of each unit is; but a working day is as long as its calendar says."""


class _Written(pydantic.BaseModel):
    """Base of what is written as one text: `str` of it is the canonical one, in JSON, too."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    text_schema: ClassVar[dict[str, Any]]
    """What its JSON schema says of the text."""

    @pydantic.model_serializer
    def _as_text(self) -> str:
        return str(self)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: pydantic.GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "title": cls.__name__, **cls.text_schema}


class Span(_Written):
    """A length of time with its unit, such as "2 working days" or "7 calendar days": validates from its text or from
    `count` and `unit`, serialises as its canonical text. The count is above zero, at most 1,000,000, with at most two
    decimals, so every length is a whole number of microseconds."""

    text_schema = {
        "pattern": r"^\d+(\.\d{1,2})? (working|calendar) (minute|hour|day)s?$",
        "examples": ["4 working hours", "2 working days", "7 calendar days"],
    }

    count: Decimal = Field(gt=0, le=LARGEST_COUNT, decimal_places=2)
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "4 working hours", "1 working day", "0.5 working days"; singular or plural, any case.

        Raises SpanError with words for the writer: a missing 'working' or 'calendar', an unknown unit, a
        count that is zero, negative, too large or too finely divided.
        """
        match = _SPAN.fullmatch(" ".join(text.lower().split()))
        if match is None:
            raise SpanError(f"{text!r} is not a length of time: write a number and a unit, such as '4 working hours'")
        unit = _UNITS.get(match["unit"])
        if unit is None:
            raise SpanError(_unknown_unit(text, match["count"], match["unit"]))
        return cls(count=_read_count(text, match["count"]), unit=unit)

    @property
    def working(self) -> bool:
        """True when the span is measured on the working calendar, false when it is elapsed time."""
        return self.unit in _WORKING

    def length(self, day: dt.timedelta) -> dt.timedelta:
        """The span as working time (when `working`; one working day is a `day`) or elapsed time, to the microsecond."""
        return _length(self.count, day if self.unit is Unit.WORKING_DAYS else _LENGTHS[self.unit])

    def __str__(self) -> str:
        """The canonical text, which parse() reads back."""
        return _span_text(self.count, self.unit)

    @model_validator(mode="wrap")
    @classmethod
    def _from_text(cls, value: Any, read: pydantic.ModelWrapValidatorHandler[Span]) -> Span:
        return _known_span(value) if isinstance(value, str) else read(value)


@lru_cache(maxsize=1024)
def _known_span(text: str) -> Span:
    """The span of a text; definitions and clocks have a few dozen, read again with every clock. Raises SpanError."""
    return Span.parse(text)


@lru_cache(maxsize=1024)
def _span_text(count: Decimal, unit: Unit) -> str:
    name = unit.value.removesuffix("s") if count == 1 else unit.value
    return f"{count.normalize():f} {name}"


@lru_cache(maxsize=1024)
def _length(count: Decimal, one: dt.timedelta) -> dt.timedelta:
    return int(count * (one // _MICROSECOND)) * _MICROSECOND


def _unknown_unit(text: str, count: str, unit: str) -> str:
    bare = _BARE.get(unit.removesuffix("s"))
    if bare == "weeks":
        return f"{text!r} counts weeks: say 'working days' or 'calendar days'"
    if bare is not None:
        return (
            f"{text!r} does not say which {bare}: say 'working {bare}' or 'calendar {bare}', "
            f"such as '{count} working {unit}'"
        )
    known = ", ".join(f"'{name.value}'" for name in Unit)
    return f"{text!r} has no known unit: {unit!r} is none of {known}"


def _read_count(text: str, digits: str) -> Decimal:
    count = Decimal(digits)
    if count <= 0:
        raise SpanError(f"{text!r} is not above zero: a length of time is more than nothing")
    if count > LARGEST_COUNT:
        raise SpanError(f"{text!r} is too long: the largest count is {LARGEST_COUNT}")
    if count != round(count, 2):
        raise SpanError(f"{text!r} is divided too finely: use at most two decimals")
    return count


_WINDOW = re.compile(r"(\d{1,2}):([0-5]\d) ?[-\u2013] ?(\d{1,2}):([0-5]\d)")


class Window(_Written):
    """Opening hours that start on one local date, in minutes of the wall clock after its midnight: "08:00-16:30";
    "22:00-06:00" runs overnight into the next date (closes is then above 1440); "00:00-24:00" is the whole date, and
    all others are shorter. Validates from its text or from `opens` and `closes`; ValueErrors have words for the
    writer."""

    text_schema = {
        "pattern": r"^\d{1,2}:[0-5]\d-\d{1,2}:[0-5]\d$",
        "examples": ["08:00-16:30", "22:00-06:00", "00:00-24:00"],
    }

    opens: int = Field(ge=0, le=DAY_MINUTES - 1)
    closes: int = Field(ge=1, le=2 * DAY_MINUTES)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "08:00-16:30"; raises ValueError when it is no window."""
        return cls(**_read_window(text))

    def __str__(self) -> str:
        """The canonical text, which parse() reads back."""
        closes = self.closes if self.closes <= DAY_MINUTES else self.closes - DAY_MINUTES
        return "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (self.opens, closes))

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return _read_window(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("a window closes after it opens: add 1440 minutes for a closing on the next date")
        minutes = self.closes - self.opens
        if minutes > DAY_MINUTES or (minutes == DAY_MINUTES and self.opens != 0):
            raise ValueError("a window is shorter than 24 hours, or the whole date, 00:00-24:00")
        return self


def in_order(windows: tuple[Window, ...]) -> tuple[Window, ...]:
    """The windows of one date by their opening."""
    return tuple(sorted(windows, key=lambda window: window.opens))


def refuse_overlap(day: tuple[str, tuple[Window, ...]], following: tuple[str, tuple[Window, ...]]) -> None:
    """Raise ValueError when a day's ordered windows overlap, or the last runs into the following day's. Each day is its
    name, which is for the message, and its windows."""
    name, windows = day
    following_name, following_windows = following
    for earlier, later in pairwise(windows):
        if earlier.closes > later.opens:
            raise ValueError(f"hours overlap on {name}: {earlier} and {later}")
    if windows and following_windows and windows[-1].closes > following_windows[0].opens + DAY_MINUTES:
        raise ValueError(f"hours overlap: {windows[-1]} of {name} runs into {following_windows[0]} of {following_name}")


def _read_window(text: str) -> dict[str, int]:
    match = _WINDOW.fullmatch(" ".join(text.split()))
    if match is None:
        raise ValueError(f"{text!r} is no opening window: write it like '08:00-16:30'")
    opens, closes = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    if opens >= DAY_MINUTES or closes > DAY_MINUTES:
        raise ValueError(f"{text!r} has a time past the end of the day: 24:00 is the last closing time")
    if opens == closes:
        raise ValueError(f"{text!r} opens and closes at the same time: round the clock is '00:00-24:00'")
    return {"opens": opens, "closes": closes if closes > opens else closes + DAY_MINUTES}


_DAY_LENGTH = re.compile(r"(?:(\d+(?:\.\d+)?) hours?)?(?: ?\b(\d+) minutes?)?")


def _read_day_length(value: object) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        length = value
    elif isinstance(value, str) and (match := _DAY_LENGTH.fullmatch(" ".join(value.lower().split()))):
        seconds = Decimal(match[1] or 0) * 3600 + Decimal(match[2] or 0) * 60
        if seconds != int(seconds) or seconds > DAY_MINUTES * 60:
            raise ValueError(_WRONG_DAY)
        length = dt.timedelta(seconds=int(seconds))
    else:
        raise ValueError(f"{value!r} is not the length of a working day: write it like '8 hours' or '450 minutes'")
    if not dt.timedelta() < length <= dt.timedelta(hours=24) or length % dt.timedelta(minutes=1):
        raise ValueError(_WRONG_DAY)
    return length


def _day_length_text(length: dt.timedelta) -> str:
    minutes = length // dt.timedelta(minutes=1)
    count, unit = (minutes, "minute") if minutes % 60 else (minutes // 60, "hour")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


_WRONG_DAY = "a working day is a whole number of minutes, above 0 and at most 24 hours"

DayLength = Annotated[
    dt.timedelta,
    pydantic.BeforeValidator(_read_day_length),
    pydantic.PlainSerializer(_day_length_text, return_type=str),
    pydantic.WithJsonSchema({"type": "string", "examples": ["8 hours", "7.5 hours", "450 minutes"]}),
]
"""The declared length of one working day: whole minutes, above 0, at most 24 hours; written "8 hours"."""
