"""Commands while a fault of ours keeps them from being decided, and while others write."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from fixline.service.commands import retry_parked
from fixline.store.store import Store
from fixline.web.auth import PATIENCE_SECONDS
from tests.support.api import ANSWER_WITHIN_SECONDS, POTHOLE, Fault, Service, problem

WHY = {"reason": "as the caller says"}


@pytest.fixture
async def request_id(service: Service) -> str:
    """An open pothole."""
    return await service.open()


# -- a fault of ours -------------------------------------------------------------------------------------------------


async def waits(service: Service, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A command is answered with 202 and a place to look; what it was told."""
    answer = await service.call("POST", path, body, **options)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    assert answer.headers["location"] == told["poll_url"] == f"/api/v1/commands/{told['command_id']}"
    return told


async def numbers(service: Service, *names: str) -> list[float]:
    """These numbers of /metrics."""
    text = (await service.call("GET", "/metrics", by=None)).text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return [float(lines[f"fixline_{name}"]) for name in names]


async def test_a_command_that_a_fault_keeps_from_being_decided_waits(anywhere: Service, fault: Fault) -> None:
    """202 and a place to look, the same for the same key; the workflow is told that it waits, and has it tried."""
    request_id = await anywhere.open()
    fault.on = True
    path, headers = f"requests/{request_id}/comment", {"Idempotency-Key": "comment-1"}
    told = await waits(anywhere, path, WHY, headers=headers)
    assert told["state"] == "waiting"
    found = (await anywhere.call("GET", told["poll_url"])).json()
    assert (found["state"], found["answer"], found["applied_at"]) == ("waiting", None, None)
    assert await numbers(anywhere, "commands_waiting", "commands_parked") == [1, 0]
    assert await numbers(anywhere, 'commands_total{kind="comment",state="waiting"}') == [1]
    row, before = anywhere.command(told["command_id"]), anywhere.rows()
    assert (row.attempts, row.fault) == (1, "ZeroDivisionError: ")
    assert await waits(anywhere, path, WHY, headers=headers) == told
    assert (anywhere.rows(), fault.met) == (before, 1)
    problem(await anywhere.call("POST", path, {"text": "x"}, headers=headers), 409, "idempotency_key_reused")

    await anywhere.quiet()
    _, name, work = anywhere.temporal.told[-1]
    assert (name, work.waiting, work.decision) == ("comment", 1, 1)
    fault.on = False
    anywhere.tick(request_id)
    applied = await anywhere.post(path, WHY, headers=headers)
    found = (await anywhere.call("GET", told["poll_url"])).json()
    assert (found["state"], found["answer"]["request"]["decision"]) == ("applied", 2)
    assert (applied["command_id"], applied["request"]["decision"]) == (told["command_id"], 2)
    assert await numbers(anywhere, "commands_waiting", "commands_parked") == [0, 0]
    kinds = [entry["kind"] for entry in (await anywhere.get(f"requests/{request_id}/journal"))["items"]]
    assert kinds.count("commented") == 1


async def test_a_command_at_fault_is_parked_and_said_so(anywhere: Service, fault: Fault) -> None:
    """After three tries; it is kept, those after it go on, and an operator has it tried anew."""
    request_id = await anywhere.open()
    fault.on = True
    path, headers = f"requests/{request_id}/comment", {"Idempotency-Key": "comment-1"}
    told = await waits(anywhere, path, WHY, headers=headers)
    anywhere.tick(request_id)
    assert fault.met == 3
    found = (await anywhere.call("GET", told["poll_url"])).json()
    assert (found["state"], found["answer"]["code"]) == ("failed", "parked")
    assert await waits(anywhere, path, WHY, headers=headers) == {**told, "state": "failed"}
    assert await numbers(anywhere, "commands_waiting", "commands_parked") == [0, 1]
    anywhere.tick(request_id)
    assert fault.met == 3

    fault.on = False
    assert (await anywhere.post(f"requests/{request_id}/hold", WHY))["request"]["on_hold"] is True
    assert anywhere.store.write(retry_parked) == 1
    anywhere.tick(request_id)
    assert (await anywhere.post(path, WHY, headers=headers))["command_id"] == told["command_id"]
    assert await numbers(anywhere, "commands_waiting", "commands_parked") == [0, 0]


async def test_a_command_that_waited_may_be_refused(service: Service, request_id: str, fault: Fault) -> None:
    """Only when it is tried do the rules see it; the caller learns it at the place to look, or by the same key."""
    fault.on = True
    path, headers = f"requests/{request_id}/hold", {"Idempotency-Key": "k"}
    await waits(service, path, WHY)
    told = await waits(service, path, WHY, headers=headers)
    fault.on = False
    service.tick(request_id)
    problem(await service.call("POST", path, WHY, headers=headers), 409, "already_on_hold")
    found = (await service.call("GET", told["poll_url"])).json()
    assert (found["state"], found["answer"]["code"]) == ("refused", "already_on_hold")


