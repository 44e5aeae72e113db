"""A request's life on a real Temporal server: the sandbox on, a real store, nothing faked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from fixline.messages import PendingWork, Summary, WorkflowInput
from fixline.service.opening import Contact
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import IN_TURN, LEAST_LOADED, errand, promised

pytestmark = pytest.mark.temporal


async def test_a_pothole_from_report_to_fixed(shop: Shop) -> None:
    async with shop.worker():
        request_id = await shop.open("pothole", contact=Contact(name="Rosalind"))
        await shop.settled(request_id)
        assert shop.city.task(request_id).assignee == "anneke-vos"
        looked = await shop.complete(request_id, "pothole", depth=12)
        assert (looked.state, looked.answer["request"]["step"]) == ("applied", "repair")
        assert looked.answer["request"]["priority"] == "high"
        filled = await shop.complete(request_id, "done", potholes_filled=1, photo_after="photo-1")
        assert (filled.answer["request"]["status"], filled.answer["request"]["outcome"]) == ("closed", "fixed")
        await shop.ended(request_id)
    kinds = [entry.kind for entry in shop.city.journal(request_id)]
    assert kinds[0] == "opened"
    assert [kind for kind in kinds if kind == "task_completed"] == ["task_completed"] * 2
    assert "closed" in kinds
    assert next(notice.event for notice in shop.notices.sent) == "received"
    assert len({notice.key for notice in shop.notices.sent}) == len(shop.notices.sent)
    assert assert_consistent(shop.store, settled=True) == 1


def told(history: WorkflowHistory) -> list[str]:
    """A history, read aloud: signals by their names, local activities by theirs, and how it ended."""
    story: list[str] = []
    for event in history.events:
        if event.HasField("workflow_execution_signaled_event_attributes"):
            story.append(event.workflow_execution_signaled_event_attributes.signal_name)
        elif event.HasField("marker_recorded_event_attributes"):
            data = json.loads(event.marker_recorded_event_attributes.details["data"].payloads[0].data)
            story.append(f"[{data['activity_type']}]")
        elif event.HasField("workflow_execution_completed_event_attributes"):
            story.append("closed")
    return story


async def test_what_an_operator_sees_in_temporal(shop: Shop) -> None:
    """The workflow's id is the request's, signals are named after the commands, activities after what they do."""
    shop.city.publish(errand(LEAST_LOADED, kind="dispatch"))
    async with shop.worker():
        request_id = await shop.open()
        await shop.settled(request_id)
        await shop.submit(request_id, "comment", text="on our way")
        await shop.settled(request_id)
        open_summary = await shop.handle(request_id).query("state", result_type=Summary)
        assert open_summary == Summary("errand", "open", None, "work", "normal")
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
        summary = await shop.handle(request_id).query("state", result_type=Summary)
    assert summary == Summary("errand", "closed", "fixed", None, "normal")
    history = await shop.history(request_id)
    assert told(history) == ["open", "[dispatch]", "comment", "complete", "closed"]
    assert not [event for event in history.events if event.HasField("activity_task_scheduled_event_attributes")]
    assert_consistent(shop.store, settled=True)


async def test_the_story_of_a_pothole(shop: Shop) -> None:
    """At most 21 events where each command comes after the last one's effects, and 8 kB."""
    async with shop.worker():
        request_id = await shop.open("pothole")
        await shop.settled(request_id)
        await shop.complete(request_id, "pothole", depth=12)
        await shop.settled(request_id)
        await shop.complete(request_id, "done", potholes_filled=1, photo_after="photo-1")
        await shop.ended(request_id)
    history = await shop.history(request_id)
    assert told(history) == ["open", "[order_inspection]", "complete", "[dispatch]", "complete", "closed"]
    assert len(history.events) <= 21
    assert sum(event.ByteSize() for event in history.events) <= 8_000


