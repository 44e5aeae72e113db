"""What a command for many requests would come to; moving open requests to another version of their type.

A plan is made by the rules themselves, on each request's present state, without writing anything; the move itself is a
command of each request's own. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select
from sqlmodel import Session

from fixline.domain.journal.state import read_state
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import Actor, Command, Move
from fixline.domain.process.decision import Decision, Refusal
from fixline.domain.process.moving import outline
from fixline.service.commands import HISTORY
from fixline.service.submissions import StoredCommand
from fixline.store.tables import RequestRow, table_of
from fixline.store.versions import Versions

log = logging.getLogger(__name__)
_REQUEST = table_of(RequestRow).c


def asked(
    session: Session, versions: Versions, row: Row[Any], command: Command, actor: Actor, now: datetime, about: str
) -> Decision | Refusal:
    """What the rules say to a command for a request, of whose row id, version and state were read; nothing is written.
    A fault of ours is logged and refuses: in one request it is no reason not to say what becomes of the others."""
    try:
        if row.state is None:
            return HISTORY
        definition, state = versions.load(session, row.version), read_state(row.state)
        target = versions.load(session, command.version) if isinstance(command, Move) else None
        return advance(definition, state, command, now, actor=actor, request_id=row.id, target=target)
    except Exception:
        log.exception("asking the rules about %s failed", about)
        return Refusal(code="fault", message="a fault of ours; it has been logged")


@dataclass(frozen=True)
class Wanted:
    """Which requests of a type move to the version with this hash: all, those named, those that follow the version
    `source`; from `after` on by their ids."""

    type: str
    version: str
    steps: Mapping[str, str]
    reason: str = ""
    only: Collection[str] | None = None
    after: str = ""
    limit: int = 500
    source: str | None = None

    @property
    def command(self) -> Move:
        """The command for each of them."""
        return Move(version=self.version, steps=dict(self.steps), reason=self.reason)


class Planned(NamedTuple):
    """What moving one request would come to: the parts that change, or why not. `version`: the one it follows."""

    request_id: str
    version: str
    changes: dict[str, Any] | None
    refusal: Refusal | None


def plan_moves(session: Session, versions: Versions, wanted: Wanted, actor: Actor, now: datetime) -> list[Planned]:
    """What would become of each open request that follows another version, by its id. Nothing is written."""
    conditions = [
        _REQUEST.type == wanted.type,
        _REQUEST.status == "open",
        _REQUEST.version != wanted.version,
        _REQUEST.id > wanted.after,
    ]
    if wanted.only is not None:
        conditions.append(_REQUEST.id.in_(wanted.only))
    if wanted.source is not None:
        conditions.append(_REQUEST.version == wanted.source)
    statement = select(_REQUEST.id, _REQUEST.version, _REQUEST.state).where(*conditions)
    rows = session.execute(statement.order_by(_REQUEST.id).limit(wanted.limit)).all()
    return [_plan(session, versions, wanted, actor, now, row) for row in rows]


def outcome_of(planned: Planned, row: StoredCommand | Refusal | None, number: int) -> dict[str, Any]:
    """What became of one request, as it is told: `row` is its command, None where nothing was to be written; `number`
    that of the version it followed."""
    command = row if isinstance(row, StoredCommand) else None
    refusal = planned.refusal or (row if isinstance(row, Refusal) else None)
    if command is not None and command.state == "refused":
        refusal = Refusal.model_validate(command.answer)
    moved = "moved" if command is not None and command.state == "applied" else "waiting"
    return {
        "id": planned.request_id,
        "from_version": number,
        "state": "refused" if refusal else "would_move" if row is None else moved,
        "changes": None if refusal else planned.changes,
        "code": refusal.code if refusal else None,
        "message": refusal.message if refusal else None,
        "command_id": command.id if command else None,
    }


def _plan(session: Session, versions: Versions, wanted: Wanted, actor: Actor, now: datetime, row: Row[Any]) -> Planned:
    result = asked(session, versions, row, wanted.command, actor, now, f"moving {row.id}")
    if isinstance(result, Refusal):
        return Planned(row.id, row.version, None, result)
    return Planned(row.id, row.version, outline(read_state(row.state), result), None)
