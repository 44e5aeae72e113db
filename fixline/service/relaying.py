"""What the relay has to signal: claimed per request, so that several relays do not signal the same one.

Owns the claims. A request is behind when its workflow is not known to have been told of the last decision
(`signalled < decision`), or when a command of its waits to be tried again; a claim is the row's own `relayed_at`,
written under SKIP LOCKED. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlmodel import Session, col

from fixline.messages import WorkflowSignal
from fixline.service.pending import pending_work
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import lock_request
from fixline.store import statements
from fixline.store.tables import UNSIGNALLED, CommandRow, RequestRow, table_of

_REQUEST = table_of(RequestRow).c
_COMMAND = table_of(CommandRow).c
_BEHIND: Any = text(UNSIGNALLED)  # as in its index
_TRIED_FIRST: Any = func.coalesce(_REQUEST.relayed_at, _REQUEST.updated_at)
"""Whoever was tried longest ago comes first: requests that cannot be signalled do not keep others out."""


def claim_signals(
    session: Session, now: datetime, patience: timedelta, limit: int, scheduling: Scheduling
) -> list[WorkflowSignal]:
    """What is to be signalled now, each claimed for as long as the patience lasts; those behind longest first.

    A request is left alone until `patience` has passed since its last change (its own signal is on its way), and since
    the last claim.
    """
    due = now - patience
    waiting = select(_COMMAND.request_id).where(_COMMAND.state == "waiting", _COMMAND.accepted_at <= due)
    ids = _claim(session, now, due, limit, _BEHIND, _REQUEST.updated_at <= due)
    ids += _claim(session, now, due, limit - len(ids), _REQUEST.id.in_(waiting), _REQUEST.id.not_in(ids))
    return [_signal(session, request_id, scheduling) for request_id in ids]


def _claim(session: Session, now: datetime, due: datetime, limit: int, *which: ColumnElement[bool]) -> list[str]:
    if limit <= 0:
        return []
    rested = or_(_REQUEST.relayed_at.is_(None), _REQUEST.relayed_at <= due)
    statement = select(_REQUEST.id).where(*which, rested).order_by(_TRIED_FIRST, _REQUEST.updated_at).limit(limit)
    ids = list(session.execute(statement.with_for_update(skip_locked=True)).scalars())
    if ids:
        session.execute(update(RequestRow).where(col(RequestRow.id).in_(ids)).values(relayed_at=now))
    return ids


def _signal(session: Session, request_id: str, scheduling: Scheduling) -> WorkflowSignal:
    """What is left to do, named after the last command."""
    row = lock_request(session, request_id)
    (kind,) = statements.LAST_KIND.first(session, {"request_id_": request_id}) or ("open",)
    return WorkflowSignal(request_id, kind, pending_work(session, row, scheduling, news=True))


def mark_signalled(session: Session, decisions: Mapping[str, int]) -> None:
    """The workflows of these requests have been told of these decisions."""
    marks = [{"request_id_": request_id, "signalled_": number} for request_id, number in sorted(decisions.items())]
    statements.MARK_SIGNALLED.run(session, marks)
