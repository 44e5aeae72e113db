"""On whom open requests wait, and which tasks nobody has claimed; those that have waited longest first.

Owns these two queries; their pages come from the indexes of open requests by what they wait for, and of tasks by
state. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from fixline.store.queries import scope
from fixline.store.queries.overdue import Page
from fixline.store.queries.paging import Order
from fixline.store.queries.requests import IS_OPEN, REQUEST, TITLE
from fixline.store.queries.scope import Scope
from fixline.store.queries.tasks import TASK
from fixline.store.tables import RequestRow, TaskRow, table_of

_REQUESTS = table_of(RequestRow)
_WAITING_GROUPS: Mapping[str, ColumnElement[Any]] = {
    **scope.GROUPS,
    "kind": REQUEST.waits_for,
    "on": REQUEST.waits_on,
}
_TASKS_OF_REQUESTS = table_of(TaskRow).join(_REQUESTS, TASK.request_id == REQUEST.id)
_UNCLAIMED_GROUPS: Mapping[str, ColumnElement[Any]] = {**scope.GROUPS, "team": TASK.team}
_TASK = ("id", "step", "kind", "title", "team", "offers", "offered_at")


@dataclass(frozen=True)
class WaitingFilter(Scope):
    """What the list is narrowed to, by what is waited for, too: its kind, and who or what it is."""

    kind: str | None = None
    on: str | None = None


def list_waiting(session: Session, wanted: WaitingFilter, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of open requests with what each waits for first, and the key behind which the next page begins."""
    columns = (*scope.LINE, "waits_for", "waits_on", "waits_since")
    statement = select(*(REQUEST[name] for name in columns), TITLE)
    order = Order((REQUEST.waits_since, REQUEST.id))
    statement = order.apply(statement.where(*_waiting(session, wanted)), after, limit)
    found = [dict(row) for row in session.execute(statement).mappings()]
    page = found[:limit]
    return page, [page[-1]["waits_since"], page[-1]["id"]] if len(found) > limit else None


def count_waiting(session: Session, wanted: WaitingFilter) -> dict[str, Any]:
    """How many requests wait, in all, by department, team, type and area, and by the kind and name waited for."""
    return scope.count_by(session, _REQUESTS, _waiting(session, wanted), _WAITING_GROUPS)


def _waiting(session: Session, wanted: WaitingFilter) -> list[ColumnElement[bool]]:
    conditions = [IS_OPEN, REQUEST.waits_since.is_not(None), *scope.of_scope(session, wanted)]
    if wanted.kind is not None:
        conditions.append(REQUEST.waits_for == wanted.kind)
    if wanted.on is not None:
        conditions.append(REQUEST.waits_on == wanted.on)
    return conditions


def list_unclaimed(session: Session, wanted: Scope, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of tasks that are offered and nobody has, each with its request, and the key of the next page.

    `team` is the task's own.
    """
    statement = select(
        *(TASK[name].label(f"task_{name}") for name in _TASK),
        *(REQUEST[name] for name in scope.LINE),
        TITLE,
    ).select_from(_TASKS_OF_REQUESTS)
    order = Order((TASK.offered_at, TASK.id))
    statement = order.apply(statement.where(*_unclaimed(session, wanted)), after, limit)
    found = [dict(row) for row in session.execute(statement).mappings()]
    page = found[:limit]
    return page, [page[-1]["task_offered_at"], page[-1]["task_id"]] if len(found) > limit else None


def count_unclaimed(session: Session, wanted: Scope) -> dict[str, Any]:
    """How many tasks nobody has claimed, in all and by department, the task's team, type and area."""
    conditions = [*_unclaimed(session, wanted), *scope.all_open(session)]
    return scope.count_by(session, _TASKS_OF_REQUESTS, conditions, _UNCLAIMED_GROUPS)


def _unclaimed(session: Session, wanted: Scope) -> list[ColumnElement[bool]]:
    conditions = [TASK.state == "offered", *scope.of_scope(session, wanted, without=("team",))]
    return conditions if wanted.team is None else [*conditions, TASK.team == wanted.team]
