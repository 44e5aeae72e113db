"""What people do with tasks: claim, start, release, decline, complete, reassign.

Each function records the change on a builder, or raises `Refused` naming the state and the holder.
"""

from __future__ import annotations

from typing import Any

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.vocabulary import REPORTER, NotifyEvent
from fixline.domain.journal import clock_facts, facts, step_facts
from fixline.domain.journal.state import Task, TaskState
from fixline.domain.process import commands, walk
from fixline.domain.process.commands import Actor, EffectResult, Role
from fixline.domain.process.decision import DecisionBuilder, Refused, refuse
from fixline.domain.process.kinds import wait
from fixline.domain.process.kinds.human import HumanStep, order


def claim(builder: DecisionBuilder, command: commands.Claim) -> None:
    """An offered task gets a holder; one that a team's rule gave to somebody may be taken over until it is started."""
    task = _open_task(builder, command.task)
    _not_on_hold(builder)
    if not (task.state is TaskState.OFFERED or _given(task)):
        raise _wrong_state(task, "claimed")
    _take(builder, task, command.assignee or builder.actor.name)


def start(builder: DecisionBuilder, command: commands.Start) -> None:
    """The holder begins; starting an offered task of one's own team claims it."""
    task = _open_task(builder, command.task)
    _not_on_hold(builder)
    if task.state is TaskState.STARTED:
        raise _wrong_state(task, "started")
    task = _held(builder, task, command.assignee)
    builder.record(step_facts.TaskStarted(task.id), f"{task.title}: started.")


def release(builder: DecisionBuilder, command: commands.Release) -> None:
    """The holder gives the task back to the team."""
    task = _open_task(builder, command.task)
    if task.state is TaskState.OFFERED:
        raise _wrong_state(task, "released")
    _check_holder(builder, task, command.assignee)
    _back_to_team(builder, task, step_facts.TaskReleased(task.id, command.reason), "given back to the team")


def decline(builder: DecisionBuilder, command: commands.Decline) -> None:
    """The crew will not do it; the team has it again, with the reason."""
    task = _open_task(builder, command.task)
    _check_holder(builder, task, command.assignee)
    _back_to_team(builder, task, step_facts.TaskDeclined(task.id, command.reason), "declined")


def complete(builder: DecisionBuilder, command: commands.Complete) -> None:
    """The work is done: the form is checked for its outcome, answers are kept, the request goes on."""
    task = _open_task(builder, command.task)
    step = step_called(builder, task.step)
    _check_holder(builder, task, command.assignee)
    if command.outcome not in step.outcomes:
        text = f"step {task.step!r} has no outcome {command.outcome!r}; it has {', '.join(step.outcomes)}"
        raise refuse("unknown_outcome", text, outcomes=list(step.outcomes))
    form, problems = read_answers(step.form, command.form, outcome=command.outcome)
    if problems:
        raise refuse("form_invalid", f"the form of {task.step!r} is not complete", fields=problems)
    task = _held(builder, task, command.assignee)
    completed = step_facts.TaskCompleted(task.id, command.outcome, form, command.photos)
    builder.record(completed, f"{task.title}: {command.outcome}.")
    timekeeping.task_clocks_over(builder, task, completed=True)
    timekeeping.step_completed(builder, task.step)
    keep_answers(builder, form)
    builder.notify(NotifyEvent.STEP_DONE, step=task.step, outcome=command.outcome)
    walk.step_over(builder, task.step, command.outcome)


def keep_answers(builder: DecisionBuilder, answers: dict[str, Any], reason: str | None = None) -> None:
    """Record the answers that are others than before; the priority, and waits until a date, follow."""
    fresh = {name: value for name, value in answers.items() if builder.state.answers.get(name) != value}
    if fresh:
        text = f"Answers: {', '.join(fresh)}." if reason is None else f"Answers put right. {reason}"
        builder.record(facts.AnswersChanged(fresh, reason or ""), text)
        timekeeping.set_priority(builder)
        wait.follow_answers(builder)


def reassign(builder: DecisionBuilder, command: commands.Reassign) -> None:
    """A supervisor gives an open task to another team, another person, or both."""
    open_tasks = builder.state.open_tasks
    if not command.task and len(open_tasks) != 1:
        raise refuse("task_not_open", f"the request has {len(open_tasks)} open tasks; say which one is meant")
    task = _open_task(builder, command.task or open_tasks[0].id)
    team = command.team or task.team
    if (team, command.assignee or task.assignee) == (task.team, task.assignee):
        raise refuse("nothing_changed", "the task already has this team and this holder", **_facts(task))
    hand_over(builder, task, team, command.assignee, command.reason)


def hand_over(
    builder: DecisionBuilder, task: Task, team: str, assignee: str | None, reason: str, *, actor: Actor | None = None
) -> None:
    """Put a task to a team anew, or straight to one person; by `actor` if that is not the command's."""
    whom = f"{team}, {assignee}" if assignee else team
    given = step_facts.TaskReassigned(task.id, reason, team=team)
    builder.record(given, f"{task.title}: given to {whom}. {reason}".strip(), actor=actor)
    _after_offer(builder, task)
    fresh = builder.state.tasks[task.id]
    if assignee:
        _take(builder, fresh, assignee)
    else:
        order(builder, fresh)


