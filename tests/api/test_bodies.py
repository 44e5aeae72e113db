"""Bodies and addresses that nothing can be made of: each has its own problem, and nothing is written."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from fixline.web.problems import Problem
from fixline.web.request_body import parse
from tests.support.api import Service, fields, problem

pytestmark = pytest.mark.usefixtures("nothing_written")
JSON = {"Content-Type": "application/json"}

MALFORMED = {
    "cut short": b'{"type": "pothole"',
    "no JSON": b"type=pothole",
    "something behind": b"{} {}",
    "NaN": b'{"type": "pothole", "answers": {"depth": NaN}}',
    "Infinity": b'{"type": "pothole", "answers": {"depth": -Infinity}}',
    "half a character": b'{"type": "pothole", "description": "\\ud800"}',
    "not UTF-8": b'{"type": "\xff"}',
    "too deep for anybody": b"[" * 500 + b"]" * 500,
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_malformed_json(service: Service, case: str) -> None:
    answer = await service.call("POST", "requests", content=MALFORMED[case], headers=JSON)
    assert fields(problem(answer, 422, "malformed_json")) == {"body": "malformed_json"}


@pytest.mark.parametrize("body", [b"[]", b'"pothole"', b"null", b"1"])
async def test_a_body_that_is_no_object(service: Service, body: bytes) -> None:
    problem(await service.call("POST", "requests", content=body, headers=JSON), 422, "not_an_object")


async def test_no_body(service: Service) -> None:
    answer = await service.call("POST", "requests", headers=JSON)
    assert fields(problem(answer, 422, "invalid")) == {"body": "missing"}


@pytest.mark.parametrize("number", [b"1e999", b"-1e400", b"9" * 400])
async def test_numbers_beyond_a_float(service: Service, number: bytes) -> None:
    body = b'{"type": "pothole", "answers": {"depth": ' + number + b"}}"
    answer = await service.call("POST", "requests", content=body, headers=JSON)
    assert fields(problem(answer, 422, "invalid")) == {"answers.depth": "not_a_number"}


async def test_depth_that_nobody_asks_for(service: Service) -> None:
    body = b'{"answers": {"lane": ' + b"[" * 50 + b"]" * 50 + b"}}"
    answer = await service.call("POST", "requests", content=body, headers=JSON)
    assert set(fields(problem(answer, 422, "invalid")).values()) == {"too_deep"}


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonish"])
async def test_a_body_that_is_not_called_json(service: Service, kind: str) -> None:
    answer = await service.call("POST", "requests", content=b"{}", headers={"Content-Type": kind})
    problem(answer, 415, "not_json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
async def test_a_body_that_is_called_json(service: Service, kind: str) -> None:
    answer = await service.call("POST", "requests", content=b"{}", headers={"Content-Type": kind})
    assert fields(problem(answer, 422, "invalid")) == {"type": "missing"}


async def test_a_body_too_large_by_its_length(service: Service) -> None:
    answer = await service.call("POST", "requests", {"type": "pothole", "description": "x" * 1_000_001})
    problem(answer, 413, "body_too_large")


async def test_a_body_too_large_in_chunks(service: Service) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"description": "'
        for _ in range(300):
            yield b"x" * 10_000

    answer = await service.call("POST", "requests", content=chunks(), headers=JSON)
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("path", ["nothing", "requests/", "/api/v2/requests", "/", "requests/a/b/c"])
async def test_addresses_where_nothing_is(service: Service, path: str) -> None:
    problem(await service.call("GET", path), 404, "not_found")


async def test_a_method_that_an_address_does_not_take(service: Service) -> None:
    answer = await service.call("DELETE", "requests")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("path", ["requests?q=a%00b", "requests?type=%00", "tasks?team=%00", "requests?%00=1"])
async def test_nul_in_a_query(service: Service, path: str) -> None:
    found = problem(await service.call("GET", path), 422, "invalid")
    assert set(fields(found).values()) == {"no_character"}


@pytest.mark.parametrize("path", ["requests/a%00b", "tasks/%00", "commands/%00", "definitions/%00"])
async def test_nul_in_an_address(service: Service, path: str) -> None:
    assert (await service.call("GET", path)).status_code == 404


def test_texts_may_say_nul_without_being_it() -> None:
    assert parse(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_a_problem_repeats_nothing_that_was_sent() -> None:
    with pytest.raises(Problem) as caught:
        parse(b'{"email": "rosa@example.org\\u0000"}')
    assert "rosa" not in str(caught.value.detail)


async def test_a_fault_of_ours_says_nothing_about_itself(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("fixline.service.request_view.read_request", broken)
    answer = await service.call("GET", "requests/SR26-00000001")
    problem(answer, 500, "fault")
    assert "secret" not in answer.text
