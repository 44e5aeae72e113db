"""One command for many requests, on a real Temporal server with API and worker as processes: each workflow learns it.

Hold, priority, comment, reassign and cancel, on a filter and on a list; a dry run first, and who refuses is listed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from fixline.messages import PendingWork
from fixline.temporal.client import DATA_CONVERTER
from tests.support.acceptance.audit import at_rest
from tests.support.acceptance.calls import caller, opened, read
from tests.support.acceptance.cluster import Cluster
from tests.support.consistency import assert_consistent

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(400)]

WHY = {"reason": "the street is flooded"}


async def plan(http: httpx.AsyncClient, **body: Any) -> tuple[int, int, dict[str, str]]:
    """What a dry run says: how many would apply, how many would refuse, and who with which code."""
    answer = await http.post("/requests/bulk", json={**body, "dry_run": True})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["total"] == found["would_apply"] + found["would_refuse"]
    return found["would_apply"], found["would_refuse"], codes(found["items"])


async def give(cluster: Cluster, http: httpx.AsyncClient, **body: Any) -> tuple[int, int, dict[str, str]]:
    """The same by the bulk itself, followed until it is done; on the way its counts always add up."""
    answer = await http.post("/requests/bulk", json=body)
    assert answer.status_code == 202, answer.text
    started = answer.json()
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        found = await read(http, started["poll_url"].removeprefix("/api/v1"))
        counts = found["counts"]
        assert counts["total"] == sum(number for name, number in counts.items() if name != "total")
        if found["state"] == "done":
            await at_rest(cluster.store)  # signals that wait are merged: each command is to be told by its own
            return counts["applied"], counts["refused"], codes(found["items"])
        assert asyncio.get_running_loop().time() < deadline, found
        await asyncio.sleep(0.1)


def codes(items: list[dict[str, Any]]) -> dict[str, str]:
    """Who refuses, and why."""
    assert all(item["message"] for item in items)
    return {item["request"]: item["code"] for item in items}


async def shown(http: httpx.AsyncClient, ids: list[str], *names: str) -> list[tuple[Any, ...]]:
    """These facts of each request."""
    found = [await read(http, f"/requests/{request_id}") for request_id in ids]
    return [tuple(each[name] for name in names) for each in found]


async def told(client: Client, request_id: str) -> dict[int, str]:
    """What a request's workflow was told: the decisions in order, and after which commands the signals were named."""
    history = await client.get_workflow_handle(request_id).fetch_history()
    found: list[tuple[int, str]] = []
    for event in history.events:
        if event.HasField("workflow_execution_signaled_event_attributes"):
            given = event.workflow_execution_signaled_event_attributes
            (work,) = await DATA_CONVERTER.decode(given.input.payloads, [PendingWork])
            found.append((work.decision, given.signal_name))
    assert found == sorted(found)
    return dict(found)


async def test_every_command_is_decided_at_each_request_and_told_to_its_workflow(cluster: Cluster) -> None:
    cluster.start()
    client = await cluster.client()
    async with caller(cluster) as http:
        ids = [await opened(http) for _ in range(5)]
        held, *others = ids
        assert (await http.post(f"/requests/{held}/hold", json=WHY)).status_code == 200
        await at_rest(cluster.store)

        graffiti = {"filter": {"type": "graffiti"}, "command": "hold", **WHY}
        wanted = (4, 1, {held: "already_on_hold"})
        assert await plan(http, **graffiti) == wanted
        assert await shown(http, others, "on_hold") == [(False,)] * 4
        assert await give(cluster, http, **graffiti) == wanted
        assert await shown(http, ids, "on_hold") == [(True,)] * 5
        assert (await give(cluster, http, filter={"type": "graffiti"}, command="resume"))[0] == 5

        urgent = {"ids": ids[:3], "command": "priority", "priority": "urgent", **WHY}
        assert await give(cluster, http, **urgent) == (3, 0, {})
        assert await shown(http, ids, "priority") == [("urgent",)] * 3 + [("normal",)] * 2
        assert await plan(http, **urgent) == (0, 3, dict.fromkeys(ids[:3], "nothing_changed"))

        assert await give(cluster, http, ids=ids, command="comment", text="We know.") == (5, 0, {})
        assert await give(cluster, http, ids=ids[:2], command="reassign", team="graffiti-paint", **WHY) == (2, 0, {})
        assert {team for (team,) in await shown(http, ids[:2], "team")} == {"graffiti-paint"}

        unknown = "SR99-00000001"
        cancel = {"ids": [*ids[:4], unknown], "command": "cancel", **WHY}
        assert await plan(http, **cancel) == (4, 1, {unknown: "request_unknown"})
        assert await shown(http, ids, "status") == [("open",)] * 5
        assert await give(cluster, http, **cancel) == (4, 1, {unknown: "request_unknown"})
        assert await shown(http, ids, "status", "outcome") == [("closed", "cancelled")] * 4 + [("open", None)]
        assert await give(cluster, http, **cancel) == (
            0,
            5,
            {**dict.fromkeys(ids[:4], "request_closed"), unknown: "request_unknown"},
        )

        await at_rest(cluster.store)
        names = [name for name in (await told(client, ids[1])).values() if name != "open"]
        assert names == ["hold", "resume", "priority", "comment", "reassign", "cancel"]
        assert list((await told(client, ids[4])).values())[-1] == "comment", "what was refused is told to nobody"
        for request_id in ids[:4]:
            await asyncio.wait_for(client.get_workflow_handle(request_id).result(), 60)
        described = await client.get_workflow_handle(ids[4]).describe()
        assert described.status is WorkflowExecutionStatus.RUNNING
    assert_consistent(cluster.store, settled=True)
