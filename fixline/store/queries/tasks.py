"""Tasks as crews list them, and one task with the request it is about.

Owns the columns of these records. Contact data is in none of them. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from fixline.store.queries.paging import Order
from fixline.store.queries.requests import REQUEST, VERSION
from fixline.store.tables import DefinitionVersionRow, RequestRow, TaskRow, table_of

TASK = table_of(TaskRow).c
OPEN_STATES = ("offered", "claimed", "started")
_TASK = ("id", "step", "kind", "title", "team", "state", "assignee", "offered_at", "due_at")
_MORE = ("request_id", "visit", "claimed_at", "started_at", "ended_at", "outcome", "form", "photos")
_REQUEST = ("id", "type", "status", "priority", "address", "latitude", "longitude", "description")
_JOINED = (
    table_of(TaskRow)
    .join(table_of(RequestRow), TASK.request_id == REQUEST.id)
    .outerjoin(table_of(DefinitionVersionRow), VERSION.hash == REQUEST.version)
)


@dataclass(frozen=True)
class TaskFilter:
    """What a list of tasks is narrowed to. `teams` None: every team."""

    states: Sequence[str] = OPEN_STATES
    teams: Sequence[str] | None = None
    assignee: str | None = None
    due_before: datetime | None = None


def list_tasks(
    session: Session, wanted: TaskFilter, after: Sequence[Any] | None, limit: int
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """A page of tasks, those offered first first, and the key behind which the next page begins."""
    keys = select(TASK.id.label("key")).where(TASK.state.in_(wanted.states))
    if wanted.teams is not None:
        keys = keys.where(TASK.team.in_(wanted.teams))
    if wanted.assignee is not None:
        keys = keys.where(TASK.assignee == wanted.assignee)
    if wanted.due_before is not None:
        keys = keys.where(TASK.due_at < wanted.due_before)
    order = Order((TASK.offered_at, TASK.id))
    # The keys of a page are found first, so that only a page's worth of lines is read and sorted.
    page = order.apply(keys, after, limit).subquery("page")
    statement = select(
        *(TASK[name] for name in _TASK),
        *(REQUEST[name].label(f"request_{name}") for name in _REQUEST),
        VERSION.title.label("request_title"),
    ).select_from(_JOINED.join(page, page.c.key == TASK.id))
    found = [dict(row) for row in session.execute(statement.order_by(*order.directions)).mappings()]
    last = found[limit - 1] if len(found) > limit else None
    return [_nested(row) for row in found[:limit]], [last["offered_at"], last["id"]] if last else None


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """The request's columns as an object of their own."""
    request = {name: row[f"request_{name}"] for name in (*_REQUEST, "title")}
    return {**{name: row[name] for name in _TASK}, "request": request}


def read_task(session: Session, task_id: str) -> dict[str, Any] | None:
    """A task with `request` (facts, `version` and `state` as JSON text); None when there is no such task."""
    statement = select(
        *(TASK[name] for name in (*_TASK, *_MORE)),
        *(REQUEST[name].label(f"of_{name}") for name in (*_REQUEST, "department", "version", "state")),
        VERSION.title.label("of_title"),
    )
    row = session.execute(statement.select_from(_JOINED).where(TASK.id == task_id)).mappings().first()
    if row is None:
        return None
    task = {name: row[name] for name in (*_TASK, *_MORE)}
    task["request"] = {name.removeprefix("of_"): value for name, value in row.items() if name.startswith("of_")}
    return task
