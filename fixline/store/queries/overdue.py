"""What is overdue, and what will be soon: one line per live clock, the earliest due first.

Owns these two of the supervisors' queries; their pages come from the indexes of live clocks by due instant: of all of
them, and of those of a department, team, type or area. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlmodel import Session

from fixline.domain.deadlines.calendar import Span
from fixline.store.queries import scope
from fixline.store.queries.paging import Order
from fixline.store.queries.requests import CLOCK, REQUEST, TITLE, late_clocks, no_way_in
from fixline.store.queries.scope import Cutoffs, Scope
from fixline.store.queries.tasks import OPEN_STATES, TASK
from fixline.store.tables import ClockRow, RequestRow, table_of
from fixline.store.versions import Versions

_CLOCK = ("name", "kind", "task_id", "due_at", "last_rung")
GROUPS: Mapping[str, ColumnElement[Any]] = {
    **{name: CLOCK[name] for name in scope.GROUPS},
    "clock": func.coalesce(CLOCK.deadline, CLOCK.name),
}
_CLOCKS = table_of(ClockRow)
_CLOCKS_OF_REQUESTS = _CLOCKS.join(table_of(RequestRow), CLOCK.request_id == REQUEST.id)
Page = tuple[list[dict[str, Any]], list[Any] | None]


@dataclass(frozen=True)
class OverdueFilter(Scope):
    """What the list is narrowed to, by clock, too: the name of a clock or of a definition's deadline."""

    clock: str | None = None


def list_overdue(session: Session, wanted: OverdueFilter, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of overdue clocks, each with its request and holder, and the key behind which the next page begins."""
    return _list(session, _overdue(wanted), after, limit)


def count_overdue(session: Session, wanted: OverdueFilter) -> dict[str, Any]:
    """How many clocks are overdue in all, and by department, team, type, area and clock."""
    return scope.count_by(session, _CLOCKS, _overdue(wanted), GROUPS)


def soon(session: Session, versions: Versions, wanted: OverdueFilter, within: Span) -> Cutoffs:
    """The instants up to which a clock is due soon, by its request's calendar."""
    return scope.cutoffs(session, versions, scope.ahead(wanted.now, within))


def list_due_soon(
    session: Session, wanted: OverdueFilter, until: Cutoffs, after: Sequence[Any] | None, limit: int
) -> Page:
    """A page of clocks that run and are due from now on but before `until`, as `list_overdue` answers."""
    return _list(session, _due_soon(session, wanted, until), after, limit)


def count_due_soon(session: Session, wanted: OverdueFilter, until: Cutoffs) -> dict[str, Any]:
    """How many clocks are due soon, in all and by group."""
    conditions = [*_due_soon(session, wanted, until), *scope.all_open(session)]
    return scope.count_by(session, _CLOCKS_OF_REQUESTS, conditions, GROUPS)


def _overdue(wanted: OverdueFilter) -> list[ColumnElement[bool]]:
    return [late_clocks(wanted.now), *_of_clock(wanted)]


def _due_soon(session: Session, wanted: OverdueFilter, until: Cutoffs) -> list[ColumnElement[bool]]:
    live = and_(text("clock.live"), CLOCK.due_at.is_not(None), CLOCK.due_at >= wanted.now)
    before = scope.before_cutoffs(session, CLOCK.due_at, until)
    return [live, *before, *_of_clock(wanted)]


def _of_clock(wanted: OverdueFilter) -> list[ColumnElement[bool]]:
    """Whose clocks are wanted, and which of them."""
    given = {name: value for name in scope.GROUPS if (value := getattr(wanted, name)) is not None}
    named = [] if wanted.clock is None else [or_(CLOCK.name == wanted.clock, CLOCK.deadline == wanted.clock)]
    return [*(CLOCK[name] == value for name, value in given.items()), *named]


def _list(session: Session, conditions: Sequence[ColumnElement[bool]], after: Sequence[Any] | None, limit: int) -> Page:
    statement = select(
        *(CLOCK[name].label(f"clock_{name}") for name in _CLOCK),
        *(REQUEST[name] for name in scope.LINE),
        TITLE,
    ).select_from(_CLOCKS_OF_REQUESTS)
    order = Order((CLOCK.due_at, CLOCK.request_id, CLOCK.name))
    statement = order.apply(statement.where(*conditions), after, limit)
    found = [dict(row) for row in session.execute(statement).mappings()]
    page = found[:limit]
    add_holders(session, page)
    last = page[-1] if len(found) > limit else None
    return page, [last["clock_due_at"], last["id"], last["clock_name"]] if last else None


def add_holders(session: Session, lines: Sequence[dict[str, Any]]) -> None:
    """Put into each line of requests whose turn it is: `holder`."""
    tasks = _tasks_of(session, {line["id"] for line in lines})
    for line in lines:
        line["holder"] = _holder(tasks.get(line["id"], []), line)


def _tasks_of(session: Session, request_ids: Iterable[str]) -> dict[str, list[tuple[str, str, str | None]]]:
    """The open tasks (id, team, assignee) of each request of a page, found by the requests and not by their state."""
    statement = select(TASK.request_id, TASK.id, TASK.team, TASK.assignee).where(
        TASK.request_id.in_(list(request_ids)), no_way_in(session, TASK.state).in_(OPEN_STATES)
    )
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for request_id, task_id, team, assignee in session.execute(statement.order_by(TASK.offered_at, TASK.id)):
        found.setdefault(request_id, []).append((task_id, team, assignee))
    return found


def _holder(tasks: Sequence[tuple[str, str, str | None]], line: dict[str, Any]) -> dict[str, Any]:
    """Whose turn it is: the holder of the clock's own task, else of the request's first open one."""
    own = [task for task in tasks if task[0] == line.get("clock_task_id")]
    for task_id, team, assignee in (own or tasks)[:1]:
        return {"task": task_id, "team": team, "assignee": assignee}
    return {"task": None, "team": line["team"], "assignee": None}
