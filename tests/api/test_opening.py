"""POST /requests: what is answered, what is written, and that bad input writes nothing."""

import asyncio
import logging
from typing import Any

import pytest
from sqlmodel import select

from fixline.store.tables import CommandRow, ContactRow, RequestRow
from tests.support.api import DOWNTOWN, POTHOLE, Service, fields, problem

CONTACT = {"name": "Rosa Q. Reporter", "email": "rosa@example.org", "phone": "+1 312 555 0100"}


async def test_a_report_is_answered_at_once_and_in_full(anywhere: Service) -> None:
    answer = await anywhere.call("POST", "requests", POTHOLE, by="app")
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/requests/SR26-00000001"
    assert answer.json() == {
        "id": "SR26-00000001",
        "status": "open",
        "step": "inspect",
        "priority": "normal",
        "promised_at": "2026-06-10T15:00:00Z",
        "expected_at": None,
        "track_url": None,
        "attached_to": None,
        "possible_duplicates": [],
    }
    found = await anywhere.get("requests/SR26-00000001")
    assert (found["areas"], found["team"], found["address"]) == (
        {"district": "central"},
        "street-inspectors",
        DOWNTOWN["address"],
    )


async def test_a_report_is_opened_while_temporal_is_away(away: Service) -> None:
    assert await away.open() == "SR26-00000001"


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(service: Service, nothing_written: None) -> None:
    body = {**POTHOLE, "answers": {"lane": "bike"}, "contact": CONTACT, "dry_run": True}
    found = await service.post("requests", body, by="app", headers={"Idempotency-Key": "try"})
    assert found["dry_run"] is True
    assert found["id"] is None
    assert (found["step"], found["priority"], found["promised_at"]) == ("inspect", "high", "2026-06-03T15:00:00Z")
    assert [task["team"] for task in found["tasks"]] == ["street-inspectors"]
    assert {clock["name"] for clock in found["clocks"]} == {"T1.claim", "first_look", "resolve"}


async def test_contact_data_is_in_its_own_table_and_nowhere_else(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request_id = await service.open(contact=CONTACT)
    row = service.store.read(lambda s: s.get_one(ContactRow, request_id))
    assert (row.name, row.email, row.phone) == tuple(CONTACT.values())
    shown = str([await service.get(f"requests/{request_id}"), await service.get(f"requests/{request_id}/journal")])
    command = service.store.read(lambda s: s.exec(select(CommandRow)).one())
    kept = service.store.read(lambda s: s.get_one(RequestRow, request_id)).model_dump_json() + command.model_dump_json()
    for text in CONTACT.values():
        assert text not in shown + kept + caplog.text


async def test_an_empty_contact_is_none(service: Service) -> None:
    await service.open(contact={})
    assert service.rows()["contact"] == 0


# -- idempotency -----------------------------------------------------------------------------------------------------


async def test_the_same_key_and_body_is_one_request_and_one_answer(anywhere: Service) -> None:
    headers = {"Idempotency-Key": "report-1"}
    first = await anywhere.call("POST", "requests", POTHOLE, by="app", headers=headers)
    task = (await anywhere.get("tasks"))["items"][0]["id"]
    await anywhere.post(f"tasks/{task}/complete", {"outcome": "pothole", "form": {"depth": 3}}, by="inspectors")
    again = await anywhere.call("POST", "requests", dict(reversed(POTHOLE.items())), by="app", headers=headers)
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        first.json(),
        first.headers["location"],
    )
    assert anywhere.rows()["request"] == 1


async def test_the_same_key_at_once_is_one_request(anywhere: Service) -> None:
    headers = {"Idempotency-Key": "report-1"}
    answers = await asyncio.gather(
        *(anywhere.call("POST", "requests", POTHOLE, by="app", headers=headers) for _ in range(6))
    )
    assert {(each.status_code, each.json()["id"]) for each in answers} == {(201, "SR26-00000001")}
    assert anywhere.rows()["request"] == 1


async def test_the_same_key_with_another_body_is_refused(service: Service) -> None:
    headers = {"Idempotency-Key": "report-1"}
    await service.call("POST", "requests", POTHOLE, by="app", headers=headers)
    before = service.rows()
    other = await service.call("POST", "requests", {**POTHOLE, "description": "x"}, by="app", headers=headers)
    problem(other, 409, "idempotency_key_reused")
    assert service.rows() == before


async def test_keys_of_two_callers_are_two_keys(service: Service) -> None:
    headers = {"Idempotency-Key": "report-1"}
    for by in ("app", "other-app"):
        assert (await service.call("POST", "requests", POTHOLE, by=by, headers=headers)).status_code == 201
    assert service.rows()["request"] == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there", "caf\xe9"])
