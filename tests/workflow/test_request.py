"""A request's life on a real Temporal server: the sandbox on, a real store, nothing faked."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from fixline.messages import Bell, Summary
from fixline.store.opening import Contact
from fixline.store.tables import RequestRow
from tests.support.consistency import assert_consistent
from tests.support.shop import Shop
from tests.support.types import IN_TURN, LEAST_LOADED, errand

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


async def test_what_an_operator_sees_in_temporal(shop: Shop) -> None:
    """The workflow's id is the request's, doorbells carry the kind of the command, activities what they do."""
    shop.city.publish(errand(LEAST_LOADED, kind="dispatch"))
    async with shop.worker():
        request_id = await shop.open(contact=Contact(name="Rosalind"))
        await shop.settled(request_id)
        await shop.submit(request_id, "comment", text="on our way")
        open_summary = await shop.handle(request_id).query("state", result_type=Summary)
        assert open_summary == Summary("errand", "open", None, "work", "normal")
        await shop.complete(request_id, "done")
        await shop.ended(request_id)
        summary = await shop.handle(request_id).query("state", result_type=Summary)
    assert summary == Summary("errand", "closed", "fixed", None, "normal")
    history = await shop.history(request_id)
    updates = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for event in history.events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert updates == ["comment", "complete"]
    markers = [event for event in history.events if event.HasField("marker_recorded_event_attributes")]
    activities = Counter(
        word
        for event in markers
        for word in ("advance", "dispatch", "notify")
        if f'"{word}"' in str(event.marker_recorded_event_attributes.details["data"].payloads[0].data)
    )
    assert activities["dispatch"] == 1
    assert activities["notify"] == 2
    assert activities["advance"] == 2
    assert not [event for event in history.events if event.HasField("activity_task_scheduled_event_attributes")]
    assert_consistent(shop.store, settled=True)


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
    rung, most = 0, 0
    real_ring = shop.doorbell.ring

    async def ring(*arguments: Any, **options: Any) -> bool:
        nonlocal rung, most
        rung += 1
        most = max(most, rung)
        try:
            return await real_ring(*arguments, **options)
        finally:
            rung -= 1

    shop.doorbell.ring = ring  # type: ignore[method-assign]
    async with shop.worker():
        relaying = asyncio.create_task(shop.relay.run())
        request_id = await shop.open()
        rows = await asyncio.gather(*(shop.submit(request_id, "comment", text=str(n)) for n in range(40)))
        relaying.cancel()
        assert [row.state for row in rows] == ["applied"] * 40
        task = shop.city.task(request_id)
        await shop.submit(request_id, "complete", task=task.id, outcome="done")
        await shop.ended(request_id)
    assert most <= 8
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


async def test_a_refusal_is_an_answer_too(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        refused = await shop.submit(request_id, "signal", name="wake")
        assert (refused.state, refused.answer["code"]) == ("refused", "signal_not_awaited")
        assert (await shop.submit(request_id, "cancel", reason="x")).state == "applied"
        await shop.ended(request_id)
    assert_consistent(shop.store, settled=True)


@pytest.mark.parametrize(
    ("name", "bells"),
    [
        ("comment", [Bell("hold", 2)]),
        ("comment", [Bell("comment", 0)]),
        ("comment", []),
        ("comment", [Bell("comment", 2), Bell("comment", 3)]),
        ("comment", ["ring"]),
    ],
)
async def test_what_is_no_bell_is_refused_and_leaves_no_trace(shop: Shop, name: str, bells: list[Any]) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.submit(request_id, "comment", text="x")
        before = len(await shop.events(request_id))
        with pytest.raises(WorkflowUpdateFailedError):
            await shop.handle(request_id).execute_update(name, args=bells)
        assert len(await shop.events(request_id)) == before
        assert (await shop.submit(request_id, "comment", text="y")).state == "applied"
        await shop.handle(request_id).terminate()


async def test_a_closed_request_does_not_come_back_to_life(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
        before = [shop.city.request(request_id), shop.city.journal(request_id), shop.city.effects_of(request_id)]
        first_run = (await shop.handle(request_id).describe()).run_id
        assert await shop.doorbell.start(request_id)
        await shop.ended(request_id)
        assert (await shop.handle(request_id).describe()).run_id != first_run
        assert [
            shop.city.request(request_id),
            shop.city.journal(request_id),
            shop.city.effects_of(request_id),
        ] == before
        events = await shop.events(request_id)
        assert "TIMER_STARTED" not in events
        assert events[-1] == "WORKFLOW_EXECUTION_COMPLETED"
    assert_consistent(shop.store, settled=True)


async def test_a_remark_on_a_closed_request_is_applied_and_the_run_ends(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()
        await shop.submit(request_id, "cancel", reason="x")
        await shop.ended(request_id)
        remark = await shop.submit(request_id, "comment", text="thank you")
        assert remark.state == "applied"
        await shop.ended(request_id)
    assert shop.city.journal(request_id)[-1].text == "thank you"
    assert_consistent(shop.store, settled=True)


async def test_bells_that_meet_the_close_lose_nothing(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        relaying = asyncio.create_task(shop.relay.run())
        request_id = await shop.open()

        async def remark(number: int) -> str:
            await asyncio.sleep(0.02 * number)
            return (await shop.submit(request_id, "comment", text=str(number))).state

        closing = asyncio.create_task(shop.submit(request_id, "cancel", reason="x"))
        states = await asyncio.gather(*(remark(n) for n in range(12)))
        assert (await closing).state == "applied"
        await shop.settled(request_id)
        relaying.cancel()
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


async def test_the_first_pass_is_noted_for_the_relay(shop: Shop) -> None:
    shop.city.publish(errand())
    async with shop.worker():
        request_id = await shop.open()

        def has_shell() -> bool:
            return shop.store.read(lambda s: s.get_one(RequestRow, request_id).shell_at) is not None

        await shop.until(has_shell, "the shell")
        await shop.handle(request_id).terminate()
