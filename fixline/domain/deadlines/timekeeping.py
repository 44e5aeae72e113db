"""What clocks do to a decision: started, paused, met, breached, of deadlines and of tasks (docs/definitions.md, section
Deadlines). Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from fixline.domain.deadlines import clocks
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.conditions import evaluate
from fixline.domain.definition.deadlines import Deadline, Rung
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent, Priority
from fixline.domain.journal import clock_facts, facts
from fixline.domain.journal.state import ON_HOLD, Clock, ClockKind, ClockState, Position, Stretch, Task
from fixline.domain.process.commands import SYSTEM
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.records import change

if TYPE_CHECKING:
    from fixline.domain.definition.model import Definition

TASK_LADDER = (Rung(at_due=True, tell="supervisor"),)
"""A task that nobody claims or completes in time is the supervisor's business."""


class Due(NamedTuple):
    """Something that happens by itself at an instant: a breach, a rung, the end of a wait."""

    at: datetime
    order: int
    clock: str
    rung: int | None
    wait: Position | None = None


def ladder_of(definition: Definition, clock: Clock) -> tuple[Rung, ...]:
    """The ladder of a clock: its deadline's (none where the definition has no such deadline), or that of tasks."""
    if clock.kind is not ClockKind.DEADLINE:
        return TASK_LADDER
    deadline = definition.deadlines.get(clock.promise)
    return deadline.escalate if deadline is not None else ()


def deadline_of(builder: DecisionBuilder, clock: Clock) -> Deadline:
    """The definition's deadline of a live clock (one that ended may be of an earlier version, or another type)."""
    return builder.definition.deadlines[clock.promise]


def start_deadlines(builder: DecisionBuilder, *, backlog: bool) -> None:
    """Start every deadline of the definition, from the request's opening or the last time it was opened again."""
    for name in builder.definition.deadlines:
        start_deadline(builder, name, backlog=backlog)


def start_deadline(builder: DecisionBuilder, name: str, *, backlog: bool, not_before: datetime | None = None) -> None:
    """Start one deadline; a clock of its own name, where the request has had one of that name before. Due is not put
    before the instant `not_before`."""
    deadline, since = builder.definition.deadlines[name], builder.state.counted_from
    number, free = 1, name
    while free in builder.state.clocks:
        number += 1
        free = f"{name}.{number}"
    budget, ledger = deadline.within.of(builder.state.priority), (Stretch(since),)
    own, fired = name if free != name else None, (0,) * len(deadline.escalate)
    clock = Clock(free, ClockKind.DEADLINE, budget, since, ledger, fired=fired, deadline=own, not_before=not_before)
    _start(builder, clock, backlog=backlog)


def start_task_clocks(builder: DecisionBuilder, task: Task) -> None:
    """Start the clocks of a task that has just been offered: to claim it, and once only to do it."""
    limits = builder.definition.step(task.step).limits
    if "claim_within" in limits:
        start_task_clock(builder, task, ClockKind.CLAIM, limits["claim_within"])
    if "due" in limits and task.offers == 1:
        start_task_clock(builder, task, ClockKind.DUE, limits["due"])


def start_task_clock(builder: DecisionBuilder, task: Task, kind: ClockKind, budget: Span) -> None:
    """Start one clock of a task now, named by the task's own number: T1.due; each offering has a claim clock."""
    suffix = f".{task.offers}" if kind is ClockKind.CLAIM and task.offers > 1 else ""
    name = f"{task.id.rsplit('-', 1)[-1]}.{kind}{suffix}"
    since, fired = builder.now, (0,) * len(TASK_LADDER)
    _start(builder, Clock(name, kind, budget, since, (Stretch(since),), task.id, task.step, fired=fired), backlog=False)


def _start(builder: DecisionBuilder, clock: Clock, *, backlog: bool) -> None:
    """Of a request from a backlog, what was due before it came in has passed, and nobody is told."""
    started = change(clock, due_at=clocks.due(clock, builder.calendar))
    builder.record(clock_facts.ClockStarted(started), f"Clock {clock.name} started: {clock.budget}.")
    if not backlog:
        return
    if started.due_at and started.due_at < builder.now:
        breach(builder, started)
    passed, ladder = builder.state.clocks[clock.name], ladder_of(builder.definition, clock)
    while (firing := clocks.next_firing(passed, ladder, builder.calendar)) and firing.at < builder.now:
        passed = clocks.fired(passed, ladder, firing.number)
    if passed.last_rung:
        note_passed(builder, clock.name, passed.fired, passed.last_rung)


