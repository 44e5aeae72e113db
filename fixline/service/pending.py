"""What is left to do for a request: what its workflow is told after a decision, and again by the relay.

It holds no free text. A request is behind when its workflow is not known to have been told of the last decision
(`signalled < decision`), or when a command of its waits to be tried again; a relay's claim is the row's own
`relayed_at`, written under SKIP LOCKED, so that several do not signal the same one. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlmodel import Session

from fixline.domain.process.effects import EFFECTS
from fixline.messages import Attributes, PendingEffect, PendingWork, Summary, WorkflowSignal
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked, lock_request
from fixline.store import statements
from fixline.store.tables import UNSIGNALLED

_BATCHED = {kind for kind, effect in EFFECTS.items() if effect.batched}
_REQUEST, _COMMAND = statements.REQUEST.c, statements.COMMAND.c
_BEHIND: Any = text(UNSIGNALLED)  # as in its index
_TRIED_FIRST: Any = func.coalesce(_REQUEST.relayed_at, _REQUEST.updated_at)
"""Whoever was tried longest ago comes first: requests that cannot be signalled do not keep others out."""


def pending_work(session: Session, row: Locked, scheduling: Scheduling, *, news: bool) -> PendingWork:
    """What is left to do for a locked request, as its row is now; with `news` also when to wake for what is next."""
    of_request, outside = {"request_id_": row.id}, scheduling.outside
    counted = statements.COUNT_WAITING.first(session, of_request)
    # Just after a decision these are enumerations.
    outcome = None if row.outcome is None else str(row.outcome)
    priority = None if row.priority is None else str(row.priority)
    return PendingWork(
        decision=row.decision,
        closed=row.status == "closed",
        next_at=row.next_at,
        wake_at=scheduling.wake_at(row.next_at, row.id) if news and row.next_at is not None else None,
        effects=[
            # What one decision has to say to people is said by one activity: a storm of rungs costs a fifth less.
            PendingEffect(
                effect_id, kind, "outside" if kind in outside else reach, str(decision) if kind in _BATCHED else ""
            )
            for effect_id, kind, reach, decision in statements.PENDING.all(session, of_request)
        ],
        waiting=counted[0] if counted else 0,
        summary=Summary(type=row.type, status=row.status, outcome=outcome, step=row.step, priority=priority or ""),
        attributes=Attributes(
            type=row.type,
            department=row.department,
            team=row.team,
            area=row.area,
            status=row.status,
            priority=priority,
            due=row.promised_at,
        ),
    )


def claim_signals(
    session: Session, now: datetime, patience: timedelta, limit: int, scheduling: Scheduling
) -> list[WorkflowSignal]:
    """What is to be signalled now, each claimed for as long as the patience lasts; those behind longest first.

    A request is left alone until `patience` has passed since its last change (its own signal is on its way), and since
    the last claim. A signal is named after the last command.
    """
    due = now - patience
    waiting = select(_COMMAND.request_id).where(_COMMAND.state == "waiting", _COMMAND.accepted_at <= due)
    ids = _claim(session, now, due, limit, _BEHIND, _REQUEST.updated_at <= due)
    ids += _claim(session, now, due, limit - len(ids), _REQUEST.id.in_(waiting), _REQUEST.id.not_in(ids))
    signals = []
    for request_id in ids:
        row = lock_request(session, request_id)
        (kind,) = statements.LAST_KIND.first(session, {"request_id_": request_id}) or ("open",)
        signals.append(WorkflowSignal(request_id, kind, pending_work(session, row, scheduling, news=True)))
    return signals


def _claim(session: Session, now: datetime, due: datetime, limit: int, *which: ColumnElement[bool]) -> list[str]:
    if limit <= 0:
        return []
    rested = or_(_REQUEST.relayed_at.is_(None), _REQUEST.relayed_at <= due)
    statement = select(_REQUEST.id).where(*which, rested).order_by(_TRIED_FIRST, _REQUEST.updated_at).limit(limit)
    ids = list(session.execute(statement.with_for_update(skip_locked=True)).scalars())
    if ids:
        session.execute(update(statements.REQUEST).where(_REQUEST.id.in_(ids)).values(relayed_at=now))
    return ids


def mark_signalled(session: Session, decisions: Mapping[str, int]) -> None:
    """The workflows of these requests have been told of these decisions."""
    marks = [{"request_id_": request_id, "signalled_": number} for request_id, number in sorted(decisions.items())]
    statements.MARK_SIGNALLED.run(session, marks)