async def test_a_key_is_printable_and_short(service: Service, nothing_written: None, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = await service.call("POST", "requests", POTHOLE, by="app", headers=headers)
    assert fields(problem(answer, 422, "invalid")) == {"Idempotency-Key": "invalid"}


# -- bad input -------------------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "unknown type": ({"type": "pothoel"}, "invalid", {"type": "unknown_type"}),
    "no type": ({"type": None}, "invalid", {"type": "not_text"}),
    "missing answer": ({"answers": {}}, "answers_invalid", {"answers.lane": "missing"}),
    "wrong option": ({"answers": {"lane": "curbb"}}, "answers_invalid", {"answers.lane": "unknown_option"}),
    "unknown answer": (
        {"answers": {"lane": "curb", "laen": 1}},
        "answers_invalid",
        {"answers.laen": "unknown_field"},
    ),
    "every wrong answer is named": (
        {"answers": {"lane": 3, "depth": 101}},
        "answers_invalid",
        {"answers.lane": "unknown_option", "answers.depth": "too_large"},
    ),
    "answers no object": ({"answers": ["curb"]}, "invalid", {"answers": "not_an_object"}),
    "no place": ({"location": None}, "location_missing", {"location": "location_missing"}),
    "empty place": ({"location": {"address": "  "}}, "location_missing", {"location": "location_missing"}),
    "latitude out of range": (
        {"location": {"latitude": 90.5, "longitude": 0}},
        "invalid",
        {"location.latitude": "too_large"},
    ),
    "longitude out of range": (
        {"location": {"latitude": 0, "longitude": -181}},
        "invalid",
        {"location.longitude": "too_small"},
    ),
    "latitude alone": ({"location": {"latitude": 41.9}}, "invalid", {"location": "invalid"}),
    "latitude as text": (
        {"location": {"latitude": "41.9", "longitude": 0}},
        "invalid",
        {"location.latitude": "not_a_number"},
    ),
    "address too long": ({"location": {"address": "x" * 301}}, "invalid", {"location.address": "too_long"}),
    "description too long": ({"description": "x" * 4001}, "invalid", {"description": "too_long"}),
    "unknown key": ({"descripton": "x"}, "invalid", {"descripton": "unknown_field"}),
    "unknown key within": (
        {"location": {"address": "x", "zip": 1}},
        "invalid",
        {"location.zip": "unknown_field"},
    ),
    "photos no texts": ({"photos": ["a", 5]}, "invalid", {"photos.1": "not_text"}),
    "too many photos": ({"photos": ["a"] * 6}, "too_many_photos", {"photos": "too_many_photos"}),
    "no e-mail": ({"contact": {"email": "nobody"}}, "invalid", {"contact.email": "wrong_pattern"}),
    "channel": ({"channel": "Front Desk"}, "invalid", {"channel": "wrong_pattern"}),
    "dry_run as text": ({"dry_run": "yes"}, "invalid", {"dry_run": "not_yes_no"}),
    "NUL in a text": ({"description": "a\0b"}, "invalid", {"description": "no_character"}),
    "NUL in an answer": ({"answers": {"lane": ["\0"]}}, "invalid", {"answers.lane.0": "no_character"}),
    "NUL in a name": ({"answers": {"la\0ne": 1}}, "invalid", {"answers.la\N{REPLACEMENT CHARACTER}ne": "no_character"}),
}


@pytest.mark.parametrize("case", WRONG)
async def test_bad_input_is_named_and_writes_nothing(service: Service, nothing_written: None, case: str) -> None:
    changes, code, wrong = WRONG[case]
    headers = {"Idempotency-Key": "k"}
    answer = await service.call("POST", "requests", {**POTHOLE, **changes}, by="app", headers=headers)
    assert fields(problem(answer, 422, code)) == wrong
    for value in ("curbb", "nobody", "Front Desk"):
        assert f'"{value}"' not in answer.text


async def test_a_near_type_is_suggested(service: Service) -> None:
    answer = await service.call("POST", "requests", {**POTHOLE, "type": "pothoel"}, by="app")
    assert "did you mean 'pothole'?" in answer.json()["errors"][0]["message"]


async def test_a_place_outside_every_area_goes_elsewhere(service: Service) -> None:
    request_id = await service.open(location={"latitude": 0, "longitude": 0})
    assert (await service.get(f"requests/{request_id}"))["areas"] == {}
