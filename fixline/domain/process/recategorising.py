"""A request that turns out to be of another type.

Owns what it takes along and what it begins anew: answers that fit, a place that the new type accepts, deadlines
counted from the original opening, and the new type's first step (docs/http.md, section Commands).
"""

from __future__ import annotations

from typing import Any

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.journal import facts
from fixline.domain.journal.state import ClockKind
from fixline.domain.process import intake, walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Recategorise
from fixline.domain.process.decision import refuse


def recategorise(builder: DecisionBuilder, command: Recategorise) -> None:
    """Go on as another type. Its deadlines count from the opening; what of them is past has passed, and nobody is
    told of it. A hold and a priority set by hand or raised stay."""
    target, state = builder.target, builder.state
    if target is None or target.type != command.type:
        raise refuse("wrong_version", f"that version is none of {command.type}")
    if command.type == state.type:
        raise refuse("nothing_changed", f"the request is a {state.type} already")
    intake.check_takes_requests(target)
    if target.intake.location == "required" and (state.place is None or not state.place.located):
        raise refuse("location_missing", f"a report of {target.title!r} needs a place")
    answers = _answers(state.answers, command.answers, target)
    dropped = [name for name in state.answers if name not in answers]
    before = builder.definition
    walk.withdraw(builder, f"it is recategorised as {target.type}")
    for clock in builder.state.live_clocks:
        timekeeping.end(builder, clock, "recategorised")
    ruled = timekeeping.ruled_priority(target, answers)
    priority = max(ruled.priority, state.floor or ruled.priority, key=lambda each: each.rank)
    builder.adopt(target)
    recategorised = facts.Recategorised(
        type=target.type,
        version=command.version,
        from_type=before.type,
        from_version=state.version,
        answers=answers,
        dropped=dropped,
        priority=priority,
        reason=command.reason,
    )
    builder.record(recategorised, f"Recategorised: {before.title} -> {target.title}. {command.reason}")
    timekeeping.note_undecided(builder, "priority", ruled.undecided)
    timekeeping.start_deadlines(builder, backlog=True)
    if _due(builder) != {clock.promise: clock.due_at for clock in state.promises.values() if clock.state.live}:
        builder.notify(NotifyEvent.DUE_CHANGED)
    walk.enter(builder, target.start)


def _due(builder: DecisionBuilder) -> dict[str, Any]:
    return {clock.promise: clock.due_at for clock in builder.state.live_clocks if clock.kind is ClockKind.DEADLINE}


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
