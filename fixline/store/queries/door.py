"""What must be known of a request before a command for it is accepted.

Owns one short read: the state on which the rules are asked, whether anything waits before the new command, and the
command that came under the same idempotency key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session

from fixline.domain.definition import Definition
from fixline.store.queries.detail import COMMAND, TASK
from fixline.store.queries.requests import REQUEST
from fixline.store.versions import Versions


@dataclass(frozen=True)
class Standing:
    """Where a request stands. `definition` and `state` (JSON text) are None for imported history.

    `busy` says that commands wait which will be applied first; `known` is (id, keyed hash of the body) of the
    command under the same idempotency key.
    """

    request_id: str
    department: str | None
    definition: Definition | None
    state: str | None
    busy: bool
    task_team: str | None = None
    known: tuple[str, str | None] | None = None


def standing_of(session: Session, versions: Versions, request_id: str, caller: str, key: str | None) -> Standing | None:
    """Where the request stands; None when there is no such request."""
    waiting = exists().where(COMMAND.request_id == request_id, COMMAND.state == "waiting")
    row = session.execute(
        select(REQUEST.department, REQUEST.version, REQUEST.state, waiting.label("busy")).where(
            REQUEST.id == request_id
        )
    ).first()
    if row is None:
        return None
    department, version, state, busy = row
    definition = versions.load(session, version) if version is not None else None
    # The key is looked up after the state: whatever the state already shows has its command row by then.
    return Standing(request_id, department, definition, state, bool(busy), known=_known(session, caller, key))


def standing_of_task(
    session: Session, versions: Versions, task_id: str, caller: str, key: str | None
) -> Standing | None:
    """Where the task's request stands, with the task's team; None when there is no such task."""
    row = session.execute(select(TASK.request_id, TASK.team).where(TASK.id == task_id)).first()
    if row is None:
        return None
    found = standing_of(session, versions, row.request_id, caller, key)
    if found is None:
        return None
    return Standing(**{**vars(found), "task_team": row.team})


def _known(session: Session, caller: str, key: str | None) -> tuple[str, str | None] | None:
    if key is None:
        return None
    statement = select(COMMAND.id, COMMAND.body_hash).where(COMMAND.caller == caller, COMMAND.idempotency_key == key)
    row = session.execute(statement).first()
    return (row.id, row.body_hash) if row is not None else None


def original_of(session: Session, request_id: str) -> dict[str, Any] | None:
    """What must be known of the request to which another is attached; None when there is none, or it is history."""
    wanted = (REQUEST.id, REQUEST.department, REQUEST.status, REQUEST.outcome, REQUEST.opened_at, REQUEST.attached_to)
    found = session.execute(select(*wanted).where(REQUEST.id == request_id, REQUEST.state.is_not(None)))
    row = found.mappings().first()
    return dict(row) if row is not None else None
