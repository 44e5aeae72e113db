"""What people do with tasks: claim, start, release, decline, complete, reassign.

Owns the rules of DESIGN's human tasks: who may do what in which state. Each function records the change on a
draft, or raises `Refused` naming the state and the holder.
"""

from __future__ import annotations

from typing import Any

from fixline.domain import dates, facts, progress, timekeeping
from fixline.domain.commands import Actor, Claim, Complete, Decline, EffectReport, Reassign, Release, Role, Start
from fixline.domain.decision import Refused, refuse
from fixline.domain.definition import NotifyEvent
from fixline.domain.draft import Draft
from fixline.domain.forms import read_answers
from fixline.domain.state import Task, TaskState
from fixline.domain.steps import REPORTER, HumanStep


def claim(draft: Draft, command: Claim) -> None:
    """An offered task gets a holder; one that a team's rule gave to somebody may be taken over until it is started."""
    task = _open_task(draft, command.task)
    _not_on_hold(draft)
    if not (task.state is TaskState.OFFERED or _given(task)):
        raise _wrong_state(task, "claimed")
    _take(draft, task, command.assignee or draft.actor.name)


def start(draft: Draft, command: Start) -> None:
    """The holder begins; starting an offered task of one's own team claims it."""
    task = _open_task(draft, command.task)
    _not_on_hold(draft)
    if task.state is TaskState.STARTED:
        raise _wrong_state(task, "started")
    task = _held(draft, task, command.assignee)
    draft.record(facts.TaskStarted(task.id), f"{task.title}: started.")


def release(draft: Draft, command: Release) -> None:
    """The holder gives the task back to the team."""
    task = _open_task(draft, command.task)
    if task.state is TaskState.OFFERED:
        raise _wrong_state(task, "released")
    _check_holder(draft, task, command.assignee)
    _back_to_team(draft, task, facts.TaskReleased, "given back to the team", command.reason)


def decline(draft: Draft, command: Decline) -> None:
    """The crew will not do it; the team has it again, with the reason."""
    task = _open_task(draft, command.task)
    _check_holder(draft, task, command.assignee)
    _back_to_team(draft, task, facts.TaskDeclined, "declined", command.reason)


def complete(draft: Draft, command: Complete) -> None:
    """The work is done: the form is checked for its outcome, answers are kept, the request goes on."""
    task = _open_task(draft, command.task)
    step = draft.definition.step(task.step)
    assert isinstance(step, HumanStep)  # noqa: S101 - tasks exist for human steps only
    _check_holder(draft, task, command.assignee)
    if command.outcome not in step.outcomes:
        raise refuse(
            "unknown_outcome",
            f"step {task.step!r} has no outcome {command.outcome!r}; it has {', '.join(step.outcomes)}",
            outcomes=list(step.outcomes),
        )
    form, problems = read_answers(step.form, command.form, outcome=command.outcome)
    if problems:
        raise refuse("form_invalid", f"the form of {task.step!r} is not complete", fields=problems)
    task = _held(draft, task, command.assignee)
    completed = facts.TaskCompleted(task.id, command.outcome, form, command.photos)
    draft.record(completed, f"{task.title}: {command.outcome}.")
    timekeeping.task_clocks_over(draft, task, completed=True)
    timekeeping.step_completed(draft, task.step)
    _keep_answers(draft, form)
    draft.notify(NotifyEvent.STEP_DONE, step=task.step, outcome=command.outcome)
    progress.step_over(draft, task.step, command.outcome)


def _keep_answers(draft: Draft, form: dict[str, Any]) -> None:
    fresh = {name: value for name, value in form.items() if draft.state.answers.get(name) != value}
    if fresh:
        draft.record(facts.AnswersChanged(fresh), f"Answers: {', '.join(fresh)}.")
        timekeeping.set_priority(draft)
        dates.follow_answers(draft)


def reassign(draft: Draft, command: Reassign) -> None:
    """A supervisor gives an open task to another team, another person, or both."""
    task = _open_task(draft, command.task) if command.task else _only_task(draft)
    team = command.team or task.team
    if (team, command.assignee or task.assignee) == (task.team, task.assignee):
        raise refuse("nothing_changed", "the task already has this team and this holder", **_facts(task))
    hand_over(draft, task, team, command.assignee, command.reason)


def hand_over(
    draft: Draft, task: Task, team: str, assignee: str | None, reason: str, *, actor: Actor | None = None
) -> None:
    """Put a task to a team anew, or straight to one person; by `actor` if that is not the command's."""
    whom = f"{team}, {assignee}" if assignee else team
    given = facts.TaskReassigned(task.id, reason, team=team)
    draft.record(given, f"{task.title}: given to {whom}. {reason}".strip(), actor=actor)
    _after_offer(draft, task)
    fresh = draft.state.tasks[task.id]
    if assignee:
        _take(draft, fresh, assignee)
    else:
        progress.order(draft, fresh)


