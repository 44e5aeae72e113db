"""Whether Temporal answers and a worker polls, which readiness asks; and polling only while the database answers.

A worker that cannot write should not take work from those that can, so it stops polling after a few failed looks and
starts again when the database is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from fixline.store.store import Store, StoreAway

log = logging.getLogger(__name__)

POLLED_WITHIN = timedelta(seconds=90)
"""A worker's poll lasts a minute at most; one that has not polled for longer is gone."""
TIMEOUT = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=2)
FAILED_LOOKS = 3


@dataclass(frozen=True)
class TaskQueueHealth:
    """Looks at one task queue."""

    client: Client
    task_queue: str

    async def reachable(self) -> bool:
        """Whether Temporal answers now."""
        try:
            return await self.client.service_client.check_health(timeout=TIMEOUT)
        except (RPCError, RuntimeError):
            return False

    async def polled(self) -> bool:
        """Whether a worker has polled the task queue of late (Temporal forgets pollers after five minutes)."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=self.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            found = await self.client.workflow_service.describe_task_queue(request, timeout=TIMEOUT)
        except (RPCError, RuntimeError):
            return False
        newest = max((poller.last_access_time.ToDatetime(UTC) for poller in found.pollers), default=None)
        return newest is not None and datetime.now(UTC) - newest < POLLED_WITHIN


async def database_answers(store: Store) -> bool:
    """Whether the database answers now."""
    try:
        await asyncio.to_thread(store.read, lambda session: session.execute(text("SELECT 1")).scalar_one())
    except StoreAway:
        return False
    return True


async def while_database_answers(
    store: Store, new_worker: Callable[[], Worker], *, look_every: timedelta = LOOK_EVERY
) -> None:
    """Run workers one after the other, each as long as the database answers; until cancelled."""
    pause = look_every.total_seconds()
    while True:
        while not await database_answers(store):
            log.warning("the database does not answer; not polling")
            await asyncio.sleep(pause)
        async with new_worker():
            log.info("polling")
            failed = 0
            while failed < FAILED_LOOKS:
                await asyncio.sleep(pause)
                failed = 0 if await database_answers(store) else failed + 1
        log.error("the database has not answered %d times; polling stopped", FAILED_LOOKS)