def step_called(builder: DecisionBuilder, name: str) -> HumanStep:
    """A step that has tasks."""
    step = builder.definition.step(name)
    assert isinstance(step, HumanStep)  # noqa: S101 - only steps of people have tasks
    return step


def teams(builder: DecisionBuilder) -> dict[str, str]:
    """Each open task's team by the definition and the request's areas."""
    return {task.id: step_called(builder, task.step).team_in(builder.state.areas) for task in builder.state.open_tasks}


def follow_team(builder: DecisionBuilder, task: Task, before: str, why: str) -> None:
    """Put a task to its step's team where that was another before; work that is under way stays where it is."""
    team = step_called(builder, task.step).team_in(builder.state.areas)
    if team not in (before, task.team) and task.state is not TaskState.STARTED:
        hand_over(builder, task, team, None, why)


def told(builder: DecisionBuilder, command: EffectResult) -> None:
    """Whoever holds a role was told of a clock or a step."""
    clock = None if command.step else command.about
    fact = clock_facts.Told(command.audience or "", command.told, clock, command.step)
    builder.record(fact, f"{command.about}: {command.told or 'nobody'} was told as {command.audience}.")


def notified(builder: DecisionBuilder, command: EffectResult) -> None:
    """The reporter, or whoever holds a role, was told of an event."""
    notice = clock_facts.Notified(command.about or "", command.audience or "", command.channel, command.told)
    if command.step and command.audience != REPORTER and command.told is None:
        builder.record(notice, f"Nobody was told as {command.audience}: {command.about}.")
    else:
        builder.record(notice, f"The {command.audience} was told: {command.about} ({command.channel}).")


def given_by_rule(builder: DecisionBuilder, command: EffectResult) -> None:
    """A team's rule has picked who gets the work order."""
    task = builder.state.tasks.get(command.task or "")
    if task is None or task.state is not TaskState.OFFERED or command.assignee is None:
        raise refuse("task_moved_on", "the task was taken or withdrawn before the team's rule could give it to anybody")
    _take(builder, task, command.assignee, rule=command.rule or "rule")


def _open_task(builder: DecisionBuilder, task_id: str) -> Task:
    task = builder.state.tasks.get(task_id)
    if task is None:
        raise refuse("task_not_open", f"task {task_id} is not an open task of this request", task=task_id)
    if not task.state.open:
        raise _wrong_state(task, "changed")
    if not builder.actor.acts_for(task.team):
        raise refuse("wrong_team", f"task {task_id} is for team {task.team}", **_facts(task))
    return task


def _facts(task: Task) -> dict[str, Any]:
    return {"task": task.id, "state": task.state, "assignee": task.assignee, "team": task.team}


def _wrong_state(task: Task, wish: str) -> Refused:
    holder = f" by {task.assignee}" if task.assignee else ""
    return refuse("task_state", f"task {task.id} is {task.state}{holder} and cannot be {wish}", **_facts(task))


def _not_on_hold(builder: DecisionBuilder) -> None:
    if hold := builder.state.hold:
        raise refuse("on_hold", f"the request is on hold: {hold.reason}", reason=hold.reason)


def _check_holder(builder: DecisionBuilder, task: Task, assignee: str | None) -> None:
    """A claimed task is its holder's; whoever may act for any team may act for the holder, too."""
    me = assignee or builder.actor.name
    if task.state is TaskState.OFFERED or builder.actor.role is not Role.CREW or _given(task) or task.assignee == me:
        return
    raise refuse("task_holder", f"task {task.id} is {task.state} by {task.assignee}", **_facts(task))


def _held(builder: DecisionBuilder, task: Task, assignee: str | None) -> Task:
    """The task with a holder who may go on with it: whoever acts on an offered task claims it, and so does a
    crew that acts on one which the team's rule gave to somebody else."""
    _check_holder(builder, task, assignee)
    me = assignee or builder.actor.name
    taken_over = _given(task) and builder.actor.role is Role.CREW and task.assignee != me
    if task.state is TaskState.OFFERED or taken_over:
        _take(builder, task, me)
    return builder.state.tasks[task.id]


def _given(task: Task) -> bool:
    """Whether the team's rule gave the task to somebody who has not begun."""
    return task.by_rule and task.state is TaskState.CLAIMED


def _take(builder: DecisionBuilder, task: Task, assignee: str, *, rule: str | None = None) -> None:
    by = f" by the team's rule ({rule.replace('_', ' ')})" if rule else ""
    builder.record(step_facts.TaskClaimed(task.id, assignee, rule is not None), f"{task.title}: {assignee} has it{by}.")
    timekeeping.task_clocks_over(builder, task, claimed=True)


def _back_to_team(
    builder: DecisionBuilder, task: Task, given: step_facts.TaskReleased | step_facts.TaskDeclined, what: str
) -> None:
    builder.record(given, f"{task.title}: {what}." + (f" {given.reason}" if given.reason else ""))
    _after_offer(builder, task)
    order(builder, builder.state.tasks[task.id], not_to=task.assignee or builder.actor.name)


def _after_offer(builder: DecisionBuilder, task: Task) -> None:
    """A task put to a team again starts a claim clock of its own; the old one, if it still runs, ends."""
    for clock in builder.state.live_clocks:
        if clock.task == task.id and clock.kind.value == "claim":
            timekeeping.end(builder, clock, "offered anew")
    timekeeping.start_task_clocks(builder, builder.state.tasks[task.id])
