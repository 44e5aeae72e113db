"""What every supervisors' list shares: what it is narrowed to, the request's columns of a line, its totals, and the
way to an instant that lies some working time away by each request's own calendar, in one query.

Instants are aware UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, func, or_, select, text
from sqlmodel import Session

from fixline.domain.deadlines.calendar import CalendarExhausted, Span, WorkingCalendar
from fixline.store.queries.requests import IS_OPEN, REQUEST, VERSION, equal, no_way_in
from fixline.store.tables import RequestRow, table_of
from fixline.store.versions import Versions

_LINE = (
    "id", "type", "version", "status", "step", "waiting_as", "on_hold", "priority", "department", "team", "area",
    "address", "latitude", "longitude", "opened_at", "external_id", "state",
)  # fmt: skip
LINE = [REQUEST[name] for name in _LINE]
"""What a line shows of its request, and what its other facts are derived from."""
GROUPS: Mapping[str, ColumnElement[Any]] = {name: REQUEST[name] for name in ("department", "team", "type", "area")}
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_FIRST = datetime(1901, 1, 3, tzinfo=UTC)

Cutoffs = Sequence[tuple[datetime, Sequence[str]]]
"""Instants, each with the definition versions whose calendars lead to it."""


@dataclass(frozen=True)
class Scope:
    """What a list is narrowed to, None means not narrowed; `now` is the instant at which it is asked."""

    now: datetime
    department: str | None = None
    team: str | None = None
    type: str | None = None
    area: str | None = None


def of_scope(session: Session, scope: Scope, *, without: Sequence[str] = ()) -> list[ColumnElement[bool]]:
    """Whose lines are wanted. SQLite has no statistics and would begin with all that a department ever had: a
    column within coalesce is no way in, so that it begins with what the list is about."""
    return equal((no_way_in(session, REQUEST[name]), getattr(scope, name)) for name in GROUPS if name not in without)


def all_open(session: Session) -> list[ColumnElement[bool]]:
    """What is true of the requests of live clocks and offered tasks: they are open. PostgreSQL must be told, or for
    totals it reads all there ever were; SQLite must not, or it begins with the open ones."""
    return [] if session.get_bind().dialect.name == "sqlite" else [IS_OPEN]


def count_by(
    session: Session,
    source: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    groups: Mapping[str, ColumnElement[Any]],
) -> dict[str, Any]:
    """How many rows there are in all (`count`), and for each group by its values, the most first."""
    columns = list(groups.values())
    statement = select(*columns, func.count()).select_from(source).where(*conditions).group_by(*columns)
    counters: dict[str, Counter[str]] = {name: Counter() for name in groups}
    total = 0
    for *keys, count in session.execute(statement):
        total += count
        for name, key in zip(groups, keys, strict=True):
            if key is not None:
                counters[name][key] += count
    return {"count": total, **{name: dict(counter.most_common()) for name, counter in counters.items()}}


def cutoffs(session: Session, versions: Versions, reach: Callable[[WorkingCalendar], datetime | None]) -> Cutoffs:
    """For every version that an open request follows, the instant that its calendar leads to; versions with the same
    instant stand together. A version whose calendar leads nowhere is left out."""
    followed = exists().where(REQUEST.version == VERSION.hash, IS_OPEN).correlate_except(table_of(RequestRow))
    reached = cache(reach)
    found: dict[datetime, list[str]] = {}
    for version in session.execute(select(VERSION.hash).where(followed)).scalars():
        if (at := reached(versions.load(session, version).calendar)) is not None:
            found.setdefault(at, []).append(version)
    return sorted(found.items())


def before_cutoffs(session: Session, column: ColumnElement[Any], reached: Cutoffs) -> list[ColumnElement[bool]]:
    """That a column lies before or at the cutoff of its request's version."""
    if not reached:
        return [text("1 = 0")]  # type: ignore[list-item]  # no open request follows any version
    version = no_way_in(session, REQUEST.version)
    each = [and_(version.in_(hashes), column <= at) for at, hashes in reached]
    return [column <= max(at for at, _ in reached), or_(*each)]


def ahead(now: datetime, span: Span) -> Callable[[WorkingCalendar], datetime | None]:
    """The instant that lies a span after now on a calendar; the end of time where the calendar does not reach."""

    def reach(calendar: WorkingCalendar) -> datetime | None:
        try:
            return min(calendar.add(now, span), _NEVER)
        except CalendarExhausted:
            return _NEVER

    return reach


def ago(now: datetime, span: Span) -> Callable[[WorkingCalendar], datetime | None]:
    """The last instant from which a whole span has passed until now on a calendar; None where there is none."""

    def reach(calendar: WorkingCalendar) -> datetime | None:
        length = span.length(calendar)
        if not span.working:
            return now - length if length <= now - _FIRST else None
        return _worked_before(calendar, now, length)

    return reach


def _worked_before(calendar: WorkingCalendar, now: datetime, amount: timedelta) -> datetime | None:
    late, back = now, timedelta(days=7)
    while calendar.working_time(early := max(now - back, _FIRST), now) < amount:
        if early == _FIRST:
            return None
        late, back = early, back * 2
    while late - early > timedelta(microseconds=1):
        middle = early + (late - early) // 2
        if calendar.working_time(middle, now) >= amount:
            early = middle
        else:
            late = middle
    return early
