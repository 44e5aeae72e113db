"""What the rungs of a clock's ladder do: somebody is told, the priority raised, work that nobody has begun given to
another team (docs/definitions.md, section Deadlines). Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain.deadlines import clocks, timekeeping
from fixline.domain.definition.deadlines import Rung
from fixline.domain.journal import clock_facts
from fixline.domain.journal.state import Clock, TaskState
from fixline.domain.process import tasks
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.effects import Escalate


def fire(builder: DecisionBuilder, clock: Clock, index: int, at: datetime) -> None:
    """Let a rung of a clock's ladder happen that was to at that instant."""
    ladder = timekeeping.ladder_of(builder.definition, clock)
    rung, fresh = ladder[index], clocks.fired(clock, ladder, index)
    late = builder.now - at > clocks.LATE_AFTER
    told = f", {rung.tell} is told" if rung.tell else ""
    text = f"{clock.name}: {rung.when}{told}{' (late)' if late else ''}."
    time = fresh.fired[index]
    fact = clock_facts.RungFired(clock.name, fresh.fired, rung.when, index, time, at, late)
    builder.record(fact, text, actor=SYSTEM)
    if rung.raise_priority:
        timekeeping.set_priority(builder, floor=rung.raise_priority)
    if rung.reassign_to:
        _reassign(builder, clock, rung, rung.reassign_to)
    if rung.tell:
        builder.cause(Escalate(role=rung.tell, rung=rung.when, clock=clock.name, time=time, task=clock.task))


def _reassign(builder: DecisionBuilder, clock: Clock, rung: Rung, team: str) -> None:
    """Give the open tasks to the team; work that somebody has begun stays with whoever does it."""
    for task in builder.state.open_tasks:
        if task.state is not TaskState.STARTED and task.team != team:
            tasks.hand_over(builder, task, team, None, f"{clock.name}: {rung.when}.", actor=SYSTEM)
