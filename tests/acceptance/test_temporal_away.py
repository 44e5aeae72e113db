"""While Temporal is away: everything is decided and answered as ever, and the service says that a part is missing.

And forty commands to one request at once: each has its final answer, all are applied, once and in order.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select
from temporalio.client import Client

from fixline.store.tables import CommandRow, EffectRow, JournalRow, RequestRow
from tests.support.acceptance.audit import at_rest, no_workflow_runs
from tests.support.acceptance.calls import REPORT, caller, opened, read
from tests.support.acceptance.cluster import Cluster
from tests.support.acceptance.crowd import PLACE
from tests.support.acceptance.processes import wait_for_status
from tests.support.consistency import assert_consistent
from tests.support.life import A_LIFE, REOPENABLE

pytestmark = [pytest.mark.temporal, pytest.mark.slow, pytest.mark.timeout(400)]

POTHOLE = {"type": "pothole", "location": PLACE, "answers": {"lane": "curb", "depth": 4}}
REMOVED = {"outcome": "removed", "form": {"removed_by": "chemical", "photo_after": "clean.jpg"}}
AT_ONCE = 40


async def open_task(http: httpx.AsyncClient, request_id: str) -> str:
    """The request's one open task."""
    found = await read(http, f"/requests/{request_id}")
    (task,) = [task for task in found["tasks"] if task["state"] in ("offered", "claimed", "started")]
    return str(task["id"])


