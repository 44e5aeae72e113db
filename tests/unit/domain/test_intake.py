"""What is taken as a request, and what is not: other bodies' types, emergencies, places outside the city."""

from __future__ import annotations

from typing import Any

import pytest

from fixline.domain.definition.model import Definition
from fixline.domain.process.decision import Decision, Refusal
from tests.support.domain.driver import PLACE, Driven, command
from tests.support.domain.samples import REPORTER, SERVICE, SUPERVISOR, at, simple

DIVERT = [
    {"when": "on_fire == true", "to": "emergency", "say": "Call 911 now."},
    {"when": "wires in ['sparking']", "to": "Lakeport Electric", "say": "Call Lakeport Electric."},
]
QUESTIONS = {
    "on_fire": {"kind": "yes_no"},
    "wires": {"kind": "choice", "options": {"none": "None", "sparking": "Sparking"}},
    "colour": {"kind": "text", "required": True},
}


def poles(**intake: Any) -> Definition:
    """A type with diversions."""
    return simple(intake={"location": "optional", "questions": QUESTIONS, "divert": DIVERT, **intake})


def refusal_of(definition: Definition, **body: Any) -> Refusal:
    """The refusal of a report."""
    request = Driven(definition)
    result = request.give(command("open", type="simple", version="v", **body), at("mon 09:00"), SERVICE)
    assert isinstance(result, Refusal)
    assert not request.journal
    return result


@pytest.mark.parametrize(
    ("answers", "to"),
    [
        ({"on_fire": True, "colour": "red"}, "emergency"),
        ({"wires": "sparking", "colour": "red"}, "Lakeport Electric"),
        ({"on_fire": True, "wires": "sparking"}, "emergency"),
        ({"on_fire": True, "colour": 7, "nonsense": 1}, "emergency"),
    ],
    ids=["first", "second", "both", "other answers are wrong"],
)
def test_the_first_diversion_that_holds_is_answered(answers: dict[str, Any], to: str) -> None:
    """Before anything else is found wrong: who has to call 911 is not asked for the colour first."""
    refusal = refusal_of(poles(), answers=answers, outside=True)
    assert (refusal.code, refusal.data["to"]) == ("diverted", to)
    assert refusal.message == refusal.data["say"]


def test_an_undecided_diversion_does_not_hold() -> None:
    """The report is taken, and the journal says what was not known."""
    request = Driven.opened(poles(), at("mon 09:00"), answers={"colour": "red"})
    assert request.task.step == "work"
    assert [entry.data["missing"] for entry in request.entries("condition_undecided")] == [["on_fire"], ["wires"]]


def test_what_another_system_has_taken_is_taken() -> None:
    """A backlog request is one already."""
    answers = {"on_fire": True, "colour": "red"}
    assert Driven.opened(poles(), at("mon 09:00"), answers=answers, backlog=True).task.step == "work"


def test_a_type_that_takes_no_requests_says_whom_to_turn_to() -> None:
    """Whatever is reported."""
    redirect = {"to": "Lake County", "say": "County roads are the county's."}
    definition = Definition.model_validate({"type": "t", "title": "T", "department": "works", "redirect": redirect})
    assert not definition.takes_requests
    refusal = refusal_of(definition, answers={"any": 1})
    assert (refusal.code, refusal.data) == ("diverted", redirect)


def test_a_type_that_takes_requests_is_whole() -> None:
    """The model refuses half a definition, whoever made it."""
    with pytest.raises(ValueError, match="a calendar, a priority, a start and steps"):
        Definition.model_validate({"type": "t", "title": "T", "department": "works"})


@pytest.mark.parametrize(
    ("outside", "say"),
    [({}, "This place lies outside the city."), ({"say": "Ask the county."}, "Ask the county.")],
    ids=["plain", "own words"],
)
def test_a_place_outside_the_city_is_refused(outside: dict[str, Any], say: str) -> None:
    """In the type's own words."""
    refusal = refusal_of(poles(outside=outside), answers={"colour": "red"}, place=PLACE, outside=True)
    assert (refusal.code, refusal.message, refusal.data) == ("outside_city", say, {"say": say})


def test_a_type_may_accept_places_outside() -> None:
    """`outside: accept`."""
    definition = poles(outside={"accept": True})
    request = Driven.opened(definition, at("mon 09:00"), answers={"colour": "red"}, place=PLACE, outside=True)
    assert request.task.step == "work"
    assert isinstance(amend(request, REPORTER), Decision)


def amend(request: Driven, actor: Any) -> Decision | Refusal:
    """The place is put outside the city."""
    body = {"place": {"address": "9 County Road"}, "outside": True, "reason": "typo"}
    return request.give(command("amend", **body), at("mon 10:00"), actor)


def test_only_staff_put_a_place_outside_the_city() -> None:
    """The journal says so."""
    request = Driven.opened(poles(), at("mon 09:00"), answers={"colour": "red"}, place=PLACE)
    for actor in (REPORTER, SERVICE):
        refusal = amend(request, actor)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "outside_city"
    amend(request, SUPERVISOR)
    (entry,) = request.entries("place_changed")
    assert entry.text == "Place put right, outside the city. typo"
    assert entry.data["outside"] is True
