"""How a request moves: steps entered and left, tasks offered, waits begun, branches run side by side, the close.

Owns the walk through a definition's steps, and which of its positions a step's end moves on. Instants are
aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from fixline.domain import dates, duplicates, elsewhere, facts, timekeeping
from fixline.domain.commands import SYSTEM, FollowOnClosed
from fixline.domain.dates import SUPERVISOR
from fixline.domain.definition import NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.effects import Dispatch, Escalate, Notify, OrderInspection
from fixline.domain.sampling import in_sample
from fixline.domain.state import Position, Task, task_id
from fixline.domain.steps import (
    DONE,
    JOINED,
    NO_REPLY,
    NOT_SAMPLED,
    REPORTER,
    TIMEOUT,
    AgencyStep,
    CallStep,
    ChooseStep,
    CloseOutcome,
    CloseStep,
    FollowOnStep,
    HumanStep,
    NotifyStep,
    TeamByArea,
    TogetherStep,
    WaitStep,
)


def enter(draft: Draft, name: str | None) -> None:
    """Enter a step, and go on through the automatic ones until people, time or the end take over everywhere.

    None enters nothing: a branch has come to its end, and the others go on.
    """
    for _ in range(len(draft.definition.steps) + 1):
        if name is None:
            return
        name = _arrive(draft, name) or _next_branch(draft)
    raise RuntimeError(f"automatic steps of {draft.definition.type} go round in a circle at {name}")


def step_over(draft: Draft, name: str, outcome: str) -> None:
    """A step at which the request is comes to an end with an outcome: leave it, and go on by its `then`.

    For every kind of step that ends later than it begins, wherever it stands: tasks, waits, replies.
    """
    step = draft.definition.step(name)
    assert isinstance(step, HumanStep | WaitStep | AgencyStep | FollowOnStep | CallStep)  # noqa: S101 - those alone rest
    leave(draft, name, outcome)
    enter(draft, _onward(draft, name, step.then[outcome]))


def time_over(draft: Draft, position: Position) -> None:
    """What a step waited for has not come in time, or its date has."""
    late = NO_REPLY if isinstance(draft.definition.step(position.step), AgencyStep) else TIMEOUT
    step_over(draft, position.step, late)


def leave(draft: Draft, name: str, outcome: str | None) -> None:
    """Leave a step at which the request is, with an outcome; None when it was taken back."""
    elsewhere.tell_follow_ons(draft, name)
    how = f" with outcome {outcome}" if outcome else ""
    draft.record(facts.StepLeft(name, outcome, _branch(draft, name)), f"Step {name} left{how}.", actor=SYSTEM)


def withdraw(draft: Draft, why: str) -> None:
    """Take back all that is under way: open tasks, every branch, the step itself."""
    withdraw_tasks(draft, why)
    for position in reversed(draft.state.positions):
        leave(draft, position.step, None)


def _branch(draft: Draft, name: str) -> str | None:
    """The branch in which a step stands; None for a step of the main way."""
    where = draft.definition.in_branches.get(name)
    return where.branch if where else None


def _arrive(draft: Draft, name: str) -> str | None:
    """Enter one step; the step that follows at once, or None where the request comes to rest."""
    step = draft.definition.step(name)
    visit = draft.state.visits.get(name, 0) + 1
    match step:
        case ChooseStep():
            _entered(draft, name, visit, f"Step {name}.")
            target = next(b.go for b in step.branches if b.when is None or timekeeping.holds(draft, b.when, name))
            leave(draft, name, target)
            return _onward(draft, name, target)
        case TogetherStep():
            _entered(draft, name, visit, f"Step {name}: {', '.join(step.branches)} side by side.")
        case NotifyStep():
            _tell(draft, name, step, visit)
            leave(draft, name, step.then)
            return _onward(draft, name, step.then)
        case HumanStep():
            return _put_to_people(draft, name, step, visit)
        case WaitStep():
            return _wait(draft, name, step, visit)
        case AgencyStep():
            within = f", {step.reply_within} at most" if step.reply_within else ""
            until = elsewhere.ends_at(draft, step.reply_within)
            text = f"Step {name}: {step.agency} is asked{within}."
            _entered(draft, name, visit, text, waiting_as=step.waiting_as, wait_until=until)
            elsewhere.ask_agency(draft, name, step, visit)
        case CallStep():
            until = elsewhere.ends_at(draft, step.at_most)
            text = f"Step {name}: {step.call} is called, {step.at_most} at most."
            _entered(draft, name, visit, text, waiting_as=step.waiting_as, wait_until=until)
            elsewhere.call_system(draft, name, step, visit)
        case FollowOnStep():
            text = f"Step {name}: a follow-on of type {step.follow_on} is opened."
            _entered(draft, name, visit, text, waiting_as=step.waiting_as)
            elsewhere.open_follow_on(draft, name, step, visit)
        case CloseStep():
            _entered(draft, name, visit, f"Step {name}.")
            leave(draft, name, step.outcome)
            close(draft, step.outcome, draft.now, step.say)
        case _:
            assert_never(step)
    return None


def _entered(
    draft: Draft,
    name: str,
    visit: int,
    text: str,
    *,
    waiting_as: str | None = None,
    wait_until: datetime | None = None,
) -> None:
    entered = facts.StepEntered(name, visit, waiting_as, wait_until, _branch(draft, name))
    draft.record(entered, text, actor=SYSTEM)


def _onward(draft: Draft, source: str, target: str) -> str | None:
    """The step to enter after a step that has just been left; None while other branches go on.

    Whatever leads out of a branch ends the whole together step: by joining, or to a step elsewhere.
    """
    where = draft.definition.in_branches.get(source)
    if where is None or draft.definition.in_branches.get(target) == where:
        return target
    if target != JOINED:
        withdraw(draft, f"{where.branch} led to {target}")
        return target
    draft.record(facts.BranchJoined(where.branch), f"Branch {where.branch} has come to its end.", actor=SYSTEM)
    together = draft.definition.step(where.together)
    assert isinstance(together, TogetherStep)  # noqa: S101 - what has branches is one
    if together.join == "all" and len(draft.state.joined) < len(together.branches):
        return None
    _withdraw_branches(draft, f"{where.branch} came to its end first")
    leave(draft, where.together, DONE)
    return together.then[DONE]


def _next_branch(draft: Draft) -> str | None:
    """The first step of the together step's next branch that has not begun."""
    state = draft.state
    step = draft.definition.step(state.position.step) if state.position else None
    if not isinstance(step, TogetherStep):
        return None
    begun = {*state.branches, *state.joined}
    return next((steps[0] for branch, steps in step.branches.items() if branch not in begun), None)


