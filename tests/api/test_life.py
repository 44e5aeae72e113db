"""A request's life beyond its normal way, over HTTP: opened again, its priority set by hand."""

from typing import Any

from sqlmodel import Session

from fixline.domain.definition.model import Definition
from fixline.store.versions import Versions, publish
from tests.support.api import MORNING, Service, problem

WHY = {"reason": "as the caller says"}


def with_reopen(service: Service, **rules: Any) -> None:
    """The current pothole gets a section `reopen`."""
    reopen = {"by": ["reporter", "supervisor"], "within": "2 calendar days", "at": "inspect", **rules}

    def write(session: Session) -> None:
        now = Versions().current(session, "pothole").definition
        changed = Definition.model_validate({**now.model_dump(mode="json", by_alias=True), "reopen": reopen})
        publish(session, changed, MORNING)

    service.store.write(write)


async def closed(service: Service) -> str:
    """A pothole that an inspector did not find."""
    request_id = await service.open()
    await service.post(f"tasks/{request_id}-T1/complete", {"outcome": "no_potholes_found"})
    return request_id


async def test_a_closed_request_is_opened_again(anywhere: Service) -> None:
    with_reopen(anywhere)
    request_id = await closed(anywhere)
    anywhere.later(hours=20)
    answer = await anywhere.post(f"requests/{request_id}/reopen", WHY, by="app")
    assert (answer["request"]["status"], answer["request"]["step"]) == ("open", "inspect")
    found = await anywhere.get(f"requests/{request_id}")
    assert (found["status"], found["outcome"], found["closed_at"], found["reopened"]) == ("open", None, None, 1)
    assert [task["state"] for task in found["tasks"]] == ["completed", "offered"]
    clocks = {clock["name"]: clock["state"] for clock in found["clocks"] if clock["kind"] == "deadline"}
    assert clocks == {"first_look": "met", "resolve": "met", "first_look.2": "running", "resolve.2": "running"}
    kinds = [entry["kind"] for entry in (await anywhere.get(f"requests/{request_id}/journal"))["items"]]
    assert kinds.count("reopened") == 1
    listed = await anywhere.get("requests", status="open")
    assert [each["id"] for each in listed["items"]] == [request_id]


async def test_late_clocks_of_a_second_life_are_found_by_their_deadline(anywhere: Service) -> None:
    with_reopen(anywhere)
    request_id = await closed(anywhere)
    await anywhere.post(f"requests/{request_id}/reopen", WHY, by="supervisor")
    anywhere.later(days=30)
    anywhere.tick(request_id)
    late = await anywhere.get("overdue", clock="resolve")
    assert [(item["clock"], item["request"]["id"]) for item in late["items"]] == [("resolve.2", request_id)]
    assert late["totals"]["clock"] == {"resolve": 1}


async def test_what_is_not_reopened(service: Service) -> None:
    request_id = await closed(service)
    problem(await service.call("POST", f"requests/{request_id}/reopen", WHY), 409, "not_reopenable")
    with_reopen(service, by=["supervisor"])
    later = await closed(service)
    problem(await service.call("POST", f"requests/{later}/reopen", WHY, by="app"), 409, "not_reopenable")
    service.later(days=2, seconds=1)
    before = service.rows()
    answer = await service.call("POST", f"requests/{later}/reopen", WHY, by="supervisor")
    assert "until" in problem(answer, 409, "reopen_too_late")["data"]
    assert service.rows() == before


async def test_a_supervisor_sets_the_priority(anywhere: Service) -> None:
    request_id = await anywhere.open()
    before = await anywhere.get(f"requests/{request_id}")
    answer = await anywhere.post(f"requests/{request_id}/priority", {**WHY, "priority": "high"}, by="supervisor")
    assert answer["request"]["priority"] == "high"
    assert answer["request"]["promised_at"] < before["promised_at"]
    back = await anywhere.post(f"requests/{request_id}/priority", {**WHY, "priority": None}, by="supervisor")
    assert (back["request"]["priority"], back["request"]["promised_at"]) == ("normal", before["promised_at"])
