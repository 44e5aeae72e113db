"""What concerns a request as a whole: opened, put right, held, sent back, of another priority or type, cancelled,
reopened; and which reports are not taken (docs/definitions.md, section What is not taken).

Each function records the change on a builder, or raises `Refused` (docs/http.md, section Commands).
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.conditions import evaluate
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition, Reopen, ReopenedBy
from fixline.domain.definition.vocabulary import CloseOutcome, NotifyEvent
from fixline.domain.journal import facts, step_facts
from fixline.domain.process import commands, duplicates, tasks, walk
from fixline.domain.process.commands import Actor, Open, Place, Role
from fixline.domain.process.decision import DecisionBuilder, refuse
from fixline.domain.process.kinds.close import CloseStep


def open_request(builder: DecisionBuilder, command: Open) -> None:
    """Begin with a report that was accepted, or attach it to the older request that it repeats."""
    definition = builder.definition
    answers = read_report(definition, command)
    ruled = timekeeping.ruled_priority(definition, answers)
    said = {name: value for name, value in vars(command).items() if name in facts.Opened.__struct_fields__}
    said["opened_at"] = min(command.opened_at or builder.now, builder.now).astimezone(UTC)
    found = {"id": builder.request_id, "type": definition.type, "priority": ruled.priority, "answers": answers}
    opened = facts.Opened(**{**said, **found})
    builder.record(opened, f"{definition.title}: reported by {command.channel}.")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    for divert in definition.intake.divert:  # none holds, but some may have counted as false for want of an answer
        timekeeping.holds(builder, divert.when, "divert")
    original = command.attach_to
    if original and original.older_than(opened.opened_at, builder.request_id):
        builder.notify(NotifyEvent.RECEIVED)
        duplicates.attach_to(builder, original, f"Attached to {original.id}, which was reported before.")
        return
    timekeeping.start_deadlines(builder, backlog=command.backlog)
    if not command.backlog:
        builder.notify(NotifyEvent.RECEIVED)
    walk.enter(builder, definition.start)


def read_report(definition: Definition, command: Open) -> dict[str, Any]:
    """The report's answers. Raises Refused: for what is not taken first, since nothing else matters then."""
    check_takes_requests(definition)
    # Another system never asked our questions: what a backlog does not say is simply not known.
    answers, problems = read_answers(definition.intake.questions, command.answers, partial=command.backlog)
    for each in definition.intake.divert if not command.backlog else ():
        if evaluate(each.when, answers).holds:
            raise refuse("diverted", each.say, to=each.to, say=each.say)
    if command.outside:
        check_outside(definition)
    check_place(definition, command.place)
    if len(command.photos) > definition.intake.photos.max:
        raise refuse("too_many_photos", f"at most {definition.intake.photos.max} photos")
    if problems:
        raise refuse("answers_invalid", "some answers do not fit the questions", fields=problems)
    return answers


def check_takes_requests(definition: Definition) -> None:
    """A type that only says whom to turn to takes no requests. Raises Refused."""
    if definition.redirect is not None:
        to, say = definition.redirect.to, definition.redirect.say
        raise refuse("diverted", say, to=to, say=say)


def check_place(definition: Definition, place: Place | None) -> None:
    """A type that needs a place has one. Raises Refused."""
    if definition.intake.location == "required" and (place is None or not place.located):
        raise refuse("location_missing", f"a report of {definition.title!r} needs a place")


def check_outside(definition: Definition) -> None:
    """A type that takes nothing outside the city says so. Raises Refused."""
    rules = definition.intake.outside
    if not rules.accept:
        say = rules.say or "This place lies outside the city."
        raise refuse("outside_city", say, say=say)


def amend(builder: DecisionBuilder, command: commands.Amend) -> None:
    """Put answers, the place or the description right."""
    answers, problems = read_answers(builder.definition.fields, command.answers, partial=True)
    if problems:
        raise refuse("answers_invalid", "some answers do not fit the questions", fields=problems)
    if command.place:
        check_place(builder.definition, command.place)
        if command.outside and builder.actor.role in (Role.REPORTER, Role.SERVICE):
            check_outside(builder.definition)
    before = builder.state.seq
    tasks.keep_answers(builder, answers, command.reason)
    if command.place and (command.place, command.areas) != (builder.state.place, builder.state.areas):
        _amend_place(builder, command, command.place)
    if command.description is not None and command.description != builder.state.description:
        changed = facts.DescriptionChanged(command.description, command.reason)
        builder.record(changed, f"Description put right. {command.reason}")
    if builder.state.seq == before:
        raise refuse("nothing_changed", "everything is already as the amendment says")


