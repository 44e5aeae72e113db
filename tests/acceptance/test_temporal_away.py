"""While Temporal is away: commands are kept, reads work, reports are decided at once, and the service says so.

And forty commands to one request at once: all applied, once and in order, never with more than eight bells in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, func, select

from fixline.store.arrivals import MAX_BELLS
from fixline.store.tables import CommandRow, JournalRow, RequestRow
from tests.acceptance.audit import at_rest, no_workflow_runs, until
from tests.acceptance.conftest import ADMIN_KEY, Cluster
from tests.acceptance.crowd import PLACE
from tests.acceptance.processes import wait_for_status
from tests.support.consistency import assert_consistent

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(400)]

REPORT = {"type": "graffiti", "location": PLACE, "answers": {"surface": "brick"}}
REMOVED = {"outcome": "removed", "form": {"removed_by": "chemical", "photo_after": "clean.jpg"}}
AT_ONCE = 40


@contextlib.asynccontextmanager
async def caller(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin's key."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=f"{cluster.url}/api/v1", headers=headers, timeout=60, limits=limits) as http:
        yield http


async def read(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    """The body of a read, which must succeed."""
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def opened(http: httpx.AsyncClient) -> str:
    """A request is reported; its id."""
    answer = await http.post("/requests", json=REPORT)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def open_task(http: httpx.AsyncClient, request_id: str) -> str:
    """The request's one open task."""
    found = await read(http, f"/requests/{request_id}")
    (task,) = [task for task in found["tasks"] if task["state"] in ("offered", "claimed", "started")]
    return str(task["id"])


