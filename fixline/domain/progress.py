"""How a request moves: steps entered and left, tasks offered, waits begun, the request closed.

Owns the walk through a definition's steps. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime

from fixline.domain import timekeeping
from fixline.domain.calendar import CalendarExhausted
from fixline.domain.commands import SYSTEM
from fixline.domain.decision import EffectKind
from fixline.domain.definition import NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.state import Task, TaskState
from fixline.domain.steps import ChooseStep, CloseOutcome, CloseStep, HumanStep, TeamByArea, WaitStep


def enter(draft: Draft, name: str) -> None:
    """Enter a step, and go on through the automatic ones until people, time or the end take over."""
    for _ in range(len(draft.definition.steps) + 1):
        step = draft.definition.step(name)
        visit = draft.state.visits.get(name, 0) + 1
        match step:
            case ChooseStep():
                draft.record("step_entered", f"Step {name}.", actor=SYSTEM, step=name, visit=visit)
                name = next(b.go for b in step.branches if b.when is None or timekeeping.holds(draft, b.when, name))
                leave(draft, name)
            case HumanStep():
                draft.record("step_entered", f"Step {name}: {step.title}.", actor=SYSTEM, step=name, visit=visit)
                _offer(draft, name, step, visit)
                return
            case WaitStep():
                _wait(draft, name, step, visit)
                return
            case CloseStep():
                draft.record("step_entered", f"Step {name}.", actor=SYSTEM, step=name, visit=visit)
                leave(draft, step.outcome)
                close(draft, step.outcome, draft.now, step.say)
                return
    raise RuntimeError(f"automatic steps of {draft.definition.type} go round in a circle at {name}")


def leave(draft: Draft, outcome: str | None) -> None:
    """Leave the current step with an outcome; None when it was taken back."""
    position = draft.state.position
    if position:
        how = f" with outcome {outcome}" if outcome else ""
        draft.record("step_left", f"Step {position.step} left{how}.", actor=SYSTEM, step=position.step, outcome=outcome)


def _wait(draft: Draft, name: str, step: WaitStep, visit: int) -> None:
    until = _wait_until(draft, step)
    what = f" for {step.signal}" if step.signal else ""
    draft.record(
        "step_entered",
        f"Step {name}: waiting{what}" + (f", {step.limit} at most." if step.limit else "."),
        actor=SYSTEM,
        step=name,
        visit=visit,
        waiting_as=step.waiting_as,
        wait_until=until,
    )


def _wait_until(draft: Draft, step: WaitStep) -> datetime | None:
    """When the wait is over by itself; None when it has no limit, or one beyond what a calendar knows."""
    if step.limit is None:
        return None
    try:
        return draft.calendar.add(draft.now, step.limit)
    except CalendarExhausted:
        return None


def team_of(draft: Draft, step: HumanStep) -> str:
    """The team that does a step of this request: by name, or by the area in which the request lies."""
    if not isinstance(step.team, TeamByArea):
        return step.team
    area = draft.state.areas.get(step.team.by)
    return step.team.as_.replace("{" + step.team.by + "}", area) if area else step.team.elsewhere


def _offer(draft: Draft, name: str, step: HumanStep, visit: int) -> None:
    task = Task(
        id=f"{draft.request_id}-T{draft.state.tasks_made + 1}",
        step=name,
        visit=visit,
        kind=step.kind,
        title=step.title,
        team=team_of(draft, step),
        offered_at=draft.now,
    )
    draft.record("task_offered", f"{step.title}: offered to {task.team}.", actor=SYSTEM, **vars(task))
    timekeeping.start_task_clocks(draft, task)
    order(draft, task)


def order(draft: Draft, task: Task, *, not_to: str | None = None) -> None:
    """Cause the work order (or the order of an inspection) that gives an offered task to its team."""
    kind: EffectKind = "order_inspection" if task.kind == "inspection" else "dispatch"
    draft.cause(kind, task=task.id, team=task.team, offer=task.offers, not_to=not_to)


def withdraw_tasks(draft: Draft, why: str) -> None:
    """Take every open task back."""
    for task in draft.state.open_tasks:
        draft.record(
            "task_withdrawn",
            f"{task.title}: withdrawn, {why}.",
            task=task.id,
            state=TaskState.WITHDRAWN,
            ended_at=draft.now,
        )
        timekeeping.task_clocks_over(draft, task)


def close(draft: Draft, outcome: CloseOutcome, closed_at: datetime, say: str = "") -> None:
    """Close the request: no task stays open, no clock runs on."""
    withdraw_tasks(draft, "the request closes")
    leave(draft, None)
    timekeeping.request_closed(draft, outcome)
    draft.record("closed", f"Closed: {outcome}." + (f" {say}" if say else ""), outcome=outcome, closed_at=closed_at)
    draft.notify(NotifyEvent.CLOSED, outcome=outcome)


def wait_over(draft: Draft, outcome: str) -> None:
    """A wait ends, by its signal or because its time has passed."""
    position = draft.state.position
    if position is None:
        return
    step = draft.definition.step(position.step)
    if isinstance(step, WaitStep):
        leave(draft, outcome)
        enter(draft, step.then[outcome])
