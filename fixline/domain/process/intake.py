"""What is taken as a request, and what is not.

Owns the limits of the intake (docs/definitions.md, section What is not taken): types that take no requests, answers
that are somebody else's to act on, places outside the city, and places and photos as the type asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fixline.domain.conditions.evaluation import evaluate
from fixline.domain.deadlines import timekeeping
from fixline.domain.definition.forms import read_answers
from fixline.domain.definition.model import Definition
from fixline.domain.process.builder import DecisionBuilder
from fixline.domain.process.commands import Actor, Open, Place, Role
from fixline.domain.process.decision import refuse

OUTSIDE = "This place lies outside the city."


def read_report(definition: Definition, command: Open) -> dict[str, Any]:
    """The report's answers. Raises Refused: for what is not taken first, since nothing else matters then."""
    check_takes_requests(definition)
    # Another system never asked our questions: what a backlog does not say is simply not known.
    answers, problems = read_answers(definition.intake.questions, command.answers, partial=command.backlog)
    if not command.backlog:
        _check_diverted(definition, answers)
    if command.outside:
        _check_outside(definition)
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


def note_undecided(builder: DecisionBuilder) -> None:
    """Say in the journal which diversions could not be decided for want of an answer."""
    verdicts = [(each.when, evaluate(each.when, builder.state.answers)) for each in builder.definition.intake.divert]
    undecided = [(when, verdict.missing) for when, verdict in verdicts if verdict.missing]
    timekeeping.note_undecided(builder, "divert", undecided)


def check_place(definition: Definition, place: Place | None) -> None:
    """A type that needs a place has one. Raises Refused."""
    if definition.intake.location == "required" and (place is None or not place.located):
        raise refuse("location_missing", f"a report of {definition.title!r} needs a place")


def check_move(definition: Definition, actor: Actor) -> None:
    """Whether a request's place may be put outside the city: by staff, not by whoever reported it. Raises Refused."""
    if actor.role in (Role.REPORTER, Role.SERVICE):
        _check_outside(definition)


def _check_outside(definition: Definition) -> None:
    rules = definition.intake.outside
    if not rules.accept:
        say = rules.say or OUTSIDE
        raise refuse("outside_city", say, say=say)


def _check_diverted(definition: Definition, answers: Mapping[str, Any]) -> None:
    for each in definition.intake.divert:
        if evaluate(each.when, answers).holds:
            raise refuse("diverted", each.say, to=each.to, say=each.say)