def note_passed(builder: DecisionBuilder, name: str, fired: tuple[int, ...], last: str) -> None:
    """Say in the journal which rungs of a clock that begins now were past."""
    builder.record(clock_facts.RungsPassed(name, fired, last), f"Rungs of {name} up to {last} had passed.")


def coming(builder: DecisionBuilder) -> Due | None:
    """The next thing that happens by itself, the earliest first; a breach before its own rungs."""
    found: list[Due] = []
    for clock in builder.state.live_clocks:
        if clock.state is ClockState.RUNNING and clock.breached_at is None and clock.due_at:
            found.append(Due(clock.due_at, 0, clock.name, None))
        firing = clocks.next_firing(clock, ladder_of(builder.definition, clock), builder.calendar)
        if firing:
            found.append(Due(firing.at, 1, clock.name, firing.number))
    for position in builder.state.positions:
        if position.wait_until:
            found.append(Due(position.wait_until, 2, "", None, position))
    return min(found, key=lambda due: due[:3], default=None)


def breach(builder: DecisionBuilder, clock: Clock) -> None:
    """The budget was spent before the promise was kept."""
    builder.record(clock_facts.ClockBreached(clock.name, clock.due_at), f"Clock {clock.name} is overdue.", actor=SYSTEM)


def settle(builder: DecisionBuilder) -> None:
    """Pause and resume clocks as the request's states ask: the last thing of every decision."""
    if builder.state.closed:
        return
    active = builder.state.conditions
    changed = False
    for clock in builder.state.live_clocks:
        running = clock.state is ClockState.RUNNING
        if running and not active:
            continue
        pauses = deadline_of(builder, clock).paused_while if clock.kind is ClockKind.DEADLINE else (ON_HOLD,)
        reasons = active.intersection(pauses)
        if running and reasons:
            _pause(builder, clock, sorted(reasons))
        elif not running and not reasons:
            stretches = (*clock.stretches, Stretch(builder.now))
            fresh = change(clock, state=ClockState.RUNNING, stretches=stretches)
            resumed = clock_facts.ClockResumed(clock.name, stretches, clocks.due(fresh, builder.calendar))
            builder.record(resumed, f"Clock {clock.name} runs again.")
            changed = changed or clock.kind is ClockKind.DEADLINE
    if changed:
        builder.notify(NotifyEvent.DUE_CHANGED)


def _overdue(clock: Clock, now: datetime) -> bool:
    """Whether it has been due without its breach recorded: the system was down, and has not got to it yet."""
    return clock.breached_at is None and clock.due_at is not None and clock.due_at < now


def _pause(builder: DecisionBuilder, clock: Clock, reasons: list[str]) -> None:
    if _overdue(clock, builder.now):
        breach(builder, clock)
        clock = builder.state.clocks[clock.name]
    due_at = clock.due_at if clock.breached_at else None
    paused = clock_facts.ClockPaused(clock.name, clocks.paused(clock, builder.now), due_at)
    builder.record(paused, f"Clock {clock.name} paused: {', '.join(reasons)}.")


def meet(builder: DecisionBuilder, clock: Clock, what: str) -> None:
    """The clock's promise has been kept, or kept late."""
    late = ", late" if clock.breached_at is not None else ""
    met = clock_facts.ClockMet(clock.name, _stopped(builder, clock))
    builder.record(met, f"Clock {clock.name} met by {what}{late}.")


def end(builder: DecisionBuilder, clock: Clock, why: str) -> None:
    """The clock ends without having been met."""
    builder.record(clock_facts.ClockEnded(clock.name, _stopped(builder, clock)), f"Clock {clock.name} ended: {why}.")


def _stopped(builder: DecisionBuilder, clock: Clock) -> tuple[Stretch, ...]:
    return clocks.paused(clock, builder.now) if clock.state is ClockState.RUNNING else clock.stretches


def step_completed(builder: DecisionBuilder, step: str) -> None:
    """The first completion of a step meets the deadlines that it was to meet."""
    for clock in builder.state.live_clocks:
        if clock.kind is ClockKind.DEADLINE and deadline_of(builder, clock).met_by == step:
            meet(builder, clock, step)


