"""What readiness asks of Temporal: whether it answers, and whether a worker polls; never an error."""

from __future__ import annotations

import uuid

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from fixline.temporal.client import sandboxed_runner
from fixline.temporal.health import TaskQueueHealth
from workflows.service_request import ServiceRequest


@pytest.mark.temporal
async def test_a_queue_is_polled_once_a_worker_is_there(temporal_client: Client) -> None:
    """Each queue by itself."""
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    health = TaskQueueHealth(temporal_client, queue)
    assert await health.reachable() is True
    assert await health.polled() is False
    runner = sandboxed_runner()
    async with Worker(
        temporal_client, task_queue=queue, workflows=[ServiceRequest], workflow_runner=runner, build_id="health"
    ):
        for _ in range(100):
            if await health.polled():
                break
    assert await health.polled() is True, "it has polled of late"
    assert await TaskQueueHealth(temporal_client, f"{queue}-other").polled() is False


async def test_a_temporal_that_is_away_is_not_reached_and_nobody_polls() -> None:
    health = TaskQueueHealth(await Client.connect("127.0.0.1:1", lazy=True), "queue")
    assert await health.reachable() is False
    assert await health.polled() is False