def _amend_place(builder: DecisionBuilder, command: commands.Amend, place: Place) -> None:
    """Put the place right; where that changes the area's team, work that is not under way goes to it."""
    before = tasks.teams(builder)
    where = ", outside the city" if command.outside else ""
    changed = facts.PlaceChanged(place, command.areas, command.reason, command.outside)
    builder.record(changed, f"Place put right{where}. {command.reason}")
    for task in builder.state.open_tasks:
        tasks.follow_team(builder, task, before[task.id], "The place was put right.")


def send_back(builder: DecisionBuilder, command: commands.SendBack) -> None:
    """Take back all that is under way, and enter a step; one of a branch is entered with its whole together step."""
    step = builder.definition.steps.get(command.step)
    if step is None or isinstance(step, CloseStep):
        possible = [name for name, each in builder.definition.steps.items() if not isinstance(each, CloseStep)]
        raise refuse("unknown_step", f"there is no step {command.step!r} to go back to", steps=possible)
    if command.step in builder.definition.in_branches:
        together = builder.definition.in_branches[command.step].together
        raise refuse("unknown_step", f"step {command.step!r} runs within {together!r}: send it back there")
    builder.record(step_facts.SentBack(command.step, command.reason), f"Sent back to {command.step}. {command.reason}")
    walk.withdraw(builder, "sent back")
    walk.enter(builder, command.step)


def hold(builder: DecisionBuilder, command: commands.Hold) -> None:
    """Put the request on hold, with a code where its type has any."""
    definition, holds = builder.definition, builder.definition.holds
    if builder.state.hold:
        raise refuse("already_on_hold", f"the request is on hold: {builder.state.hold.reason}")
    if command.code not in (holds or {None}):
        told = f"a hold has a code: {', '.join(holds)}" if holds else f"type {definition.type} has no hold codes"
        raise refuse("hold_code", told, codes=list(holds))
    why = f"{holds[command.code]}. " if command.code else ""
    builder.record(facts.Held(command.reason, command.code or None), f"On hold: {why}{command.reason}")
    builder.notify(NotifyEvent.ON_HOLD)


def resume(builder: DecisionBuilder, command: commands.Resume) -> None:
    """End the hold."""
    if not builder.state.hold:
        raise refuse("not_on_hold", "the request is not on hold")
    builder.record(facts.Resumed(command.reason), f"Resumed. {command.reason}".strip())


def cancel(builder: DecisionBuilder, command: commands.Cancel) -> None:
    """Close the request as cancelled, for whom its definition lets do so; an admin always may."""
    allowed = builder.definition.cancel
    if builder.actor.role in (Role.REPORTER, Role.SERVICE):
        until = allowed.reporter
        if until is None or (until != "always" and builder.state.visits.get(until)):
            raise refuse("not_cancellable", "the request can no longer be cancelled by whoever reported it")
    elif builder.actor.role is not Role.ADMIN and allowed.supervisor is None:
        raise refuse("not_cancellable", f"a request of type {builder.definition.type} cannot be cancelled")
    walk.close(builder, CloseOutcome.CANCELLED, builder.now, command.reason)


def source_closed(builder: DecisionBuilder, command: commands.SourceClosed) -> None:
    """Close the request as of when the other system did, never before its opening nor after now."""
    closed_at = max(min(command.closed_at, builder.now), builder.state.opened_at)
    walk.close(builder, command.outcome, closed_at.astimezone(UTC), f"{command.source} has closed it.")


def prioritise(builder: DecisionBuilder, command: commands.Prioritise) -> None:
    """Set the floor, in place of the one before (a rung's, too); None takes it away. Budgets of clocks follow."""
    state, wanted = builder.state, command.priority
    ruled = timekeeping.ruled_priority(builder.definition, state.answers)
    if wanted is not None and wanted.rank < ruled.priority.rank:
        text = f"its answers make it {ruled.priority}: put those right, or set {ruled.priority} or more"
        raise refuse("priority_ruled", text, ruled=ruled.priority)
    priority = wanted or ruled.priority
    if (priority, wanted) == (state.priority, state.floor):
        raise refuse("nothing_changed", f"the priority is {priority} already")
    what = f"Priority {state.priority} -> {priority}" if priority != state.priority else f"Priority {priority} kept"
    changed = facts.PriorityChanged(priority, wanted, command.reason, by_hand=True)
    builder.record(changed, f"{what}, {'by hand' if wanted else 'by its answers'}. {command.reason}")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    if priority is not state.priority:
        timekeeping.rebudget(builder)


