"""Reports over a stretch of time: promises kept, volume, backlog, time to close.

Owns their SQL, the same on both databases. Periods are stretches of local time given as instants (aware UTC);
a request counts in the period in which it was opened, was closed, or in which its clock came to a verdict.
Months and totals come from the indexes on those instants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    exists,
    extract,
    func,
    literal,
    literal_column,
    select,
    union_all,
    values,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Session

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal.state import ClockKind, ClockState
from fixline.store.instants import UtcDateTime
from fixline.store.queries.reopenings import reopenings, was_reopened
from fixline.store.queries.requests import CLOCK, REQUEST, no_way_in
from fixline.store.tables import ClockRow, RequestRow, TaskRow, table_of

TASK = table_of(TaskRow).c
Group = Literal["month", "type", "department", "area", "team", "priority", "clock"]
Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]
_OF_CLOCKS: Final = ("type", "department", "area")
"""What a clock has from its request."""
GROUPS: Final[tuple[Group, ...]] = ("month", "type", "department", "area", "team", "priority")


@dataclass(frozen=True)
class Period:
    """A stretch of time with its name, such as 2026-11: from `since` to before `until` (aware UTC)."""

    name: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class ReportFilter:
    """What a report is about. `periods` follow each other without gaps; None means not narrowed."""

    periods: Sequence[Period]
    by: Sequence[Group] = ()
    type: str | None = None
    department: str | None = None
    team: str | None = None
    area: str | None = None

    @property
    def since(self) -> datetime:
        """Where the first period begins."""
        return self.periods[0].since

    @property
    def until(self) -> datetime:
        """Before what the last period ends."""
        return self.periods[-1].until


def _word(word: str) -> ColumnElement[str]:
    """A word of ours within the SQL's own text: partial indexes are found by it, not by a parameter."""
    return literal_column(f"'{word}'", String)


def _team() -> ColumnElement[Any]:
    """Whose work a request was: the team that had its last task. The row's own team is empty once it is closed."""
    last = select(TASK.team).where(TASK.request_id == REQUEST.id).order_by(TASK.offered_at.desc(), TASK.id.desc())
    return func.coalesce(REQUEST.team, last.limit(1).scalar_subquery())


def _narrowed(
    wanted: ReportFilter, not_first: Session | None = None, source: Columns = REQUEST
) -> list[ColumnElement[bool]]:
    """Whose requests are meant. With a session, what is counted is found by its instant, from an index that has the
    rest: SQLite would begin with every row that a type ever had."""
    found: list[ColumnElement[bool]] = []
    for name in _OF_CLOCKS:
        if (value := getattr(wanted, name)) is not None:
            found.append((no_way_in(not_first, source[name]) if not_first else source[name]) == value)
    if wanted.team is not None:
        found.append(_team() == wanted.team)
    return found


def _periods(wanted: ReportFilter) -> CTE:
    rows = values(
        column("name", String), column("since", UtcDateTime()), column("until", UtcDateTime()), name="periods"
    ).data([(each.name, each.since, each.until) for each in wanted.periods])
    return rows.cte("period")


def _within(instant: ColumnElement[Any], wanted: ReportFilter, periods: CTE) -> list[ColumnElement[bool]]:
    """That an instant lies in the report's time, and in the period of its line."""
    found = [instant >= wanted.since, instant < wanted.until]
    if "month" in wanted.by:
        found += [instant >= periods.c.since, instant < periods.c.until]
    return found


def _groups(wanted: ReportFilter, periods: CTE, source: Columns = REQUEST) -> list[ColumnElement[Any]]:
    columns: dict[str, ColumnElement[Any]] = {
        "month": periods.c.name,
        "team": _team(),
        "clock": func.coalesce(CLOCK.deadline, CLOCK.name),
        "priority": REQUEST.priority,
        **{name: source[name] for name in _OF_CLOCKS},
    }
    return [columns[name].label(f"by_{name}") for name in wanted.by]


def _from(statement: Select[Any], wanted: ReportFilter, periods: CTE) -> Select[Any]:
    return statement.join(periods, literal(value=True)) if "month" in wanted.by else statement


