"""Clocks have from their request what lists are narrowed to, and a request has from its clocks when it is overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.store.tables import ClockRow, RequestRow, table_of
from tests.support.city import MORNING, City
from tests.support.consistency import assert_consistent
from tests.support.types import QUEUE, asking, errand, promised

FIRST = {"met_by": "work", "within": {"otherwise": "20 calendar minutes"}}
RESOLVE = {"met_by": "closed", "within": {"otherwise": "1 calendar hour"}, "paused_while": ["on_hold"]}


def unpaused() -> Definition:
    """A promise that goes on while the wait lasts, and one of a first look."""
    return promised(deadlines={"first": FIRST, "resolve": RESOLVE})


def scopes(city: City) -> dict[str, list[dict[str, Any]]]:
    """What is known of every request's clocks, and of every request."""
    clock, request = table_of(ClockRow).c, table_of(RequestRow).c
    of_clocks = select(*(clock[name] for name in ("name", "live", "type", "department", "area", "team")))
    of_requests = select(request.id, request.late_from).order_by(request.id)
    statements = {"clocks": of_clocks.order_by(clock.request_id, clock.name), "requests": of_requests}

    def read(session: Session) -> dict[str, list[dict[str, Any]]]:
        return {name: [dict(row) for row in session.execute(each).mappings()] for name, each in statements.items()}

    return city.store.read(read)


def test_a_clock_that_goes_on_follows_its_requests_team(city: City) -> None:
    city.publish(unpaused())
    request_id = city.open("promise")
    assert [each["team"] for each in scopes(city)["clocks"]] == [QUEUE, QUEUE]
    city.do(request_id, "complete", task=f"{request_id}-T1", outcome="later")
    first, resolve = scopes(city)["clocks"]
    assert (first["live"], first["team"]) == (False, None)
    assert (resolve["live"], resolve["team"]) == (True, None)
    city.do(request_id, "signal", name="wake")
    first, resolve = scopes(city)["clocks"]
    assert (first["team"], resolve["team"]) == (None, QUEUE)  # the first look is over
    assert_consistent(city.store)


def test_every_clock_follows_its_requests_type_and_department(city: City) -> None:
    elsewhere = unpaused().model_copy(update={"type": "other", "department": "streets-and-sanitation"})
    city.publish(unpaused(), elsewhere)
    request_id = city.open("promise")
    city.do(request_id, "complete", task=f"{request_id}-T1", outcome="later")
    city.do(request_id, "recategorise", type="other", version=elsewhere.version, reason="theirs")
    found = scopes(city)["clocks"]
    assert len(found) > 2
    assert {(each["type"], each["department"]) for each in found} == {("other", "streets-and-sanitation")}
    assert_consistent(city.store)


def test_a_request_is_overdue_from_its_earliest_live_clock_on(city: City) -> None:
    city.publish(unpaused())
    request_id = city.open("promise")

    def late_from() -> Any:
        return scopes(city)["requests"][0]["late_from"]

    assert late_from() == MORNING + timedelta(minutes=20)
    city.do(request_id, "complete", task=f"{request_id}-T1", outcome="again")
    assert late_from() == MORNING + timedelta(hours=1)
    city.do(request_id, "hold", reason="closed off")
    city.later(hours=3)
    city.do(request_id, "resume", reason="open")
    assert late_from() == MORNING + timedelta(hours=4)
    city.do(request_id, "cancel", reason="gone")
    assert late_from() is None
    assert_consistent(city.store)


def test_every_clock_has_its_requests_type_department_area_and_team(city: City) -> None:
    """Of types with and without deadlines, held, asleep and closed; clocks that have ended keep all but the team."""
    city.publish(errand(), asking(), unpaused())
    held, asleep, closed = city.open("promise"), city.open("promise"), city.open("promise")
    city.open()
    city.open("asking")
    city.open("pothole")
    city.do(held, "hold", reason="closed off")
    city.do(asleep, "complete", task=f"{asleep}-T1", outcome="later")
    city.do(closed, "cancel", reason="gone")
    found = scopes(city)["clocks"]
    assert {each["type"] for each in found} == {"promise", "pothole"}
    assert {(each["type"], each["area"]) for each in found} == {("promise", None), ("pothole", "north")}
    assert {each["live"] for each in found if each["team"] is None} == {False, True}, "nobody has what is asleep"
    assert_consistent(city.store)
