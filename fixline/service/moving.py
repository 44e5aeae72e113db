"""Moving open requests to another version of their type: which there are, what it would change, the move of one.

Owns the plan of a move. It is made by the rules themselves, on each request's present state, without writing
anything; the move itself is a command of each request's own. Instants are aware UTC.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session

from fixline.domain.journal.state import read_state
from fixline.domain.process.advance import advance
from fixline.domain.process.commands import Actor, Move
from fixline.domain.process.decision import Refusal, Refused
from fixline.domain.process.moving import outline
from fixline.service.commands import Commands, Given
from fixline.service.submissions import Submission
from fixline.store.tables import RequestRow, table_of
from fixline.store.versions import Versions

log = logging.getLogger(__name__)
_REQUEST = table_of(RequestRow).c


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
    return [_plan(session, versions, wanted, actor, now, *row) for row in rows]


def _plan(
    session: Session,
    versions: Versions,
    wanted: Wanted,
    actor: Actor,
    now: datetime,
    request_id: str,
    version: str,
    stored: str,
) -> Planned:
    state = read_state(stored)
    target = versions.load(session, wanted.version)
    try:
        result = advance(
            versions.load(session, version),
            state,
            wanted.command,
            now,
            actor=actor,
            request_id=request_id,
            target=target,
        )
    except Exception:  # a fault of ours in one request is no reason not to say what becomes of the others
        log.exception("asking the rules about moving %s failed", request_id)
        return Planned(request_id, version, None, Refusal(code="fault", message="a fault of ours; it has been logged"))
    if isinstance(result, Refusal):
        return Planned(request_id, version, None, result)
    return Planned(request_id, version, outline(state, result), None)


def move_one(commands: Commands, request_id: str, submission: Submission) -> Given | Refusal:
    """Move one request, in a transaction of its own; one that has closed meanwhile refuses.

    Raises RequestUnknown, KeyReused, StoreAway.
    """
    try:
        return commands.submit(request_id, submission)
    except Refused as refused:
        return refused.refusal
