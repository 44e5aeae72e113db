"""Tasks over HTTP: lists, one task, and every verb with its refusals."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.api import MORNING, Fault, Service, fields, problem

VERBS: dict[str, dict[str, Any]] = {
    "claim": {},
    "release": {},
    "start": {},
    "complete": {"outcome": "pothole", "form": {"depth": 3}},
    "decline": {"reason": "no barrier"},
    "reassign": {"reason": "nearer", "assignee": "paul-kowalczyk"},
}


@pytest.fixture
async def task(service: Service) -> str:
    """An offered inspection."""
    return f"{await service.open()}-T1"


async def test_one_task_is_as_the_contract_says(anywhere: Service) -> None:
    request_id = await anywhere.open()
    found = await anywhere.get(f"tasks/{request_id}-T1", by="inspectors")
    assert (found["id"], found["state"], found["step"]) == (f"{request_id}-T1", "offered", "inspect")
    assert (found["kind"], found["team"], found["assignee"]) == ("inspection", "street-inspectors", None)
    assert {"pothole", "sewer_cave_in", "no_potholes_found"} <= set(found["outcomes"])
    assert found["form"]["depth"] == {
        "kind": "number",
        "required": False,
        "required_for": ["pothole"],
        "options": {},
        "min": 0.0,
        "max": None,
        "ask": "Depth in centimetres",
    }
    request = found["request"]
    assert (request["id"], request["type"], request["status"]) == (request_id, "pothole", "open")
    assert (request["answers"], request["description"]) == ({"lane": "curb", "depth": 4}, "Deep hole by the kerb")
    assert (request["latitude"], request["longitude"], request["address"]) == (41.881, -87.632, "20 N Clark St")


async def test_filters_and_pages(anywhere: Service) -> None:
    first = await anywhere.open()
    anywhere.later(minutes=1)
    second = await anywhere.open()
    await anywhere.post(f"tasks/{first}-T1/complete", VERBS["complete"], by="inspectors")

    async def found(by: str = "admin", **params: Any) -> list[str]:
        return [item["id"] for item in (await anywhere.get("tasks", by=by, **params))["items"]]

    # The repair was offered at the same instant as the second inspection; the earlier number comes first.
    assert await found() == [f"{first}-T2", f"{second}-T1"]
    assert await found(state="any") == [f"{first}-T1", f"{first}-T2", f"{second}-T1"]
    assert await found(state="completed") == [f"{first}-T1"]
    assert await found(state=["completed", "open"], team="street-inspectors") == [f"{first}-T1", f"{second}-T1"]
    assert await found(team="asphalt-central") == [f"{first}-T2"]
    assert await found(assignee="inspectors", state="any") == [f"{first}-T1"]
    assert await found(due_before=(MORNING + timedelta(days=7)).isoformat()) == [f"{first}-T2"]
    assert await found("inspectors") == [f"{second}-T1"]
    assert await found("asphalt") == [f"{first}-T2"]
    assert len(await found("supervisor")) == 2
    assert await found("stranger") == []
    page = await anywhere.get("tasks", limit=1)
    rest = await anywhere.get("tasks", limit=1, cursor=page["next"])
    assert [page["items"][0]["id"], rest["items"][0]["id"], rest["next"]] == [f"{first}-T2", f"{second}-T1", None]
    assert page["items"][0]["request"]["title"] == "Pothole in street"


async def test_claim_start_complete(service: Service, task: str) -> None:
    claimed = await service.post(f"tasks/{task}/claim", {"assignee": "anneke-vos"}, by="inspectors")
    assert (claimed["task"]["state"], claimed["task"]["assignee"]) == ("claimed", "anneke-vos")
    await service.post(f"tasks/{task}/release", by="supervisor")
    assert (await service.post(f"tasks/{task}/start", by="inspectors"))["task"]["state"] == "started"
    body = {**VERBS["complete"], "photos": ["IMG_7"]}
    done = await service.post(f"tasks/{task}/complete", body, by="inspectors")
    assert (done["task"]["state"], done["task"]["outcome"]) == ("completed", "pothole")
    assert (done["request"]["id"], done["request"]["status"], done["request"]["step"]) == (task[:-3], "open", "repair")
    found = await service.get(f"tasks/{task}", by="inspectors")
    assert (found["recorded"], found["photos"], found["outcome"]) == ({"depth": 3}, ["IMG_7"], "pothole")


async def test_decline_and_reassign(service: Service, task: str) -> None:
    declined = await service.post(f"tasks/{task}/decline", {"reason": "no barrier"}, by="inspectors")
    assert (declined["task"]["state"], declined["task"]["assignee"]) == ("offered", None)
    given = await service.post(f"tasks/{task}/reassign", VERBS["reassign"], by="supervisor")
    assert (given["task"]["state"], given["task"]["assignee"]) == ("claimed", "paul-kowalczyk")
    moved = await service.post(f"tasks/{task}/reassign", {"reason": "x", "team": "street-dispatch"}, by="supervisor")
    assert moved["task"]["team"] == "street-dispatch"


@pytest.mark.parametrize("verb", ["claim", "start"])
async def test_verbs_without_a_body(service: Service, task: str, verb: str) -> None:
    answer = await service.call("POST", f"tasks/{task}/{verb}", by="inspectors")
    assert answer.status_code == 200, answer.text


async def test_sending_an_outcome_twice_does_no_harm(anywhere: Service) -> None:
    task = f"{await anywhere.open()}-T1"
    headers = {"Idempotency-Key": "outcome-1"}
    first = await anywhere.post(f"tasks/{task}/complete", VERBS["complete"], by="inspectors", headers=headers)
    before = anywhere.rows()
    assert await anywhere.post(f"tasks/{task}/complete", VERBS["complete"], by="inspectors", headers=headers) == first
    assert anywhere.rows() == before
    found = problem(
        await anywhere.call("POST", f"tasks/{task}/complete", VERBS["complete"], by="inspectors"), 409, "task_state"
    )
    assert found["data"] == {
        "task": task,
        "state": "completed",
        "assignee": "inspectors",
        "team": "street-inspectors",
    }
    assert anywhere.rows() == before


async def test_an_outcome_that_a_fault_keeps_from_being_decided_is_kept(service: Service, fault: Fault) -> None:
    """The crew need not report it again; until it is decided the task is as it was."""
    task = f"{await service.open()}-T1"
    fault.on = True
    answer = await service.call("POST", f"tasks/{task}/complete", VERBS["complete"], by="inspectors")
    assert answer.status_code == 202
    assert (await service.call("GET", answer.json()["poll_url"], by="inspectors")).json()["state"] == "waiting"
    assert (await service.get(f"tasks/{task}", by="inspectors"))["state"] == "offered"
    fault.on = False
    service.tick(task.removesuffix("-T1"))
    found = (await service.call("GET", answer.json()["poll_url"], by="inspectors")).json()
    assert (found["state"], found["answer"]["task"]["state"]) == ("applied", "completed")


# -- refused ---------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, dict[str, Any], str, dict[str, str] | None]] = {
    "no outcome": ("complete", {}, "invalid", {"outcome": "missing"}),
    "unknown outcome": ("complete", {"outcome": "potholes"}, "unknown_outcome", {"outcome": "unknown_outcome"}),
    "required field missing": ("complete", {"outcome": "pothole"}, "form_invalid", {"form.depth": "missing"}),
    "wrong and unknown fields": (
        "complete",
        {"outcome": "pothole", "form": {"depth": "deep", "dephts": 1}},
        "form_invalid",
        {"form.depth": "not_a_number", "form.dephts": "unknown_field"},
    ),
    "form no object": ("complete", {"outcome": "pothole", "form": []}, "invalid", {"form": "not_an_object"}),
    "unknown key": ("complete", {"outcome": "x", "result": 1}, "invalid", {"result": "unknown_field"}),
    "decline without reason": ("decline", {}, "invalid", {"reason": "missing"}),
    "start with a body": ("start", {"now": True}, "invalid", {"now": "unknown_field"}),
    "assignee too long": ("claim", {"assignee": "x" * 101}, "invalid", {"assignee": "too_long"}),
    "release what nobody holds": ("release", {}, "task_state", None),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_is_not_written(service: Service, task: str, case: str) -> None:
    verb, body, code, wrong = REFUSED[case]
    before = service.rows()
    answer = await service.call("POST", f"tasks/{task}/{verb}", body, by="inspectors")
    found = problem(answer, 409 if wrong is None else 422, code)
    if wrong is not None:
        assert fields(found) == wrong
    assert service.rows() == before


async def test_a_wrong_holder_is_told_who_holds_it(service: Service, task: str) -> None:
    await service.post(f"tasks/{task}/claim", {"assignee": "anneke-vos"}, by="inspectors")
    before = service.rows()
    answer = await service.call("POST", f"tasks/{task}/complete", VERBS["complete"], by="inspectors")
    assert problem(answer, 409, "task_holder")["data"]["assignee"] == "anneke-vos"
    assert service.rows() == before


async def test_a_request_on_hold(service: Service, task: str) -> None:
    await service.post(f"requests/{task[:-3]}/hold", {"reason": "parade"})
    answer = await service.call("POST", f"tasks/{task}/claim", {}, by="inspectors")
    assert problem(answer, 409, "on_hold")["data"] == {"reason": "parade"}


@pytest.mark.parametrize("verb", VERBS)
async def test_an_unknown_task(service: Service, nothing_written: None, verb: str) -> None:
    problem(await service.call("POST", f"tasks/SR26-1-T1/{verb}", VERBS[verb]), 404, "task_unknown")


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"reassign"}))
async def test_another_teams_task(service: Service, task: str, verb: str) -> None:
    before = service.rows()
    answer = await service.call("POST", f"tasks/{task}/{verb}", VERBS[verb], by="asphalt")
    problem(answer, 403, "wrong_team")
    answer = await service.call("POST", f"tasks/{task}/{verb}", VERBS[verb], by="stranger")
    problem(answer, 403, "wrong_team")
    assert service.rows() == before


async def test_reading_another_teams_task(service: Service, task: str) -> None:
    problem(await service.call("GET", f"tasks/{task}", by="asphalt"), 403, "wrong_team")
    problem(await service.call("GET", "tasks?team=street-inspectors", by="asphalt"), 403, "wrong_team")
    problem(await service.call("GET", "tasks/none"), 404, "task_unknown")


@pytest.mark.parametrize("params", [{"state": "done"}, {"request": "x"}, {"due_before": "x"}, {"limit": 0}])
async def test_wrong_parameters(service: Service, params: dict[str, Any]) -> None:
    problem(await service.call("GET", "tasks", params=params), 422, "invalid")
