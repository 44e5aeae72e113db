"""Definitions published, compared and moved to, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from api import prepare
from fixline.settings import Settings
from tests.support.api import READ_ONCE, Fault, Service, problem
from tests.support.lakeport import LAKEPORT

SIGN = """\
type: missing-stop-sign
title: "Missing stop sign"
department: transportation
intake:
  location: required
priority:
  - {otherwise: high}
calendar: public-works
deadlines:
  resolve:
    from: opened
    met_by: closed
    within: 3 working days
start: replace
steps:
  replace:
    dispatch: "Put up the sign"
    team: street-dispatch
    then: {done: fixed, there: nothing_found}
  fixed: {close: fixed}
  nothing_found: {close: no_problem_found}
"""
POTHOLE_TEXT = (LAKEPORT / "transportation" / "pothole.yaml").read_text(encoding="utf-8")
RENAMED = "transportation/pothole.yaml"


async def test_a_new_type_is_served_at_once(anywhere: Service) -> None:
    done = await anywhere.post("definitions", {"text": SIGN}, by="analyst")
    assert [(item["type"], item["version"], item["state"]) for item in done["items"]] == [
        ("missing-stop-sign", 1, "published")
    ]
    body = {"type": "missing-stop-sign", "location": {"address": "1 Main St"}}
    opened = await anywhere.post("requests", body, by="app", status=201)
    assert (opened["step"], opened["priority"]) == ("replace", "high")
    await anywhere.post(f"tasks/{opened['id']}-T1/complete", {"outcome": "done"})
    again = await anywhere.post("definitions", {"files": {"transportation/missing-stop-sign.yaml": SIGN}}, by="analyst")
    assert again["items"][0]["state"] == "unchanged"


async def test_findings_stop_all_of_it(service: Service) -> None:
    before = service.rows()
    wrong = SIGN.replace("team: street-dispatch", "team: street-dispach")
    files = {"transportation/missing-stop-sign.yaml": wrong, RENAMED: POTHOLE_TEXT + "\n# another\n"}
    found = problem(
        await service.call("POST", "definitions", {"files": files}, by="analyst"), 422, "definitions_invalid"
    )
    (finding,) = found["findings"]
    assert (finding["file"], finding["line"], finding["code"]) == ("transportation/missing-stop-sign.yaml", 18, "FX303")
    checked = await service.post("definitions/check", {"files": files}, by="supervisor")
    assert checked["findings"] == found["findings"]
    assert service.rows() == before


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"water/missing-stop-sign.yaml": SIGN}, "FX210"),
        ({"a/x.yaml": SIGN}, "FX210"),
        ({"transportation/missing-stop-sign.yaml": SIGN, "missing-stop-sign.yaml": SIGN}, "FX211"),
        ({"transportation/x.yaml": "- 1"}, "FX203"),
    ],
)
async def test_what_is_checked_of_files(service: Service, files: dict[str, str], code: str) -> None:
    found = await service.post("definitions/check", {"files": files})
    assert code in [finding["code"] for finding in found["findings"]]


@pytest.mark.parametrize("body", [{}, {"text": SIGN, "files": {"a.yaml": SIGN}}, {"files": {}}, {"text": ""}])
async def test_neither_or_both(service: Service, body: dict[str, Any]) -> None:
    problem(await service.call("POST", "definitions/check", body), 422, "invalid")


async def test_versions_and_what_is_different(anywhere: Service) -> None:
    changed = POTHOLE_TEXT.replace("otherwise: 7 working days", "otherwise: 5 working days")
    assert changed != POTHOLE_TEXT
    kept = await anywhere.open()
    anywhere.later(hours=1)
    await anywhere.post("definitions", {"text": changed}, by="analyst")
    lines = (await anywhere.get("definitions/pothole/versions", by="app"))["items"]
    assert [(line["version"], line["current"], line["open_requests"], line["published_by"]) for line in lines] == [
        (2, True, 0, "analyst"),
        (1, False, 1, None),
    ]
    diff = await anywhere.get("definitions/pothole/diff", **{"from": "1", "to": "2"})
    assert diff["changes"] == ["deadline resolve: 7 working days -> 5 working days"]
    assert (await anywhere.get(f"requests/{kept}"))["definition"]["version"] == 1
    newer = await anywhere.open()
    assert (await anywhere.get(f"requests/{newer}"))["definition"]["version"] == 2
    problem(await anywhere.call("GET", "definitions/dragon/versions"), 404, "type_unknown")
    problem(await anywhere.call("GET", "definitions/pothole/diff?from=9"), 422, "invalid")


async def test_a_move_changes_exactly_what_its_dry_run_says(anywhere: Service) -> None:
    ids = [await anywhere.open() for _ in range(3)]
    repaired = ids[1]
    await anywhere.post(f"tasks/{repaired}-T1/complete", {"outcome": "pothole", "form": {"depth": 3}})
    changed = POTHOLE_TEXT.replace("otherwise: 7 working days", "otherwise: 5 working days")
    await anywhere.post("definitions", {"text": changed}, by="analyst")
    before = {each: await anywhere.get(f"requests/{each}") for each in ids}
    rows = anywhere.rows()
    said = await anywhere.post("definitions/pothole/move", {"to": 2, "dry_run": True}, by="analyst")
    assert anywhere.rows() == rows
    assert [(item["id"], item["state"], item["from_version"]) for item in said["items"]] == [
        (each, "would_move", 1) for each in ids
    ]
    body = {"to": "current", "requests": ids[:2], "reason": "new target"}
    done = await anywhere.post("definitions/pothole/move", body, by="analyst")
    assert [(item["id"], item["state"]) for item in done["items"]] == [(each, "moved") for each in ids[:2]]
    for item in said["items"][:2]:
        after = await anywhere.get(f"requests/{item['id']}")
        assert after["definition"]["version"] == 2
        (clock,) = item["changes"]["clocks"]
        assert (clock["name"], clock["budget"]["after"]) == ("resolve", "5 working days")
        dues = {each["name"]: each["due_at"] for each in after["clocks"]}
        assert dues["resolve"] == clock["due_at"]["after"].replace("+00:00", "Z")
        same = ("step", "priority", "tasks", "status", "answers", "steps_taken")
        assert {name: after[name] for name in same} == {name: before[item["id"]][name] for name in same}
    assert await anywhere.get(f"requests/{ids[2]}") == before[ids[2]]


async def test_a_request_without_a_place_in_the_version_stays(service: Service) -> None:
    request_id = await service.open()
    changed = POTHOLE_TEXT.replace("inspect:", "look:").replace("start: inspect", "start: look")
    changed = changed.replace("met_by: inspect", "met_by: look").replace(": inspect", ": look")
    await service.post("definitions", {"text": changed}, by="analyst")
    refused = (await service.post("definitions/pothole/move", {"to": 2}, by="analyst"))["items"]
    assert [(item["state"], item["code"]) for item in refused] == [("refused", "step_missing")]
    assert (await service.get(f"requests/{request_id}"))["definition"]["version"] == 1
    wrong = await service.call("POST", "definitions/pothole/move", {"to": 2, "map": {"inspect": "loook"}})
    (error,) = problem(wrong, 422, "invalid")["errors"]
    assert (error["field"], error["code"]) == ("map.inspect", "unknown_step")
    assert "did you mean 'look'?" in error["message"]
    body = {"to": 2, "map": {"inspect": "look"}}
    assert (await service.post("definitions/pothole/move", body))["items"][0]["state"] == "moved"
    found = await service.get(f"requests/{request_id}")
    assert (found["step"], found["tasks"][0]["step"]) == ("look", "look")


async def test_a_move_that_a_fault_keeps_from_being_decided_waits_and_stops_nobody(
    anywhere: Service, fault: Fault
) -> None:
    """It is given to each request by itself: the others have moved."""
    ids = [await anywhere.open() for _ in range(2)]
    changed = POTHOLE_TEXT.replace("otherwise: 7 working days", "otherwise: 5 working days")
    await anywhere.post("definitions", {"text": changed}, by="analyst")
    fault.on, fault.of = True, ids[0]
    done = await anywhere.post("definitions/pothole/move", {"to": 2}, by="analyst")
    assert [(item["id"], item["state"]) for item in done["items"]] == [(ids[0], "waiting"), (ids[1], "moved")]
    fault.on = False
    anywhere.tick(ids[0])
    assert (await anywhere.get(f"commands/{done['items'][0]['command_id']}", by="analyst"))["state"] == "applied"
    assert (await anywhere.get(f"requests/{ids[0]}"))["definition"]["version"] == 2


async def test_a_move_is_made_while_temporal_is_away(away: Service) -> None:
    """Each request's new deadlines hold at once."""
    request_id = await away.open()
    changed = POTHOLE_TEXT.replace("otherwise: 7 working days", "otherwise: 5 working days")
    await away.post("definitions", {"text": changed}, by="analyst")
    done = await away.post("definitions/pothole/move", {"to": 2}, by="analyst")
    assert [(item["id"], item["state"]) for item in done["items"]] == [(request_id, "moved")]
    assert (await away.get(f"requests/{request_id}"))["promised_at"] == "2026-06-08T15:00:00Z"