def _withdraw_branches(draft: Draft, why: str) -> None:
    withdraw_tasks(draft, why)
    for position in reversed(list(draft.state.branches.values())):
        leave(draft, position.step, None)


def _tell(draft: Draft, name: str, step: NotifyStep, visit: int) -> None:
    """Tell a role's holder or the reporter; `say` is the definition's, so the effect names the step alone."""
    silent = step.role == REPORTER and not draft.state.has_contact
    told = "has left no contact and is not told" if silent else "is told"
    _entered(draft, name, visit, f"Step {name}: the {step.role} {told}: {step.say}")
    if not silent:
        draft.cause(Notify(event=f"step {name}", audience=step.role, step=name))


def _put_to_people(draft: Draft, name: str, step: HumanStep, visit: int) -> str | None:
    """Offer the task of a step, or leave a sampled step at once where this visit is not in the sample."""
    if step.sample is not None and not in_sample(draft.request_id, name, visit, step.sample):
        _entered(draft, name, visit, f"Step {name}: not in the sample of {step.sample}%.")
        _warn(draft, name, step, visit)
        leave(draft, name, NOT_SAMPLED)
        return _onward(draft, name, step.then[NOT_SAMPLED])
    _entered(draft, name, visit, f"Step {name}: {step.title}.")
    _offer(draft, name, step, visit)
    _warn(draft, name, step, visit)
    return None


