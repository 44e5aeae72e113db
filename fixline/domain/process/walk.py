"""How a request moves, whatever the kinds of its steps: entered and left, branches run side by side, the close."""

from __future__ import annotations

from datetime import datetime

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.vocabulary import JOINED, CloseOutcome, NotifyEvent
from fixline.domain.journal import facts, step_facts
from fixline.domain.process import commands
from fixline.domain.process.decision import DecisionBuilder


def enter(builder: DecisionBuilder, name: str | None) -> None:
    """Enter a step, and go on through the automatic ones until people, time or the end take over everywhere.

    None enters nothing: a branch has come to its end, and the others go on.
    """
    for _ in range(len(builder.definition.steps) + 1):
        if name is None:
            return
        visit = builder.state.visits.get(name, 0) + 1
        name = builder.definition.step(name).enter(builder, name, visit)
        state = builder.state
        if name is None and state.position is not None:  # of a together step, whose next branch begins
            name = builder.definition.step(state.position.step).next_branch({*state.branches, *state.joined})
    raise RuntimeError(f"automatic steps of {builder.definition.type} go round in a circle at {name}")


def entered(builder: DecisionBuilder, name: str, visit: int, text: str) -> None:
    """Note that a step has been entered, as what it waits there, and until when."""
    step = builder.definition.step(name)
    waiting_as, until = getattr(step, "waiting_as", None), step.wait_until(builder, builder.now)
    fact = step_facts.StepEntered(name, visit, waiting_as, until, branch_of(builder, name))
    builder.record(fact, text, actor=commands.SYSTEM)


def step_over(builder: DecisionBuilder, name: str, outcome: str) -> None:
    """A step at which the request is comes to an end with an outcome: leave it, and go on by its `then`.

    For every kind of step that ends later than it begins, wherever it stands: tasks, waits, replies.
    """
    enter(builder, go_on(builder, name, outcome, dict(builder.definition.step(name).exits)[outcome]))


def leave(builder: DecisionBuilder, name: str, outcome: str | None) -> None:
    """Leave a step at which the request is, with an outcome; None when it was taken back. A follow-on that is still
    open is told that nobody waits for it."""
    for child_id, child in builder.state.children.items():
        position = builder.state.position_of(name)
        if child.status == "open" and child.step == name and position and position.entered_at == child.entered_at:
            builder.tell(child_id, commands.ParentLeft(parent=builder.request_id))
    how = f" with outcome {outcome}" if outcome else ""
    left = step_facts.StepLeft(name, outcome, branch_of(builder, name))
    builder.record(left, f"Step {name} left{how}.", actor=commands.SYSTEM)


def go_on(builder: DecisionBuilder, name: str, outcome: str, target: str) -> str | None:
    """Leave a step with an outcome that leads to a target; the step to enter then, None while other branches go on.

    Whatever leads out of a branch ends the whole together step: by joining, or to a step elsewhere.
    """
    leave(builder, name, outcome)
    where = builder.definition.in_branches.get(name)
    if where is None or builder.definition.in_branches.get(target) == where:
        return target
    if target != JOINED:
        withdraw(builder, f"{where.branch} led to {target}")
        return target
    text = f"Branch {where.branch} has come to its end."
    builder.record(step_facts.BranchJoined(where.branch), text, actor=commands.SYSTEM)
    return builder.definition.step(where.together).joined(builder, where.together, where.branch)


def withdraw(builder: DecisionBuilder, why: str) -> None:
    """Take back all that is under way: open tasks, every branch, the step itself."""
    withdraw_tasks(builder, why)
    for position in reversed(builder.state.positions):
        leave(builder, position.step, None)


def withdraw_tasks(builder: DecisionBuilder, why: str) -> None:
    """Take every open task back."""
    for task in builder.state.open_tasks:
        builder.record(step_facts.TaskWithdrawn(task.id), f"{task.title}: withdrawn, {why}.")
        timekeeping.task_clocks_over(builder, task)


def close(builder: DecisionBuilder, outcome: CloseOutcome, closed_at: datetime, say: str = "") -> None:
    """Close the request: no task stays open, no branch and no clock runs on. Its parent is told what it came to, and
    so are its duplicates."""
    withdraw(builder, "the request closes")
    timekeeping.request_closed(builder, outcome, closed_at)
    builder.record(facts.Closed(outcome, closed_at), f"Closed: {outcome}." + (f" {say}" if say else ""))
    builder.notify(NotifyEvent.CLOSED, outcome=outcome)
    if builder.state.parent:
        builder.tell(builder.state.parent.id, commands.FollowOnClosed(child=builder.request_id, outcome=outcome))
    for duplicate in builder.state.attached:
        builder.tell(duplicate, commands.OriginalClosed(original=builder.request_id, outcome=outcome))
    if builder.state.attached_to and outcome is not CloseOutcome.DUPLICATE:  # it goes its own way
        builder.tell(builder.state.attached_to, commands.DuplicateDetached(duplicate=builder.request_id))


def branch_of(builder: DecisionBuilder, name: str) -> str | None:
    """The branch in which a step stands; None for a step of the main way."""
    where = builder.definition.in_branches.get(name)
    return where.branch if where else None