async def given(http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """A command has its final answer at once; the answer, which the same key gets again."""
    headers = {"Idempotency-Key": key} if key is not None else {}
    began = time.monotonic()
    answer = await http.post(path, json=body, headers=headers)
    took = time.monotonic() - began
    assert answer.status_code == 200, answer.text
    assert took < 2, f"{took:.1f} s"
    told: dict[str, Any] = answer.json()
    found = await read(http, f"/commands/{told['command_id']}")
    assert (found["state"], found["answer"]["request"]["decision"]) == ("applied", told["request"]["decision"])
    if key is not None:
        again = await http.post(path, json=body, headers=headers)
        assert (again.status_code, again.json()) == (200, told)
    return told


async def refused(http: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, code: str) -> None:
    """A command is refused at once."""
    answer = await http.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code


async def test_everything_is_decided_while_temporal_is_away_and_done_when_it_is_back(cluster: Cluster) -> None:
    """Commands of every kind have their answers; then each effect is taken once, each timer armed, workflows end."""
    cluster.start()
    async with caller(cluster) as http:
        assert (await http.post("/definitions", json={"text": REOPENABLE})).status_code == 200
        known = [await opened(http) for _ in range(3)]
        await given(http, f"/requests/{known[0]}/comment", {"text": "before"})
        await at_rest(cluster.store)
        cluster.temporal.end(signal.SIGKILL)

        reported = [await report_at_once(http) for _ in range(4)]
        older, whole = await opened(http, POTHOLE), await opened(http, POTHOLE)
        for number, (path, body) in enumerate(A_LIFE):
            full = {**body, "to": older} if "to" in body else body
            await given(http, f"/{path.format(id=whole)}", full, key=f"life {number}")
        await refused(http, f"/requests/{whole}/hold", {"reason": "rain"}, 409, "request_closed")
        closed = [whole]
        for request_id in (known[0], reported[1]):
            task = await open_task(http, request_id)
            await given(http, f"/requests/{request_id}/hold", {"reason": "rain"}, key=f"hold {request_id}")
            await refused(http, f"/requests/{request_id}/hold", {"reason": "rain"}, 409, "already_on_hold")
            await refused(http, f"/tasks/{task}/claim", {}, 409, "on_hold")
            await given(http, f"/requests/{request_id}/resume", {})
            await refused(http, f"/tasks/{task}/complete", {"outcome": "gone"}, 422, "unknown_outcome")
            await given(http, f"/tasks/{task}/complete", REMOVED, key=f"complete {request_id}")
            closed.append(request_id)
        await given(http, f"/requests/{reported[2]}/attach", {"to": known[1], "reason": "the same wall"})
        await given(http, f"/tasks/{await open_task(http, known[1])}/complete", REMOVED)
        closed += [known[1], reported[2]]  # the duplicate closes with its original, once that can be told
        left = [known[2], reported[0], reported[3], older]
        await given(http, f"/requests/{known[2]}/priority", {"priority": "urgent", "reason": "school"})

        found = await read(http, f"/requests/{known[1]}")
        assert (found["status"], found["step"]) == ("closed", None)
        listed = await read(http, "/requests", status="open")
        assert {line["id"] for line in listed["items"]} == {reported[2], *left}
        assert len((await read(http, "/tasks"))["items"]) == len(left)

        assert cluster.store.read(effects_taken) == {("done", 1, None), ("pending", 0, None)}
        cluster.start_temporal()
        began = time.monotonic()
        await at_rest(cluster.store)
        print(f"\nall was told and taken {time.monotonic() - began:.1f} s after Temporal was back")
        assert cluster.store.read(effects_taken) == {("done", 1, None)}
        listed = await read(http, "/requests", status="open")
        assert {line["id"] for line in listed["items"]} == set(left)
        client = await cluster.client()
        for request_id in left:
            await until_armed(client, cluster, request_id)
        for request_id in closed:
            await asyncio.wait_for(client.get_workflow_handle(request_id).result(), 60)
        for request_id in left[:-1]:
            await given(http, f"/tasks/{await open_task(http, request_id)}/complete", REMOVED)
        await given(http, f"/requests/{older}/cancel", {"reason": "enough"})
        await at_rest(cluster.store)
        await no_workflow_runs(client)
        assert assert_consistent(cluster.store, settled=True) == len(closed) + len(left)
        assert (await read(http, "/requests", status="open"))["items"] == []


def effects_taken(session: Session) -> set[tuple[str, int, str | None]]:
    """In what states effects are, how often each was tried, and what went wrong."""
    return {(row.state, row.attempts, row.last_error) for row in session.exec(select(EffectRow))}


async def until_armed(client: Client, cluster: Cluster, request_id: str) -> None:
    """Wait until the workflow's one timer stands at the instant at which something falls due."""
    next_at = cluster.store.read(lambda s: s.get_one(RequestRow, request_id)).next_at
    assert next_at is not None
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        timers = await armed(client, request_id)
        if len(timers) == 1 and abs(timers[0] - next_at) < timedelta(seconds=2):
            return
        assert asyncio.get_running_loop().time() < deadline, f"{request_id}: {timers}, not {next_at}"
        await asyncio.sleep(0.2)


async def armed(client: Client, request_id: str) -> list[datetime]:
    """The instants of the timers that a request's workflow waits for."""
    found: dict[str, datetime] = {}
    history = await client.get_workflow_handle(request_id).fetch_history()
    for event in history.events:
        if event.HasField("timer_started_event_attributes"):
            started = event.timer_started_event_attributes
            found[started.timer_id] = event.event_time.ToDatetime(UTC) + started.start_to_fire_timeout.ToTimedelta()
        elif event.HasField("timer_canceled_event_attributes"):
            del found[event.timer_canceled_event_attributes.timer_id]
        elif event.HasField("timer_fired_event_attributes"):
            del found[event.timer_fired_event_attributes.timer_id]
    return list(found.values())


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
    """Each has its final answer, none is told to wait; they are applied once, in the order of their numbers."""
    cluster.start()
    async with caller(cluster) as http:
        request_id = await opened(http)
        bodies: list[tuple[str, dict[str, Any]]] = [("hold", {"reason": "rain"})]
        bodies += [("comment", {"text": f"remark {number}"}) for number in range(20)]
        bodies += [("amend", {"description": f"wall {number}", "reason": "seen"}) for number in range(19)]
        answers = await at_once(http, request_id, bodies)
        assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
        assert kinds_applied(cluster, request_id) == {"hold": 1, "comment": 20, "amend": 19}
        decisions = sorted(answer.json()["request"]["decision"] for answer in answers)
        assert len(set(decisions)) == AT_ONCE

        # A hold of what is on hold and a resume of what is not are refused by the rules, whenever it is their turn.
        bodies = [(verb, {"reason": "rain"}) for verb in ("resume", "hold") for _ in range(10)]
        bodies += [("comment", {"text": f"another remark {number}"}) for number in range(20)]
        answers = await at_once(http, request_id, bodies)
        for (verb, _), answer in zip(bodies, answers, strict=True):
            if answer.status_code == 409:
                assert answer.json()["code"] == {"hold": "already_on_hold", "resume": "not_on_hold"}[verb]
            else:
                assert answer.status_code == 200, answer.text
        assert kinds_applied(cluster, request_id)["comment"] == 40
        turns = cluster.store.read(lambda s: turns_of(s, request_id))
        assert turns == ["held", "resumed"] * (len(turns) // 2) + ["held"] * (len(turns) % 2)

        assert (await http.post(f"/requests/{request_id}/cancel", json={"reason": "enough"})).status_code == 200
        await at_rest(cluster.store)
        await no_workflow_runs(await cluster.client())
        assert assert_consistent(cluster.store, settled=True) == 1


async def at_once(
    http: httpx.AsyncClient, request_id: str, bodies: list[tuple[str, dict[str, Any]]]
) -> list[httpx.Response]:
    """Send all of these at once; their answers."""
    assert len(bodies) == AT_ONCE
    began = time.monotonic()
    answers = await asyncio.gather(*(http.post(f"/requests/{request_id}/{verb}", json=body) for verb, body in bodies))
    told = Counter(answer.status_code for answer in answers)
    print(f"\n{dict(told)} in {time.monotonic() - began:.1f} s")
    return answers


def kinds_applied(cluster: Cluster, request_id: str) -> dict[str, int]:
    """How many commands of each kind that people gave were applied."""
    wanted = select(CommandRow).where(CommandRow.request_id == request_id, CommandRow.state == "applied")
    rows = cluster.store.read(lambda s: list(s.exec(wanted)))
    kinds = [row.kind for row in rows if row.kind not in ("open", "effect_result")]
    return {kind: kinds.count(kind) for kind in kinds}


def turns_of(session: Session, request_id: str) -> list[str]:
    """The journal's holds and resumes, in order."""
    wanted = select(JournalRow.kind).where(
        JournalRow.request_id == request_id, col(JournalRow.kind).in_(("held", "resumed"))
    )
    return list(session.exec(wanted.order_by(col(JournalRow.seq))))
