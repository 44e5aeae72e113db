"""Signals: the newest goes, one at a time for a request; who was told is noted; what does not arrive is the relay's."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session
from temporalio.api.enums.v1 import EventType, WorkflowIdConflictPolicy
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from fixline.messages import WORKFLOW_NAME, PendingEffect, WorkflowInput
from fixline.store.store import Store, StoreAway
from fixline.temporal import signals as module
from fixline.temporal.signals import AT_ONCE, Signals, merged
from tests.support.city import City
from tests.support.temporal_double import QUEUE, MakeSignals, Temporal, input_of, word

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AWAY = RPCError("nobody is there", RPCStatusCode.UNAVAILABLE, b"")
WITHIN = timedelta(seconds=5)


@pytest.fixture
def signals(made: MakeSignals) -> Signals:
    """Signals without search attributes."""
    return made()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it does."""
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.002)


# -- told --------------------------------------------------------------------------------------------------------------


async def test_a_workflow_is_told_all_that_is_left_to_do(errands: City, signals: Signals, temporal: Temporal) -> None:
    """By a signal with the name of the command; then the store knows that it knows."""
    opened = errands.opened("promise")
    assert opened.signal is not None
    request_id = opened.row.request_id
    temporal.running.add(request_id)
    given = errands.given(request_id, "priority", priority="high", reason="a school")
    assert given.signal is not None
    signals.send([given.signal])
    await signals.close(WITHIN)
    (told,) = temporal.told
    assert (told.request_id, told.name, told.started) == (request_id, "priority", False)
    assert told.work == replace(given.signal.work, attributes=None)
    assert errands.request(request_id).signalled == 2


async def test_a_request_that_has_been_opened_gets_its_workflow(
    errands: City, signals: Signals, temporal: Temporal
) -> None:
    """Started with the first signal, under the request's id: whoever else has started it, there is one."""
    opened = errands.opened()
    assert opened.signal is not None
    signals.send([opened.signal])
    await signals.close(WITHIN)
    request_id = opened.row.request_id
    assert [(told.name, told.started, told.work.decision) for told in temporal.told] == [("open", True, 1)]
    (start,) = temporal.starts
    assert (start.workflow_id, start.workflow_type.name, start.task_queue.name) == (request_id, WORKFLOW_NAME, QUEUE)
    assert start.workflow_id_conflict_policy == WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
    assert await input_of(start) == WorkflowInput(request_id)
    assert temporal.calls == 1
    assert errands.request(request_id).signalled == 1


async def test_a_workflow_that_is_not_there_is_started(signals: Signals, temporal: Temporal) -> None:
    """As after an import, or when the request is opened again."""
    assert await signals.deliver(word("SR-1", 4, "reopen"))
    assert [(told.name, told.started) for told in temporal.told] == [("reopen", True)]
    assert await signals.deliver(word("SR-1", 5))
    assert [(told.name, told.started) for told in temporal.told] == [("reopen", True), ("comment", False)]


async def test_nothing_is_started_for_what_is_over(errands: City, signals: Signals, temporal: Temporal) -> None:
    """Its workflow has ended; that is noted, so that nobody asks again."""
    request_id = errands.open()
    errands.take(request_id)
    errands.do(request_id, "cancel", reason="x")
    given = errands.given(request_id, "comment", text="thanks")
    assert given.signal is not None
    assert given.signal.work.over
    assert await signals.deliver(given.signal)
    await signals.mark()
    assert (temporal.told, temporal.starts) == ([], [])
    assert errands.request(request_id).signalled == 3


@pytest.mark.parametrize(
    "left", [{"effects": [PendingEffect("SR-1:2:1", "notify", "store")]}, {"waiting": 1}], ids=["effect", "waiting"]
)
async def test_a_closed_request_with_something_left_to_do_is_started(
    signals: Signals, temporal: Temporal, left: dict[str, Any]
) -> None:
    assert await signals.deliver(word("SR-1", 2, closed=True, **left))
    assert [told.started for told in temporal.told] == [True]


# -- the newest, one at a time -----------------------------------------------------------------------------------------


