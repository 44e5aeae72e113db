"""When clocks run out, for whoever looks: those of a definition before there is any request, and a clock's next rung.

By the arithmetic that decides, as long as nothing stops them and the priority stays. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fixline.domain.deadlines import clocks
from fixline.domain.deadlines.calendar import Span, WorkingCalendar
from fixline.domain.deadlines.clocks import Firing
from fixline.domain.deadlines.timekeeping import TASK_LADDER, ladder_of
from fixline.domain.definition.deadlines import Deadline, Rung
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


class DeadlineAhead(NamedTuple):
    """A deadline's clock, and what meets it: a step, or 'closed'."""

    met_by: str
    clock: ClockAhead


class StepAhead(NamedTuple):
    """A limit of a step, counted from its entry: the step, its kind, which limit, and its clock."""

    step: str
    kind: str
    limit: str
    clock: ClockAhead


def deadlines_ahead(definition: Definition, opened_at: datetime, priority: Priority) -> tuple[DeadlineAhead, ...]:
    """Every deadline of a request that is opened then with this priority."""
    return tuple(
        DeadlineAhead(deadline.met_by, _deadline(definition, name, deadline, opened_at, priority))
        for name, deadline in definition.deadlines.items()
    )


def steps_ahead(definition: Definition, entered_at: datetime) -> tuple[StepAhead, ...]:
    """Every limit of every step, as if the step were entered then, in the order of the definition."""
    return tuple(
        StepAhead(name, step.kind, limit, _limit(definition.calendar, name, limit, span, entered_at))
        for name, step in definition.steps.items()
        for limit, span in step.limits.items()
    )


def usual_priority(definition: Definition) -> Priority:
    """The priority of a request whose answers meet no condition."""
    return definition.priority[-1].is_ if definition.priority else Priority.NORMAL


def _deadline(
    definition: Definition, name: str, deadline: Deadline, opened_at: datetime, priority: Priority
) -> ClockAhead:
    ladder = deadline.escalate
    budget, fired = deadline.within.of(priority), (0,) * len(ladder)
    clock = Clock(name, ClockKind.DEADLINE, budget, opened_at, (Stretch(opened_at),), fired=fired)
    return _ahead(clock, ladder, definition.calendar, deadline.paused_while)


def _limit(calendar: WorkingCalendar, step: str, limit: str, span: Span, entered_at: datetime) -> ClockAhead:
    """A task's clock with the supervisor as its ladder, or the end of a wait, which nothing stops."""
    name = f"{step}.{limit}"
    if limit in {"claim_within", "due"}:
        kind = ClockKind.CLAIM if limit == "claim_within" else ClockKind.DUE
        clock = Clock(name, kind, span, entered_at, (Stretch(entered_at),), fired=(0,) * len(TASK_LADDER))
        return _ahead(clock, TASK_LADDER, calendar, (ON_HOLD,))
    return ClockAhead(name, span, calendar.ends_at(entered_at, span), (), ())


def _ahead(clock: Clock, ladder: tuple[Rung, ...], calendar: WorkingCalendar, paused: tuple[str, ...]) -> ClockAhead:
    """Let the clock run out, rung by rung; a breach comes before the rungs of its instant."""
    due_at = clocks.due(clock, calendar)
    clock = change(clock, due_at=due_at)
    rungs: list[Firing] = []
    while True:
        firing = clocks.next_firing(clock, ladder, calendar)
        if clock.breached_at is None and due_at is not None and (firing is None or firing.at >= due_at):
            clock = change(clock, breached_at=due_at)
            continue
        if firing is None:
            return ClockAhead(clock.name, clock.budget, due_at, paused, tuple(rungs))
        rungs.append(firing)
        clock = clocks.fired(clock, ladder, firing.number)


class NextRung(NamedTuple):
    """The rung that fires next: when, which (as the definition writes it), and whom it tells."""

    at: datetime
    rung: str
    tell: str | None


def next_rung(definition: Definition, clock: Clock) -> NextRung | None:
    """The next rung of a clock; None when its ladder is at its end, or while the clock stands.

    A rung whose instant is past fires as soon as the system gets to it.
    """
    ladder = ladder_of(definition, clock)
    firing = clocks.next_firing(clock, ladder, definition.calendar) if len(clock.fired) == len(ladder) else None
    return NextRung(firing.at, firing.rung.when, firing.rung.tell) if firing is not None else None
