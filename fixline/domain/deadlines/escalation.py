"""What happens by itself on a clock: its breach, and the rungs of its ladder with what they do.

Owns the acts of a rung: somebody is told, the priority raised, work that nobody has begun given to another team
(docs/definitions.md, section Deadlines). When a rung fires is `fixline.domain.deadlines.clocks`' business. Instants are
aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain.deadlines import clocks, timekeeping
from fixline.domain.deadlines.timekeeping import Due
from fixline.domain.definition.deadlines import Rung
from fixline.domain.journal import clock_facts
from fixline.domain.journal.state import Clock, TaskState
from fixline.domain.process import tasks
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.effects import Escalate


def happen(builder: DecisionBuilder, due: Due) -> None:
    """Let a breach or a rung happen (the end of a wait is a step's business)."""
    clock = builder.state.clocks[due.clock or ""]
    if due.rung is None:
        timekeeping.breach(builder, clock)
    else:
        _fire(builder, clock, due.rung, due.at)


def _fire(builder: DecisionBuilder, clock: Clock, index: int, at: datetime) -> None:
    rung = timekeeping.ladder(builder, clock)[index]
    fired = tuple(count + (number == index) for number, count in enumerate(clock.fired))
    late = builder.now - at > clocks.LATE_AFTER
    told = f", {rung.tell} is told" if rung.tell else ""
    text = f"{clock.name}: {rung.when}{told}{' (late)' if late else ''}."
    builder.record(
        clock_facts.RungFired(clock.name, fired, rung.when, index, fired[index], at, late), text, actor=SYSTEM
    )
    if rung.raise_priority:
        timekeeping.set_priority(builder, floor=rung.raise_priority)
    if rung.reassign_to:
        _reassign(builder, clock, rung, rung.reassign_to)
    if rung.tell:
        builder.cause(Escalate(role=rung.tell, rung=rung.when, clock=clock.name, time=fired[index], task=clock.task))


def _reassign(builder: DecisionBuilder, clock: Clock, rung: Rung, team: str) -> None:
    """Give the open tasks to the team; work that somebody has begun stays with whoever does it."""
    for task in builder.state.open_tasks:
        if task.state is not TaskState.STARTED and task.team != team:
            tasks.hand_over(builder, task, team, None, f"{clock.name}: {rung.when}.", actor=SYSTEM)
