"""Signals to requests' workflows: what is left to do, told behind the answer.

A signal that Temporal has taken is durable, and nothing has to come back; the store is then told, a moment's signals in
one transaction. Signals of one request that wait in this process are merged: only the newest goes. One that cannot be
delivered, or is forgotten because the process ends, is the relay's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError, RPCStatusCode

from fixline.messages import WORKFLOW_NAME, WorkflowInput, WorkflowSignal
from fixline.search_attributes import at_start
from fixline.service.pending import mark_signalled
from fixline.store.store import Store, StoreAway
from fixline.temporal.attributes import SearchAttributes

log = logging.getLogger(__name__)

TASK_TIMEOUT = timedelta(seconds=3)
"""How long Temporal waits for a worker in the middle of a workflow task: what a killed worker costs."""
AT_ONCE = 32
"""Calls of this process under way at once; what comes meanwhile waits, and is merged."""
MARK_EVERY = timedelta(seconds=1)
_REFUSED = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND)
_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)
AWAY = timedelta(seconds=1)
"""After a call that did not arrive: how long what comes is left to the relay, without a try."""


@dataclass
class Signals:
    """Signals workflows of one task queue. One per process; used within its event loop.

    Without `attributes` workflows are started without search attributes.
    """

    client: Client
    store: Store
    task_queue: str
    timeout: timedelta = timedelta(seconds=3)
    attributes: SearchAttributes | None = None

    def __post_init__(self) -> None:
        self._waiting: dict[str, WorkflowSignal] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._told: dict[str, int] = {}
        self._marking: asyncio.Task[None] | None = None
        self._away_until = 0.0

    def send(self, signals: Iterable[WorkflowSignal | None]) -> None:
        """Tell the workflows, behind the caller's back."""
        if time.monotonic() < self._away_until:
            return
        for signal in filter(None, signals):
            request_id = signal.request_id
            earlier = self._waiting.get(request_id)
            self._waiting[request_id] = merged(earlier, signal) if earlier is not None else signal
            if request_id not in self._sending:
                self._sending[request_id] = asyncio.create_task(self._send_waiting(request_id))

    async def deliver(self, signal: WorkflowSignal) -> bool:
        """Tell one workflow; whether Temporal has taken it in time. It is started where it does not run, unless nothing
        is left to do."""
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await self._deliver(signal)
        except (TemporalError, RPCError, RuntimeError, TimeoutError) as error:
            log.debug("signalling %s to %s: %s", signal.name, signal.request_id, error)
            if not isinstance(error, RPCError) or error.status in _AWAY:
                self._away_until = time.monotonic() + AWAY.total_seconds()
            if self.attributes is not None and isinstance(error, RPCError) and error.status in _REFUSED:
                self.attributes.doubt()  # the next one looks first: the server may have been replaced
            return False
        self._told[signal.request_id] = max(signal.work.decision, self._told.get(signal.request_id, 0))
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark_soon())
        return True

    async def close(self, within: timedelta) -> None:
        """Let what is under way end, and note it."""
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=within.total_seconds())
        await self.mark()

    async def mark(self) -> None:
        """Note in the store what the workflows have been told. A note that is lost costs a signal of the relay's."""
        told, self._told = self._told, {}
        if not told:
            return
        try:
            await self.store.in_turn(self.store.write, lambda s: mark_signalled(s, told))
        except StoreAway as error:
            log.warning("%d signals that were delivered could not be noted: %s", len(told), error)

    async def _mark_soon(self) -> None:
        while self._told:
            await asyncio.sleep(MARK_EVERY.total_seconds())
            await self.mark()

    async def _send_waiting(self, request_id: str) -> None:
        """Send what waits for a request, the newest only, until nothing does: in order, and one at a time."""
        try:
            async with self._slots:
                while time.monotonic() >= self._away_until and (signal := self._waiting.pop(request_id, None)):
                    await self.deliver(signal)
        finally:
            self._waiting.pop(request_id, None)  # what was not tried is the relay's
            del self._sending[request_id]

    async def _deliver(self, signal: WorkflowSignal) -> None:
        """Without search attributes that the server has not confirmed."""
        work = signal.work
        if self.attributes is None or not await self.attributes.ready():
            work = replace(work, attributes=None)
        if not signal.starts:
            handle = self.client.get_workflow_handle(signal.request_id)
            try:
                await handle.signal(signal.name, work, rpc_timeout=self.timeout)
                return
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            if work.over:
                return
        await self.client.start_workflow(
            WORKFLOW_NAME,
            # Where no run was found, the request may have been closed since this was said: the store knows.
            WorkflowInput(signal.request_id, look=not signal.starts),
            search_attributes=at_start(work.attributes) if work.attributes is not None else None,
            id=signal.request_id,
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=signal.name,
            start_signal_args=[work],
            task_timeout=TASK_TIMEOUT,
            rpc_timeout=self.timeout,
        )


def merged(earlier: WorkflowSignal, later: WorkflowSignal) -> WorkflowSignal:
    """Of two signals of one request the one of the later decision, with what only the other one says: that the workflow
    has to be started, and when to wake for an instant that is still the next."""
    first, last = sorted((earlier, later), key=lambda each: each.work.decision)
    work = last.work
    if work.wake_at is None and work.next_at == first.work.next_at:
        work = replace(work, wake_at=first.work.wake_at)
    return replace(last, work=work, starts=earlier.starts or later.starts)
