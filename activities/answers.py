"""What activities answer the shell with, made from what the store says."""

from __future__ import annotations

from fixline.messages import Advanced, Attributes, EffectOrder, Summary
from fixline.store.inbox import Applied


def advanced(applied: Applied) -> Advanced:
    """The message for the shell: numbers, instants, effects not taken; no free text."""
    status = "closed" if applied.closed else "open"
    return Advanced(
        decision=applied.decision,
        closed=applied.closed,
        next_at=applied.next_at,
        effects=[EffectOrder(row.id, row.kind, row.reach) for row in applied.pending],
        summary=Summary(
            type=applied.type,
            status=status,
            outcome=applied.outcome,
            step=applied.step,
            priority=applied.priority,
        ),
        attributes=Attributes(
            type=applied.type,
            department=applied.department,
            team=applied.team,
            area=applied.area,
            status=status,
            priority=applied.priority or None,
            due=applied.due,
        ),
        wake_at=applied.wake_at,
    )