def task_clocks_over(builder: DecisionBuilder, task: Task, *, claimed: bool = False, completed: bool = False) -> None:
    """Stop the clocks of a task that was claimed, completed or taken away."""
    for clock in builder.state.live_clocks:
        if clock.task != task.id:
            continue
        if clock.kind is ClockKind.CLAIM and (claimed or completed):
            meet(builder, clock, "claim")
        elif clock.kind is ClockKind.DUE and completed:
            meet(builder, clock, "completion")
        elif not claimed:
            end(builder, clock, "task withdrawn")


def request_closed(builder: DecisionBuilder, outcome: CloseOutcome, closed_at: datetime) -> None:
    """A close meets what was to be met by it, unless the request was cancelled or a duplicate; the rest ends."""
    kept = outcome not in (CloseOutcome.CANCELLED, CloseOutcome.DUPLICATE)
    for clock in builder.state.live_clocks:
        if kept and clock.kind is ClockKind.DEADLINE and deadline_of(builder, clock).met_by == "closed":
            if _overdue(clock, closed_at):
                breach(builder, clock)
            meet(builder, builder.state.clocks[clock.name], "closing")
        else:
            end(builder, clock, "request closed")


class Ruled(NamedTuple):
    """The priority by the definition's list, and the conditions that could not be decided on the way."""

    priority: Priority
    undecided: tuple[tuple[str, tuple[str, ...]], ...]

    def above(self, floor: Priority | None) -> Priority:
        """The priority, held up by a floor."""
        return max(self.priority, floor, key=lambda each: each.rank) if floor else self.priority


def set_priority(builder: DecisionBuilder, *, floor: Priority | None = None, rebudgets: bool = True) -> None:
    """Recompute the priority from the answers; a floor holds it up. Budgets of clocks follow, unless told not to."""
    state = builder.state
    lowest = floor if state.floor is None or (floor and floor.rank > state.floor.rank) else state.floor
    ruled = ruled_priority(builder.definition, state.answers)
    note_undecided(builder, "priority", ruled.undecided)
    priority = ruled.above(lowest)
    if (priority, lowest) == (state.priority, state.floor):
        return
    builder.record(facts.PriorityChanged(priority, lowest), f"Priority {state.priority} -> {priority}.")
    if rebudgets and priority is not state.priority:
        rebudget(builder)


def ruled_priority(definition: Definition, answers: Mapping[str, Any]) -> Ruled:
    """The first rule of the priority list that holds for the answers."""
    undecided: list[tuple[str, tuple[str, ...]]] = []
    for rule in definition.priority:
        if rule.when is None:
            return Ruled(rule.is_, tuple(undecided))
        verdict = evaluate(rule.when, answers)
        if verdict.missing:
            undecided.append((rule.when, verdict.missing))
        if verdict.holds:
            return Ruled(rule.is_, tuple(undecided))
    raise LookupError(f"the priority list of {definition.type} has no last line that always holds")


def note_undecided(builder: DecisionBuilder, where: str, undecided: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Say in the journal which conditions counted as false for want of an answer."""
    for condition, missing in undecided:
        text = f"{where}: {condition!r} cannot be decided without {', '.join(missing)}."
        builder.record(facts.ConditionUndecided(missing), text, actor=SYSTEM)


def holds(builder: DecisionBuilder, condition: str, where: str) -> bool:
    """Whether a condition holds for the answers; one that cannot be decided does not, and the journal says so."""
    verdict = evaluate(condition, builder.state.answers)
    note_undecided(builder, where, [(condition, verdict.missing)] if verdict.missing else [])
    return verdict.holds


def rebudget(builder: DecisionBuilder) -> None:
    """Give the clocks that have not breached the budget of the new priority; time used and holds stay."""
    changed = False
    for clock in builder.state.live_clocks:
        if clock.kind is not ClockKind.DEADLINE or clock.breached_at is not None or _overdue(clock, builder.now):
            continue
        budget = deadline_of(builder, clock).within.of(builder.state.priority)
        if budget == clock.budget:
            continue
        due_at = clocks.due(change(clock, budget=budget, not_before=builder.now), builder.calendar)
        fresh = clock_facts.ClockRebudgeted(clock.name, budget, builder.now, due_at)
        builder.record(fresh, f"Clock {clock.name}: {clock.budget} -> {budget}.")
        changed = True
    if changed:
        builder.notify(NotifyEvent.DUE_CHANGED)