async def test_of_what_waits_for_a_request_only_the_newest_goes(signals: Signals, temporal: Temporal) -> None:
    temporal.running.add("SR-1")
    temporal.open.clear()
    signals.send([word("SR-1", 2)])
    await until(lambda: temporal.under_way == 1)
    for decision in (3, 5, 4):
        signals.send([word("SR-1", decision, f"c{decision}")])
    assert temporal.calls == 1, "one at a time"
    temporal.open.set()
    await signals.close(WITHIN)
    assert [(told.name, told.work.decision) for told in temporal.told] == [("comment", 2), ("c5", 5)]
    assert temporal.most == 1


async def test_what_comes_with_the_opening_is_told_with_the_start(
    errands: City, signals: Signals, temporal: Temporal
) -> None:
    """One call for both; the workflow begins with what holds now."""
    opened = errands.opened()
    given = errands.given(opened.row.request_id, "comment", text="x")
    assert opened.signal is not None
    assert given.signal is not None
    signals.send([opened.signal])
    signals.send([given.signal])
    await signals.close(WITHIN)
    assert [(told.name, told.started, told.work.decision) for told in temporal.told] == [("comment", True, 2)]
    assert temporal.calls == 1
    assert errands.request(opened.row.request_id).signalled == 2


async def test_a_signal_does_not_overtake_the_start(signals: Signals, temporal: Temporal) -> None:
    temporal.open.clear()
    signals.send([word("SR-1", 1, "open", starts=True)])
    await until(lambda: temporal.under_way == 1)
    signals.send([word("SR-1", 2)])
    temporal.open.set()
    await signals.close(WITHIN)
    assert [(told.name, told.started) for told in temporal.told] == [("open", True), ("comment", False)]


async def test_requests_do_not_wait_for_each_other_but_not_too_many_at_once(
    signals: Signals, temporal: Temporal
) -> None:
    temporal.open.clear()
    signals.send(word(f"SR-{n}", 1, starts=True) for n in range(AT_ONCE + 8))
    await until(lambda: temporal.under_way == AT_ONCE)
    await asyncio.sleep(0.01)
    signals.send([word(f"SR-{AT_ONCE + 7}", 2, "hold")])
    temporal.open.set()
    await signals.close(WITHIN)
    assert (temporal.most, len(temporal.told)) == (AT_ONCE, AT_ONCE + 8)
    last = f"SR-{AT_ONCE + 7}"
    assert [(told.name, told.started) for told in temporal.told if told.request_id == last] == [("hold", True)]


def test_of_two_signals_the_later_decision_holds_whichever_comes_first() -> None:
    early, late = word("SR-1", 2, "hold"), word("SR-1", 3, "resume")
    assert merged(early, late) == merged(late, early) == late


def test_of_two_signals_of_one_decision_the_one_that_comes_later_holds() -> None:
    """A command that has to wait decides nothing."""
    told, waiting = word("SR-1", 2), word("SR-1", 2, "hold", waiting=1)
    assert merged(told, waiting) == waiting


@pytest.mark.parametrize("starting", [1, 2])
def test_that_the_workflow_has_to_be_started_is_kept(starting: int) -> None:
    one, other = (word("SR-1", n, starts=n == starting) for n in (1, 2))
    for found in (merged(one, other), merged(other, one)):
        assert (found.work.decision, found.starts) == (2, True)


def test_when_to_wake_is_kept_while_it_is_for_the_same_instant() -> None:
    """Only the signal for which the instant was news says it."""
    later = NOON + timedelta(seconds=3)
    first = word("SR-1", 2, next_at=NOON, wake_at=later)
    same, another = word("SR-1", 3, next_at=NOON), word("SR-1", 3, next_at=later)
    again = word("SR-1", 3, next_at=NOON, wake_at=NOON)
    for one, other in ((first, same), (same, first)):
        assert merged(one, other).work == replace(same.work, wake_at=later)
    assert merged(first, another).work.wake_at is None
    assert merged(first, again).work.wake_at == NOON