def report(draft: Draft, command: EffectReport) -> None:
    """What an effect learned: a crew picked by the team's rule, somebody told, the reporter notified."""
    if command.effect_kind in ("dispatch", "order_inspection"):
        _given_by_rule(draft, command)
        return
    if command.effect_kind == "escalate":
        clock = None if command.step else command.about
        told = facts.Told(command.audience or "", command.told, clock, command.step)
        draft.record(told, f"{command.about}: {command.told or 'nobody'} was told as {command.audience}.")
        return
    notice = facts.Notified(command.about or "", command.audience or "", command.channel, command.told)
    if command.step and command.audience != REPORTER and command.told is None:
        draft.record(notice, f"Nobody was told as {command.audience}: {command.about}.")
    else:
        draft.record(notice, f"The {command.audience} was told: {command.about} ({command.channel}).")


def _given_by_rule(draft: Draft, command: EffectReport) -> None:
    task = draft.state.tasks.get(command.task or "")
    if task is None or task.state is not TaskState.OFFERED or command.assignee is None:
        raise refuse("task_moved_on", "the task was taken or withdrawn before the team's rule could give it to anybody")
    _take(draft, task, command.assignee, rule=command.rule or "rule")


def _open_task(draft: Draft, task_id: str) -> Task:
    task = draft.state.tasks.get(task_id)
    if task is None:
        raise refuse("task_not_open", f"task {task_id} is not an open task of this request", task=task_id)
    if not task.state.open:
        raise _wrong_state(task, "changed")
    if not draft.actor.acts_for(task.team):
        raise refuse("wrong_team", f"task {task_id} is for team {task.team}", **_facts(task))
    return task


def _only_task(draft: Draft) -> Task:
    tasks = draft.state.open_tasks
    if len(tasks) != 1:
        raise refuse("task_not_open", f"the request has {len(tasks)} open tasks; say which one is meant")
    return _open_task(draft, tasks[0].id)


def _facts(task: Task) -> dict[str, Any]:
    return {"task": task.id, "state": task.state, "assignee": task.assignee, "team": task.team}


def _wrong_state(task: Task, wish: str) -> Refused:
    holder = f" by {task.assignee}" if task.assignee else ""
    return refuse("task_state", f"task {task.id} is {task.state}{holder} and cannot be {wish}", **_facts(task))


def _not_on_hold(draft: Draft) -> None:
    if draft.state.hold:
        raise refuse("on_hold", f"the request is on hold: {draft.state.hold.reason}", reason=draft.state.hold.reason)


def _check_holder(draft: Draft, task: Task, assignee: str | None) -> None:
    """A claimed task is its holder's; whoever may act for any team may act for the holder, too."""
    me = assignee or draft.actor.name
    if task.state is TaskState.OFFERED or draft.actor.role is not Role.CREW or _given(task) or task.assignee == me:
        return
    raise refuse("task_holder", f"task {task.id} is {task.state} by {task.assignee}", **_facts(task))


def _held(draft: Draft, task: Task, assignee: str | None) -> Task:
    """The task with a holder who may go on with it: whoever acts on an offered task claims it, and so does a
    crew that acts on one which the team's rule gave to somebody else."""
    _check_holder(draft, task, assignee)
    me = assignee or draft.actor.name
    taken_over = _given(task) and draft.actor.role is Role.CREW and task.assignee != me
    if task.state is TaskState.OFFERED or taken_over:
        _take(draft, task, me)
    return draft.state.tasks[task.id]


def _given(task: Task) -> bool:
    """Whether the team's rule gave the task to somebody who has not begun."""
    return task.by_rule and task.state is TaskState.CLAIMED


def _take(draft: Draft, task: Task, assignee: str, *, rule: str | None = None) -> None:
    by = f" by the team's rule ({rule.replace('_', ' ')})" if rule else ""
    draft.record(facts.TaskClaimed(task.id, assignee, rule is not None), f"{task.title}: {assignee} has it{by}.")
    timekeeping.task_clocks_over(draft, task, claimed=True)


def _back_to_team(
    draft: Draft, task: Task, given: type[facts.TaskReleased | facts.TaskDeclined], what: str, reason: str
) -> None:
    draft.record(given(task.id, reason), f"{task.title}: {what}." + (f" {reason}" if reason else ""))
    _after_offer(draft, task)
    progress.order(draft, draft.state.tasks[task.id], not_to=task.assignee or draft.actor.name)


def _after_offer(draft: Draft, task: Task) -> None:
    """A task put to a team again starts a claim clock of its own; the old one, if it still runs, ends."""
    for clock in draft.state.live_clocks:
        if clock.task == task.id and clock.kind.value == "claim":
            timekeeping.end(draft, clock, "offered anew")
    timekeeping.start_task_clocks(draft, draft.state.tasks[task.id])