def _seconds(since: ColumnElement[Any], until: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[int]:
    """The whole seconds from one instant to another."""
    if sqlite:
        return cast(func.strftime("%s", until), Integer) - cast(func.strftime("%s", since), Integer)
    return cast(func.floor(extract("epoch", until) - extract("epoch", since)), BigInteger)


def _keyed(wanted: ReportFilter, rows: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Lines by their group."""
    names = [f"by_{name}" for name in wanted.by]
    return {
        tuple(row[name] for name in names): {name: value for name, value in row.items() if name not in names}
        for row in rows.mappings()
    }


def _lines(wanted: ReportFilter, found: dict[tuple[Any, ...], dict[str, Any]]) -> list[dict[str, Any]]:
    ordered = sorted(found.items(), key=lambda each: [str(part or "") for part in each[0]])
    return [dict(zip(wanted.by, key, strict=True)) | line for key, line in ordered]


def report_volume(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Opened and closed requests, and of those closed what they came to: closed is not fixed.

    A request counts as closed once, by its last close. `reopened` counts reopenings, by the instant of each;
    `opened_again` closes in the time that did not last. `fixed_by_crews` are the fixed ones with a task of ours
    (history that was imported has none), `first_visit` those of them that needed no second visit of any step and
    were never reopened. Rates are None where there is nothing to divide by.
    """
    periods = _periods(wanted)
    groups = _groups(wanted, periods)
    opened: Select[Any] = select(*groups, func.count().label("opened")).select_from(table_of(RequestRow))
    opened = _from(opened, wanted, periods)
    opened = opened.where(*_within(REQUEST.opened_at, wanted, periods), *_narrowed(wanted)).group_by(*groups)
    again = exists().where(TASK.request_id == REQUEST.id, TASK.visit > 1)
    worked = exists().where(TASK.request_id == REQUEST.id)
    fixed = REQUEST.outcome == CloseOutcome.FIXED.value
    closed: Select[Any] = select(
        *groups,
        func.count().label("closed"),
        *(_count(REQUEST.outcome == outcome.value).label(outcome.value) for outcome in CloseOutcome),
        _count(and_(fixed, worked)).label("fixed_by_crews"),
        _count(and_(fixed, worked, ~again, ~was_reopened())).label("first_visit"),
    ).select_from(table_of(RequestRow))
    closed = _from(closed, wanted, periods)
    narrowed = _narrowed(wanted, session)
    closed = closed.where(*_within(REQUEST.closed_at, wanted, periods), *narrowed).group_by(*groups)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    undone = (_reopened(wanted, periods, groups, name, at).where(*narrowed) for name, at in _REOPENINGS)
    for statement in (opened, closed, *undone):
        for key, line in _keyed(wanted, session.execute(statement)).items():
            found.setdefault(key, {}).update({name: number or 0 for name, number in line.items()})
    outcomes = [outcome.value for outcome in CloseOutcome]
    names = ("opened", "reopened", "closed", *outcomes, "fixed_by_crews", "first_visit", "opened_again")
    nothing = dict.fromkeys(names, 0)
    return [line | _rates(line) for line in _lines(wanted, {key: {**nothing, **line} for key, line in found.items()})]


_REOPENINGS = (("reopened", "reopened_at"), ("opened_again", "closed_at"))


def _reopened(
    wanted: ReportFilter, periods: CTE, groups: Sequence[ColumnElement[Any]], name: str, at: str
) -> Select[Any]:
    """How many reopenings there were, by the instant of each, or by that of the close before it."""
    again = reopenings()
    statement: Select[Any] = select(*groups, func.count().label(name))
    statement = statement.select_from(again.join(table_of(RequestRow), again.c.request_id == REQUEST.id))
    statement = _from(statement, wanted, periods)
    return statement.where(*_within(again.c[at], wanted, periods)).group_by(*groups)


def _rates(line: dict[str, Any]) -> dict[str, float | None]:
    return {
        "fixed_share": _rate(line["fixed"], line["closed"]),
        "reopen_rate": _rate(line["opened_again"], line["closed"] + line["opened_again"]),
        "first_visit_rate": _rate(line["first_visit"], line["fixed_by_crews"]),
    }


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def report_time_to_close(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """How long the requests closed in the time had been open, elapsed: `closed`, `median_seconds`, `p90_seconds`.

    Percentiles are the nearest rank: the smallest value that at least half, or nine tenths, do not exceed.
    Cancelled requests and duplicates do not count: nobody worked on them to the end.
    """
    periods = _periods(wanted)
    groups = _groups(wanted, periods)
    sqlite = session.get_bind().dialect.name == "sqlite"
    took = _seconds(REQUEST.opened_at, REQUEST.closed_at, sqlite=sqlite).label("took")
    unworked = (CloseOutcome.CANCELLED.value, CloseOutcome.DUPLICATE.value)
    each = _from(select(*groups, took).select_from(table_of(RequestRow)), wanted, periods)
    each = each.where(
        *_within(REQUEST.closed_at, wanted, periods), *_narrowed(wanted, session), REQUEST.outcome.not_in(unworked)
    )
    rows = each.cte("closed_request")
    own = [rows.c[f"by_{name}"] for name in wanted.by]
    ranked = select(
        *own,
        rows.c.took,
        func.row_number().over(partition_by=own, order_by=rows.c.took).label("rank"),
        func.count().over(partition_by=own).label("size"),
    ).cte("ranked")
    own = [ranked.c[f"by_{name}"] for name in wanted.by]
    median, p90 = (ranked.c.size + 1) / 2, (ranked.c.size * 9 + 9) / 10
    statement = select(
        *own,
        func.count().label("closed"),
        func.max(case((ranked.c.rank == func.floor(median), ranked.c.took))).label("median_seconds"),
        func.max(case((ranked.c.rank == func.floor(p90), ranked.c.took))).label("p90_seconds"),
    ).group_by(*own)
    found = _keyed(wanted, session.execute(statement))
    return _lines(wanted, {key: line for key, line in found.items() if line["closed"]})


def report_sla(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Promises kept: of each deadline's clocks that came to a verdict in the time, `met` before due or `breached`.

    A clock comes to its verdict when it is met in time, or at its due instant when it is not; one that ended with a
    cancelled or duplicate request has none. `met_late` counts, of the breached, those met since.
    """
    periods = _periods(wanted)
    groups, narrowed = _groups(wanted, periods, CLOCK), _narrowed(wanted, session, CLOCK)
    source: FromClause = table_of(ClockRow)  # and no request is looked up for what its clock tells
    if wanted.team is not None or not {"month", "clock", *_OF_CLOCKS}.issuperset(wanted.by):
        source = source.join(table_of(RequestRow), CLOCK.request_id == REQUEST.id)
    deadline, met = CLOCK.kind == _word(ClockKind.DEADLINE), CLOCK.state == _word(ClockState.MET)
    kept = select(*groups, literal(1).label("met"), literal(0).label("late"), literal(0).label("met_late"))
    kept = _from(kept.select_from(source), wanted, periods).where(
        deadline, met, CLOCK.breached_at.is_(None), *_within(CLOCK.ended_at, wanted, periods), *narrowed
    )
    late = select(*groups, literal(0).label("met"), literal(1).label("late"), case((met, 1), else_=0).label("met_late"))
    late = _from(late.select_from(source), wanted, periods).where(
        deadline, *_within(CLOCK.breached_at, wanted, periods), *narrowed
    )
    both = union_all(kept, late).cte("verdict")
    own = [both.c[f"by_{name}"] for name in wanted.by]
    statement = select(
        *own,
        func.coalesce(func.sum(both.c.met), 0).label("met"),
        func.coalesce(func.sum(both.c.late), 0).label("breached"),
        func.coalesce(func.sum(both.c.met_late), 0).label("met_late"),
    ).group_by(*own)
    lines = _lines(wanted, _keyed(wanted, session.execute(statement)))
    for line in lines:
        line["attainment"] = _rate(line["met"], line["met"] + line["breached"])
    return [line for line in lines if line["met"] + line["breached"] or not wanted.by]


def report_backlog(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Open requests at each period's end, with those `opened`, `reopened` and `closed` within it, each time counted.

    The backlog at an end is what had been opened before it, or opened again, less what had been closed before it.
    """
    by = [name for name in wanted.by if name != "month"]
    monthly = ReportFilter(wanted.periods, ("month", *by), wanted.type, wanted.department, wanted.team, wanted.area)
    periods = _periods(monthly)
    groups = _groups(monthly, periods)
    found: dict[tuple[Any, ...], Counter[str]] = {}
    for name, instant, source in _movements():
        statement: Select[Any] = select(*groups, func.count().label("number")).select_from(source)
        statement = _from(statement, monthly, periods)
        conditions = [*_within(instant, monthly, periods), *_narrowed(monthly, None if name == "opened" else session)]
        statement = statement.where(*conditions).group_by(*groups)
        for line_of, line in _keyed(monthly, session.execute(statement)).items():
            found.setdefault(line_of, Counter())[name] += line["number"]
    start = _open_at(session, monthly, groups[1:])
    keys = sorted(start.keys() | {key[1:] for key in found}, key=lambda key: [str(part or "") for part in key])
    lines = []
    for key in keys:
        left = start.get(key, 0)
        for period in wanted.periods:
            moved = found.get((period.name, *key), Counter())
            left += sum(_SIGNS[name] * number for name, number in moved.items())
            line = {"month": period.name, **dict(zip(by, key, strict=True))}
            lines.append(line | {name: moved[name] for name in _SIGNS} | {"open_at_end": left})
    return lines


_SIGNS = {"opened": 1, "reopened": 1, "closed": -1}


def _movements() -> list[tuple[str, ColumnElement[Any], FromClause]]:
    """What moves the backlog: its name, its instant, and where it is found. A close that did not last is one, too."""
    request, again = table_of(RequestRow), reopenings()
    reopened = again.join(request, again.c.request_id == REQUEST.id)
    return [
        ("opened", REQUEST.opened_at, request),
        ("closed", REQUEST.closed_at, request),
        ("closed", again.c.closed_at, reopened),
        ("reopened", again.c.reopened_at, reopened),
    ]


def _open_at(
    session: Session, wanted: ReportFilter, groups: Sequence[ColumnElement[Any]]
) -> dict[tuple[Any, ...], int]:
    """How many requests were open when the first period began."""
    found: dict[tuple[Any, ...], int] = {}
    groups = [group.concat("") for group in groups]  # SQLite would read a whole index that is in their order
    for moved, instant, source in _movements():
        statement: Select[Any] = select(*groups, func.count()).select_from(source)
        conditions = [instant < wanted.since, *_narrowed(wanted, None if moved == "opened" else session)]
        statement = statement.where(*conditions).group_by(*groups)
        for *names, number in session.execute(statement):
            key = tuple(names)
            found[key] = found.get(key, 0) + _SIGNS[moved] * number
    return found
