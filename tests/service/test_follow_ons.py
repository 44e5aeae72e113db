"""Opening follow-ons in the store, on both databases: once, with what the parent knows, or not at all."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from fixline.domain.journal.state import read_state
from fixline.domain.process.commands import EffectResult
from fixline.domain.process.effects import OpenFollowOn
from fixline.messages import EffectInput, WorkflowSignal
from fixline.service.opening import Contact, open_follow_on
from fixline.service.submissions import Locked
from fixline.store.tables import RequestRow
from tests.support.city import City, at_once
from tests.support.consistency import assert_consistent
from tests.support.types import errand

QUESTIONS = {"depth": {"kind": "number"}, "street": {"kind": "text"}}
ASKING = {"location": "none", "questions": {"depth": {"kind": "number", "required": True}}}
ZONE = ZoneInfo("America/Chicago")


def parent_of(child: str = "errand", **changes: Any) -> Any:
    """A type that begins with a follow-on."""
    then = {"fixed": "fixed", "otherwise": "work"}
    steps = {
        **errand().model_dump(mode="json", by_alias=True)["steps"],
        "water": {"kind": "follow_on", "follow_on": child, "waiting_as": "with_water", "then": then},
    }
    intake = {"location": "optional", "questions": QUESTIONS}
    return errand(type="cave-in", start="water", steps=steps, intake=intake, notify=[], **changes)


def take(city: City, request_id: str) -> str | None:
    """Take the request's last opening of a follow-on; the child's id."""
    (*_, effect) = city.effects_of(request_id, "open_follow_on")
    child: list[str | None] = []

    def taking(session: Session, taken: OpenFollowOn, request: Locked) -> EffectResult | None:
        report, signal = open_follow_on(session, city.rules, ZONE, taken, request, city.now)
        child.append(signal.request_id if signal else None)
        return report

    city.effects.take(EffectInput(request_id, effect.id, city.now), taking)
    return child[0] if child else None


@pytest.fixture
def waiting(city: City) -> str:
    """A request that waits for a follow-on of the type errand."""
    city.publish(errand(intake=ASKING, notify=[]), parent_of())
    return city.open("cave-in", answers={"depth": 3, "street": "Main"}, description="It sinks")


def test_the_child_knows_what_the_parent_knows(city: City, waiting: str) -> None:
    """The answers that it asks for itself, the words; no contact. Both name each other."""
    child = take(city, waiting)
    assert child
    row = city.request(child)
    assert (row.type, row.channel, row.parent_id, row.parent_step) == ("errand", "follow_on", waiting, "water")
    state = read_state(row.state or "")
    assert (state.answers, state.description, state.has_contact) == ({"depth": 3}, "It sinks", False)
    assert state.parent
    assert (state.parent.id, state.parent.depth) == (waiting, 1)
    known = read_state(city.request(waiting).state or "")
    assert list(known.children) == [child]
    assert city.request(waiting).waiting_as == "with_water"
    assert_consistent(city.store)


def test_it_is_opened_once(city: City, waiting: str) -> None:
    """Two workers at once, and one more afterwards."""
    found = [*at_once([lambda: take(city, waiting), lambda: take(city, waiting)]), take(city, waiting)]
    assert len([child for child in found if child]) == 1
    assert city.count(RequestRow) == 2
    assert_consistent(city.store)


def test_the_parent_goes_on_when_the_child_is_closed(city: City, waiting: str) -> None:
    child = take(city, waiting)
    assert child
    city.do(child, "complete", task=city.task(child).id, outcome="done")
    (effect,) = city.effects_of(child, "tell_request")
    city.effects.tell(EffectInput(child, effect.id, city.now))
    assert (city.request(waiting).status, city.request(waiting).outcome) == ("closed", "fixed")
    assert_consistent(city.store)


@pytest.mark.parametrize(
    ("published", "answers", "why"),
    [
        ([parent_of("nobody-knows")], {}, "there is no request type"),
        ([parent_of(), errand(intake={"location": "required"})], {}, "needs a place"),
        (
            [
                parent_of(),
                errand(intake=ASKING),
            ],
            {},
            "depth: an answer is required",
        ),
    ],
    ids=["unknown", "no place", "no answer"],
)
def test_what_cannot_be_opened_leads_on(city: City, published: list[Any], answers: dict[str, Any], why: str) -> None:
    """No number is used up, no half request is left, and the journal says why."""
    city.publish(*published)
    request_id = city.open("cave-in", answers=answers)
    assert take(city, request_id) is None
    (entry,) = city.journal(request_id, "follow_on_failed")
    assert why in entry.text
    assert city.request(request_id).step == "work"
    assert city.count(RequestRow) == 1
    assert_consistent(city.store)


def test_follow_ons_of_follow_ons_come_to_an_end(city: City) -> None:
    """A type that opens itself for ever is stopped at the fifth."""
    city.publish(parent_of("cave-in"))
    request_id = city.open("cave-in")
    chain = [request_id]
    while child := take(city, chain[-1]):
        chain.append(child)
    assert len(chain) == 6
    (entry,) = city.journal(chain[-1], "follow_on_failed")
    assert "5 deep" in entry.text


def test_nothing_is_opened_for_a_step_that_was_left(city: City, waiting: str) -> None:
    city.do(waiting, "cancel", reason="x")
    assert take(city, waiting) is None
    assert city.count(RequestRow) == 1


def test_a_childs_workflow_is_to_be_started_with_what_is_left_to_do(city: City, waiting: str) -> None:
    signal: WorkflowSignal | None = None

    def taking(session: Session, taken: OpenFollowOn, request: Locked) -> EffectResult | None:
        nonlocal signal
        report, signal = open_follow_on(session, city.rules, ZONE, taken, request, city.now)
        return report

    (effect,) = city.effects_of(waiting, "open_follow_on")
    city.effects.take(EffectInput(waiting, effect.id, city.now), taking)
    assert signal is not None
    (child,) = city.store.read(lambda s: s.exec(select(RequestRow.id).where(RequestRow.id != waiting)))
    assert (signal.request_id, signal.name, signal.starts) == (child, "open", True)
    assert signal.work == city.work(child)
    assert city.request(child).signalled == 0


def test_a_request_closed_at_its_opening_is_not_over_while_somebody_has_to_be_told(city: City) -> None:
    """Without an effect nothing is left to do."""
    steps = {"fixed": {"kind": "close", "outcome": "fixed"}}
    city.publish(errand(start="fixed", steps=steps))
    told, nobody = city.opened(contact=Contact(email="a@example.org")), city.opened()
    for given, over in ((told, False), (nobody, True)):
        assert given.signal is not None
        assert city.request(given.row.request_id).status == "closed"
        assert (given.signal.work.closed, given.signal.work.over) == (True, over)
