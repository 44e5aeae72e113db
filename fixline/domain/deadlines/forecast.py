"""When clocks run out, for whoever looks: those of a definition before there is any request, and a clock's next rung;
by the arithmetic that decides, as long as nothing stops them and the priority stays. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fixline.domain.deadlines import clocks
from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.deadlines.clocks import Firing
from fixline.domain.deadlines.timekeeping import TASK_LADDER, ladder_of
from fixline.domain.definition.deadlines import Rung
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import Priority
from fixline.domain.journal.state import ON_HOLD, Clock, ClockKind, Stretch
from fixline.domain.records import change


class ClockAhead(NamedTuple):
    """A clock: name, budget, when it is due (None: beyond the calendar), what stops it, its firings in order."""

    name: str
    budget: Span
    due_at: datetime | None
    paused_while: tuple[str, ...]
    rungs: tuple[Firing, ...]


def deadlines_ahead(definition: Definition, opened_at: datetime, priority: Priority) -> list[ClockAhead]:
    """Every deadline of a request that is opened then with this priority, in the order of the definition."""
    return [
        _ahead(name, each.within.of(priority), opened_at, each.escalate, definition.calendar, each.paused_while)
        for name, each in definition.deadlines.items()
    ]


def steps_ahead(definition: Definition, entered_at: datetime) -> dict[tuple[str, str], ClockAhead]:
    """The clock of every limit of every step, as if the step were entered then, in the order of the definition. A
    task's has the supervisor as its ladder; nothing stops the end of a wait."""
    found, calendar = {}, definition.calendar
    for name, step in definition.steps.items():
        for limit, span in step.limits.items():
            if limit in {"claim_within", "due"}:
                clock = _ahead(f"{name}.{limit}", span, entered_at, TASK_LADDER, calendar, (ON_HOLD,))
            else:
                clock = ClockAhead(f"{name}.{limit}", span, calendar.ends_at(entered_at, span), (), ())
            found[name, limit] = clock
    return found


def usual_priority(definition: Definition) -> Priority:
    """The priority of a request whose answers meet no condition."""
    return definition.priority[-1].is_ if definition.priority else Priority.NORMAL


def _ahead(
    name: str, budget: Span, since: datetime, ladder: tuple[Rung, ...], calendar: WorkingCalendar, held: tuple[str, ...]
) -> ClockAhead:
    """Let a clock of whatever kind run out, rung by rung; a breach comes before the rungs of its instant."""
    clock = Clock(name, ClockKind.DEADLINE, budget, since, (Stretch(since),), fired=(0,) * len(ladder))
    due_at = clocks.due(clock, calendar)
    clock = change(clock, due_at=due_at)
    rungs: list[Firing] = []
    while True:
        firing = clocks.next_firing(clock, ladder, calendar)
        if clock.breached_at is None and due_at is not None and (firing is None or firing.at >= due_at):
            clock = change(clock, breached_at=due_at)
            continue
        if firing is None:
            return ClockAhead(name, budget, due_at, held, tuple(rungs))
        rungs.append(firing)
        clock = clocks.fired(clock, ladder, firing.number)


def next_rung(definition: Definition, clock: Clock) -> Firing | None:
    """The next firing of a clock's ladder; None when that is at its end, or while the clock stands. One whose instant
    is past fires as soon as the system gets to it."""
    ladder = ladder_of(definition, clock)
    return clocks.next_firing(clock, ladder, definition.calendar) if len(clock.fired) == len(ladder) else None
