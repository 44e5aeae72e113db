"""The supervisors' lists: what is overdue or soon will be, where nothing happens, on whom requests wait, what nobody
has claimed; each a page of lines, and its totals. What is soon or long ago is told by each request's own calendar.

Pages come from indexes in their order: live clocks by due instant (of all of them, and of those of a department, team,
type or area), open requests by the instant at which something last happened and by what they wait for, tasks by state.
Instants are aware UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, or_, select, text
from sqlmodel import Session

from fixline.domain.deadlines.calendar import CalendarExhausted, Span, WorkingCalendar
from fixline.store.queries.paging import Order, Page
from fixline.store.queries.requests import CLOCK, IS_OPEN, REQUEST, TITLE, VERSION, equal, late_clocks, no_way_in
from fixline.store.queries.tasks import OPEN_STATES, TASK
from fixline.store.tables import ClockRow, RequestRow, TaskRow, table_of
from fixline.store.versions import Versions

_SHOWN = (
    "id", "type", "version", "status", "step", "waiting_as", "on_hold", "priority", "department", "team", "area",
    "address", "latitude", "longitude", "opened_at", "external_id", "state",
)  # fmt: skip
_LINE = [REQUEST[name] for name in _SHOWN]
"""What a line shows of its request, and what its other facts are derived from."""
_GROUPS: Mapping[str, ColumnElement[Any]] = {name: REQUEST[name] for name in ("department", "team", "type", "area")}
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_FIRST = datetime(1901, 1, 3, tzinfo=UTC)
_REQUESTS, _CLOCKS, _TASKS = table_of(RequestRow), table_of(ClockRow), table_of(TaskRow)
_CLOCKS_OF_REQUESTS = _CLOCKS.join(_REQUESTS, CLOCK.request_id == REQUEST.id)
_TASKS_OF_REQUESTS = _TASKS.join(_REQUESTS, TASK.request_id == REQUEST.id)
_OF_CLOCK = [CLOCK[name].label(f"clock_{name}") for name in ("name", "kind", "task_id", "due_at", "last_rung")]
_OF_TASK = [
    TASK[name].label(f"task_{name}") for name in ("id", "step", "kind", "title", "team", "offers", "offered_at")
]
_CLOCK_LINES = select(*_OF_CLOCK, *_LINE, TITLE).select_from(_CLOCKS_OF_REQUESTS)
_TASK_LINES = select(*_OF_TASK, *_LINE, TITLE).select_from(_TASKS_OF_REQUESTS)
_DORMANT_LINES = select(*_LINE, REQUEST.acted_at, TITLE)
_WAITING_LINES = select(*_LINE, REQUEST.waits_for, REQUEST.waits_on, REQUEST.waits_since, TITLE)
_BY_DUE = Order({"clock_due_at": CLOCK.due_at, "id": CLOCK.request_id, "clock_name": CLOCK.name})
_BY_ACTED = Order({"acted_at": REQUEST.acted_at, "id": REQUEST.id})
_BY_WAIT = Order({"waits_since": REQUEST.waits_since, "id": REQUEST.id})
_BY_OFFER = Order({"task_offered_at": TASK.offered_at, "task_id": TASK.id})
_CLOCK_GROUPS: Mapping[str, ColumnElement[Any]] = {
    **{name: CLOCK[name] for name in _GROUPS},
    "clock": func.coalesce(CLOCK.deadline, CLOCK.name),
}
_WAITING_GROUPS: Mapping[str, ColumnElement[Any]] = {**_GROUPS, "kind": REQUEST.waits_for, "on": REQUEST.waits_on}
_TASK_GROUPS: Mapping[str, ColumnElement[Any]] = {**_GROUPS, "team": TASK.team}
_Conditions = list[ColumnElement[bool]]
_After = Sequence[Any] | None

Cutoffs = Sequence[tuple[datetime, Sequence[str]]]
"""Instants, each with the definition versions whose calendars lead to it."""


@dataclass(frozen=True)
class Scope:
    """What a list is narrowed to, None means not narrowed; `now` is the instant at which it is asked.

    `clock` is the name of a clock or of a definition's deadline; `kind` and `on` are what is waited for, and who or
    what that is.
    """

    now: datetime
    department: str | None = None
    team: str | None = None
    type: str | None = None
    area: str | None = None
    clock: str | None = None
    kind: str | None = None
    on: str | None = None


class Listing(NamedTuple):
    """One list: its lines in their order, the conditions of whose they are, where and by what they are counted, and
    whether each line tells its holder. `reached` are the instants that bound it, where some do."""

    lines: Select[Any]
    order: Order
    conditions: Callable[[Session, Scope, Cutoffs], _Conditions]
    counted: FromClause
    groups: Mapping[str, ColumnElement[Any]]
    held: bool = False

    def page(self, session: Session, wanted: Scope, after: _After, limit: int, reached: Cutoffs = ()) -> Page:
        """A page of lines, each with its request."""
        lines = self.lines.where(*self.conditions(session, wanted, reached))
        page = self.order.page(session, lines, after, limit)
        if self.held:
            add_holders(session, page[0])
        return page

    def totals(self, session: Session, wanted: Scope, reached: Cutoffs = ()) -> dict[str, Any]:
        """How many lines there are in all (`count`), and for each group by its values, the most first."""
        conditions, columns = self.conditions(session, wanted, reached), list(self.groups.values())
        # What is true of the requests of live clocks and offered tasks: they are open. PostgreSQL must be told, or for
        # totals it reads all there ever were; SQLite must not, or it begins with the open ones.
        if self.counted in (_CLOCKS_OF_REQUESTS, _TASKS_OF_REQUESTS) and session.get_bind().dialect.name != "sqlite":
            conditions.append(IS_OPEN)
        statement = select(*columns, func.count()).select_from(self.counted).where(*conditions).group_by(*columns)
        counters: dict[str, Counter[str]] = {name: Counter() for name in self.groups}
        total = 0
        for *keys, count in session.execute(statement):
            total += count
            for name, key in zip(self.groups, keys, strict=True):
                if key is not None:
                    counters[name][key] += count
        return {"count": total, **{name: dict(counter.most_common()) for name, counter in counters.items()}}


def _overdue(_session: Session, wanted: Scope, _reached: Cutoffs) -> _Conditions:
    return [late_clocks(wanted.now), *_of_clock(wanted)]


def _due_soon(session: Session, wanted: Scope, until: Cutoffs) -> _Conditions:
    live = and_(text("clock.live"), CLOCK.due_at.is_not(None), CLOCK.due_at >= wanted.now)
    return [live, *_before_cutoffs(session, CLOCK.due_at, until), *_of_clock(wanted)]


def _of_clock(wanted: Scope) -> _Conditions:
    """Whose clocks are wanted, and which of them."""
    named = [] if wanted.clock is None else [or_(CLOCK.name == wanted.clock, CLOCK.deadline == wanted.clock)]
    return [*equal((CLOCK[name], getattr(wanted, name)) for name in _GROUPS), *named]


def _dormant(session: Session, wanted: Scope, since: Cutoffs) -> _Conditions:
    free: ColumnElement[bool] = text("request.attached_to IS NULL")  # type: ignore[assignment]
    quiet = _before_cutoffs(session, REQUEST.acted_at, since)
    return [IS_OPEN, free, *quiet, *_of_scope(session, wanted)]


def _waiting(session: Session, wanted: Scope, _reached: Cutoffs) -> _Conditions:
    what = equal([(REQUEST.waits_for, wanted.kind), (REQUEST.waits_on, wanted.on)])
    return [IS_OPEN, REQUEST.waits_since.is_not(None), *_of_scope(session, wanted), *what]


def _unclaimed(session: Session, wanted: Scope, _reached: Cutoffs) -> _Conditions:
    of_others = _of_scope(session, wanted, without=("team",))
    return [TASK.state == "offered", *of_others, *equal([(TASK.team, wanted.team)])]


OVERDUE = Listing(_CLOCK_LINES, _BY_DUE, _overdue, _CLOCKS, _CLOCK_GROUPS, held=True)
"""Overdue clocks, the earliest due first."""
DUE_SOON = Listing(_CLOCK_LINES, _BY_DUE, _due_soon, _CLOCKS_OF_REQUESTS, _CLOCK_GROUPS, held=True)
"""Clocks that run and are due from now on but before what is `reached`."""
DORMANT = Listing(_DORMANT_LINES, _BY_ACTED, _dormant, _REQUESTS, _GROUPS, held=True)
"""Requests to which nothing has happened since what is `reached` (no work, remark or decision), the quietest first,
with `acted_at`. Attached duplicates rest, and are not listed."""
WAITING = Listing(_WAITING_LINES, _BY_WAIT, _waiting, _REQUESTS, _WAITING_GROUPS)
"""Open requests with what each waits for first; those that have waited longest first."""
UNCLAIMED = Listing(_TASK_LINES, _BY_OFFER, _unclaimed, _TASKS_OF_REQUESTS, _TASK_GROUPS)
"""Tasks that are offered and nobody has, those offered first first. `team` is the task's own."""


