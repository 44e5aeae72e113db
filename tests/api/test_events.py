"""GET /requests/{id}/events: the journal as server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.api import Service, fields, problem


def events(text: str) -> list[dict[str, Any]]:
    """The events of a stream, their data read."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        found.append({**lines, "data": json.loads(lines["data"])})
    return found


async def stream(service: Service, request_id: str, **options: Any) -> list[dict[str, Any]]:
    """The events of a stream that has ended."""
    answer = await service.call("GET", f"requests/{request_id}/events", **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.text)


async def test_events_are_the_journal(anywhere: Service) -> None:
    request_id = await anywhere.open()
    entries = (await anywhere.get(f"requests/{request_id}/journal"))["items"]
    found = await stream(anywhere, request_id, params={"seconds": 0})
    assert [each["data"] for each in found] == entries
    assert [(each["id"], each["event"]) for each in found] == [(str(e["seq"]), e["kind"]) for e in entries]


async def test_a_stream_goes_on_after_the_last_event(service: Service) -> None:
    request_id = await service.open()
    whole = await stream(service, request_id, params={"seconds": 0})
    resumed = await stream(service, request_id, params={"seconds": 0}, headers={"Last-Event-ID": "2"})
    assert resumed == whole[2:]
    assert await stream(service, request_id, params={"seconds": 0, "after_seq": 2}) == whole[2:]


async def test_new_entries_arrive_while_the_stream_is_open(service: Service) -> None:
    request_id = await service.open()
    listening = asyncio.create_task(stream(service, request_id, params={"seconds": 3}))
    await asyncio.sleep(0.3)
    assert not listening.done()
    await service.post(f"requests/{request_id}/comment", {"text": "Seen it"}, by="app")
    found = await listening
    assert (found[-1]["event"], found[-1]["data"]["text"]) == ("commented", "Seen it")
    assert [each["id"] for each in found] == [str(number) for number in range(1, len(found) + 1)]


async def test_events_of_no_request(service: Service) -> None:
    problem(await service.call("GET", "requests/SR26-99999999/events"), 404, "request_unknown")


@pytest.mark.parametrize("params", [{"seconds": -1}, {"seconds": 3601}, {"after_seq": -1}, {"from": 1}])
async def test_wrong_parameters_of_a_stream(service: Service, params: dict[str, Any]) -> None:
    request_id = await service.open()
    answer = await service.call("GET", f"requests/{request_id}/events", params=params)
    assert set(fields(problem(answer, 422, "invalid"))) == set(params)


async def test_a_wrong_last_event(service: Service) -> None:
    request_id = await service.open()
    answer = await service.call("GET", f"requests/{request_id}/events", headers={"Last-Event-ID": "x"})
    assert "last-event-id" in fields(problem(answer, 422, "invalid"))
