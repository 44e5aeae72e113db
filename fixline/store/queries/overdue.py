"""What is overdue: one line per clock that is live and past its due instant, worst first.

Owns the supervisors' query; the page comes from the index of live clocks by due instant. Instants are aware UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlmodel import Session

from fixline.store.queries.paging import Order
from fixline.store.queries.requests import CLOCK, REQUEST, VERSION, late_clocks
from fixline.store.queries.tasks import OPEN_STATES, TASK
from fixline.store.tables import ClockRow, DefinitionVersionRow, RequestRow, table_of

_REQUEST = (
    "id", "type", "version", "status", "step", "priority", "department", "team", "area", "address", "latitude",
    "longitude", "opened_at", "external_id",
)  # fmt: skip
_CLOCK = ("name", "kind", "task_id", "due_at", "last_rung")
GROUPS = ("department", "team", "type", "area", "clock")
_CLOCKS_OF_REQUESTS = table_of(ClockRow).join(table_of(RequestRow), CLOCK.request_id == REQUEST.id)


@dataclass(frozen=True)
class OverdueFilter:
    """What the list is narrowed to; None means not narrowed."""

    now: datetime
    department: str | None = None
    team: str | None = None
    type: str | None = None
    area: str | None = None
    clock: str | None = None


def _conditions(session: Session, wanted: OverdueFilter) -> list[ColumnElement[bool]]:
    """What is late, then whose. SQLite has no statistics and would begin with all that a department ever had:
    a column within coalesce is no way in, so that it begins with what is late."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    conditions = [late_clocks(wanted.now)]
    for name in ("department", "team", "type", "area"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append((func.coalesce(REQUEST[name], "") if sqlite else REQUEST[name]) == value)
    if wanted.clock is not None:
        conditions.append(or_(CLOCK.name == wanted.clock, CLOCK.deadline == wanted.clock))
    return conditions


def list_overdue(
    session: Session, wanted: OverdueFilter, after: Sequence[Any] | None, limit: int
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """A page of overdue clocks, each with its request and holder, and the key behind which the next page begins."""
    statement = select(
        *(CLOCK[name].label(f"clock_{name}") for name in _CLOCK),
        *(REQUEST[name] for name in _REQUEST),
        VERSION.title,
    ).select_from(_CLOCKS_OF_REQUESTS.outerjoin(table_of(DefinitionVersionRow), VERSION.hash == REQUEST.version))
    order = Order((CLOCK.due_at, CLOCK.request_id, CLOCK.name))
    statement = order.apply(statement.where(*_conditions(session, wanted)), after, limit)
    found = [dict(row) for row in session.execute(statement).mappings()]
    page = found[:limit]
    holders = _holders(session, {row["id"] for row in page})
    for row in page:
        row["holder"] = _holder(holders.get(row["id"], []), row)
    last = page[-1] if len(found) > limit else None
    return page, [last["clock_due_at"], last["id"], last["clock_name"]] if last else None


def _holders(session: Session, request_ids: Iterable[str]) -> dict[str, list[tuple[str, str, str | None]]]:
    """The open tasks (id, team, assignee) of each request of a page."""
    statement = select(TASK.request_id, TASK.id, TASK.team, TASK.assignee).where(
        TASK.request_id.in_(list(request_ids)), TASK.state.in_(OPEN_STATES)
    )
    found: dict[str, list[tuple[str, str, str | None]]] = {}
    for request_id, task_id, team, assignee in session.execute(statement.order_by(TASK.offered_at, TASK.id)):
        found.setdefault(request_id, []).append((task_id, team, assignee))
    return found


def _holder(tasks: Sequence[tuple[str, str, str | None]], row: dict[str, Any]) -> dict[str, Any]:
    """Whose turn it is: the holder of the clock's own task, else of the request's first open one."""
    own = [task for task in tasks if task[0] == row["clock_task_id"]]
    for task_id, team, assignee in (own or tasks)[:1]:
        return {"task": task_id, "team": team, "assignee": assignee}
    return {"task": None, "team": row["team"], "assignee": None}


def count_overdue(session: Session, wanted: OverdueFilter) -> dict[str, Any]:
    """How many clocks are overdue in all, and by department, team, type, area and clock."""
    columns = [REQUEST.department, REQUEST.team, REQUEST.type, REQUEST.area, func.coalesce(CLOCK.deadline, CLOCK.name)]
    late = select(*columns, func.count()).select_from(_CLOCKS_OF_REQUESTS).where(*_conditions(session, wanted))
    statement = late.group_by(*columns)
    groups: dict[str, Counter[str]] = {name: Counter() for name in GROUPS}
    total = 0
    for *keys, count in session.execute(statement):
        total += count
        for name, key in zip(GROUPS, keys, strict=True):
            if key is not None:
                groups[name][key] += count
    return {"count": total, **{name: dict(counter.most_common()) for name, counter in groups.items()}}
