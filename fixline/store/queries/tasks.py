"""Tasks as crews list them, one task with the request it is about, and teams' turns and loads as dispatch needs them.

Contact data is in none of these records. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlmodel import Session

from fixline.store.prepared import Prepared
from fixline.store.queries.paging import Order, Page
from fixline.store.queries.requests import REQUEST, VERSION, equal
from fixline.store.statements import upserting
from fixline.store.tables import DefinitionVersionRow, RequestRow, TaskRow, TeamTurnRow, table_of

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
_BY_OFFER = Order({"offered_at": TASK.offered_at, "id": TASK.id})

_TURN = table_of(TeamTurnRow).c
_LAST_TURN = Prepared(select(_TURN.last).where(_TURN.team == bindparam("team_")).with_for_update())
_FIRST_TURN, _NEXT_TURN = upserting(TeamTurnRow, "team", keep=True), upserting(TeamTurnRow, "team")
_LOADS: Any = (
    select(TASK.assignee, func.count())
    .where(TASK.assignee.in_(bindparam("members_", expanding=True)), TASK.state.in_(("claimed", "started")))
    .group_by(TASK.assignee)
)


@dataclass(frozen=True)
class TaskFilter:
    """What a list of tasks is narrowed to. `teams` None: every team."""

    states: Sequence[str] = OPEN_STATES
    teams: Sequence[str] | None = None
    assignee: str | None = None
    due_before: datetime | None = None


def list_tasks(session: Session, wanted: TaskFilter, after: Sequence[Any] | None, limit: int) -> Page:
    """A page of tasks, those offered first first."""
    keys = select(TASK.id.label("key")).where(TASK.state.in_(wanted.states))
    if wanted.teams is not None:
        keys = keys.where(TASK.team.in_(wanted.teams))
    keys = keys.where(*equal([(TASK.assignee, wanted.assignee)]))
    if wanted.due_before is not None:
        keys = keys.where(TASK.due_at < wanted.due_before)
    # The keys of a page are found first, so that only a page's worth of lines is read and sorted.
    page = _BY_OFFER.apply(keys, after, limit).subquery("page")
    statement = _columns(_TASK, _REQUEST).select_from(_JOINED.join(page, page.c.key == TASK.id))
    rows = session.execute(statement.order_by(*_BY_OFFER.directions)).mappings()
    return _BY_OFFER.cut(map(_nested, rows), limit)


def read_task(session: Session, task_id: str) -> dict[str, Any] | None:
    """A task with `request` (facts, `version` and `state` as JSON text); None when there is no such task."""
    statement = _columns((*_TASK, *_MORE), (*_REQUEST, "department", "version", "state")).select_from(_JOINED)
    row = session.execute(statement.where(TASK.id == task_id)).mappings().first()
    return None if row is None else _nested(row)


def _columns(of_task: Sequence[str], of_request: Sequence[str]) -> Select[Any]:
    return select(
        *(TASK[name] for name in of_task),
        *(REQUEST[name].label(f"of_{name}") for name in of_request),
        VERSION.title.label("of_title"),
    )


def _nested(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The request's columns as an object of their own."""
    task = {name: value for name, value in row.items() if not name.startswith("of_")}
    return {**task, "request": {name[3:]: value for name, value in row.items() if name.startswith("of_")}}


def next_in_turn(session: Session, team: str, members: Sequence[str]) -> str:
    """The member after the one who had the last turn; the turn is kept in the same transaction."""
    turn = _LAST_TURN.first(session, {"team_": team})
    if turn is None:  # nobody has had one: make the row that others then wait for
        _FIRST_TURN.run(session, {"team": team, "last": None})
        (turn,) = _LAST_TURN.all(session, {"team_": team})
    (last,) = turn
    chosen = members[(members.index(last) + 1) % len(members)] if last in members else members[0]
    _NEXT_TURN.run(session, {"team": team, "last": chosen})
    return chosen


def least_loaded(session: Session, members: Sequence[str]) -> str:
    """The member with the fewest claimed or started tasks; of equals the first in the team's list."""
    counted = session.connection().execute(_LOADS, {"members_": list(members)})
    load: dict[str, int] = dict(counted.all())
    return min(members, key=lambda member: load.get(member, 0))
