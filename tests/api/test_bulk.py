"""POST /requests/bulk and GET /bulk/{id}: which requests, which command, what becomes of each, who may, dry runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from fixline.domain.process.advance import advance
from tests.support.api import POTHOLE, Fault, Service, fields, problem

LIGHT: dict[str, Any] = {
    **POTHOLE,
    "type": "graffiti",
    "answers": {"surface": "brick"},
    "location": {"address": "1 Main Street"},
}
HOLD = {"command": "hold", "reason": "the street is flooded"}
IDS = ["SR26-00000001", "SR26-00000002"]


@pytest.fixture
async def three(anywhere: Service) -> Service:
    """Two potholes and a graffiti."""
    await anywhere.open()
    await anywhere.open()
    await anywhere.post("requests", LIGHT, status=201)
    return anywhere


async def give(service: Service, body: dict[str, Any], by: str = "supervisor", **options: Any) -> Any:
    """A bulk, once every request has answered."""
    started = await service.post("requests/bulk", body, by=by, status=202, **options)
    found = started
    for _ in range(200):
        found = await service.get(f"bulk/{started['id']}", by=by)
        if found["state"] == "done":
            break
        await asyncio.sleep(0.02)
    assert found["state"] == "done", found
    return found


def counts(total: int, applied: int, refused: int) -> dict[str, int]:
    """The counts of a bulk that is done."""
    return {"total": total, "waiting": 0, "applied": applied, "refused": refused, "failed": 0}


async def test_a_filter_holds_what_it_selects_and_each_request_has_its_own_command(three: Service) -> None:
    found = await give(three, {**HOLD, "filter": {"type": "pothole"}})
    assert (found["command"], found["counts"], found["items"]) == ("hold", counts(2, 2, 0), [])
    assert found["poll_url"] == f"/api/v1/bulk/{found['id']}"
    for request_id in IDS:
        assert (await three.get(f"requests/{request_id}"))["on_hold"]
        (held,) = [e for e in (await three.get(f"requests/{request_id}/journal"))["items"] if e["kind"] == "held"]
        assert (held["actor"], held["data"]["reason"]) == ("supervisor", "the street is flooded")
    assert not (await three.get("requests/SR26-00000003"))["on_hold"]
    again = await give(three, {"command": "resume", "filter": {"type": ["pothole"]}})
    assert again["counts"] == counts(2, 2, 0)


async def test_failures_are_listed_with_their_reasons_and_stop_nobody(three: Service) -> None:
    await three.post("requests/SR26-00000001/hold", {"reason": "already"})
    await three.post("requests/SR26-00000002/cancel", {"reason": "gone"})
    third = await three.open()
    ids = [*IDS, "SR26-00000003", third, "SR99-00000001"]
    found = await give(three, {**HOLD, "ids": ids})
    assert found["counts"] == counts(5, 1, 4)
    assert {item["request"]: item["code"] for item in found["items"]} == {
        "SR26-00000001": "already_on_hold",
        "SR26-00000002": "request_closed",
        "SR26-00000003": "wrong_department",
        "SR99-00000001": "request_unknown",
    }
    assert all(item["message"] for item in found["items"])
    assert {item["command_id"] for item in found["items"]} == {None}, "what a request refuses is no command of its"
    first = await three.get(f"bulk/{found['id']}", limit=3)
    rest = await three.get(f"bulk/{found['id']}", limit=3, cursor=first["next"])
    assert [*first["items"], *rest["items"]] == found["items"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"command": "cancel", "reason": "twice"}, {"status": "closed", "outcome": "cancelled"}),
        ({"command": "priority", "priority": "urgent", "reason": "school"}, {"priority": "urgent"}),
        ({"command": "reassign", "team": "street-dispatch", "reason": "ill"}, {"team": "street-dispatch"}),
        ({"command": "comment", "text": "We know."}, {"status": "open"}),
    ],
    ids=lambda value: value.get("command", ""),
)
async def test_every_command(service: Service, body: dict[str, Any], shown: dict[str, Any]) -> None:
    await service.open()
    found = await give(service, {**body, "ids": IDS[:1]})
    assert found["counts"] == counts(1, 1, 0), found
    line = (await service.get("requests"))["items"][0]
    assert {name: line[name] for name in shown} == shown


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(three: Service) -> None:
    await three.post("requests/SR26-00000001/hold", {"reason": "already"})
    await three.post("requests/SR26-00000002/cancel", {"reason": "gone"})
    before = three.rows()
    ids = [*IDS, "SR26-00000003", "SR99-00000001", await three.open()]
    before = three.rows()
    plan = await three.post("requests/bulk", {**HOLD, "ids": ids, "dry_run": True}, by="supervisor")
    assert three.rows() == before
    assert (plan["dry_run"], plan["total"], plan["would_apply"], plan["would_refuse"]) == (True, 5, 1, 4)
    found = await give(three, {**HOLD, "ids": ids})
    assert [(i["request"], i["code"], i["message"]) for i in plan["items"]] == [
        (i["request"], i["code"], i["message"]) for i in found["items"]
    ]


async def test_sent_twice_it_happens_once(three: Service) -> None:
    key = {"Idempotency-Key": "storm-1"}
    body = {"command": "comment", "text": "We know.", "filter": {"type": "pothole"}}
    first = await give(three, body, headers=key)
    await three.open()  # the filter would select one more by now
    second = await give(three, body, headers=key)
    assert second == first
    answer = await three.call("POST", "requests/bulk", {**body, "text": "Else."}, by="supervisor", headers=key)
    problem(answer, 409, "idempotency_key_reused")
    said = [e for e in (await three.get("requests/SR26-00000001/journal"))["items"] if e["kind"] == "commented"]
    assert len(said) == 1


async def test_a_filter_keeps_to_the_department_of_the_key_and_to_open_requests(three: Service) -> None:
    await three.post("requests/SR26-00000002/cancel", {"reason": "gone"})
    body = {"command": "comment", "text": "We know.", "filter": {"opened_after": "2026-01-01T00:00:00Z"}}
    assert (await give(three, body))["counts"]["total"] == 1
    assert (await give(three, body, by="admin"))["counts"]["total"] == 2
    closed = {**body, "filter": {"status": "closed"}}
    assert (await give(three, closed))["counts"] == counts(1, 1, 0)
    wrong = {**body, "filter": {"department": ["streets-and-sanitation"]}}
    problem(await three.call("POST", "requests/bulk", wrong, by="supervisor"), 403, "wrong_department")
    none = await give(three, {**body, "filter": {"q": "nothing of the kind"}})
    assert none["counts"] == counts(0, 0, 0)


async def test_who_may_and_who_may_look(three: Service) -> None:
    body = {**HOLD, "ids": IDS}
    problem(await three.call("POST", "requests/bulk", body, by="app"), 403, "wrong_role")
    found = await give(three, body)
    await three.get(f"bulk/{found['id']}", by="admin")
    problem(await three.call("GET", f"bulk/{found['id']}", by="stranger"), 404, "bulk_unknown")
    problem(await three.call("GET", "bulk/none"), 404, "bulk_unknown")


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({**HOLD}, {"body": "invalid"}),
        ({**HOLD, "ids": IDS, "filter": {"type": "pothole"}}, {"body": "invalid"}),
        ({**HOLD, "ids": []}, {"ids": "too_short"}),
        ({**HOLD, "filter": {}}, {"filter": "missing"}),
        ({**HOLD, "filter": {"colour": "red"}}, {"filter.colour": "unknown_field"}),
        ({**HOLD, "filter": {"limit": 3}}, {"filter.limit": "unknown_field"}),
        ({**HOLD, "filter": {"status": "lost"}}, {"filter.status": "unknown_option"}),
        ({**HOLD, "filter": {"radius_m": 5}}, {"radius_m": "without_near"}),
        ({**HOLD, "ids": IDS, "team": "x"}, {"team": "unknown_field"}),
        ({"command": "hold", "ids": IDS}, {"reason": "missing"}),
        ({"command": "explode", "ids": IDS}, {"command": "unknown_option"}),
        ({"command": "reassign", "team": "nobody", "reason": "x", "ids": IDS}, {"team": "unknown_team"}),
        ({"command": "comment", "ids": IDS}, {"body": "invalid"}),
    ],
)
async def test_what_is_refused_at_the_door(service: Service, body: dict[str, Any], wrong: dict[str, str]) -> None:
    answer = await service.call("POST", "requests/bulk", body)
    assert fields(problem(answer, 422, "invalid")) == wrong


async def test_too_many_are_refused_with_what_to_do(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixline.web.bulk.MOST_REQUESTS", 1)
    await service.open()
    await service.open()
    found = problem(
        await service.call("POST", "requests/bulk", {**HOLD, "filter": {"type": "pothole"}}), 422, "invalid"
    )
    assert fields(found) == {"filter": "too_large"}
    assert "narrow it" in found["detail"]


async def test_while_temporal_is_away_every_request_has_its_command(away: Service) -> None:
    """It is decided there, a few requests at a time."""
    for _ in range(25):
        await away.open()
    found = await give(away, {**HOLD, "filter": {"type": "pothole"}})
    assert (found["counts"], found["items"]) == (counts(25, 25, 0), [])
    assert away.rows()["command"] == 50


async def test_each_workflow_is_told_behind_the_answer(service: Service) -> None:
    """Of those that took the command."""
    await service.open()
    await service.open()
    await service.post(f"requests/{IDS[0]}/hold", {"reason": "already"})
    await service.quiet()
    await give(service, {**HOLD, "ids": IDS})
    await service.quiet()
    assert [service.temporal.names(request_id)[-1] for request_id in IDS] == ["hold", "hold"]
    assert [service.request(request_id).signalled for request_id in IDS] == [2, 2]
    assert [work.decision for _, name, work in service.temporal.told if name == "hold"] == [2, 2]


async def test_a_command_that_a_fault_keeps_from_being_decided_waits_and_stops_nobody(
    three: Service, fault: Fault
) -> None:
    """The bulk runs on until it is decided or parked; parked ones are listed."""
    fault.on, fault.of = True, IDS[0]
    body = {"command": "comment", "text": "We know.", "ids": IDS}
    started = await three.post("requests/bulk", body, by="supervisor", status=202)
    path = f"bulk/{started['id']}"
    found = started
    for _ in range(200):
        found = await three.get(path)
        if found["counts"]["applied"] == 1:
            break
        await asyncio.sleep(0.02)
    assert (found["state"], found["counts"]) == ("running", {**counts(2, 1, 0), "waiting": 1})
    three.tick(IDS[0])
    found = await three.get(path)
    assert (found["state"], found["counts"]) == ("done", {**counts(2, 1, 0), "failed": 1})
    (item,) = found["items"]
    assert (item["request"], item["code"]) == (IDS[0], "parked")
    assert (await three.get(f"commands/{item['command_id']}"))["state"] == "failed"


async def test_a_fault_of_ours_in_one_request_does_not_hide_the_others(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.open()
    await service.open()

    def faulty(*arguments: Any, request_id: str, **options: Any) -> Any:
        if request_id == IDS[0]:
            raise OperationalError("x", None, ValueError("x"))
        return advance(*arguments, request_id=request_id, **options)

    monkeypatch.setattr("fixline.service.moving.advance", faulty)
    plan = await service.post("requests/bulk", {**HOLD, "ids": IDS, "dry_run": True})
    assert [(item["request"], item["code"]) for item in plan["items"]] == [(IDS[0], "fault")]
