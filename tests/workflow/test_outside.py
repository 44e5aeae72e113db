"""Effects that reach outside: regular activities with a retry policy, taken beside whatever else happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.common import RetryPolicy

import worker
from tests.support.outside import Outside
from workflows import policies

pytestmark = pytest.mark.temporal


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policies.OUTSIDE, "retry_policy", RetryPolicy(initial_interval=timedelta(milliseconds=200)))


async def test_an_outside_effect_is_tried_until_it_succeeds_and_holds_nothing_up(temporal_client: Client) -> None:
    outside = Outside(failures=2)
    queue, request_id = "outside-retried", "R-retried"
    async with worker.build_worker(temporal_client, outside.activities(), task_queue=queue, slots=4):
        await outside.start(temporal_client, request_id, queue)
        await outside.tell(temporal_client, request_id, "comment")
        outside.closing = True
        await outside.tell(temporal_client, request_id, "cancel")
        handle = temporal_client.get_workflow_handle(request_id)
        await asyncio.wait_for(handle.result(), 15)
    assert [each.effect_id for each in outside.tries] == ["R:1:1"] * 3, "one key for every try"
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert scheduled == ["ask_agency"], "one activity, however often it is tried and named by a signal"


async def test_an_outside_effect_that_cannot_be_taken_does_not_keep_the_run_alive(temporal_client: Client) -> None:
    outside = Outside(failures=0, hopeless=True)
    queue, request_id = "outside-hopeless", "R-hopeless"
    async with worker.build_worker(temporal_client, outside.activities(), task_queue=queue, slots=4):
        await outside.start(temporal_client, request_id, queue)
        await outside.tell(temporal_client, request_id, "comment")
        outside.closing = True
        await outside.tell(temporal_client, request_id, "cancel")
        await asyncio.wait_for(temporal_client.get_workflow_handle(request_id).result(), 15)
    assert outside.tries


async def test_a_look_into_the_store_says_what_the_workflow_knows(temporal_client: Client) -> None:
    """So that a store which is behind it, restored from an old backup, can say so."""
    outside = Outside(failures=0)
    queue, request_id = "outside-known", "R-known"
    async with worker.build_worker(temporal_client, outside.activities(), task_queue=queue, slots=4):
        await outside.start(temporal_client, request_id, queue)
        await outside.tell(temporal_client, request_id, "comment")
        await temporal_client.get_workflow_handle(request_id).signal("by-hand")
        async with asyncio.timeout(15):
            while not outside.looks:
                await asyncio.sleep(0.05)
        outside.closing = True
        await outside.tell(temporal_client, request_id, "cancel")
        await asyncio.wait_for(temporal_client.get_workflow_handle(request_id).result(), 15)
    (look,) = outside.looks
    assert (look.request_id, look.known, look.unarmed, look.armed_at) == (request_id, 2, True, None)
