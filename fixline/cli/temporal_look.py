"""What Temporal itself says: retention, pollers, running workflows. Owns these calls; reads no store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from fixline.messages import WORKFLOW_NAME

POLLED_WITHIN = timedelta(minutes=2)
"""A poll lasts up to a minute; who has not polled for longer is gone, though Temporal lists it for five minutes."""
AT_ONCE = 10
RUNNING = f"WorkflowType = '{WORKFLOW_NAME}' AND ExecutionStatus = 'Running'"


@dataclass(frozen=True)
class TemporalLook:
    """What was found: how long closed workflows are kept, how many pollers, which requests' workflows run."""

    retention: timedelta
    pollers: int
    running: set[str]


async def look_at_temporal(client: Client, task_queue: str) -> TemporalLook:
    """Look. Raises RPCError."""
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    retention = described.config.workflow_execution_retention_ttl.ToTimedelta()
    running = {execution.id async for execution in client.list_workflows(RUNNING, page_size=1000)}
    return TemporalLook(retention, await _pollers(client, task_queue), running)


async def _pollers(client: Client, task_queue: str) -> int:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - POLLED_WITHIN
    polled = {each.identity for each in found.pollers if each.last_access_time.ToDatetime(UTC) > since}
    return len(polled)


async def really_missing(client: Client, request_ids: Sequence[str]) -> list[str]:
    """Those of the requests whose workflow does not run, asked one by one: lists are seconds stale."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def missing(request_id: str) -> bool:
        async with at_once:
            try:
                found = await client.get_workflow_handle(request_id).describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return True
                raise
            return found.status is not WorkflowExecutionStatus.RUNNING

    gone = await asyncio.gather(*(missing(request_id) for request_id in request_ids))
    return [request_id for request_id, is_gone in zip(request_ids, gone, strict=True) if is_gone]
