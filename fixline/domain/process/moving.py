"""An open request that goes on by another version of its definition.

Owns where it stands then, what becomes of its tasks, and the priority; its clocks are
`fixline.domain.deadlines.moved_clocks`' business. What has been promised, done and fired stays: see docs/adr for why a
move keeps and does not replay.
"""

from __future__ import annotations

from typing import Any

from fixline.domain.deadlines import moved_clocks, timekeeping
from fixline.domain.definition.model import Definition, InBranch
from fixline.domain.journal import facts, task_facts
from fixline.domain.journal.state import Position, RequestState, Task, TaskState
from fixline.domain.process import tasks, walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Move
from fixline.domain.process.decision import Decision, Refused, refuse
from fixline.domain.process.effects import Effect
from fixline.domain.process.kinds import AnyStep
from fixline.domain.process.kinds.close import CloseStep
from fixline.domain.process.kinds.human import HumanStep
from fixline.domain.process.kinds.together import TogetherStep
from fixline.domain.process.kinds.wait import WaitStep
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
    old, teams = builder.definition, _teams(builder)
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
    _set_priority(builder)
    if not builder.state.attached_to:  # a duplicate has no clocks; should it begin again, it begins by this version
        moved_clocks.move_deadlines(builder, old, command.steps)
    if anew:
        walk.enter(builder, anew)


def _check(builder: DecisionBuilder, target: Definition, names: dict[str, str]) -> str | None:
    """The step to enter anew, because what stands in the place of the present one is of another kind; None where
    the request stays where it is. Raises Refused where there is no place for it."""
    main = builder.state.position
    anew = None
    for position in builder.state.positions:
        name = names[position.step]
        old, new = builder.definition.step(position.step), target.steps.get(name)
        if new is None or isinstance(new, CloseStep):
            why = "closes the request" if new else "is not in that version"
            raise _homeless(target, position, f"step {name!r} {why}: say which step {position.step!r} has become")
        if position is main and (type(new) is not type(old) or name in target.in_branches):
            if name in target.in_branches:
                raise _homeless(target, position, f"step {name!r} runs within {target.in_branches[name].together!r}")
            return name
        _check_in_place(builder, target, position, names, old, new)
    return anew


def _check_in_place(
    builder: DecisionBuilder, target: Definition, position: Position, names: dict[str, str], old: AnyStep, new: AnyStep
) -> None:
    """A step goes on where it is only if those who work on it now can end it there."""
    name, where = names[position.step], builder.definition.in_branches.get(position.step)
    if type(new) is not type(old):
        raise _homeless(target, position, f"step {name!r} of a branch is of another kind there")
    if isinstance(old, TogetherStep) and isinstance(new, TogetherStep) and set(old.branches) != set(new.branches):
        raise _homeless(target, position, f"step {name!r} has other branches there")
    if where and target.in_branches.get(name) != InBranch(names[where.together], where.branch):
        raise _homeless(target, position, f"step {name!r} is not in branch {where.branch!r} there")
    if name != position.step and not isinstance(old, HumanStep | WaitStep | TogetherStep):
        raise _homeless(target, position, f"somebody outside works on {position.step!r} under that name")
    _check_asked(target, position, old, new)


def _check_asked(target: Definition, position: Position, old: AnyStep, new: AnyStep) -> None:
    """Whoever outside has been asked is still the one who is asked, and may still answer what they were told."""
    if old.asked is None or new.asked is None:
        return
    whom, others = old.asked.whom, new.asked.whom
    if whom != others:
        raise _homeless(target, position, f"step {position.step!r} has asked {whom}, and asks {others} there")
    lost = sorted(old.asked.answers - new.asked.answers)
    if lost:
        raise _homeless(target, position, f"{whom} may answer {lost[0]!r}, which step {position.step!r} lacks there")


def _homeless(target: Definition, position: Position, message: str) -> Refused:
    return refuse("step_missing", message, step=position.step, steps=list(target.steps))


def _position(builder: DecisionBuilder, old: Definition, position: Position, names: dict[str, str]) -> Position:
    """The position under the new version, with the end of its wait: counted anew from when the wait began."""
    name = names[position.step]
    before, after = old.step(position.step), builder.definition.step(name)
    changes: dict[str, Any] = {"step": name, "waiting_as": getattr(after, "waiting_as", None)}
    rules = [(step.limit, getattr(step, "until", None), each.calendar) for step, each in
             ((before, old), (after, builder.definition))]  # fmt: skip
    if rules[0] != rules[1]:
        until = after.wait_until(builder, position.entered_at)  # counted from when the wait began
        changes["wait_until"] = max(until, builder.now) if until else None
    return change(position, **changes)


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


def _teams(builder: DecisionBuilder) -> dict[str, str]:
    """Each open task's team by the definition that the request leaves."""
    steps = {task.id: builder.definition.step(task.step) for task in builder.state.open_tasks}
    areas = builder.state.areas
    return {name: step.team_in(areas) for name, step in steps.items() if isinstance(step, HumanStep)}


