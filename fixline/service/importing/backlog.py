"""Another system's requests in the store: what is known of them, and how they are written in batches.

History are closed rows (no version, no state, no workflow), backlog open ones (decided like any report, with their real
opening). Instants are aware UTC. Every function but the last works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session

from fixline.domain.process.commands import SYSTEM, SourceClosed
from fixline.domain.process.decision import Decision, Refused
from fixline.service.commands import Commands
from fixline.service.opening import Report, take_numbers, write_opening
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Submission
from fixline.store.tables import CommandRow, RequestRow, table_of

_REQUEST = table_of(RequestRow)
_COMMAND = table_of(CommandRow)
SOURCE_COLUMNS = (
    "source_type", "outcome", "opened_at", "closed_at", "promised_at", "latitude", "longitude", "address",
    "source_facts",
)  # fmt: skip
"""What of a historical request the source says; a row is changed when one of these is."""
_FROM_SOURCE = [_REQUEST.c[name] for name in SOURCE_COLUMNS]
_UPDATE = update(_REQUEST).where(_REQUEST.c.id == bindparam("id_"))


class Known(NamedTuple):
    """An imported request as the store has it. `running`: it has a state, and our crews work on it or have."""

    id: str
    running: bool
    status: str
    said: dict[str, Any]


def find_known(session: Session, source: str, numbers: Sequence[str]) -> dict[str, Known]:
    """The requests of the source with these numbers, by number."""
    columns = (_REQUEST.c.external_id, _REQUEST.c.id, _REQUEST.c.version, _REQUEST.c.status, *_FROM_SOURCE)
    wanted = (_REQUEST.c.source == source) & _REQUEST.c.external_id.in_(numbers)
    return {
        number: Known(request_id, version is not None, status, dict(zip(SOURCE_COLUMNS, said, strict=True)))
        for number, request_id, version, status, *said in session.execute(select(*columns).where(wanted))
    }


def insert_history(session: Session, zone: ZoneInfo, now: datetime, rows: Sequence[dict[str, Any]]) -> None:
    """Write closed requests of another system; `rows` have everything but id and the instants of acceptance."""
    ids = take_numbers(session, zone, now, len(rows))
    same = _HISTORY | {"accepted_at": now, "updated_at": now}
    full = [{**same, **row, "id": request_id} for request_id, row in zip(ids, rows, strict=True)]
    session.connection().execute(insert(_REQUEST), full)


_HISTORY: dict[str, Any] = {
    "status": "closed",
    "on_hold": False,
    "description": "",
    "channel": "import",
    "decision": 0,
    "last_command": 0,
    "created_by": SYSTEM.name,
}


def update_history(session: Session, now: datetime, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Change closed requests of another system, given by id, to what the source says now."""
    changes = [{"id_": request_id, **row, "updated_at": now} for request_id, row in rows]
    if changes:
        session.connection().execute(_UPDATE, changes)


def open_backlog(session: Session, openings: Iterable[tuple[Report, Decision]]) -> None:
    """Write requests that are open in another system; the relay of a running worker starts their workflows."""
    scheduling = Scheduling()
    for report, decision in openings:
        write_opening(session, report, decision, scheduling)


def closing_id(request_id: str, source: str) -> str:
    """The id of the command by which a source closes a request: there is one, however often it is sent."""
    return f"{request_id}:closed-by:{source}"


def find_closings(session: Session, ids: Sequence[str]) -> set[str]:
    """Which of these commands have been given."""
    return set(session.execute(select(_COMMAND.c.id).where(_COMMAND.c.id.in_(ids))).scalars())


def close_by_source(commands: Commands, request_id: str, command: SourceClosed, now: datetime) -> None:
    """Close a running request as its source has; once, however often it is asked. In a transaction of its own.

    The relay of a running worker tells its workflow. Raises RequestUnknown, StoreAway.
    """
    submission = Submission(closing_id(request_id, command.source), command, SYSTEM, now, SYSTEM.name)
    with suppress(Refused):  # our crews have closed it meanwhile
        commands.submit(request_id, submission)