async def test_no_free_text_and_no_contact_in_a_history(shop: Shop) -> None:
    shop.city.publish(errand(IN_TURN))
    async with shop.worker():
        contact = Contact(name="Rosalind Quaverly", email="rosalind@example.org")
        request_id = await shop.open(contact=contact, description="the third house from the corner")
        await shop.submit(request_id, "comment", text="the dog bites")
        await shop.submit(request_id, "cancel", reason="moved away")
        await shop.ended(request_id)
    text = str((await shop.history(request_id)).to_json())
    plain = str(await shop.history(request_id))
    for secret in ("Quaverly", "rosalind@", "third house", "dog bites", "moved away"):
        assert secret not in plain
        assert secret not in text


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_forty_commands_at_once(database: str, request: pytest.FixtureRequest, temporal_client: Any) -> None:
    shop = Shop(temporal_client, request.getfixturevalue(f"{database}_store"), request.getfixturevalue("catalog"))
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        rows = await asyncio.gather(*(shop.submit(request_id, "comment", text=str(n)) for n in range(40)))
        assert [row.state for row in rows] == ["applied"] * 40
        task = shop.city.task(request_id)
        await shop.submit(request_id, "complete", task=task.id, outcome="done")
        await shop.ended(request_id)
    signals = [each for each in told(await shop.history(request_id)) if each == "comment"]
    assert 1 <= len(signals) <= 40
    commands = shop.city.commands(request_id)
    assert [row.decision for row in commands] == list(range(1, 43))
    said = [row.text for row in shop.city.journal(request_id, "commented")]
    assert said == [row.body["text"] for row in commands if row.kind == "comment"]
    assert sorted(map(int, said)) == list(range(40))
    assert_consistent(shop.store, settled=True)


async def test_many_requests_side_by_side(shop: Shop) -> None:
    shop.city.publish(errand(IN_TURN))

    async def live() -> str:
        request_id = await shop.open()
        assert (await shop.submit(request_id, "comment", text="x")).state == "applied"
        assert (await shop.complete(request_id, "again")).state == "applied"
        assert (await shop.complete(request_id, "done")).state == "applied"
        await shop.ended(request_id, 30)
        return request_id

    async with shop.worker():
        opened = await asyncio.gather(*(live() for _ in range(12)))
    assert len(set(opened)) == 12
    assert assert_consistent(shop.store) == 12