def _move_task(builder: DecisionBuilder, task: Task, name: str, team_before: str) -> None:
    """The task stays with whoever has it; its form is the new step's. Where the step's team is another, work that
    is not under way goes to that team."""
    step = builder.definition.step(name)
    assert isinstance(step, HumanStep)  # noqa: S101 - a step with a task stays one of people, or is entered anew
    if (name, step.title, step.kind) != (task.step, task.title, task.kind):
        builder.record(task_facts.TaskMoved(task.id, name, step.title, step.kind), f"{task.title} is now {step.title}.")
        task = builder.state.tasks[task.id]
    team = step.team_in(builder.state.areas)
    if team not in (team_before, task.team) and task.state is not TaskState.STARTED:
        tasks.hand_over(builder, task, team, None, "That step has another team now.")
    moved_clocks.move_task_clocks(builder, builder.state.tasks[task.id], step)


def _set_priority(builder: DecisionBuilder) -> None:
    """The new list's priority, with the floor as before; budgets follow with the clocks."""
    state = builder.state
    ruled = timekeeping.ruled_priority(builder.definition, state.answers)
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    priority = max(ruled.priority, state.floor or ruled.priority, key=lambda each: each.rank)
    if priority is not state.priority:
        text = f"Priority {state.priority} -> {priority}."
        builder.record(facts.PriorityChanged(priority, state.floor), text)


def outline(before: RequestState, decision: Decision) -> dict[str, Any]:
    """What a move changes of a request, as JSON: each part with its values before and after, where they differ.

    `anew` is the step that is entered anew; `waits` the ends of waits; `effects` what is sent to whom because of it.
    """
    after = decision.state
    return {
        "step": _pair(_steps(before), _steps(after)),
        "anew": _anew(before, after),
        "priority": _pair(before.priority.value, after.priority.value),
        "waits": _wait_pairs(before, after),
        "clocks": [
            {"name": name, "state": _pair(*states), "budget": _pair(*budgets), "due_at": _pair(*dues)}
            for name, states, budgets, dues in _clock_pairs(before, after)
            if states[0] != states[1] or budgets[0] != budgets[1] or dues[0] != dues[1]
        ],
        "tasks": [
            {"id": name, **changes}
            for name in dict.fromkeys([*before.tasks, *after.tasks])
            if (changes := _task_changes(before.tasks.get(name), after.tasks.get(name)))
        ],
        "effects": [_said(effect) for effect in decision.effects],
    }


def _pair(before: Any, after: Any) -> dict[str, Any] | None:
    return None if before == after else {"before": before, "after": after}


def _steps(state: RequestState) -> str | None:
    return " + ".join(position.step for position in state.positions) or None


def _anew(before: RequestState, after: RequestState) -> str | None:
    """The step of the main way that was entered by the move."""
    was, now = before.position, after.position
    return now.step if now and was and now.entered_at != was.entered_at else None


def _wait_pairs(before: RequestState, after: RequestState) -> list[dict[str, Any]]:
    """What goes on waiting where it is, with the end of its wait and the state in which it waits."""
    known = {(position.entered_at, position.visit, name): position for name, position in _places(before)}
    pairs = []
    for name, position in _places(after):
        was = known.get((position.entered_at, position.visit, name))
        ends = [each.wait_until.isoformat() if each and each.wait_until else None for each in (was, position)]
        states = [each.waiting_as if each else None for each in (was, position)]
        if was and (ends[0], states[0]) != (ends[1], states[1]):
            pairs.append({"step": position.step, "until": _pair(*ends), "waiting_as": _pair(*states)})
    return pairs


def _places(state: RequestState) -> list[tuple[str | None, Position]]:
    return [*([(None, state.position)] if state.position else []), *state.branches.items()]


def _said(effect: Effect) -> dict[str, Any]:
    """Whom an effect reaches, without anything that was reported."""
    return {"kind": effect.kind, "to": effect.destination, "about": effect.about}


def _clock_pairs(before: RequestState, after: RequestState) -> list[tuple[str, Any, Any, Any]]:
    pairs = []
    for name in dict.fromkeys([*before.clocks, *after.clocks]):
        one, other = before.clocks.get(name), after.clocks.get(name)
        if not any(clock and clock.state.live for clock in (one, other)):
            continue
        states = [clock.state.value if clock else None for clock in (one, other)]
        budgets = [str(clock.budget) if clock else None for clock in (one, other)]
        dues = [clock.due_at.isoformat() if clock and clock.due_at else None for clock in (one, other)]
        pairs.append((name, states, budgets, dues))
    return pairs


def _task_changes(before: Task | None, after: Task | None) -> dict[str, Any]:
    if (before is None or not before.state.open) and (after is None or not after.state.open):
        return {}
    names = ("step", "title", "kind", "team", "state", "assignee")
    pairs = {name: _pair(getattr(before, name, None), getattr(after, name, None)) for name in names}
    return pairs if any(pairs.values()) else {}
