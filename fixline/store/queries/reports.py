"""Reports over a stretch of time: promises kept, volume, backlog, time to close.

The SQL is the same on both databases. Periods are stretches of local time given as instants (aware UTC); a request
counts in the period in which it was opened, was closed, or in which its clock came to a verdict. Months and totals come
from the indexes on those instants.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select, case, func, literal, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import Session

from fixline.domain.definition.vocabulary import CloseOutcome
from fixline.domain.journal.state import ClockKind, ClockState
from fixline.store.instants import UtcDateTime
from fixline.store.queries.requests import CLOCK, REQUEST, equal, no_way_in
from fixline.store.queries.tasks import TASK
from fixline.store.tables import ClockRow, JournalRow, RequestRow, table_of

Group = Literal["month", "type", "department", "area", "team", "priority", "clock"]
Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]
Key: TypeAlias = tuple[Any, ...]
_REQUESTS = table_of(RequestRow)
_AGAIN, _BEFORE = table_of(JournalRow).alias("again").c, table_of(JournalRow).alias("before").c
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


def _word(word: str) -> ColumnElement[str]:
    """A word of ours within the SQL's own text: partial indexes are found by it, not by a parameter."""
    return sa.literal_column(f"'{word}'", sa.String)


def _team() -> ColumnElement[Any]:
    """Whose work a request was: the team that had its last task. The row's own team is empty once it is closed."""
    last = select(TASK.team).where(TASK.request_id == REQUEST.id).order_by(TASK.offered_at.desc(), TASK.id.desc())
    return func.coalesce(REQUEST.team, last.limit(1).scalar_subquery())


def _reopenings() -> sa.CTE:
    """Closes that were not the last word, one row per reopening: `request_id`, `closed_at` when the close before it was
    recorded, and `reopened_at`. The request's own row knows its last close alone; the journal has the others."""
    closed_at = select(func.max(_BEFORE.at)).where(
        _BEFORE.request_id == _AGAIN.request_id, _BEFORE.seq < _AGAIN.seq, _BEFORE.kind == _word("closed")
    )
    found = select(_AGAIN.request_id, closed_at.scalar_subquery().label("closed_at"), _AGAIN.at.label("reopened_at"))
    return found.where(_AGAIN.kind == _word("reopened")).cte("reopening")


class _Report:
    """What a report's statements share: its periods, its groups, whose requests are meant. `source` has the columns
    that a clock has from its request: the request, or the clock itself."""

    def __init__(self, session: Session, wanted: ReportFilter, source: Columns = REQUEST) -> None:
        self.session = session
        self.wanted = wanted
        self._source = source
        self._periods = _periods(wanted)
        columns: dict[str, ColumnElement[Any]] = {
            "month": self._periods.c.name,
            "team": _team(),
            "clock": func.coalesce(CLOCK.deadline, CLOCK.name),
            "priority": REQUEST.priority,
            **{name: source[name] for name in _OF_CLOCKS},
        }
        self.names = [f"by_{name}" for name in wanted.by]
        self.groups = [columns[name].label(f"by_{name}") for name in wanted.by]

    def narrowed(self, *, by_instant: bool = True) -> list[ColumnElement[bool]]:
        """Whose requests are meant. What is counted `by_instant` is found by it, from an index that has the rest:
        SQLite would begin with every row that a type ever had."""
        columns = {name: self._source[name] for name in _OF_CLOCKS}
        if by_instant:
            columns = {name: no_way_in(self.session, column) for name, column in columns.items()}
        of_source = equal((column, getattr(self.wanted, name)) for name, column in columns.items())
        return [*of_source, *equal([(_team(), self.wanted.team)])]

    def rows(
        self, columns: Iterable[ColumnElement[Any]], source: FromClause, instant: ColumnElement[Any], *also: Any
    ) -> Select[Any]:
        """The groups and these columns of rows whose instant lies in the report's time, and in their line's period."""
        statement = select(*self.groups, *columns).select_from(source)
        within = [instant >= self.wanted.periods[0].since, instant < self.wanted.periods[-1].until]
        if "month" in self.wanted.by:
            statement = statement.join(self._periods, literal(value=True))
            within += [instant >= self._periods.c.since, instant < self._periods.c.until]
        return statement.where(*also, *within)

    def read(self, statement: Select[Any]) -> dict[Key, dict[str, Any]]:
        """Lines by their group."""
        size, found = len(self.names), self.session.execute(statement)
        names = list(found.keys())[size:]
        return {tuple(row[:size]): dict(zip(names, row[size:], strict=True)) for row in found}

    def lines(self, found: dict[Key, dict[str, Any]]) -> list[dict[str, Any]]:
        """In the order of their groups."""
        return [dict(zip(self.wanted.by, key, strict=True)) | found[key] for key in sorted(found, key=_in_order)]


