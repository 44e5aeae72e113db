"""An open request that goes on by another version of its definition.

What has been promised, done and fired stays: see docs/adr for why a move keeps and does not replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fixline.domain.deadlines import moved_clocks, timekeeping
from fixline.domain.definition.model import Definition, InBranch
from fixline.domain.journal import facts, step_facts
from fixline.domain.journal.state import Position, RequestState, Task
from fixline.domain.process import tasks, walk
from fixline.domain.process.commands import Move
from fixline.domain.process.decision import Decision, DecisionBuilder, refuse
from fixline.domain.process.kinds import AnyStep, CloseStep, HumanStep, TogetherStep, WaitStep
from fixline.domain.process.kinds.base import OutsidePart
from fixline.domain.records import change


def move(builder: DecisionBuilder, command: Move) -> None:
    """Go on by the version of the command, at the same step, or at the one that it has become."""
    target, before = builder.target, builder.state
    if target is None or target.type != before.type:
        raise refuse("wrong_version", f"that version is none of {before.type}")
    if command.version == before.version:
        raise refuse("nothing_changed", "the request follows that version already")
    names = {position.step: command.steps.get(position.step, position.step) for position in before.positions}
    anew = _check(builder, target, names)
    old, teams = builder.definition, tasks.teams(builder)
    if anew:
        walk.withdraw(builder, "the request goes on by another version")
    builder.adopt(target)
    moved = {name: _position(builder, old, place, names) for name, place in builder.state.branches.items()}
    main = builder.state.position
    fact = facts.Moved(
        version=command.version,
        from_version=before.version,
        steps={one: other for one, other in names.items() if one != other},
        position=_position(builder, old, main, names) if main else None,
        branches=moved,
        visits=_visits(builder.state, command.steps),
        reason=command.reason,
    )
    builder.record(fact, f"Goes on by another version of {target.type}. {command.reason}".strip())
    _say_undated(builder, old, before, names)
    for task in builder.state.open_tasks:
        _move_task(builder, task, names[task.step], teams[task.id])
    timekeeping.set_priority(builder, rebudgets=False)  # clocks follow with their deadlines
    if not builder.state.attached_to:  # a duplicate has no clocks; should it begin again, it begins by this version
        moved_clocks.move_deadlines(builder, old, command.steps)
    if anew:
        walk.enter(builder, anew)


def _check(builder: DecisionBuilder, target: Definition, names: dict[str, str]) -> str | None:
    """The step to enter anew, because what stands in the place of the present one is of another kind; None where
    the request stays where it is. Raises Refused where there is no place for it."""
    for position in builder.state.positions:
        name = names[position.step]
        old, new = builder.definition.step(position.step), target.steps.get(name)
        if new is None or isinstance(new, CloseStep):
            why = "closes the request" if new else "is not in that version"
            problem: str | None = f"step {name!r} {why}: say which step {position.step!r} has become"
        elif position is builder.state.position and name in target.in_branches:
            problem = f"step {name!r} runs within {target.in_branches[name].together!r}"
        elif position is builder.state.position and type(new) is not type(old):
            return name
        else:
            problem = _misfit(builder, target, position.step, names, old, new)
        if problem:
            raise refuse("step_missing", problem, step=position.step, steps=list(target.steps))
    return None


def _misfit(
    builder: DecisionBuilder, target: Definition, step: str, names: dict[str, str], old: AnyStep, new: AnyStep
) -> str | None:
    """Why those who work on a step now could not end it there. Whoever outside has been asked must still be the one who
    is asked, and may still answer what they were told."""
    name, where = names[step], builder.definition.in_branches.get(step)
    if type(new) is not type(old):
        return f"step {name!r} of a branch is of another kind there"
    if isinstance(old, TogetherStep) and isinstance(new, TogetherStep) and set(old.branches) != set(new.branches):
        return f"step {name!r} has other branches there"
    if where and target.in_branches.get(name) != InBranch(names[where.together], where.branch):
        return f"step {name!r} is not in branch {where.branch!r} there"
    if name != step and not isinstance(old, HumanStep | WaitStep | TogetherStep):
        return f"somebody outside works on {step!r} under that name"
    if not isinstance(old, OutsidePart) or not isinstance(new, OutsidePart):
        return None
    if old.whom != new.whom:
        return f"step {step!r} has asked {old.whom}, and asks {new.whom} there"
    lost = sorted({*old.answers} - {*new.answers})
    return f"{old.whom} may answer {lost[0]!r}, which step {step!r} lacks there" if lost else None


def _position(builder: DecisionBuilder, old: Definition, position: Position, names: dict[str, str]) -> Position:
    """The position under the new version, with the end of its wait: counted anew from when the wait began."""
    name = names[position.step]
    before, after = old.step(position.step), builder.definition.step(name)
    fresh = change(position, step=name, waiting_as=getattr(after, "waiting_as", None))
    ends = [(step.limit, getattr(step, "until", None)) for step in (before, after)]
    if (ends[0], old.calendar) == (ends[1], builder.calendar):
        return fresh
    until = after.wait_until(builder, position.entered_at)
    return change(fresh, wait_until=max(until, builder.now) if until else None)


def _say_undated(builder: DecisionBuilder, old: Definition, before: RequestState, names: dict[str, str]) -> None:
    """Tell the supervisor of waits that end by a date now which nobody has given."""
    for position in before.positions:
        step, name = old.step(position.step), names[position.step]
        fresh = builder.definition.step(name)
        stays = builder.state.position_of(name) is not None
        if stays and isinstance(fresh, WaitStep) and fresh.until != getattr(step, "until", None):
            fresh.say_undated(builder, name)


def _visits(state: RequestState, steps: dict[str, str]) -> dict[str, int]:
    """How often each step was entered, under the names of the new version."""
    visits: dict[str, int] = {}
    for name, count in state.visits.items():
        fresh = steps.get(name, name)
        visits[fresh] = max(count, visits.get(fresh, 0))
    for position in state.positions:
        visits[steps.get(position.step, position.step)] = position.visit
    return visits


def _move_task(builder: DecisionBuilder, task: Task, name: str, team_before: str) -> None:
    """The task stays with whoever has it; its form is the new step's. Where the step's team is another, work that
    is not under way goes to that team. A step with a task stays one of people, or is entered anew."""
    step = tasks.step_called(builder, name)
    if (name, step.title, step.kind) != (task.step, task.title, task.kind):
        builder.record(step_facts.TaskMoved(task.id, name, step.title, step.kind), f"{task.title} is now {step.title}.")
        task = builder.state.tasks[task.id]
    tasks.follow_team(builder, task, team_before, "That step has another team now.")
    moved_clocks.move_task_clocks(builder, builder.state.tasks[task.id], step)


def outline(before: RequestState, decision: Decision) -> dict[str, Any]:
    """What a move changes of a request, as JSON: each part with its values before and after, where they differ.

    `anew` is the step that is entered anew; `waits` the ends of waits; `effects` what is sent to whom because of it.
    """
    after = decision.state
    was, now = before.position, after.position
    clocks = dict.fromkeys(clock.name for clock in (*before.live_clocks, *after.live_clocks))
    work = dict.fromkeys(task.id for task in (*before.open_tasks, *after.open_tasks))
    return {
        "step": _pair(_steps(before), _steps(after)),
        "anew": now.step if now and was and now.entered_at != was.entered_at else None,
        "priority": _pair(before.priority.value, after.priority.value),
        "waits": _differing("step", _waits(before, after)),
        "clocks": _differing("name", ((name, _of_clock(before, name), _of_clock(after, name)) for name in clocks)),
        "tasks": _differing("id", ((name, _of_task(before, name), _of_task(after, name)) for name in work)),
        "effects": [{"kind": each.kind, "to": each.destination, "about": each.about} for each in decision.effects],
    }


def _pair(before: Any, after: Any) -> dict[str, Any] | None:
    return None if before == after else {"before": before, "after": after}


def _differing(key: str, found: Iterable[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[dict[str, Any]]:
    """Each value before and after, of what is not as it was, under its name."""
    different = [(name, had, has) for name, had, has in found if had != has]
    return [{key: name} | {what: _pair(had[what], has[what]) for what in had} for name, had, has in different]


def _steps(state: RequestState) -> str | None:
    return " + ".join(position.step for position in state.positions) or None


def _waits(before: RequestState, after: RequestState) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What goes on waiting where it is, with the end of its wait and the state in which it waits."""
    known = {(each.entered_at, each.visit, branch): each for branch, each in _places(before)}
    for branch, position in _places(after):
        if was := known.get((position.entered_at, position.visit, branch)):
            yield position.step, _of_wait(was), _of_wait(position)


def _places(state: RequestState) -> Iterable[tuple[str | None, Position]]:
    return zip((None, *state.branches), state.positions, strict=False)  # what is nowhere has no positions


def _of_wait(position: Position) -> dict[str, Any]:
    until = position.wait_until.isoformat() if position.wait_until else None
    return {"until": until, "waiting_as": position.waiting_as}


def _of_clock(state: RequestState, name: str) -> dict[str, Any]:
    clock = state.clocks.get(name)
    due_at = clock.due_at.isoformat() if clock and clock.due_at else None
    return {"state": clock and clock.state.value, "budget": clock and str(clock.budget), "due_at": due_at}


def _of_task(state: RequestState, name: str) -> dict[str, Any]:
    task = state.tasks.get(name)
    return {what: getattr(task, what, None) for what in ("step", "title", "kind", "team", "state", "assignee")}
