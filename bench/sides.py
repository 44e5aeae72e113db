"""The sides that are compared over potholes: how each is driven, and the worker that it has in a process of its own.

Fixline's worker is `fixline worker`, relay and all, and its driver decides as the API does, in the driver's process.
The two written by hand have a worker as a tutorial makes one, and are driven by a start and two updates. All three
speak to one Temporal server; each round has a task queue and a folder of its own.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import text
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bench import handwritten, handwritten_kept
from fixline.catalog import Catalog, read_catalog
from fixline.domain.process.commands import Actor, Complete, Open, Place, Role
from fixline.domain.process.decision import Refusal
from fixline.service.opening import Report
from fixline.service.requests import RequestService
from fixline.service.submissions import Submission, utc_now
from fixline.store.schema import migrate
from fixline.store.store import Store
from fixline.store.versions import Versions, publish
from fixline.temporal.attributes import SearchAttributes
from fixline.temporal.client import connect, keep_bytecode
from fixline.temporal.signals import Signals
from tests.support.acceptance.processes import FIXLINE, Part
from tests.support.lakeport import LAKEPORT

CREW = Actor(name="bench", role=Role.ADMIN)
ACTIVITY_THREADS = 32
"""Of the worker written by hand whose activities block."""
BEHIND = text(
    "SELECT (SELECT count(*) FROM request WHERE signalled < decision)"
    " + (SELECT count(*) FROM effect WHERE state IN ('pending', 'failed'))"
)

Between = Callable[[str], Awaitable[None]]
"""What is done between two commands of a request, given the workflow's id."""


class Side(Protocol):
    """One side, for one round. `one` takes one pothole from its report to its close, and answers its workflow's id;
    `settled` says whether nothing is under way but workflows; `close` ends what the driver has."""

    async def one(self, name: str, between: Between) -> str:
        """One pothole; answered, which does not mean that its workflow has ended."""

    def settled(self) -> bool:
        """Whether the side's own store, if it has one, has nothing left to do."""

    async def close(self) -> None:
        """Leave."""


class Fixline:
    """Drives Fixline: a report, two completions, each decided in this process, and its workflow told behind it."""

    def __init__(self, client: Client, folder: Path, queue: str) -> None:
        self._store = Store(_database_url(folder))
        migrate(self._store)
        definitions = city().definitions
        self._definition = definitions["pothole"]
        self._store.write(lambda s: publish(s, self._definition, utc_now()))
        signals = Signals(client, self._store, task_queue=queue, attributes=SearchAttributes(client))
        self._desk = RequestService(self._store, signals, ZoneInfo("America/Chicago"), Versions())

    async def one(self, name: str, between: Between) -> str:
        """One pothole from report to closed."""
        place = Place(latitude=41.9, longitude=-87.7)
        body = Open(
            type="pothole",
            version=self._definition.version,
            place=place,
            areas={"district": "north"},
            answers={"lane": "bike"},
        )
        opened = await self._desk.open(Report(self._arrival(f"{name}-open", body), self._definition))
        if isinstance(opened, Refusal):
            raise RuntimeError(opened.message)
        request = opened.request_id
        forms = [("T1", "pothole", {"depth": 12}), ("T2", "done", {"potholes_filled": 1, "photo_after": "photo"})]
        for task, outcome, form in forms:
            await between(request)
            body_done = Complete(task=f"{request}-{task}", outcome=outcome, form=form)
            row = await self._desk.submit(request, self._arrival(f"{name}-{task}", body_done))
            if row.state != "applied":
                raise RuntimeError(f"{request}: {row.state} {row.answer}")
        return request

    def settled(self) -> bool:
        """Whether every workflow is known to have been told of the last decision, and every effect was taken."""
        return self._store.read(lambda s: int(s.execute(BEHIND).scalar_one())) == 0

    async def close(self) -> None:
        """Leave the store."""
        await self._desk.close()
        self._store.close()

    def _arrival(self, name: str, body: Open | Complete) -> Submission:
        return Submission(name, body, CREW, utc_now(), CREW.name)


class Handwritten:
    """Drives a workflow written by hand: a start, two updates."""

    def __init__(self, client: Client, _folder: Path, queue: str) -> None:
        self._client = client
        self._queue = queue

    async def one(self, name: str, between: Between) -> str:
        """One pothole from start to its last update."""
        handle = await self._client.start_workflow(handwritten.Pothole.run, name, id=name, task_queue=self._queue)
        await between(name)
        await handle.execute_update(handwritten.Pothole.complete, handwritten.Done("pothole", {"depth": 12}))
        await between(name)
        done = handwritten.Done("done", {"potholes_filled": 1, "photo_after": "photo"})
        await handle.execute_update(handwritten.Pothole.complete, done)
        return name

    def settled(self) -> bool:
        """There is nothing beside the workflows."""
        return True

    async def close(self) -> None:
        """There is nothing to leave."""


class Kept(Handwritten):
    """Drives the one whose activities commit to SQLite, in the same way."""

    def __init__(self, client: Client, folder: Path, queue: str) -> None:
        super().__init__(client, folder, queue)
        handwritten_kept.make(_kept_database(folder))


SIDES: dict[str, type[Fixline] | type[Handwritten] | type[Kept]] = {
    "fixline": Fixline,
    "by hand": Handwritten,
    "by hand, SQLite": Kept,
}


def city() -> Catalog:
    """The frozen city of the tests: figures of several releases stay comparable."""
    return read_catalog(LAKEPORT).catalog


async def side_of(name: str, address: str, folder: Path, queue: str) -> tuple[Side, Client]:
    """A side's driver. Fixline's client is as Fixline makes it; the others' has the SDK's defaults."""
    client = await (connect(address=address) if name == "fixline" else Client.connect(address))
    return SIDES[name](client, folder, queue), client


@contextmanager
def worker_process(name: str, address: str, folder: Path, queue: str) -> Iterator[int]:
    """A side's worker in a process of its own, for as long as the block runs; gives its process id. Main thread."""
    settings = {"TEMPORAL_ADDRESS": address, "FIXLINE_TASK_QUEUE": queue}
    command = [sys.executable, "-m", "bench", "work", name, address, str(folder), queue]
    if name == "fixline":
        command = [*FIXLINE, "worker"]
        settings |= {"FIXLINE_DATABASE_URL": _database_url(folder), "FIXLINE_DEFINITIONS": str(LAKEPORT)}
    part = Part(command, settings, folder / "worker.log")
    part.start()
    assert part.process is not None
    try:
        yield part.process.pid
        part.end(signal.SIGTERM)
    finally:
        part.remove()


async def work(name: str, address: str, folder: Path, queue: str) -> None:
    """The worker of one of those written by hand, until it is ended."""
    keep_bytecode()
    activities = [handwritten.order_inspection, handwritten.dispatch, handwritten.close]
    if name != "by hand":
        activities = handwritten_kept.Activities(_kept_database(folder)).all
    worker = Worker(
        await Client.connect(address),
        task_queue=queue,
        workflows=[handwritten.Pothole],
        activities=activities,
        activity_executor=ThreadPoolExecutor(ACTIVITY_THREADS, "activity"),
        workflow_runner=SandboxedWorkflowRunner(),
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with worker:
        await ended.wait()


def _database_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'fixline.db'}"


def _kept_database(folder: Path) -> Path:
    return folder / "kept.db"