async def applied(http: httpx.AsyncClient, command_id: str, within: float = 120) -> dict[str, Any]:
    """Follow a command until it is answered; what it was answered."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found: dict[str, Any] = await read(http, f"/commands/{command_id}")
        if found["state"] != "waiting":
            assert found["state"] == "applied", found
            return found
        assert asyncio.get_running_loop().time() < deadline, f"{command_id} still waits after {within} s"
        await asyncio.sleep(0.2)


async def test_commands_wait_for_temporal_and_are_applied_when_it_is_back(cluster: Cluster) -> None:
    """202 with a place to look, reads and reports as ever; then everything happens, in order."""
    cluster.start()
    async with caller(cluster) as http:
        request_id = await opened(http)
        first = await http.post(f"/requests/{request_id}/comment", json={"text": "before"})
        assert first.status_code in (200, 202), first.text
        await at_rest(cluster.store)
        cluster.temporal.end(signal.SIGKILL)

        task = await open_task(http, request_id)
        waiting: list[str] = []
        for path, body in (
            (f"/requests/{request_id}/hold", {"reason": "rain"}),
            (f"/requests/{request_id}/comment", {"text": "meanwhile"}),
            (f"/requests/{request_id}/resume", {}),
            (f"/tasks/{task}/complete", REMOVED),
        ):
            waiting.append(await told_to_wait(http, path, body, key=path))
        assert await told_to_wait(http, f"/tasks/{task}/complete", REMOVED, f"/tasks/{task}/complete") == waiting[-1]

        reported = [await report_at_once(http) for _ in range(5)]
        found = await read(http, f"/requests/{request_id}")
        assert (found["status"], found["step"], found["on_hold"]) == ("open", "remove", False)
        listed = await read(http, "/requests", status="open")
        assert {line["id"] for line in listed["items"]} == {request_id, *reported}
        assert len((await read(http, "/tasks"))["items"]) == 1 + len(reported)
        early = f"/tasks/{await open_task(http, reported[0])}/complete"
        waiting.append(await told_to_wait(http, early, REMOVED, key=early))

        cluster.start_temporal()
        began = time.monotonic()
        answers = [await applied(http, command_id) for command_id in waiting]
        print(f"\nall applied {time.monotonic() - began:.1f} s after Temporal was back")
        decisions = [answer["answer"]["request"]["decision"] for answer in answers[:4]]
        assert decisions == sorted(set(decisions))
        assert answers[3]["answer"]["request"]["status"] == "closed"
        assert answers[4]["answer"]["request"]["status"] == "closed"
        await until(lambda: cluster.store.read(all_taken_up), "a workflow has taken up every request")
        for each in reported[1:]:
            done = await http.post(f"/tasks/{await open_task(http, each)}/complete", json=REMOVED)
            assert done.status_code in (200, 202), done.text
        await at_rest(cluster.store)
        await no_workflow_runs(await cluster.client())
        assert assert_consistent(cluster.store, settled=True) == 1 + len(reported)
        assert (await read(http, "/requests", status="open"))["items"] == []


async def told_to_wait(http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str) -> str:
    """A command is answered with 202 and a place to look, which says that it waits; its id."""
    answer = await http.post(path, json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert told["state"] == "waiting"
    assert answer.headers["location"] == told["poll_url"] == f"/api/v1/commands/{told['command_id']}"
    found = await read(http, f"/commands/{told['command_id']}")
    assert (found["id"], found["state"], found["answer"]) == (told["command_id"], "waiting", None)
    return str(told["command_id"])


async def report_at_once(http: httpx.AsyncClient) -> str:
    """A report is answered in less than two seconds, with its real step and dates, and can be read; its id."""
    began = time.monotonic()
    answer = await http.post("/requests", json=REPORT)
    took = time.monotonic() - began
    assert answer.status_code == 201, answer.text
    assert took < 2, f"{took:.1f} s"
    told = answer.json()
    found = await read(http, f"/requests/{told['id']}")
    for name in ("status", "step", "priority", "promised_at"):
        assert found[name] == told[name]
    assert (told["status"], told["step"]) == ("open", "remove")
    opened_at, promised_at = (datetime.fromisoformat(found[name]) for name in ("opened_at", "promised_at"))
    assert (promised_at - opened_at).days == 14
    assert [clock["state"] for clock in found["clocks"]] == ["running"] * len(found["clocks"])
    return str(told["id"])


def all_taken_up(session: Session) -> bool:
    """Whether a workflow has taken up each open request."""
    without = select(func.count()).select_from(RequestRow).where(col(RequestRow.shell_at).is_(None))
    return session.exec(without).one() == 0


async def test_readiness_tells_when_temporal_is_missing(cluster: Cluster) -> None:
    """/readyz: 503 and which part, 200 when it is back; /healthz is about the process alone."""
    cluster.start()
    for how in (signal.SIGKILL, signal.SIGTERM):
        cluster.temporal.end(how)
        answer = wait_for_status(f"{cluster.url}/readyz", 503, 30)
        assert answer.json()["missing"] == ["temporal", "workers"]
        assert answer.json()["parts"] == {
            "database": "ok",
            "definitions": "ok",
            "temporal": "away",
            "workers": "unknown",
        }
        assert wait_for_status(f"{cluster.url}/healthz", 200, 5).json() == {"status": "alive"}
        cluster.start_temporal()
        answer = wait_for_status(f"{cluster.url}/readyz", 200, 60)
        assert (answer.json()["ready"], answer.json()["missing"]) == (True, [])


async def test_forty_commands_to_one_request_at_once(cluster: Cluster) -> None:
    """All are accepted, all applied, once and in the order of their numbers; at most eight bells are in flight."""
    cluster.start()
    async with caller(cluster) as http:
        request_id = await opened(http)
        bodies: list[tuple[str, dict[str, Any]]] = [("hold", {"reason": "rain"})]
        bodies += [("comment", {"text": f"remark {number}"}) for number in range(20)]
        bodies += [("amend", {"description": f"wall {number}", "reason": "seen"}) for number in range(19)]
        answers = await at_once(cluster, http, request_id, bodies)
        assert {answer.status_code for answer in answers} <= {200, 202}, [answer.text for answer in answers]
        assert kinds_applied(cluster, request_id) == {"hold": 1, "comment": 20, "amend": 19}

        # A hold of what is on hold and a resume of what is not are refused by the rules, wherever they meet them.
        bodies = [(verb, {"reason": "rain"}) for verb in ("resume", "hold") for _ in range(10)]
        bodies += [("comment", {"text": f"another remark {number}"}) for number in range(20)]
        answers = await at_once(cluster, http, request_id, bodies)
        for (verb, _), answer in zip(bodies, answers, strict=True):
            if answer.status_code == 409:
                assert answer.json()["code"] == {"hold": "already_on_hold", "resume": "not_on_hold"}[verb]
            else:
                assert answer.status_code in (200, 202), answer.text
        assert kinds_applied(cluster, request_id)["comment"] == 40
        turns = cluster.store.read(lambda s: turns_of(s, request_id))
        assert turns == ["held", "resumed"] * (len(turns) // 2) + ["held"] * (len(turns) % 2)

        assert (await http.post(f"/requests/{request_id}/cancel", json={"reason": "enough"})).status_code in (200, 202)
        await at_rest(cluster.store)
        await no_workflow_runs(await cluster.client())
        assert assert_consistent(cluster.store, settled=True) == 1


async def at_once(
    cluster: Cluster, http: httpx.AsyncClient, request_id: str, bodies: list[tuple[str, dict[str, Any]]]
) -> list[httpx.Response]:
    """Send all of these at once, and follow them to their answers; meanwhile count bells."""
    assert len(bodies) == AT_ONCE
    over = asyncio.Event()
    sampling = asyncio.create_task(most_bells(cluster, over))
    began = time.monotonic()
    answers = await asyncio.gather(*(http.post(f"/requests/{request_id}/{verb}", json=body) for verb, body in bodies))
    await at_rest(cluster.store)
    over.set()
    most, samples = await sampling
    codes = [answer.status_code for answer in answers]
    told = {code: codes.count(code) for code in sorted(set(codes))}
    print(f"\n{told} in {time.monotonic() - began:.1f} s; at most {most} bells in {samples} samples")
    assert samples > 3
    assert most <= MAX_BELLS
    return answers


async def most_bells(cluster: Cluster, over: asyncio.Event) -> tuple[int, int]:
    """The most waiting commands that had rung at any instant looked at, and how often was looked."""
    bells = (
        select(func.count())
        .select_from(CommandRow)
        .where(CommandRow.state == "waiting", col(CommandRow.rung_at).is_not(None))
    )
    most = samples = 0
    while not over.is_set():
        most = max(most, await asyncio.to_thread(cluster.store.read, lambda s: s.exec(bells).one()))
        samples += 1
        await asyncio.sleep(0.003)
    return most, samples


def kinds_applied(cluster: Cluster, request_id: str) -> dict[str, int]:
    """How many commands of each kind that people gave were applied."""
    wanted = select(CommandRow).where(CommandRow.request_id == request_id, CommandRow.state == "applied")
    rows = cluster.store.read(lambda s: list(s.exec(wanted)))
    kinds = [row.kind for row in rows if row.kind not in ("open", "report")]
    return {kind: kinds.count(kind) for kind in kinds}


def turns_of(session: Session, request_id: str) -> list[str]:
    """The journal's holds and resumes, in order."""
    wanted = select(JournalRow.kind).where(
        JournalRow.request_id == request_id, col(JournalRow.kind).in_(("held", "resumed"))
    )
    return list(session.exec(wanted.order_by(col(JournalRow.seq))))