def _in_order(key: Key) -> list[str]:
    return [str(part or "") for part in key]


def _periods(wanted: ReportFilter) -> sa.CTE:
    columns = sa.column("name", sa.String), sa.column("since", UtcDateTime()), sa.column("until", UtcDateTime())
    rows = [(each.name, each.since, each.until) for each in wanted.periods]
    return sa.values(*columns, name="periods").data(rows).cte("period")


def _seconds(since: ColumnElement[Any], until: ColumnElement[Any], session: Session) -> ColumnElement[int]:
    """The whole seconds from one instant to another."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.cast(func.strftime("%s", until), sa.Integer) - sa.cast(func.strftime("%s", since), sa.Integer)
    return sa.cast(func.floor(sa.extract("epoch", until) - sa.extract("epoch", since)), sa.BigInteger)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def report_volume(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Opened and closed requests, and of those closed what they came to: closed is not fixed.

    A request counts as closed once, by its last close. `reopened` counts reopenings, by the instant of each;
    `opened_again` closes in the time that did not last. `fixed_by_crews` are the fixed ones with a task of ours
    (history that was imported has none), `first_visit` those of them that needed no second visit of any step and
    were never reopened. Rates are None where there is nothing to divide by.
    """
    report = _Report(session, wanted)
    narrowed = report.narrowed()
    again = sa.exists().where(TASK.request_id == REQUEST.id, TASK.visit > 1)
    worked = sa.exists().where(TASK.request_id == REQUEST.id)
    reopened = REQUEST.id.in_(select(_AGAIN.request_id).where(_AGAIN.kind == _word("reopened")))
    fixed = REQUEST.outcome == CloseOutcome.FIXED.value
    outcomes = {outcome.value: REQUEST.outcome == outcome.value for outcome in CloseOutcome}
    counted = {
        **outcomes,
        "fixed_by_crews": sa.and_(fixed, worked),
        "first_visit": sa.and_(fixed, worked, ~again, ~reopened),
    }
    closed = [func.count().label("closed"), *(_count(condition).label(name) for name, condition in counted.items())]
    statements = [
        report.rows([func.count().label("opened")], _REQUESTS, REQUEST.opened_at).where(
            *report.narrowed(by_instant=False)
        ),
        report.rows(closed, _REQUESTS, REQUEST.closed_at).where(*narrowed),
    ]
    for name, at in (("reopened", "reopened_at"), ("opened_again", "closed_at")):
        undone = _reopenings()
        source = undone.join(_REQUESTS, undone.c.request_id == REQUEST.id)
        statements.append(report.rows([func.count().label(name)], source, undone.c[at]).where(*narrowed))
    nothing = dict.fromkeys(("opened", "reopened", "closed", *counted, "opened_again"), 0)
    found: defaultdict[Key, dict[str, Any]] = defaultdict(nothing.copy)
    for statement in statements:
        for key, line in report.read(statement.group_by(*report.groups)).items():
            found[key] |= {name: number or 0 for name, number in line.items()}
    lines = report.lines(found)
    for line in lines:
        line["fixed_share"] = _rate(line["fixed"], line["closed"])
        line["reopen_rate"] = _rate(line["opened_again"], line["closed"] + line["opened_again"])
        line["first_visit_rate"] = _rate(line["first_visit"], line["fixed_by_crews"])
    return lines


