"""The service: what is committed is the answer, and the workflow is told behind it; also where Temporal is away."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session
from temporalio.client import Client

from fixline.domain.process.commands import COMMAND, Command
from fixline.domain.process.decision import Decision, Refusal, Refused
from fixline.service.opening import Preview
from fixline.service.pending import claim_signals
from fixline.service.requests import RequestService
from fixline.service.submissions import KeyReused, Locked, NotAllowed, RequestUnknown, StoredCommand
from fixline.store.store import StoreAway, StoreBusy
from fixline.store.tables import CommandRow, RequestRow
from fixline.temporal.signals import Signals
from tests.support.city import City
from tests.support.consistency import assert_consistent
from tests.support.temporal_double import QUEUE, Temporal

WITHIN_SECONDS = 0.3


def command(kind: str = "comment", **body: Any) -> Command:
    """A command; a remark unless it is another."""
    return COMMAND.validate_python({"kind": kind, **(body or {"text": "x"})})


@pytest.fixture
async def request_service(errands: City, client: Client) -> AsyncIterator[RequestService]:
    """The request service of the city, on the test's server."""
    signals = Signals(client, errands.store, task_queue=QUEUE)
    made = RequestService(
        errands.store,
        signals,
        errands.zone,
        errands.versions,
        answer_within_seconds=WITHIN_SECONDS,
        clock=errands.clock,
        scheduling=errands.scheduling,
    )
    yield made
    await made.close()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The rules are out of order, until this is undone."""

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr("fixline.service.commands.advance", fails)
        yield patch


def other_process(city: City) -> sqlite3.Connection:
    """Somebody else who writes into the same file, until it is rolled back or closed."""
    other = sqlite3.connect(city.store.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


# -- opening -----------------------------------------------------------------------------------------------------------


async def test_opening_answers_at_once_and_starts_the_workflow_behind(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    temporal.open.clear()
    opened = await request_service.open(errands.report())
    assert isinstance(opened, StoredCommand)
    assert opened.state == "applied"
    assert temporal.told == []
    temporal.open.set()
    await request_service.close()
    assert [(told.request_id, told.name, told.started) for told in temporal.told] == [(opened.request_id, "open", True)]
    assert errands.request(opened.request_id).signalled == 1


async def test_a_command_does_not_overtake_the_start(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    """It is decided all the same; the workflow is told of it once it is there."""
    temporal.open.clear()
    opened = await request_service.open(errands.report())
    assert isinstance(opened, StoredCommand)
    await asyncio.sleep(0)
    row = await request_service.submit(opened.request_id, errands.submission(command()))
    assert (row.state, row.decision, temporal.told) == ("applied", 2, [])
    temporal.open.set()
    await request_service.close()
    assert [(told.name, told.started) for told in temporal.told] == [("open", True), ("comment", False)]


async def test_a_repeated_report_starts_nothing(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    first = await request_service.open(errands.report(key="k", body_hash="one"))
    await request_service.close()
    again = await request_service.open(errands.report(key="k", body_hash="one"))
    await request_service.close()
    assert isinstance(first, StoredCommand)
    assert again == first
    assert len(temporal.told) == 1
    with pytest.raises(KeyReused):
        await request_service.open(errands.report(key="k", body_hash="another"))


async def test_a_refused_report_and_a_preview_write_nothing(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    with pytest.raises(Refused):
        await request_service.open(errands.report("graffiti", answers={}))
    preview = await request_service.preview(errands.report("graffiti"))
    assert isinstance(preview, Preview)
    assert isinstance(preview.decision, Decision)
    await request_service.close()
    assert (errands.count(RequestRow), errands.count(CommandRow), temporal.calls) == (0, 0, 0)


# -- commands ----------------------------------------------------------------------------------------------------------


async def test_a_command_is_answered_when_it_is_decided_and_the_workflow_told_behind(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    request_id = errands.open()
    temporal.open.clear()
    row = await request_service.submit(request_id, errands.submission(command()))
    assert (row.state, row.decision, temporal.told) == ("applied", 2, [])
    assert row._asdict() == errands.command(row.id).model_dump()
    temporal.open.set()
    await request_service.close()
    assert [(told.name, told.work.decision) for told in temporal.told] == [("comment", 2)]
    assert errands.request(request_id).signalled == 2


async def test_a_repeated_command_has_the_same_answer_and_is_told_once(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    request_id = errands.open()
    first = await request_service.submit(request_id, errands.submission(command(), key="k", body_hash="one"))
    await request_service.close()
    again = await request_service.submit(request_id, errands.submission(command(), key="k", body_hash="one"))
    await request_service.close()
    assert again == first
    assert temporal.names(request_id) == ["comment"]
    with pytest.raises(KeyReused):
        await request_service.submit(request_id, errands.submission(command(), key="k", body_hash="another"))


async def test_what_is_refused_is_raised_and_told_to_nobody(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    request_id = errands.open()
    errands.do(request_id, "cancel", reason="x")
    hold = command("hold", reason="x")
    with pytest.raises(Refused) as refused:
        await request_service.submit(request_id, errands.submission(hold))
    assert refused.value.refusal.code == "request_closed"
    with pytest.raises(RequestUnknown):
        await request_service.submit("SR26-99999999", errands.submission(hold))

    def not_theirs(session: Session, row: Locked) -> None:
        raise NotAllowed(f"{row.id} is not yours")

    with pytest.raises(NotAllowed, match=f"{request_id} is not yours"):
        await request_service.submit(request_id, errands.submission(command()), not_theirs)
    await request_service.close()
    assert (errands.count(CommandRow), temporal.calls) == (2, 0)


async def test_many_commands_at_once_are_decided_each_and_told_together(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    """Forty for one request, while the server takes its time for the first."""
    request_id = errands.open()
    temporal.running.add(request_id)
    temporal.open.clear()
    comments = [command(text=str(n)) for n in range(40)]
    rows = await asyncio.gather(*(request_service.submit(request_id, errands.submission(each)) for each in comments))
    assert sorted((row.number, row.decision, row.state) for row in rows) == [(n, n, "applied") for n in range(2, 42)]
    temporal.open.set()
    await request_service.close()
    assert len(temporal.told) <= 2
    assert temporal.told[-1].work.decision == 41
    assert errands.request(request_id).signalled == 41
    assert_consistent(errands.store)


async def test_several_requests_are_given_a_command_each_by_itself(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    first, closed, third = (errands.open() for _ in range(3))
    errands.do(closed, "cancel", reason="x")
    arrivals = {each: errands.submission(command("hold", reason="frost")) for each in (third, closed, first)}
    found = await request_service.submit_all(arrivals)
    await request_service.close()
    assert list(found) == [first, closed, third]
    states = [each.code if isinstance(each, Refusal) else each.state for each in found.values()]
    assert states == ["applied", "request_closed", "applied"]
    assert sorted(told.request_id for told in temporal.told) == [first, third]


# -- a fault of ours ---------------------------------------------------------------------------------------------------


async def test_a_command_at_fault_is_waited_for_as_long_as_an_answer_may_take(
    errands: City, request_service: RequestService, temporal: Temporal, broken: pytest.MonkeyPatch
) -> None:
    request_id = errands.open()
    began = time.monotonic()
    row = await request_service.submit(request_id, errands.submission(command()))
    assert row.state == "waiting"
    assert WITHIN_SECONDS <= time.monotonic() - began < WITHIN_SECONDS + 2
    assert [(told.name, told.work.waiting) for told in temporal.told] == [("comment", 1)]
    assert_consistent(errands.store)


@pytest.mark.usefixtures("broken")
async def test_a_command_that_was_kept_is_never_said_to_be_lost(
    errands: City, request_service: RequestService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away while its answer is waited for: the caller has its row, which waits."""
    request_id = errands.open()

    def away(_: object) -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(errands.store, "read", away)
    row = await request_service.submit(request_id, errands.submission(command()))
    monkeypatch.undo()
    assert (row.state, row.number) == ("waiting", 2)