async def test_hold_and_cancel_get_through_when_catching_up_fails(
    service: Service, request_id: str, fault: Fault
) -> None:
    """What fell due before cannot be decided: others wait for it to be mended, the two that stop things do not."""
    fault.on = fault.catching_up_only = True
    await waits(service, f"requests/{request_id}/comment", WHY)
    assert (await service.post(f"requests/{request_id}/hold", WHY))["request"]["on_hold"] is True
    await waits(service, f"requests/{request_id}/resume", WHY)
    assert (await service.post(f"requests/{request_id}/cancel", WHY))["request"]["status"] == "closed"


async def test_a_repeated_attach_that_waits_is_told_the_same(service: Service, request_id: str, fault: Fault) -> None:
    """Also when the original has been closed meanwhile."""
    second = await service.open()
    fault.on, fault.of = True, second
    path, body, headers = f"requests/{second}/attach", {"to": request_id, **WHY}, {"Idempotency-Key": "attach-1"}
    told = await waits(service, path, body, headers=headers)
    await service.post(f"requests/{request_id}/cancel", WHY)
    assert await waits(service, path, body, headers=headers) == told


class Watch:
    """asyncio for the desk, with a clock that goes only while it sleeps; each sleep begins with `meanwhile`."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Watch:
        """Itself: it has the time."""
        return self

    def time(self) -> float:
        """How long it has slept."""
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        self.meanwhile()
        self.slept.append(seconds)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The desk's watch."""
    made = Watch()
    monkeypatch.setattr("fixline.service.requests.asyncio", made)
    return made


async def test_an_answer_is_waited_for_once(service: Service, request_id: str, fault: Fault, watch: Watch) -> None:
    """For as long as an answer may take, and no longer: also where the command is tried without catching up."""
    fault.on = True
    for number, verb in enumerate(("comment", "hold", "resume"), 1):
        await waits(service, f"requests/{request_id}/{verb}", WHY)
        assert watch.time() == pytest.approx(number * ANSWER_WITHIN_SECONDS)


async def test_a_command_decided_while_its_caller_waits_has_its_final_answer(
    service: Service, request_id: str, fault: Fault, watch: Watch
) -> None:
    """The workflow has had it tried, the fault was a passing one."""

    def mended() -> None:
        fault.on = False
        service.tick(request_id)

    fault.on, watch.meanwhile = True, mended
    answer = await service.post(f"requests/{request_id}/hold", WHY)
    assert (answer["request"]["on_hold"], len(watch.slept)) == (True, 1)


# -- while others write ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def taken(store: Store) -> Iterator[None]:
    """Another process writes: nobody else can."""
    with contextlib.closing(sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def busy(answer: httpx.Response) -> None:
    """The answer says that nothing was accepted, and when to try again."""
    problem(answer, 503, "store_busy")
    assert answer.headers["retry-after"] == "5"


async def test_programs_give_way_to_people_while_others_write(
    service: Service, request_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service's write is refused after a moment, with nothing written; staff wait, and get through."""
    assert PATIENCE_SECONDS == 1
    monkeypatch.setattr("fixline.web.auth.PATIENCE_SECONDS", 0.2)
    before = service.rows()
    headers = {"Idempotency-Key": "remark"}
    path = f"requests/{request_id}/comment"
    with taken(service.store):
        people = [
            asyncio.create_task(service.call("POST", f"requests/{request_id}/hold", WHY, by="supervisor")),
            asyncio.create_task(service.call("POST", f"tasks/{request_id}-T1/claim", {}, by="inspectors")),
        ]
        busy(await service.call("POST", path, WHY, by="app", headers=headers))
        busy(await service.call("POST", "requests", POTHOLE, by="app", headers=headers))
        assert (await service.get(f"requests/{request_id}", by="app"))["on_hold"] is False
        assert not any(person.done() for person in people)
        assert service.rows() == before
    held, claimed = await asyncio.gather(*people)
    assert held.status_code == 200, held.text
    assert claimed.status_code in (200, 409), claimed.text  # whichever came first
    await service.post(path, WHY, by="app", headers=headers)


async def test_nobody_waits_for_ever_while_others_write(
    service: Service, request_id: str, nothing_written: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staff, too, are told to try again in the end."""
    monkeypatch.setattr("fixline.store.store.BUSY_TIMEOUT_MS", 200)
    with taken(service.store):
        busy(await service.call("POST", f"requests/{request_id}/hold", WHY, by="supervisor"))