def recategorise(builder: DecisionBuilder, command: commands.Recategorise) -> None:
    """Go on as another type. Its deadlines count from the opening; what of them is past has passed, and nobody is
    told of it. A hold and a priority set by hand or raised stay."""
    target, state = builder.target, builder.state
    if target is None or target.type != command.type:
        raise refuse("wrong_version", f"that version is none of {command.type}")
    if command.type == state.type:
        raise refuse("nothing_changed", f"the request is a {state.type} already")
    check_takes_requests(target)
    check_place(target, state.place)
    answers = _answers(state.answers, command.answers, target)
    before = builder.definition
    walk.withdraw(builder, f"it is recategorised as {target.type}")
    for clock in builder.state.live_clocks:
        timekeeping.end(builder, clock, "recategorised")
    ruled = timekeeping.ruled_priority(target, answers)
    builder.adopt(target)
    recategorised = facts.Recategorised(
        type=target.type,
        version=command.version,
        from_type=before.type,
        from_version=state.version,
        answers=answers,
        dropped=[name for name in state.answers if name not in answers],
        priority=ruled.above(state.floor),
        reason=command.reason,
    )
    builder.record(recategorised, f"Recategorised: {before.title} -> {target.title}. {command.reason}")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    timekeeping.start_deadlines(builder, backlog=True)
    if builder.state.dues != state.dues:
        builder.notify(NotifyEvent.DUE_CHANGED)
    walk.enter(builder, target.start)


def _answers(had: dict[str, Any], given: dict[str, Any], target: Definition) -> dict[str, Any]:
    """The answers that the request goes on with. Raises Refused naming what is wrong or missing."""
    fresh, problems = read_answers(target.fields, given, partial=True)
    kept: dict[str, Any] = {}
    for name in had.keys() & target.fields.keys() - given.keys():
        fitting, wrong = read_answers({name: target.fields[name]}, {name: had[name]}, partial=True)
        kept |= {} if wrong else fitting
    answers = {**kept, **fresh}
    questions = target.intake.questions
    wrong_names = {problem.field for problem in problems}
    _, missing = read_answers(questions, {name: answers[name] for name in questions if name in answers})
    problems += tuple(problem for problem in missing if problem.field not in wrong_names)
    if problems:
        raise refuse("answers_invalid", f"some answers do not fit the questions of {target.type}", fields=problems)
    return {name: answers[name] for name in target.fields if name in answers}


def reopen(builder: DecisionBuilder, command: commands.Reopen) -> None:
    """Open a closed request again, as a duplicate of none. Clocks start anew from now; those before are history."""
    state, rules = builder.state, builder.definition.reopen
    if not state.closed:
        raise refuse("not_closed", "the request is open")
    if rules is None:
        raise refuse("not_reopenable", f"a request of type {builder.definition.type} cannot be opened again")
    if not _may(rules, builder.actor, state.outcome):
        role = builder.actor.role
        whom = "whoever reported it" if role in (Role.REPORTER, Role.SERVICE) else role.value
        text = f"a request that was closed as {state.outcome} cannot be opened again by {whom}"
        raise refuse("not_reopenable", text, outcome=state.outcome)
    until = builder.calendar.ends_at(state.closed_at, rules.within) if state.closed_at else None
    if until is not None and builder.now > until:
        text = f"it could be opened again within {rules.within} of its closing, until {until.isoformat()}"
        raise refuse("reopen_too_late", text, until=until.isoformat())
    original = state.attached_to
    builder.record(facts.Reopened(state.outcome, command.reason), f"Opened again. {command.reason}")
    if state.parent:
        builder.tell(state.parent.id, commands.FollowOnReopened(child=builder.request_id))
    if original:
        builder.tell(original, commands.DuplicateDetached(duplicate=builder.request_id))
    for duplicate in state.attached:  # those that closed with it
        builder.tell(duplicate, commands.OriginalReopened(original=builder.request_id))
    timekeeping.start_deadlines(builder, backlog=False)
    builder.notify(NotifyEvent.REOPENED)
    walk.enter(builder, rules.at)


def _may(rules: Reopen, actor: Actor, outcome: CloseOutcome | None) -> bool:
    """Whoever withdrew a report does not get it back by the reporter's right; a supervisor decides that."""
    if actor.role in (Role.REPORTER, Role.SERVICE):
        return ReopenedBy.REPORTER in rules.by and outcome is not CloseOutcome.CANCELLED
    supervised = actor.role is Role.SUPERVISOR and ReopenedBy.SUPERVISOR in rules.by
    return supervised or actor.role in (Role.ADMIN, Role.SYSTEM)
