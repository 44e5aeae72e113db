"""The doorbell: starts a request's workflow, and rings it when a command waits.

Owns every call to Temporal that concerns a request. A ring carries kind and number only. Any error of a ring
means "outcome unknown": nothing here says whether a command was applied, the command's row does.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from fixline.delivery.attributes import SearchAttributes
from fixline.messages import WORKFLOW_NAME, Advanced, Bell, Rung, Shell
from workflows.attributes import at_start

log = logging.getLogger(__name__)

POLLED_WITHIN = timedelta(seconds=90)
"""A worker's poll lasts a minute at most; one that has not polled for longer is gone."""
TASK_TIMEOUT = timedelta(seconds=3)
"""How long Temporal waits for a worker in the middle of a workflow task: what a killed worker costs."""


class Doorbell:
    """Rings workflows of one task queue. Any number of these may ring; the inbox caps the bells per request."""

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str,
        ring_timeout: timedelta = timedelta(seconds=3),
        attributes: SearchAttributes | None = None,
    ) -> None:
        """Without `attributes` workflows are started without search attributes."""
        self._client = client
        self._attributes = attributes
        self._task_queue = task_queue
        self._ring_timeout = ring_timeout

    async def start(self, request_id: str, opened: Advanced | None = None) -> bool:
        """Start the request's workflow, or find it running. False when Temporal did not say so in time.

        `opened` is what decision 1 of a request just opened asks for.
        """
        described = None
        if opened is not None and opened.attributes is not None:
            if self._attributes is not None and await self._attributes.ready():
                described = at_start(opened.attributes)
            else:
                opened = replace(opened, attributes=None)
        try:
            await self._client.start_workflow(
                WORKFLOW_NAME,
                Shell(request_id, opened=opened),
                search_attributes=described,
                id=request_id,
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=TASK_TIMEOUT,
                rpc_timeout=self._ring_timeout,
            )
        except (TemporalError, RPCError, RuntimeError, TimeoutError) as error:
            log.debug("starting %s: %s", request_id, error)
            if described is not None and self._attributes is not None and isinstance(error, RPCError):
                self._attributes.doubt()  # whoever starts it next, as the relay, looks first
            return False
        return True

    async def ring(self, request_id: str, kind: str, number: int, *, again: int = 0) -> bool:
        """Ring for a waiting command; True when the workflow has emptied its inbox since.

        The same number rings with the same update id, so a second ring joins the first while it lasts; `again`
        tells apart the rings of a parked command that is tried anew.
        """
        update_id = f"{kind}-{number}" + (f"-{again}" if again else "")
        bell = Bell(kind, number)
        try:
            async with asyncio.timeout(self._ring_timeout.total_seconds()):
                try:
                    await self._client.get_workflow_handle(request_id).execute_update(
                        kind, bell, id=update_id, result_type=Rung
                    )
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                    await self._ring_and_start(request_id, kind, bell, update_id)
        except (TemporalError, RPCError, RuntimeError, TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            log.debug("ringing %s for %s %d: %s", request_id, kind, number, error)
            return False
        return True

    async def _ring_and_start(self, request_id: str, kind: str, bell: Bell, update_id: str) -> None:
        """No run is there: start one with the bell. A run that finds its request closed ends at once."""
        start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            WORKFLOW_NAME,
            Shell(request_id),
            id=request_id,
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_timeout=TASK_TIMEOUT,
        )
        await self._client.execute_update_with_start_workflow(
            kind, bell, start_workflow_operation=start, id=update_id, result_type=Rung
        )

    async def reachable(self) -> bool:
        """Whether Temporal answers now."""
        try:
            return await self._client.service_client.check_health(timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False

    async def answered_by_worker(self) -> bool:
        """Whether a worker has polled the task queue of late (Temporal forgets pollers after five minutes)."""
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            found = await self._client.workflow_service.describe_task_queue(request, timeout=timedelta(seconds=2))
        except (RPCError, RuntimeError):
            return False
        newest = max((poller.last_access_time.ToDatetime(UTC) for poller in found.pollers), default=None)
        return newest is not None and datetime.now(UTC) - newest < POLLED_WITHIN