async def test_a_start_does_not_undo_what_was_published(service: Service) -> None:
    changed = POTHOLE_TEXT.replace("otherwise: 7 working days", "otherwise: 5 working days")
    await service.post("definitions", {"text": changed}, by="analyst")
    prepare(service.store, READ_ONCE(LAKEPORT).catalog, Settings(), service.now)
    assert (await service.get("definitions/pothole"))["version"] == 2


async def test_recategorise(anywhere: Service) -> None:
    request_id = await anywhere.open()
    path = f"requests/{request_id}/recategorise"
    wrong = await anywhere.call("POST", path, {"type": "potholle", "reason": "x"}, by="supervisor")
    assert problem(wrong, 422, "invalid")["errors"][0]["code"] == "unknown_type"
    anywhere.later(hours=1)
    answer = await anywhere.call("POST", path, {"type": "graffiti", "reason": "paint"}, by="supervisor")
    missing = problem(answer, 422, "answers_invalid")["errors"]
    assert [(each["field"], each["code"]) for each in missing] == [("answers.surface", "missing")]
    body = {"type": "graffiti", "answers": {"surface": "brick"}, "reason": "paint"}
    await anywhere.post(path, body, by="supervisor")
    found = await anywhere.get(f"requests/{request_id}")
    assert (found["type"], found["department"], found["definition"]["type"]) == (
        "graffiti",
        "streets-and-sanitation",
        "graffiti",
    )
    assert found["status"] == "open"
    assert found["promised_at"] is not None