async def test_a_command_at_fault_is_answered_as_soon_as_the_workflow_has_had_it_decided(
    errands: City, request_service: RequestService, temporal: Temporal, broken: pytest.MonkeyPatch
) -> None:
    request_id = errands.open()
    answer = asyncio.create_task(request_service.submit(request_id, errands.submission(command())))
    async with asyncio.timeout(5):
        while not temporal.told:
            await asyncio.sleep(0.002)
    assert not answer.done()
    broken.undo()
    errands.due(request_id)
    row = await answer
    assert (row.state, row.decision) == ("applied", 2)


async def test_a_repeated_command_that_still_waits_is_waited_for_too(
    errands: City, request_service: RequestService, broken: pytest.MonkeyPatch
) -> None:
    request_id = errands.open()
    first = await request_service.submit(request_id, errands.submission(command(), key="k", body_hash="one"))
    answer = asyncio.create_task(
        request_service.submit(request_id, errands.submission(command(), key="k", body_hash="one"))
    )
    await asyncio.sleep(0.01)
    assert not answer.done()
    broken.undo()
    errands.due(request_id)
    again = await answer
    assert (again.id, again.state) == (first.id, "applied")


# -- the database away or busy, Temporal away --------------------------------------------------------------------------


async def test_with_the_database_away_nothing_is_accepted(
    errands: City, request_service: RequestService, temporal: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, request_id = errands.report(), errands.open()

    def away(_: object) -> None:
        raise StoreAway("gone")

    with monkeypatch.context() as gone:
        gone.setattr(errands.store, "write", away)
        with pytest.raises(StoreAway):
            await request_service.open(report)
        with pytest.raises(StoreAway):
            await request_service.submit(request_id, errands.submission(command()))
    await request_service.close()
    assert (errands.count(RequestRow), errands.count(CommandRow), temporal.calls) == (1, 1, 0)


async def test_with_the_database_busy_for_too_long_nothing_is_accepted(
    errands: City, request_service: RequestService, temporal: Temporal
) -> None:
    """Nor is a fault of ours seen in it."""
    report, request_id = errands.report(), errands.open()
    other = other_process(errands)
    with pytest.raises(StoreBusy):
        await request_service.open(report, patience=0.02)
    with pytest.raises(StoreBusy):
        await request_service.submit(request_id, errands.submission(command()), patience=0.02)
    other.close()
    await request_service.close()
    assert (errands.count(RequestRow), errands.count(CommandRow), temporal.calls) == (1, 1, 0)


async def test_what_is_busy_for_a_moment_is_waited_for(errands: City, request_service: RequestService) -> None:
    request_id = errands.open()
    other = other_process(errands)
    asyncio.get_running_loop().call_later(0.02, other.rollback)
    assert (await request_service.submit(request_id, errands.submission(command()), patience=5)).state == "applied"
    other.close()


async def test_with_temporal_away_everything_is_decided_and_left_to_the_relay(errands: City) -> None:
    nowhere = await Client.connect("127.0.0.1:1", lazy=True)
    signals = Signals(nowhere, errands.store, task_queue=QUEUE, timeout=timedelta(seconds=0.2))
    request_service = RequestService(
        errands.store, signals, errands.zone, errands.versions, answer_within_seconds=5, clock=errands.clock
    )
    opened = await request_service.open(errands.report())
    assert isinstance(opened, StoredCommand)
    assert opened.state == "applied"
    row = await request_service.submit(opened.request_id, errands.submission(command()))
    assert (row.state, row.decision) == ("applied", 2)
    await request_service.close()
    assert errands.request(opened.request_id).signalled == 0
    assert_consistent(errands.store)
    errands.later(seconds=5)
    left = errands.store.write(lambda s: claim_signals(s, errands.now, timedelta(seconds=4), 10, errands.scheduling))
    assert [(signal.request_id, signal.name) for signal in left] == [(opened.request_id, "comment")]