# -- not delivered -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [AWAY, RuntimeError("no connection"), RPCError("no", RPCStatusCode.INVALID_ARGUMENT, b"")]
)
async def test_what_does_not_arrive_is_not_noted(
    errands: City, signals: Signals, temporal: Temporal, error: Exception
) -> None:
    temporal.error = error
    opened = errands.opened()
    assert opened.signal is not None
    assert await signals.deliver(opened.signal) is False
    await signals.mark()
    assert errands.request(opened.row.request_id).signalled == 0


async def test_a_server_that_does_not_answer_in_time_has_not_been_told(made: MakeSignals, temporal: Temporal) -> None:
    signals = made(timeout=timedelta(milliseconds=20))
    temporal.open.clear()
    assert await signals.deliver(word("SR-1", 1, starts=True)) is False
    temporal.open.set()
    assert await signals.deliver(word("SR-1", 1, starts=True)) is True


async def test_while_temporal_is_away_everything_is_left_to_the_relay_for_a_moment(
    signals: Signals, temporal: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was waiting: a call that is certain to fail costs as much as one that arrives."""
    monkeypatch.setattr(module, "AWAY", timedelta(seconds=30))
    temporal.running |= {"SR-1", "SR-2"}
    temporal.open.clear()
    temporal.error = AWAY
    signals.send([word("SR-1", 2)])
    await until(lambda: temporal.under_way == 1)
    signals.send([word("SR-1", 3)])
    temporal.open.set()
    await signals.close(WITHIN)
    assert temporal.calls == 1
    temporal.error = None
    signals.send([word("SR-1", 4), word("SR-2", 1)])
    await signals.close(WITHIN)
    assert (temporal.calls, temporal.told) == (1, [])
    assert await signals.deliver(word("SR-2", 1)), "the relay tries"


async def test_while_temporal_is_away_what_had_to_wait_for_a_call_is_not_tried_either(
    signals: Signals, temporal: Temporal
) -> None:
    temporal.open.clear()
    temporal.error = AWAY
    signals.send(word(f"SR-{n}", 1, starts=True) for n in range(AT_ONCE + 8))
    await until(lambda: temporal.under_way == AT_ONCE)
    temporal.open.set()
    await signals.close(WITHIN)
    assert temporal.calls == AT_ONCE


@pytest.mark.parametrize(
    ("status", "calls"),
    [(RPCStatusCode.UNAVAILABLE, 1), (RPCStatusCode.DEADLINE_EXCEEDED, 1), (RPCStatusCode.INVALID_ARGUMENT, 2)],
)
async def test_a_signal_that_is_refused_is_no_reason_to_leave_others_to_the_relay(
    signals: Signals, temporal: Temporal, status: RPCStatusCode, calls: int
) -> None:
    """Temporal is away only where it could not be reached, or did not answer in time."""
    temporal.error = RPCError("no", status, b"")
    signals.send([word("SR-1", 1, starts=True)])
    await signals.close(WITHIN)
    signals.send([word("SR-2", 1, starts=True)])
    await signals.close(WITHIN)
    assert temporal.calls == calls


async def test_after_the_moment_it_is_tried_again(
    signals: Signals, temporal: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY", timedelta(milliseconds=20))
    temporal.error = AWAY
    signals.send([word("SR-1", 1, starts=True)])
    await signals.close(WITHIN)
    temporal.error = None
    await asyncio.sleep(0.03)
    signals.send([word("SR-1", 2)])
    await signals.close(WITHIN)
    assert [(told.work.decision, told.started) for told in temporal.told] == [(2, True)]


# -- noted -------------------------------------------------------------------------------------------------------------


def count_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The writing transactions from now on."""
    writes: list[object] = []
    real_write = store.write

    def write(work: Callable[[Session], Any]) -> Any:
        writes.append(work)
        return real_write(work)

    monkeypatch.setattr(store, "write", write)
    return writes


async def test_what_was_told_is_noted_a_moments_signals_in_one_transaction(
    errands: City, signals: Signals, temporal: Temporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = [errands.opened().signal for _ in range(10)]
    monkeypatch.setattr(module, "MARK_EVERY", timedelta(milliseconds=50))
    writes = count_writes(errands.store, monkeypatch)
    signals.send(signal for signal in opened if signal is not None)
    await until(lambda: len(temporal.told) == 10)
    ids = [told.request_id for told in temporal.told]
    await until(lambda: [errands.request(request_id).signalled for request_id in ids] == [1] * 10)
    assert len(writes) == 1
    later = errands.given(ids[0], "comment", text="x").signal
    assert later is not None
    signals.send([later])
    await until(lambda: errands.request(ids[0]).signalled == 2)
    assert len(writes) == 3, "the command's own, and another note"


async def test_the_highest_decision_is_noted_whichever_arrives_last(errands: City, signals: Signals) -> None:
    """The relay's and the process's own signals may cross."""
    opened = errands.opened()
    given = errands.given(opened.row.request_id, "comment", text="x")
    assert opened.signal is not None
    assert given.signal is not None
    assert await signals.deliver(given.signal)
    assert await signals.deliver(opened.signal)
    await signals.mark()
    assert errands.request(opened.row.request_id).signalled == 2


async def test_a_note_that_cannot_be_written_costs_a_signal_of_the_relays(
    errands: City, signals: Signals, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = errands.opened()
    assert opened.signal is not None
    assert await signals.deliver(opened.signal)
    with monkeypatch.context() as gone, caplog.at_level(logging.WARNING):

        def away(_: object) -> None:
            raise StoreAway("gone")

        gone.setattr(errands.store, "write", away)
        await signals.mark()
    assert "1 signals that were delivered could not be noted" in caplog.text
    await signals.mark()
    assert errands.request(opened.row.request_id).signalled == 0


async def test_closing_waits_for_what_is_under_way_but_not_for_ever(
    errands: City, signals: Signals, temporal: Temporal
) -> None:
    opened = errands.opened()
    assert opened.signal is not None
    temporal.open.clear()
    signals.send([opened.signal])
    await signals.close(timedelta(milliseconds=20))
    assert errands.request(opened.row.request_id).signalled == 0
    asyncio.get_running_loop().call_later(0.02, temporal.open.set)
    await signals.close(WITHIN)
    assert errands.request(opened.row.request_id).signalled == 1


# -- on a real server --------------------------------------------------------------------------------------------------


@pytest.mark.temporal
async def test_a_real_server_starts_signals_and_finds_nobody_as_this_one_does(
    temporal_client: Client, sqlite_store: Store
) -> None:
    """Nobody polls the queue: what the server has recorded is what it has taken."""
    request_id, queue = f"SR-{uuid.uuid4().hex[:12]}", f"queue-{uuid.uuid4().hex[:8]}"
    signals = Signals(temporal_client, sqlite_store, task_queue=queue)

    async def recorded() -> list[str]:
        history = await temporal_client.get_workflow_handle(request_id).fetch_history()
        kinds = (EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
        events = [event for event in history.events if event.event_type in kinds]
        return [event.workflow_execution_signaled_event_attributes.signal_name for event in events]

    over = word(request_id, 1, closed=True)
    assert await signals.deliver(over)
    with pytest.raises(RPCError):
        await recorded()
    assert await signals.deliver(word(request_id, 1, "open", starts=True))
    assert await signals.deliver(word(request_id, 1, "open", starts=True)), "a second start finds the first"
    assert await signals.deliver(word(request_id, 2))
    assert await recorded() == ["", "open", "open", "comment"]
    await temporal_client.get_workflow_handle(request_id).terminate()
    assert await signals.deliver(word(request_id, 3, "cancel", closed=True))
    assert await recorded() == ["", "open", "open", "comment"]
    assert await signals.deliver(word(request_id, 4, "reopen"))
    assert await recorded() == ["", "reopen"]
    described = await temporal_client.get_workflow_handle(request_id).describe()
    assert (described.status, described.task_queue) == (WorkflowExecutionStatus.RUNNING, queue)
    await temporal_client.get_workflow_handle(request_id).terminate()
    await signals.close(timedelta(0))