async def test_a_refusal_writes_nothing(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        assert (await shop.refusal(request_id, "signal", name="wake")).code == "signal_not_awaited"
        assert (await shop.submit(request_id, "cancel", reason="x")).number == 2
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


@pytest.mark.parametrize(
    "content",
    [[], ["look"], [{"decision": 99}], [PendingWork(1, closed=True, next_at=None), "and more"], [None]],
    ids=["nothing", "text", "half", "too much", "null"],
)
async def test_a_signal_that_cannot_be_read_is_a_reason_to_look_into_the_store(shop: Shop, content: list[Any]) -> None:
    """As one sent by hand: it fails no task, and the request goes on as the store has it."""
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.settled(request_id)
        before = shop.city.journal(request_id)
        await shop.handle(request_id).signal("by-hand", args=content)
        await shop.until(lambda: _looked(shop, request_id), "the look")
        assert shop.city.journal(request_id) == before
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert "WORKFLOW_TASK_FAILED" not in await shop.events(request_id)


async def _looked(shop: Shop, request_id: str) -> bool:
    return "[decide_due]" in told(await shop.history(request_id))


async def test_words_that_cross_twice_and_late_do_no_harm(shop: Shop) -> None:
    """The word of the highest decision holds, whichever comes first: nothing is taken twice, no timer set back."""
    shop.city.publish(promised("2 calendar hours"))
    async with shop.worker():
        opened = await asyncio.to_thread(shop.city.opened, "promise")
        assert opened.signal is not None
        request_id = opened.row.request_id
        held = await asyncio.to_thread(shop.city.given, request_id, "hold", reason="frost")
        resumed = await asyncio.to_thread(shop.city.given, request_id, "resume")
        for word in (resumed.signal, opened.signal, held.signal, resumed.signal, opened.signal):
            assert word is not None
            assert await shop.signals.deliver(word)
            await shop.settled(request_id)
        assert shop.city.request(request_id).signalled == 3
        story = told(await shop.history(request_id))
        assert [each for each in story if each[0] != "["] == ["resume", "open", "hold", "resume", "open"]
        assert story.count("[dispatch]") == 1
        assert (await shop.events(request_id)).count("TIMER_STARTED") == 1
        assert "TIMER_CANCELED" not in await shop.events(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_late_word_that_starts_a_run_anew_does_not_keep_it_alive(shop: Shop) -> None:
    """The opening's word arrives after the close, and starts a run: it looks into the store, and ends."""
    shop.city.publish(errand(start="asleep"))
    async with shop.worker():
        opened = await asyncio.to_thread(shop.city.opened)
        assert opened.signal is not None
        request_id = opened.row.request_id
        closed = await asyncio.to_thread(shop.city.given, request_id, "cancel", reason="x")
        assert closed.signal is not None
        assert await shop.signals.deliver(closed.signal)  # nothing is left to do, and no run is there to be told
        assert await shop.signals.deliver(opened.signal)
        await shop.ended(request_id)
    assert shop.city.request(request_id).signalled == 2
    assert_consistent(shop.store)


async def test_a_late_word_with_a_timer_does_not_keep_a_run_alive_either(shop: Shop) -> None:
    """It says that something is due in an hour, of a request that has been closed since: the run looks first."""
    shop.city.publish(promised("2 calendar hours", start="asleep"))
    async with shop.worker():
        opened = await asyncio.to_thread(shop.city.opened, "promise")
        request_id = opened.row.request_id
        remark = await asyncio.to_thread(shop.city.given, request_id, "priority", priority="high", reason="x")
        assert remark.signal is not None
        await asyncio.to_thread(shop.city.given, request_id, "cancel", reason="x")
        assert await shop.signals.deliver(remark.signal)
        await shop.ended(request_id)
    assert shop.city.request(request_id).signalled == 3
    assert_consistent(shop.store, settled=True)


async def test_a_run_started_by_hand_looks_into_the_store(shop: Shop) -> None:
    shop.city.publish(promised("2 calendar hours"))
    request_id = await asyncio.to_thread(shop.city.open, "promise")
    async with shop.worker():
        await shop.client.start_workflow(
            "ServiceRequest", WorkflowInput(request_id), id=request_id, task_queue=shop.queue
        )
        await shop.settled(request_id)
        assert told(await shop.history(request_id))[0] == "[decide_due]"
        assert "TIMER_STARTED" in await shop.events(request_id)
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_a_closed_request_does_not_come_back_to_life(shop: Shop) -> None:
    """Neither by a start by hand, nor by a remark, of which its workflow need not be told."""
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
        await shop.settled(request_id)
        before = [shop.city.request(request_id), shop.city.journal(request_id), shop.city.effects_of(request_id)]
        first_run = (await shop.handle(request_id).describe()).run_id
        await shop.client.start_workflow(
            "ServiceRequest", WorkflowInput(request_id), id=request_id, task_queue=shop.queue
        )
        await shop.ended(request_id)
        second_run = (await shop.handle(request_id).describe()).run_id
        assert second_run != first_run
        assert [
            shop.city.request(request_id),
            shop.city.journal(request_id),
            shop.city.effects_of(request_id),
        ] == before
        events = await shop.events(request_id)
        assert "TIMER_STARTED" not in events
        assert events[-1] == "WORKFLOW_EXECUTION_COMPLETED"
        remark = await shop.submit(request_id, "comment", text="thank you")
        assert remark.state == "applied"
        await shop.settled(request_id)
        assert (await shop.handle(request_id).describe()).run_id == second_run
    assert shop.city.journal(request_id)[-1].text == "thank you"
    assert_consistent(shop.store, settled=True)


async def test_signals_that_meet_the_close_lose_nothing(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()

        async def remark(number: int) -> str:
            await asyncio.sleep(0.02 * number)
            return (await shop.submit(request_id, "comment", text=str(number))).state

        closing = asyncio.create_task(shop.submit(request_id, "cancel", reason="x"))
        states = await asyncio.gather(*(remark(n) for n in range(12)))
        assert (await closing).state == "applied"
        await shop.settled(request_id)
        await shop.ended(request_id)
    assert states == ["applied"] * 12
    assert sorted(int(row.text) for row in shop.city.journal(request_id, "commented")) == list(range(12))
    assert_consistent(shop.store, settled=True)


async def test_replay_at_every_task_gives_the_same(shop: Shop) -> None:
    """No workflow is kept in memory: each task replays the whole history."""
    shop.city.publish(errand(IN_TURN))
    async with shop.worker(max_cached_workflows=0):
        request_id = await shop.open(contact=Contact(name="Rosalind"))
        await shop.settled(request_id)
        for _ in range(3):
            assert (await shop.complete(request_id, "again")).state == "applied"
        assert (await shop.submit(request_id, "hold", reason="x")).state == "applied"
        assert (await shop.submit(request_id, "resume")).state == "applied"
        assert (await shop.complete(request_id, "done")).state == "applied"
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


async def test_what_was_delivered_is_noted_for_the_relay(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.until(lambda: shop.city.request(request_id).signalled == 1, "the note")
        await shop.handle(request_id).terminate()
