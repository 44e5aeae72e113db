"""What is left to do for a request: what its workflow is told after a decision.

Owns the making of that message from a locked row: the effects not yet taken, the next instant and when to wake for it,
the waiting commands, the summary and the search attributes. It holds no free text. Instants are aware UTC.
"""

from __future__ import annotations

from sqlmodel import Session

from fixline.domain.process.effects import EFFECTS
from fixline.messages import Attributes, PendingEffect, PendingWork, Summary
from fixline.service.scheduling import Scheduling
from fixline.service.submissions import Locked
from fixline.store import statements

_BATCHED = {kind for kind, effect in EFFECTS.items() if effect.batched}


def pending_work(session: Session, row: Locked, scheduling: Scheduling, *, news: bool) -> PendingWork:
    """What is left to do for a locked request, as its row is now; with `news` also when to wake for what is next."""
    pending = statements.PENDING.all(session, {"request_id_": row.id})
    counted = statements.COUNT_WAITING.first(session, {"request_id_": row.id})
    outcome, priority = _plain(row.outcome), _plain(row.priority)
    return PendingWork(
        decision=row.decision,
        closed=row.status == "closed",
        next_at=row.next_at,
        wake_at=scheduling.wake_at(row.next_at, row.id) if news and row.next_at is not None else None,
        effects=[_pending_effect(scheduling, *each) for each in pending],
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


def _pending_effect(scheduling: Scheduling, effect_id: str, kind: str, reach: str, decision: int) -> PendingEffect:
    """What one decision has to say to people is said by one activity: a storm of rungs costs a fifth less."""
    reach = scheduling.reach_of(kind, reach)
    return PendingEffect(effect_id, kind, reach, str(decision) if kind in _BATCHED else "")


def _plain(value: str | None) -> str | None:
    """A text that may be an enumeration's, as it is just after a decision."""
    return None if value is None else str(value)
