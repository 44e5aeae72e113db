"""Effects that reach outside: regular activities with a retry policy, taken beside whatever else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

import worker
from fixline.messages import WORKFLOW_NAME, DueInput, EffectInput, PendingEffect, PendingWork, Summary, WorkflowInput
from workflows import policies

pytestmark = pytest.mark.temporal


class Outside:
    """Activities of a made-up request with one effect that reaches outside; `closing` lets the next word close it."""

    def __init__(self, failures: int, *, hopeless: bool = False) -> None:
        self.failures = failures
        self.hopeless = hopeless
        self.looks: list[DueInput] = []
        self.tries: list[EffectInput] = []
        self.done = self.closing = False
        self.decision = 1

    def work(self) -> PendingWork:
        """What the store would say."""
        effects = [] if self.done else [PendingEffect("R:1:1", "ask_agency", "outside")]
        return PendingWork(self.decision, self.closing, None, effects=effects, summary=Summary(status="any"))

    async def tell(self, client: Client, request_id: str, name: str) -> None:
        """One more decision, and the word of it."""
        self.decision += 1
        await client.get_workflow_handle(request_id).signal(name, self.work())

    async def start(self, client: Client, request_id: str, queue: str) -> None:
        """The first decision starts the workflow."""
        await client.start_workflow(
            WORKFLOW_NAME,
            WorkflowInput(request_id),
            id=request_id,
            task_queue=queue,
            start_signal="open",
            start_signal_args=[self.work()],
        )

    def activities(self) -> list[Callable[..., Any]]:
        """Both."""

        @activity.defn(name="decide_due")
        def decide_due(given: DueInput) -> PendingWork:
            self.looks.append(given)
            return self.work()

        @activity.defn(name="ask_agency")
        def ask_agency(given: EffectInput) -> PendingWork:
            self.tries.append(given)
            if self.hopeless:
                raise ApplicationError("the agency is no more", non_retryable=True)
            if len(self.tries) <= self.failures:
                raise OSError("the agency does not answer")
            self.done = True
            return self.work()

        return [decide_due, ask_agency]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "OUTSIDE_RETRY", RetryPolicy(initial_interval=timedelta(milliseconds=200)))


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