def _warn(draft: Draft, name: str, step: HumanStep, visit: int) -> None:
    """Tell the supervisor, once, of a step that has been entered as often as its definition says."""
    if visit != step.warn_after:
        return
    text = f"Step {name}: entered {visit} times; the {SUPERVISOR} is told."
    draft.record(facts.VisitsWarned(name, visit), text, actor=SYSTEM)
    task = next((task.id for task in draft.state.open_tasks if task.step == name), None)
    draft.cause(Escalate(role=SUPERVISOR, rung=f"{visit} visits", step=name, task=task))


def _wait(draft: Draft, name: str, step: WaitStep, visit: int) -> str | None:
    """Begin a wait; the step that follows at once where its date has come already."""
    until = _wait_until(draft, step)
    what = f" for {step.signal}" if step.signal else f" until {step.until}" if step.until else ""
    text = f"Step {name}: waiting{what}" + (f", {step.limit} at most." if step.limit else ".")
    over = step.until is not None and until is not None and until <= draft.now
    if over:
        text = f"Step {name}: {step.until} has come, there is nothing to wait for."
    _entered(draft, name, visit, text, waiting_as=step.waiting_as, wait_until=until)
    if over:
        leave(draft, name, TIMEOUT)
        return _onward(draft, name, step.then[TIMEOUT])
    dates.say_undated(draft, name, step)
    return None


def _wait_until(draft: Draft, step: WaitStep) -> datetime | None:
    """When the wait is over by itself; None when it has no limit, or one beyond what a calendar knows."""
    if step.until is not None:
        return dates.wait_until(draft, step)
    return elsewhere.ends_at(draft, step.limit)


def team_of(draft: Draft, step: HumanStep) -> str:
    """The team that does a step of this request: by name, or by the area in which the request lies."""
    if not isinstance(step.team, TeamByArea):
        return step.team
    area = draft.state.areas.get(step.team.by)
    return step.team.as_.replace("{" + step.team.by + "}", area) if area else step.team.elsewhere


def _offer(draft: Draft, name: str, step: HumanStep, visit: int) -> None:
    task = Task(
        id=task_id(draft.request_id, draft.state.tasks_made + 1),
        step=name,
        visit=visit,
        kind=step.kind,
        title=step.title,
        team=team_of(draft, step),
        offered_at=draft.now,
    )
    draft.record(facts.TaskOffered(task), f"{step.title}: offered to {task.team}.", actor=SYSTEM)
    timekeeping.start_task_clocks(draft, task)
    order(draft, task)


def order(draft: Draft, task: Task, *, not_to: str | None = None) -> None:
    """Cause the work order (or the order of an inspection) that gives an offered task to its team."""
    order = OrderInspection if task.kind == "inspection" else Dispatch
    draft.cause(order(task=task.id, team=task.team, offer=task.offers, not_to=not_to))


def withdraw_tasks(draft: Draft, why: str) -> None:
    """Take every open task back."""
    for task in draft.state.open_tasks:
        draft.record(facts.TaskWithdrawn(task.id), f"{task.title}: withdrawn, {why}.")
        timekeeping.task_clocks_over(draft, task)


def close(draft: Draft, outcome: CloseOutcome, closed_at: datetime, say: str = "") -> None:
    """Close the request: no task stays open, no branch and no clock runs on."""
    withdraw(draft, "the request closes")
    timekeeping.request_closed(draft, outcome, closed_at)
    draft.record(facts.Closed(outcome, closed_at), f"Closed: {outcome}." + (f" {say}" if say else ""))
    draft.notify(NotifyEvent.CLOSED, outcome=outcome)
    if draft.state.parent:
        draft.tell(draft.state.parent.id, FollowOnClosed(child=draft.request_id, outcome=outcome))
    duplicates.tell_of_close(draft, outcome)
