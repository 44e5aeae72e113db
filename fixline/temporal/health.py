"""Whether Temporal answers, and whether a worker polls: what readiness asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

POLLED_WITHIN = timedelta(seconds=90)
"""A worker's poll lasts a minute at most; one that has not polled for longer is gone."""
TIMEOUT = timedelta(seconds=2)


class TaskQueueHealth:
    """Looks at one task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def reachable(self) -> bool:
        """Whether Temporal answers now."""
        try:
            return await self._client.service_client.check_health(timeout=TIMEOUT)
        except (RPCError, RuntimeError):
            return False

    async def polled(self) -> bool:
        """Whether a worker has polled the task queue of late (Temporal forgets pollers after five minutes)."""
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            found = await self._client.workflow_service.describe_task_queue(request, timeout=TIMEOUT)
        except (RPCError, RuntimeError):
            return False
        newest = max((poller.last_access_time.ToDatetime(UTC) for poller in found.pollers), default=None)
        return newest is not None and datetime.now(UTC) - newest < POLLED_WITHIN
