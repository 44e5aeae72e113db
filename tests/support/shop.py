"""A city at work: its desk, signals and relay, and workers on a task queue of the test's own.

Owns the fixtures `shop` (on SQLite) and `postgres_shop`. Time is real here; request ids differ from those of other
tests, because all of them use one Temporal server.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, Worker

import worker
from fixline.catalog import Catalog
from fixline.domain.process.commands import COMMAND, Actor
from fixline.domain.process.decision import Refusal, Refused
from fixline.outbound import Notice
from fixline.service.requests import RequestService
from fixline.service.submissions import StoredCommand, utc_now
from fixline.store.store import Store
from fixline.store.tables import CounterRow
from fixline.temporal.attributes import SearchAttributes
from fixline.temporal.client import sandboxed_runner
from fixline.temporal.relay import Relay
from fixline.temporal.signals import Signals
from tests.support.city import City
from tests.support.domain.samples import ADMIN
from workflows.service_request import ServiceRequest

_SERIES = itertools.count(1)
SLOTS = 8


class Notices:
    """A channel that keeps what was sent, each key once and how often."""

    name = "memory"
    outside = False

    def __init__(self) -> None:
        self.sent: list[Notice] = []

    def send(self, notice: Notice) -> None:
        """Keep it."""
        self.sent.append(notice)


class Shop:
    """Everything of one city but its HTTP: `open` and `submit` are what the web does."""

    def __init__(self, client: Client, store: Store, catalog: Catalog) -> None:
        self.client = client
        self.store = store
        self.queue = f"queue-{uuid.uuid4().hex[:8]}"
        self.city = City(store, catalog, clock=utc_now)
        self.notices = Notices()
        self.attributes = SearchAttributes(client)
        self.signals = Signals(client, store, task_queue=self.queue, attributes=self.attributes)
        self.activities = worker.build_activities(store, self.city.organisation, self.notices, self.signals.send)
        self.service = RequestService(store, self.signals, self.city.zone, self.city.versions, answer_within_seconds=10)
        self.relay = Relay(store, self.signals, self.city.rules)
        year = utc_now().astimezone(self.city.zone).strftime("%y")
        first = next(_SERIES) * 10_000
        store.write(lambda s: s.add(CounterRow(name=f"request-{year}", last=first)))

    def worker(self, activities: list[Callable[..., Any]] | None = None, **options: Any) -> Worker:
        """A worker of the shop's queue, to be used with `async with`."""
        given = {"attributes": self.attributes, **options}
        return worker.build_worker(
            self.client, activities or self.activities, task_queue=self.queue, slots=SLOTS, **given
        )

    async def open(self, type_: str = "errand", *, begun: bool = True, **details: Any) -> str:
        """Open a request at the desk; its id, once its workflow is there (or at once, where Temporal is away)."""
        opened = await self.service.open(await asyncio.to_thread(self.city.report, type_, **details))
        assert isinstance(opened, StoredCommand), opened
        if begun:
            await self.until(lambda: self._begun(opened.request_id), "the workflow")
        return opened.request_id

    async def _begun(self, request_id: str) -> bool:
        try:
            description = await self.handle(request_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.history_length > 2

    async def _task_pending(self, request_id: str) -> bool:
        """Whether the request's workflow has something to think about; not where it has none, or has ended."""
        try:
            described = await self.handle(request_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.raw_description.HasField("pending_workflow_task")

    async def submit(self, request_id: str, kind: str, *, actor: Actor = ADMIN, **body: Any) -> StoredCommand:
        """Give a command at the desk; its row as the caller sees it."""
        command = COMMAND.validate_python({"kind": kind, **body})
        return await self.service.submit(request_id, self.city.submission(command, actor=actor))

    async def refusal(self, request_id: str, kind: str, *, actor: Actor = ADMIN, **body: Any) -> Refusal:
        """Give a command that the rules refuse; why."""
        with pytest.raises(Refused) as refused:
            await self.submit(request_id, kind, actor=actor, **body)
        return refused.value.refusal

    async def complete(self, request_id: str, outcome: str, **form: Any) -> StoredCommand:
        """Complete the one open task."""
        task = await asyncio.to_thread(self.city.task, request_id)
        return await self.submit(request_id, "complete", task=task.id, outcome=outcome, form=form)

    def handle(self, request_id: str) -> WorkflowHandle[Any, Any]:
        """The handle of the request's workflow, whichever run is the last."""
        return self.client.get_workflow_handle(request_id)

    async def ended(self, request_id: str, within: float = 15) -> None:
        """Wait until the request's workflow has ended."""
        await asyncio.wait_for(self.handle(request_id).result(), within)

    async def history(self, request_id: str) -> WorkflowHistory:
        """The history of the last run."""
        return await self.handle(request_id).fetch_history()

    async def events(self, request_id: str) -> list[str]:
        """The kinds of the last run's events, in order, without their prefix."""
        found = (await self.history(request_id)).events
        return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in found]

    async def until(
        self, holds: Callable[[], bool | Awaitable[bool]], what: str = "it", within: float = 15, pause: float = 0.05
    ) -> None:
        """Wait until something holds."""
        deadline = asyncio.get_running_loop().time() + within
        while True:
            result = holds()
            if await result if isinstance(result, Awaitable) else result:
                return
            assert asyncio.get_running_loop().time() < deadline, f"{what} has not come about within {within} s"
            await asyncio.sleep(pause)

    async def settled(self, request_id: str, within: float = 15) -> None:
        """Wait until the workflow knows the last decision, no command of the request waits and no effect is pending,
        and until Temporal has recorded what the workflow made of it: only then does its history say so."""

        async def nothing_left() -> bool:
            row = self.city.request(request_id)
            waiting = [row for row in self.city.commands(request_id) if row.state == "waiting"]
            pending = [row for row in self.city.effects_of(request_id) if row.state != "done"]
            if row.signalled < row.decision or waiting or pending:
                return False
            return not await self._task_pending(request_id)

        await self.until(nothing_left, f"{request_id} at rest", within)


def replayer(workflow: type = ServiceRequest) -> Replayer:
    """Replays histories in the sandbox in which workers run workflows."""
    # With a build id of its own it does not hash every loaded module.
    return Replayer(workflows=[workflow], workflow_runner=sandboxed_runner(), build_id="replay")


@pytest.fixture
async def shop(temporal_client: Client, sqlite_store: Store, catalog: Catalog) -> Shop:
    """The city at work, on SQLite; no worker runs yet."""
    return Shop(temporal_client, sqlite_store, catalog)


@pytest.fixture
async def postgres_shop(temporal_client: Client, postgres_store: Store, catalog: Catalog) -> Shop:
    """The city at work, on PostgreSQL; no worker runs yet."""
    return Shop(temporal_client, postgres_store, catalog)
