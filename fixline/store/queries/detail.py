"""One request in full, its journal, one command: what a page about a single thing reads.

Contact data is in none of these records. Instants are aware UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from fixline.store.queries.requests import CLOCK, REQUEST, VERSION
from fixline.store.queries.tasks import TASK
from fixline.store.tables import CommandRow, DefinitionVersionRow, JournalRow, RequestRow, table_of

JOURNAL = table_of(JournalRow).c
COMMAND = table_of(CommandRow).c

_FACTS = (
    "id", "type", "version", "source_type", "department", "status", "outcome", "step", "waiting_as", "on_hold",
    "priority", "team", "area", "latitude", "longitude", "address", "description", "channel", "source", "external_id",
    "opened_at", "accepted_at", "updated_at", "closed_at", "promised_at", "decision", "state", "attached_to",
)  # fmt: skip
_TASK = (
    "id", "step", "visit", "kind", "title", "team", "state", "assignee", "offered_at", "claimed_at", "started_at",
    "ended_at", "due_at", "outcome", "form", "photos",
)  # fmt: skip
_CLOCK = (
    "name", "kind", "task_id", "step", "state", "live", "budget", "started_at", "due_at", "breached_at", "ended_at",
    "last_rung", "stretches",
)  # fmt: skip


def read_request(session: Session, request_id: str) -> dict[str, Any] | None:
    """The request's facts with `state` (JSON text), `tasks` and `clocks`; None when there is no such request."""
    joined = table_of(RequestRow).outerjoin(table_of(DefinitionVersionRow), VERSION.hash == REQUEST.version)
    statement = select(*(REQUEST[name] for name in _FACTS), VERSION.title, VERSION.number.label("version_number"))
    found = _read(session, statement.select_from(joined).where(REQUEST.id == request_id))
    if not found:
        return None
    tasks = select(*(TASK[name] for name in _TASK)).where(TASK.request_id == request_id)
    clocks = select(*(CLOCK[name] for name in _CLOCK)).where(CLOCK.request_id == request_id)
    return {
        **found[0],
        "tasks": _read(session, tasks.order_by(TASK.offered_at, TASK.id)),
        "clocks": _read(session, clocks.order_by(CLOCK.started_at, CLOCK.name)),
    }


def read_journal(session: Session, request_id: str, after_seq: int, limit: int) -> list[dict[str, Any]] | None:
    """Entries after a number, one more than `limit` when there are more; None when there is no such request."""
    names = ("seq", "decision", "at", "actor", "kind", "text", "data")
    statement = select(*(JOURNAL[name] for name in names)).where(
        JOURNAL.request_id == request_id, JOURNAL.seq > after_seq
    )
    entries = _read(session, statement.order_by(JOURNAL.seq).limit(limit + 1))
    if not entries and not _read(session, select(REQUEST.id).where(REQUEST.id == request_id)):
        return None
    return entries


def read_command(session: Session, command_id: str) -> dict[str, Any] | None:
    """A command with its answer, and `caller`: who gave it; None when there is no such command."""
    names = ("id", "request_id", "kind", "state", "accepted_at", "applied_at", "answer", "caller")
    found = _read(session, select(*(COMMAND[name] for name in names)).where(COMMAND.id == command_id))
    return found[0] if found else None


def _read(session: Session, statement: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(statement).mappings()]
