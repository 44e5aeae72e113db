"""On whom an open request waits, since when, and when something last happened to it. Instants are aware UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from fixline.domain.definition.model import Definition
from fixline.domain.journal.state import RequestState
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.decision import Decision
from fixline.domain.process.kinds.base import WaitKind

QUIET: Final = (
    *("clock_started", "clock_paused", "clock_resumed", "clock_rebudgeted", "clock_breached", "clock_met"),
    *("clock_ended", "clock_moved", "rung_fired", "rungs_passed", "told", "notified", "moved", "task_moved"),
    *("visits_warned", "condition_undecided", "wait_undated"),
)
"""Kinds of journal entries in which nothing happens to the request: its clocks go, people are told, rules change."""
QUIET_BY_ITSELF: Final = "priority_changed"
"""So does a priority that a ladder raises; one that a person sets is something that happens."""


class Waiting(NamedTuple):
    """One thing that a request waits for: whom (by kind), who or what it is, at which step, since when, until when."""

    kind: WaitKind
    on: str
    step: str | None
    since: datetime
    until: datetime | None = None


def waits(definition: Definition, state: RequestState) -> tuple[Waiting, ...]:
    """All that an open request waits for, the one that counts first; nothing for a closed one.

    A hold comes before all else, then the request of which it is a duplicate, then its step or branches in order.
    """
    if state.closed:
        return ()
    found: list[Waiting] = []
    if state.hold is not None:
        found.append(Waiting("hold", state.hold.by, None, state.hold.since))
    if state.attached_to:
        rested = state.taken[-1].left_at if state.taken else state.opened_at
        found.append(Waiting("original", state.attached_to, None, rested))
    for position in state.positions:
        for task in [each for each in state.open_tasks if each.step == position.step]:
            if task.assignee is None:
                found.append(Waiting("team", task.team, task.step, task.offered_at))
            else:
                found.append(Waiting("person", task.assignee, task.step, task.claimed_at or task.offered_at))
        step = definition.steps.get(position.step)
        outside = step.waits_on(position.step) if step else None
        if outside is not None:
            found.append(Waiting(*outside, position.step, position.entered_at, position.wait_until))
    return tuple(found)


def happened_at(decision: Decision) -> datetime | None:
    """When something happened to the request in this decision; None when its clocks went and people were told."""
    for entry in decision.entries:
        if entry.kind not in QUIET and (entry.kind != QUIET_BY_ITSELF or entry.actor != SYSTEM.name):
            return decision.at
    return None