def add_holders(session: Session, lines: Sequence[dict[str, Any]]) -> None:
    """Put into each line whose turn it is, `holder`: of the clock's own task, else of the request's first open one."""
    # Found by the requests and not by their state.
    statement = select(TASK.request_id, TASK.id, TASK.team, TASK.assignee).where(
        TASK.request_id.in_(list({line["id"] for line in lines})), no_way_in(session, TASK.state).in_(OPEN_STATES)
    )
    tasks: dict[str, list[dict[str, Any]]] = {}
    for request_id, task, team, assignee in session.execute(statement.order_by(TASK.offered_at, TASK.id)):
        tasks.setdefault(request_id, []).append({"task": task, "team": team, "assignee": assignee})
    for line in lines:
        of_request = tasks.get(line["id"], [])
        own = [task for task in of_request if task["task"] == line.get("clock_task_id")]
        nobody = {"task": None, "team": line["team"], "assignee": None}
        line["holder"] = next(iter(own or of_request), nobody)


def _of_scope(session: Session, scope: Scope, *, without: Sequence[str] = ()) -> list[ColumnElement[bool]]:
    """Whose lines are wanted. SQLite has no statistics and would begin with all that a department ever had: a
    column within coalesce is no way in, so that it begins with what the list is about."""
    return equal((no_way_in(session, REQUEST[name]), getattr(scope, name)) for name in _GROUPS if name not in without)


def cutoffs(session: Session, versions: Versions, reach: Callable[[WorkingCalendar], datetime | None]) -> Cutoffs:
    """For every version that an open request follows, the instant that its calendar leads to; versions with the same
    instant stand together. A version whose calendar leads nowhere is left out."""
    followed = exists().where(REQUEST.version == VERSION.hash, IS_OPEN).correlate_except(_REQUESTS)
    reached = cache(reach)
    found: dict[datetime, list[str]] = {}
    for version in session.execute(select(VERSION.hash).where(followed)).scalars():
        if (at := reached(versions.load(session, version).calendar)) is not None:
            found.setdefault(at, []).append(version)
    return sorted(found.items())


def _before_cutoffs(session: Session, column: ColumnElement[Any], reached: Cutoffs) -> list[ColumnElement[bool]]:
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
        length = span.length(calendar.day)
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
