"""What happens by itself on a clock: its breach, and the rungs of its ladder with what they do.

Owns the acts of a rung: somebody is told, the priority raised, work that nobody has begun given to another team
(docs/definitions.md, section Deadlines). When a rung fires is `fixline.domain.clocks`' business. Instants are
aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain import clocks, facts, tasks, timekeeping
from fixline.domain.commands import SYSTEM
from fixline.domain.definition import Rung
from fixline.domain.draft import Draft
from fixline.domain.effects import Escalate
from fixline.domain.state import Clock, TaskState
from fixline.domain.timekeeping import Due


def happen(draft: Draft, due: Due) -> None:
    """Let a breach or a rung happen (the end of a wait is a step's business)."""
    clock = draft.state.clocks[due.clock or ""]
    if due.rung is None:
        timekeeping.breach(draft, clock)
    else:
        _fire(draft, clock, due.rung, due.at)


def _fire(draft: Draft, clock: Clock, index: int, at: datetime) -> None:
    rung = timekeeping.ladder(draft, clock)[index]
    fired = tuple(count + (number == index) for number, count in enumerate(clock.fired))
    late = draft.now - at > clocks.LATE_AFTER
    told = f", {rung.tell} is told" if rung.tell else ""
    text = f"{clock.name}: {rung.when}{told}{' (late)' if late else ''}."
    draft.record(facts.RungFired(clock.name, fired, rung.when, index, fired[index], at, late), text, actor=SYSTEM)
    if rung.raise_priority:
        timekeeping.set_priority(draft, floor=rung.raise_priority)
    if rung.reassign_to:
        _reassign(draft, clock, rung, rung.reassign_to)
    if rung.tell:
        draft.cause(Escalate(role=rung.tell, rung=rung.when, clock=clock.name, time=fired[index], task=clock.task))


def _reassign(draft: Draft, clock: Clock, rung: Rung, team: str) -> None:
    """Give the open tasks to the team; work that somebody has begun stays with whoever does it."""
    for task in draft.state.open_tasks:
        if task.state is not TaskState.STARTED and task.team != team:
            tasks.hand_over(draft, task, team, None, f"{clock.name}: {rung.when}.", actor=SYSTEM)
