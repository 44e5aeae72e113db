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
from fixline.delivery.doorbell import Doorbell
from fixline.messages import Advanced, AdvanceOrder, EffectOrder, EffectTask, Summary
from workflows import policies

pytestmark = pytest.mark.temporal


class Outside:
    """Activities of a made-up request with one effect that reaches outside; `closing` lets the next pass close it."""

    def __init__(self, failures: int, *, hopeless: bool = False) -> None:
        self.failures = failures
        self.hopeless = hopeless
        self.orders: list[AdvanceOrder] = []
        self.tasks: list[EffectTask] = []
        self.done = self.closing = False

    def answer(self) -> Advanced:
        """What the store would say."""
        effects = [] if self.done else [EffectOrder("R:1:1", "ask_agency", "outside")]
        return Advanced(len(self.orders), self.closing, None, effects, Summary(status="any"))

    def activities(self) -> list[Callable[..., Any]]:
        """Both."""

        @activity.defn(name="advance")
        def advance(order: AdvanceOrder) -> Advanced:
            self.orders.append(order)
            return self.answer()

        @activity.defn(name="ask_agency")
        def ask_agency(task: EffectTask) -> Advanced:
            self.tasks.append(task)
            if self.hopeless:
                raise ApplicationError("the agency is no more", non_retryable=True)
            if len(self.tasks) <= self.failures:
                raise OSError("the agency does not answer")
            self.done = True
            return self.answer()

        return [advance, ask_agency]


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "OUTSIDE_RETRY", RetryPolicy(initial_interval=timedelta(milliseconds=200)))


async def test_an_outside_effect_is_tried_until_it_succeeds_and_holds_nothing_up(temporal_client: Client) -> None:
    outside = Outside(failures=2)
    bell = Doorbell(temporal_client, task_queue="outside-retried")
    async with worker.build_worker(temporal_client, outside.activities(), task_queue="outside-retried", slots=4):
        assert await bell.start("R-retried")
        assert await bell.ring("R-retried", "comment", 2)
        outside.closing = True
        assert await bell.ring("R-retried", "cancel", 3)
        handle = temporal_client.get_workflow_handle("R-retried")
        await asyncio.wait_for(handle.result(), 15)
    assert [task.effect_id for task in outside.tasks] == ["R:1:1"] * 3, "one key for every try"
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert scheduled == ["ask_agency"], "one activity, however often it is tried and named by a pass"


async def test_an_outside_effect_that_cannot_be_taken_does_not_keep_the_run_alive(temporal_client: Client) -> None:
    outside = Outside(failures=0, hopeless=True)
    bell = Doorbell(temporal_client, task_queue="outside-hopeless")
    async with worker.build_worker(temporal_client, outside.activities(), task_queue="outside-hopeless", slots=4):
        assert await bell.start("R-hopeless")
        assert await bell.ring("R-hopeless", "comment", 2)
        outside.closing = True
        assert await bell.ring("R-hopeless", "cancel", 3)
        await asyncio.wait_for(temporal_client.get_workflow_handle("R-hopeless").result(), 15)
    assert outside.tasks


async def test_each_pass_says_what_the_workflow_knows(temporal_client: Client) -> None:
    outside = Outside(failures=0)
    bell = Doorbell(temporal_client, task_queue="outside-known")
    async with worker.build_worker(temporal_client, outside.activities(), task_queue="outside-known", slots=4):
        assert await bell.start("R-known")
        for number in (2, 3, 4):
            outside.closing = number == 4
            assert await bell.ring("R-known", "comment", number)
        await asyncio.wait_for(temporal_client.get_workflow_handle("R-known").result(), 15)
    assert len(outside.orders) in (3, 4), "the first bell may come with the start"
    assert [(order.known, order.first) for order in outside.orders] == [(n, n == 0) for n in range(len(outside.orders))]
    assert {order.armed_at for order in outside.orders} == {None}