def report_time_to_close(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """How long the requests closed in the time had been open, elapsed: `closed`, `median_seconds`, `p90_seconds`.

    Percentiles are the nearest rank: the smallest value that at least half, or nine tenths, do not exceed.
    Cancelled requests and duplicates do not count: nobody worked on them to the end.
    """
    report = _Report(session, wanted)
    took = _seconds(REQUEST.opened_at, REQUEST.closed_at, session).label("took")
    unworked = (CloseOutcome.CANCELLED.value, CloseOutcome.DUPLICATE.value)
    each = report.rows([took], _REQUESTS, REQUEST.closed_at)
    rows = each.where(*report.narrowed(), REQUEST.outcome.not_in(unworked)).cte("closed_request").c
    own = [rows[name] for name in report.names]
    ranked = select(
        *own,
        rows.took,
        func.row_number().over(partition_by=own, order_by=rows.took).label("rank"),
        func.count().over(partition_by=own).label("size"),
    )
    of = ranked.cte("ranked").c
    own = [of[name] for name in report.names]
    median, p90 = (of.size + 1) / 2, (of.size * 9 + 9) / 10
    statement = select(
        *own,
        func.count().label("closed"),
        func.max(case((of.rank == func.floor(median), of.took))).label("median_seconds"),
        func.max(case((of.rank == func.floor(p90), of.took))).label("p90_seconds"),
    )
    return [line for line in report.lines(report.read(statement.group_by(*own))) if line["closed"]]


def report_sla(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Promises kept: of each deadline's clocks that came to a verdict in the time, `met` before due or `breached`.

    A clock comes to its verdict when it is met in time, or at its due instant when it is not; one that ended with a
    cancelled or duplicate request has none. `met_late` counts, of the breached, those met since.
    """
    report = _Report(session, wanted, CLOCK)
    narrowed = report.narrowed()
    source: FromClause = table_of(ClockRow)  # and no request is looked up for what its clock tells
    if wanted.team is not None or not {"month", "clock", *_OF_CLOCKS}.issuperset(wanted.by):
        source = source.join(_REQUESTS, CLOCK.request_id == REQUEST.id)
    deadline, met = CLOCK.kind == _word(ClockKind.DEADLINE), CLOCK.state == _word(ClockState.MET)
    in_time = [literal(1).label("met"), literal(0).label("late"), literal(0).label("met_late")]
    kept = report.rows(in_time, source, CLOCK.ended_at, deadline, met, CLOCK.breached_at.is_(None)).where(*narrowed)
    too_late = [literal(0).label("met"), literal(1).label("late"), case((met, 1), else_=0).label("met_late")]
    late = report.rows(too_late, source, CLOCK.breached_at, deadline).where(*narrowed)
    both = sa.union_all(kept, late).cte("verdict").c
    own = [both[name] for name in report.names]
    sums = {"met": both.met, "breached": both.late, "met_late": both.met_late}
    statement = select(*own, *(func.coalesce(func.sum(column), 0).label(name) for name, column in sums.items()))
    lines = report.lines(report.read(statement.group_by(*own)))
    for line in lines:
        line["attainment"] = _rate(line["met"], line["met"] + line["breached"])
    return [line for line in lines if line["met"] + line["breached"] or not wanted.by]


def report_backlog(session: Session, wanted: ReportFilter) -> list[dict[str, Any]]:
    """Open requests at each period's end, with those `opened`, `reopened` and `closed` within it, each time counted.

    The backlog at an end is what had been opened before it, or opened again, less what had been closed before it.
    """
    by = [name for name in wanted.by if name != "month"]
    report = _Report(session, replace(wanted, by=("month", *by)))
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for name, instant, source in _movements():
        statement = report.rows([func.count().label("number")], source, instant)
        statement = statement.where(*report.narrowed(by_instant=name != "opened")).group_by(*report.groups)
        for line_of, line in report.read(statement).items():
            found[line_of][name] += line["number"]
    start = _open_at_start(report)
    lines = []
    for key in sorted(start.keys() | {key[1:] for key in found}, key=_in_order):
        left = start[key]
        for period in wanted.periods:
            moved = found[(period.name, *key)]
            left += sum(_SIGNS[name] * number for name, number in moved.items())
            line = {"month": period.name, **dict(zip(by, key, strict=True))}
            lines.append(line | {name: moved[name] for name in _SIGNS} | {"open_at_end": left})
    return lines


_SIGNS = {"opened": 1, "reopened": 1, "closed": -1}


def _movements() -> list[tuple[str, ColumnElement[Any], FromClause]]:
    """What moves the backlog: its name, its instant, and where it is found. A close that did not last is one, too."""
    again = _reopenings()
    reopened = again.join(_REQUESTS, again.c.request_id == REQUEST.id)
    return [
        ("opened", REQUEST.opened_at, _REQUESTS),
        ("closed", REQUEST.closed_at, _REQUESTS),
        ("closed", again.c.closed_at, reopened),
        ("reopened", again.c.reopened_at, reopened),
    ]


def _open_at_start(report: _Report) -> Counter[Key]:
    """How many requests were open when the first period began, by the groups but the month."""
    found: Counter[Key] = Counter()
    groups = [group.concat("") for group in report.groups[1:]]  # SQLite would read a whole index in their order
    for moved, instant, source in _movements():
        statement = select(*groups, func.count()).select_from(source).where(instant < report.wanted.periods[0].since)
        statement = statement.where(*report.narrowed(by_instant=moved != "opened")).group_by(*groups)
        for *names, number in report.session.execute(statement):
            found[tuple(names)] += _SIGNS[moved] * number
    return found
