"""GET /requests/{id} and its journal; on both databases."""

from typing import Any

import pytest

from tests.support.api import POTHOLE, Service, fields, problem
from tests.support.history import history


def clock(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One of the request's clocks."""
    (wanted,) = [each for each in found["clocks"] if each["name"] == name]
    return dict(wanted)


async def test_facts_clocks_tasks_and_steps(anywhere: Service) -> None:
    request_id = await anywhere.open(photos=["IMG_1"])
    anywhere.later(hours=2)
    task = f"{request_id}-T1"
    await anywhere.post(f"tasks/{task}/complete", {"outcome": "sewer_cave_in", "form": {"photo": "IMG_2"}})
    anywhere.later(hours=1)
    found = await anywhere.get(f"requests/{request_id}", by="app")
    assert (found["status"], found["step"], found["outcome"], found["team"]) == (
        "open",
        "cave_in",
        None,
        "street-dispatch",
    )
    assert (found["answers"], found["photos"]) == (POTHOLE["answers"] | {"photo": "IMG_2"}, ["IMG_1"])
    assert [(v["step"], v["visit"], v["outcome"]) for v in found["steps_taken"]] == [("inspect", 1, "sewer_cave_in")]
    assert set(found["steps_remaining"][:3]) == {"with_water", "repair", "cave_in_survey"}
    assert {"cave_in", "fixed"} <= set(found["steps_remaining"])
    assert "inspect" not in found["steps_remaining"]
    assert clock(found, "first_look")["state"] == "met"
    assert clock(found, "resolve") == {
        "name": "resolve",
        "kind": "deadline",
        "task": None,
        "step": None,
        "state": "running",
        "budget": "7 working days",
        "spent": "0.38 working days",
        "spent_minutes": 180.0,
        "started_at": "2026-06-01T15:00:00Z",
        "due_at": "2026-06-10T15:00:00Z",
        "breached_at": None,
        "ended_at": None,
        "overdue": False,
        "last_rung": None,
    }
    assert [(t["id"], t["state"], t["outcome"]) for t in found["tasks"]] == [
        (task, "completed", "sewer_cave_in"),
        (f"{request_id}-T2", "offered", None),
    ]
    assert found["definition"]["type"] == "pothole"
    assert found["definition"]["version"] == 1
    assert len(found["definition"]["hash"]) == 64
    assert (found["children"], found["parent"], found["expected_at"]) == ([], None, None)


async def test_overdue_is_told_by_due_and_needs_no_tick(service: Service) -> None:
    request_id = await service.open()
    service.later(days=30)
    found = await service.get(f"requests/{request_id}")
    assert found["overdue"] is True
    assert clock(found, "resolve")["overdue"] is True
    assert clock(found, "resolve")["breached_at"] is None


async def test_a_hold_and_a_wait_are_shown(service: Service) -> None:
    request_id = await service.open()
    for outcome, form in (("pothole", {"depth": 3}), ("too_wet", {})):
        (task,) = (await service.get("tasks"))["items"]
        await service.post(f"tasks/{task['id']}/complete", {"outcome": outcome, "form": form})
    await service.post(f"requests/{request_id}/hold", {"reason": "parade"})
    found = await service.get(f"requests/{request_id}")
    assert (found["step"], found["waiting_as"], found["wait_until"]) == (
        "dry_road",
        "waiting_for_weather",
        "2026-06-06T15:00:00Z",
    )
    assert found["hold"] == {"since": "2026-06-01T15:00:00Z", "reason": "parade", "by": "admin"}
    assert clock(found, "resolve")["state"] == "paused"


async def test_a_closed_request_has_no_step_left(service: Service) -> None:
    request_id = await service.open()
    await service.post(f"requests/{request_id}/cancel", {"reason": "twice"})
    found = await service.get(f"requests/{request_id}")
    assert (found["status"], found["outcome"], found["step"]) == ("closed", "cancelled", None)
    assert (found["steps_remaining"], found["overdue"]) == ([], False)


async def test_history_without_definition(anywhere: Service) -> None:
    anywhere.store.write(lambda s: s.add(history("SR26-00000009", area="central")))
    found = await anywhere.get("requests/SR26-00000009")
    assert (found["title"], found["areas"], found["answers"]) == (
        "Sanitation Code Violation",
        {"area": "central"},
        {},
    )
    assert found["definition"] == {"type": "sanitation-code-violation", "version": None, "hash": None}
    assert (found["clocks"], found["tasks"], found["steps_taken"], found["steps_remaining"]) == ([], [], [], [])
    assert await anywhere.get("requests/SR26-00000009/journal") == {"items": [], "next": None}


async def test_the_journal_counts_without_gaps(anywhere: Service) -> None:
    request_id = await anywhere.open()
    await anywhere.post(f"requests/{request_id}/comment", {"text": "Seen it"}, by="app")
    whole = (await anywhere.get(f"requests/{request_id}/journal"))["items"]
    assert [entry["seq"] for entry in whole] == list(range(1, len(whole) + 1))
    assert (whole[0]["kind"], whole[0]["actor"], whole[0]["decision"]) == ("opened", "app", 1)
    assert (whole[-1]["kind"], whole[-1]["text"], whole[-1]["decision"]) == ("commented", "Seen it", 2)
    found: list[Any] = []
    page = await anywhere.get(f"requests/{request_id}/journal", limit=2)
    while True:
        found += page["items"]
        if page["next"] is None:
            break
        page = await anywhere.get(f"requests/{request_id}/journal", limit=2, cursor=page["next"])
    assert found == whole
    later = await anywhere.get(f"requests/{request_id}/journal", after_seq=len(whole) - 1)
    assert [entry["seq"] for entry in later["items"]] == [len(whole)]


async def test_a_journals_cursor_is_its_own(service: Service) -> None:
    first, second = await service.open(), await service.open()
    cursor = (await service.get(f"requests/{first}/journal", limit=1))["next"]
    answer = await service.call("GET", f"requests/{second}/journal", params={"cursor": cursor})
    assert fields(problem(answer, 422, "invalid")) == {"cursor": "bad_cursor"}


@pytest.mark.parametrize("params", [{"after_seq": -1}, {"after_seq": 2**31}, {"from": 1}])
async def test_wrong_parameters_of_a_journal(service: Service, params: dict[str, Any]) -> None:
    request_id = await service.open()
    problem(await service.call("GET", f"requests/{request_id}/journal", params=params), 422, "invalid")


@pytest.mark.parametrize("path", ["requests/SR26-99999999", "requests/SR26-99999999/journal"])
async def test_an_unknown_request(anywhere: Service, path: str) -> None:
    problem(await anywhere.call("GET", path), 404, "request_unknown")
