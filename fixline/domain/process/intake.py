"""A report becomes a request, or is not taken (docs/definitions.md, section What is not taken)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.conditions import evaluate
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition
from fixline.domain.definition.vocabulary import NotifyEvent
from fixline.domain.journal import facts
from fixline.domain.process import duplicates, walk
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Open, Place
from fixline.domain.process.decision import refuse

OUTSIDE = "This place lies outside the city."


def open_request(builder: DecisionBuilder, command: Open) -> None:
    """Begin with a report that was accepted, or attach it to the older request that it repeats."""
    definition = builder.definition
    answers = read_report(definition, command)
    ruled = timekeeping.ruled_priority(definition, answers)
    said = {name: value for name, value in vars(command).items() if name in facts.Opened.__struct_fields__}
    opened = facts.Opened(
        **said
        | {
            "id": builder.request_id,
            "type": definition.type,
            "opened_at": min(command.opened_at or builder.now, builder.now).astimezone(UTC),
            "priority": ruled.priority,
            "answers": answers,
        }
    )
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
        say = rules.say or OUTSIDE
        raise refuse("outside_city", say, say=say)
