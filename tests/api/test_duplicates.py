"""Duplicates and limits of the intake over HTTP: what callers are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.store.versions import Versions, publish
from tests.support.api import DOWNTOWN, POTHOLE, Service, fields, problem

NEARBY = {**DOWNTOWN, "latitude": DOWNTOWN["latitude"] + 0.0001}
DIVERT = {"when": "depth >= 90", "to": "emergency", "say": "Call 911 now."}


def change(service: Service, **intake: Any) -> None:
    """Publish the pothole with another intake."""

    def write(session: Session) -> None:
        current = Versions().current(session, "pothole").definition.model_dump(mode="json", by_alias=True)
        definition = Definition.model_validate({**current, "intake": {**current["intake"], **intake}})
        publish(session, definition, service.now)

    service.store.write(write)


def looking(then: str) -> dict[str, Any]:
    """The rules for duplicates."""
    return {"within_m": 30, "opened_in_last": "30 calendar days", "then": then}


async def test_a_report_is_answered_with_what_it_may_repeat(anywhere: Service) -> None:
    change(anywhere, duplicates=looking("suggest"))
    first = await anywhere.open()
    tried = await anywhere.post("requests", {**POTHOLE, "location": NEARBY, "dry_run": True}, by="app")
    answer = await anywhere.post("requests", {**POTHOLE, "location": NEARBY}, by="app", status=201)
    assert answer["possible_duplicates"] == tried["possible_duplicates"]
    assert answer["possible_duplicates"] == [
        {
            "id": first,
            "distance_m": 11.1,
            "opened_at": "2026-06-01T15:00:00Z",
            "status": "open",
            "step": "inspect",
            "title": (await anywhere.get(f"requests/{first}"))["title"],
        }
    ]
    assert (answer["attached_to"], answer["step"]) == (None, "inspect")


async def test_a_report_is_attached(anywhere: Service) -> None:
    change(anywhere, duplicates=looking("attach"))
    first = await anywhere.open()
    tried = await anywhere.post("requests", {**POTHOLE, "location": NEARBY, "dry_run": True}, by="app")
    assert (tried["attached_to"], tried["tasks"], tried["clocks"]) == (first, [], [])
    answer = await anywhere.post("requests", {**POTHOLE, "location": NEARBY}, by="app", status=201)
    assert (answer["attached_to"], answer["status"], answer["step"], answer["promised_at"]) == (
        first,
        "open",
        None,
        None,
    )
    found = await anywhere.get(f"requests/{answer['id']}")
    assert (found["attached_to"], found["step"], found["clocks"], found["tasks"]) == (first, None, [], [])
    lines = (await anywhere.get("requests"))["items"]
    assert {line["id"]: line["attached_to"] for line in lines} == {first: None, answer["id"]: first}


async def test_a_supervisor_attaches_and_detaches(service: Service) -> None:
    first, second = await service.open(), await service.open()
    body = {"to": first, "reason": "The same hole"}
    answer = await service.post(f"requests/{second}/attach", body, by="supervisor")
    assert (answer["request"]["attached_to"], answer["request"]["step"]) == (first, None)
    refused = problem(await service.call("POST", f"requests/{second}/hold", {"reason": "x"}), 409, "request_attached")
    assert refused["data"] == {"attached_to": first}
    answer = await service.post(f"requests/{second}/detach", {"reason": "Another hole"}, by="supervisor")
    assert (answer["request"]["attached_to"], answer["request"]["step"]) == (None, "inspect")


async def test_what_cannot_be_attached_is_told(service: Service) -> None:
    first, second, third = await service.open(), await service.open(), await service.open()

    async def refused(request_id: str, to: str, status: int, code: str, by: str = "supervisor") -> dict[str, Any]:
        body = {"to": to, "reason": "The same"}
        return problem(await service.call("POST", f"requests/{request_id}/attach", body, by=by), status, code)

    assert fields(await refused(second, "SR26-99999999", 422, "invalid")) == {"to": "unknown_request"}
    await refused(first, first, 409, "attached_to_itself")
    await refused(first, second, 409, "original_not_older")
    await refused(second, first, 403, "wrong_department", by="stranger")
    await refused(second, first, 403, "wrong_role", by="inspectors")
    await service.post(f"requests/{second}/attach", {"to": first, "reason": "x"})
    assert (await refused(third, second, 409, "original_attached"))["data"] == {"attached_to": first}
    await service.post(f"requests/{first}/cancel", {"reason": "x"})
    assert (await refused(third, first, 409, "original_closed"))["data"]["outcome"] == "cancelled"
    problem(await service.call("POST", f"requests/{third}/detach", {"reason": "x"}), 409, "not_attached")


async def test_the_original_must_be_the_supervisors_too(service: Service) -> None:
    graffiti = {"type": "graffiti", "location": DOWNTOWN, "answers": {"surface": "brick"}}
    theirs = (await service.post("requests", graffiti, by="app", status=201))["id"]
    mine = await service.open()
    body = {"to": theirs, "reason": "x"}
    problem(await service.call("POST", f"requests/{mine}/attach", body, by="supervisor"), 403, "wrong_department")
    await service.post(f"requests/{mine}/attach", body)


# -- what is not taken -------------------------------------------------------------------------------------------------


async def test_a_diverted_report_is_not_taken(service: Service) -> None:
    change(service, divert=[DIVERT])
    before = service.rows()
    for extra in ({}, {"dry_run": True}):
        body = {**POTHOLE, "answers": {"depth": 95}, **extra}
        found = problem(await service.call("POST", "requests", body, by="app"), 409, "diverted")
        assert found["data"] == {"to": "emergency", "say": "Call 911 now."}
        assert found["detail"] == "Call 911 now."
    assert service.rows() == before


def with_boundary(service: Service) -> None:
    """The city is its districts."""
    parts = service.app.state.parts
    areas = replace(parts.catalog.areas, boundary="district")
    service.app.state.parts = replace(parts, catalog=replace(parts.catalog, areas=areas))


async def test_a_place_outside_the_city_is_refused(service: Service) -> None:
    with_boundary(service)
    change(service, outside={"say": "Ask your own town."})
    before = service.rows()
    paris = {"latitude": 48.85, "longitude": 2.35}
    found = problem(
        await service.call("POST", "requests", {**POTHOLE, "location": paris}, by="app"), 422, "outside_city"
    )
    assert fields(found) == {"location": "outside_city"}
    assert found["data"] == {"say": "Ask your own town."}
    assert service.rows() == before
    await service.open()
    await service.open(location={"address": "1 Main Street"})


async def test_a_supervisor_may_put_a_place_outside(service: Service) -> None:
    with_boundary(service)
    request_id = await service.open()
    body = {"location": {"latitude": 48.85, "longitude": 2.35}, "reason": "typo"}
    await service.post(f"requests/{request_id}/amend", body, by="supervisor")
    entries = (await service.get(f"requests/{request_id}/journal"))["items"]
    assert [e["data"]["outside"] for e in entries if e["kind"] == "place_changed"] == [True]


async def test_a_type_that_takes_no_requests_is_listed_and_says_whom_to_turn_to(service: Service) -> None:
    redirect = {"to": "Lake County", "say": "County parks are the county's."}
    definition = Definition.model_validate(
        {"type": "county-park", "title": "County park", "department": "transportation", "redirect": redirect}
    )
    service.store.write(lambda s: publish(s, definition, service.now))
    lines = {line["type"]: line for line in (await service.get("definitions"))["items"]}
    assert (lines["county-park"]["takes_requests"], lines["county-park"]["redirect"]) == (False, redirect)
    assert (lines["pothole"]["takes_requests"], lines["pothole"]["redirect"]) == (True, None)
    whole = await service.get("definitions/county-park")
    assert (whole["start"], whole["steps"], whole["calendar"], whole["timezone"]) == (None, {}, None, None)
    found = problem(await service.call("POST", "requests", {"type": "county-park"}, by="app"), 409, "diverted")
    assert found["data"] == redirect


async def test_the_rules_for_duplicates_are_shown(service: Service) -> None:
    change(service, duplicates=looking("attach"))
    shown = (await service.get("definitions/pothole"))["duplicates"]
    assert shown == {"within_m": 30.0, "opened_in_last": "30 calendar days", "then": "attach"}
