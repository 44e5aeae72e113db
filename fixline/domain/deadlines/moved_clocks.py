"""The clocks of a request that goes on by another version of its definition: time used stays, a breach stays, due is
never put before now, what is past of a ladder is not told again. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fixline.domain.deadlines import clocks, timekeeping
from fixline.domain.deadlines.calendar import Span
from fixline.domain.definition.deadlines import Rung
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.journal import clock_facts
from fixline.domain.journal.state import Clock, ClockKind, ClockState, Task, TaskState
from fixline.domain.process.decision import DecisionBuilder
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.records import change


def move_deadlines(builder: DecisionBuilder, old: Definition, steps: Mapping[str, str]) -> None:
    """Give each live deadline the budget and ladder of the new version; end those that it has no more, start those
    that it has in addition. `steps` says which step a step of the old version has become."""
    before = builder.state.dues
    for clock in [each for each in builder.state.live_clocks if each.kind is ClockKind.DEADLINE]:
        was, deadline = old.deadlines[clock.promise], builder.definition.deadlines.get(clock.promise)
        if deadline is None:
            timekeeping.end(builder, clock, "the new version has no such deadline")
        elif steps.get(was.met_by, was.met_by) != deadline.met_by and _completed(builder, deadline.met_by, steps):
            timekeeping.meet(builder, clock, deadline.met_by)
        else:
            budget = deadline.within.of(builder.state.priority)
            _move_clock(builder, clock, budget, was.escalate, deadline.escalate)
    for name, deadline in builder.definition.deadlines.items():
        held = builder.state.promises.get(name)
        if (held is None or held.state is ClockState.ENDED) and not _completed(builder, deadline.met_by, steps):
            timekeeping.start_deadline(builder, name, backlog=False, not_before=builder.now)
            clock, ladder = builder.state.promises[name], deadline.escalate
            fired = _passed(builder, clock, ladder, range(len(ladder)))
            if fired != clock.fired:
                last = ladder[max(index for index, count in enumerate(fired) if count)].when
                timekeeping.note_passed(builder, clock.name, fired, last)
    if before != builder.state.dues:
        builder.notify(NotifyEvent.DUE_CHANGED)


def move_task_clocks(builder: DecisionBuilder, task: Task, step: HumanStep) -> None:
    """The same for the clocks of an open task; one that is asked for in addition starts now."""
    budgets = {ClockKind.CLAIM: step.claim_within, ClockKind.DUE: step.due}
    own = [clock for clock in builder.state.clocks.values() if clock.task == task.id]
    for clock in [each for each in own if each.state.live]:
        if budget := budgets[clock.kind]:
            _move_clock(builder, clock, budget, timekeeping.TASK_LADDER, timekeeping.TASK_LADDER)
        else:
            timekeeping.end(builder, clock, "the new version asks for none")
    kinds = {clock.kind for clock in own}
    if step.claim_within and ClockKind.CLAIM not in kinds and task.state is TaskState.OFFERED:
        timekeeping.start_task_clock(builder, task, ClockKind.CLAIM, step.claim_within)
    if step.due and ClockKind.DUE not in kinds:
        timekeeping.start_task_clock(builder, task, ClockKind.DUE, step.due)


def _completed(builder: DecisionBuilder, step: str, steps: Mapping[str, str]) -> bool:
    """Whether people have completed the step since the request was opened, opened again, or got its type."""
    state = builder.state
    visits = state.visits.get(step, 0) - (1 if state.position_of(step) else 0)
    names = {step, *(one for one, other in steps.items() if other == step)}
    left = [visit for visit in state.taken if visit.step in names]
    return visits > 0 and any(visit.outcome for visit in left[-visits:])


def _move_clock(builder: DecisionBuilder, clock: Clock, budget: Span, old: Sequence[Rung], new: Sequence[Rung]) -> None:
    if clock.breached_at is not None:
        budget = clock.budget  # what was promised was missed; no new version changes that
    counts = {rung.when: count for rung, count in zip(old, clock.fired, strict=True)}
    fired = tuple(min(counts.get(rung.when, 0), rung.up_to) for rung in new)  # as the old rung of the same moment has
    fresh = change(clock, budget=budget, fired=fired)
    due_at = clocks.due(fresh, builder.calendar)
    if (fresh.budget, due_at) != (clock.budget, clock.due_at):
        fresh = change(fresh, not_before=builder.now)
        fresh = change(fresh, due_at=clocks.due(fresh, builder.calendar))
    added = [index for index, rung in enumerate(new) if rung.when not in counts]
    fresh = change(fresh, fired=_passed(builder, fresh, new, added))
    firing = clocks.next_firing(fresh, tuple(new), builder.calendar)
    if firing is not None and firing.at < builder.now:  # by another calendar it would have fired before now
        fresh = change(fresh, not_before=builder.now)
    if fresh == clock and list(old) == list(new):
        return
    how = f"{clock.budget} -> {budget}" if budget != clock.budget else "as the new version has it"
    moved = clock_facts.ClockMoved(clock.name, fresh.budget, fresh.fired, fresh.not_before, fresh.due_at)
    builder.record(moved, f"Clock {clock.name}: {how}.")


def _passed(builder: DecisionBuilder, clock: Clock, ladder: Sequence[Rung], which: Sequence[int]) -> tuple[int, ...]:
    """The firings of a ladder with those of these rungs that are past: nobody is told of them now."""
    fired = list(clock.fired)
    for index in which:
        rung = ladder[index]
        while fired[index] < rung.up_to:
            at = clocks.fires_at(clock, rung, fired[index] + 1, builder.calendar)
            if at is None or at >= builder.now:
                break
            fired[index] += 1
    return tuple(fired)
