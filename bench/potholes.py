"""What one pothole costs: history events, bytes, and requests per second, beside a workflow written by hand.

Both run in the same run on the same embedded server: a worker process of their own, the same number of
requests in flight, opened and completed by the same driver. Fixline's side commits every decision to its
SQLite store and takes its effects within the store; the yardstick has no database.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bench import handwritten
from bench.server import temporal_server
from fixline.catalog import Catalog, read_catalog, version_hash
from fixline.delivery.attributes import SearchAttributes
from fixline.delivery.desk import Desk
from fixline.delivery.doorbell import Doorbell
from fixline.domain.commands import Actor, Complete, Open, Place, Role
from fixline.domain.decision import Refusal
from fixline.store.arrivals import Arrival, utc_now
from fixline.store.opening import Report
from fixline.store.schema import migrate
from fixline.store.store import Store
from fixline.store.versions import publish
from fixline.temporal import connect, keep_bytecode
from tests.support.lakeport import LAKEPORT
from worker import build_activities, build_worker

CREW = Actor(name="bench", role=Role.ADMIN)
EFFECTS = 2  # order_inspection and dispatch, both within the store


@dataclass(frozen=True)
class Cost:
    """One request's history, and how many effects it had."""

    events: int
    kilobytes: float
    kinds: dict[str, int]


def store_at(folder: Path) -> Store:
    """The store of the benchmark."""
    return Store(f"sqlite:///{folder / 'fixline.db'}")


def catalog() -> Catalog:
    """The frozen city of the tests: figures of several releases stay comparable."""
    return read_catalog(LAKEPORT).catalog


class Fixline:
    """Drives Fixline: a report, two completions, each answered by the workflow."""

    queue = "bench-fixline"

    def __init__(self, client: Client, folder: Path) -> None:
        self._store = store_at(folder)
        migrate(self._store)
        definitions = catalog().definitions
        self._definition = definitions["pothole"]
        self._version = version_hash(self._definition)
        self._store.write(lambda s: publish(s, self._definition, self._version, utc_now()))
        doorbell = Doorbell(client, task_queue=self.queue, attributes=SearchAttributes(client))
        self._desk = Desk(self._store, doorbell, ZoneInfo("America/Chicago"), answer_within_seconds=30)

    async def one(self, name: str) -> str:
        """One pothole from report to closed; answers its id."""
        place = Place(latitude=41.9, longitude=-87.7)
        body = Open(
            type="pothole", version=self._version, place=place, areas={"district": "north"}, answers={"lane": "bike"}
        )
        opened = await self._desk.open(Report(self._arrival(f"{name}-open", body), self._definition))
        if isinstance(opened, Refusal):
            raise RuntimeError(opened.message)
        request = opened.request_id
        forms = [("T1", "pothole", {"depth": 12}), ("T2", "done", {"potholes_filled": 1, "photo_after": "photo"})]
        for task, outcome, form in forms:
            body_done = Complete(task=f"{request}-{task}", outcome=outcome, form=form)
            row = await self._desk.submit(request, self._arrival(f"{name}-{task}", body_done))
            if row.state != "applied":
                raise RuntimeError(f"{request}: {row.state} {row.answer}")
        return request

    def _arrival(self, name: str, body: Open | Complete) -> Arrival:
        return Arrival(name, body, CREW, utc_now(), CREW.name)


class Handwritten:
    """Drives the yardstick: a start, two updates."""

    queue = "bench-handwritten"

    def __init__(self, client: Client, _folder: Path) -> None:
        self._client = client

    async def one(self, name: str) -> str:
        """One pothole from start to closed; answers its id."""
        handle = await self._client.start_workflow(handwritten.Pothole.run, name, id=name, task_queue=self.queue)
        await handle.execute_update(handwritten.Pothole.complete, handwritten.Done("pothole", {"depth": 12}))
        done = handwritten.Done("done", {"potholes_filled": 1, "photo_after": "photo"})
        await handle.execute_update(handwritten.Pothole.complete, done)
        return name


SIDES: dict[str, type[Fixline] | type[Handwritten]] = {"fixline": Fixline, "handwritten": Handwritten}


async def client_of(side: str, address: str) -> Client:
    """Fixline's client as Fixline makes it; the yardstick's with the SDK's defaults."""
    return await (connect(address=address) if side == "fixline" else Client.connect(address))


async def work(side: str, address: str, folder: Path) -> None:
    """A worker process for one side, until it is killed."""
    client = await client_of(side, address)
    if side == "fixline":
        organisation = catalog().organisation
        if organisation is None:
            raise RuntimeError("the definitions have no organisation")
        activities = build_activities(store_at(folder), organisation)
        attributes = SearchAttributes(client)
        await attributes.look()
        worker = build_worker(client, activities, task_queue=Fixline.queue, slots=16, attributes=attributes)
    else:
        keep_bytecode()
        worker = Worker(
            client,
            task_queue=Handwritten.queue,
            workflows=[handwritten.Pothole],
            activities=[handwritten.order_inspection, handwritten.dispatch, handwritten.close],
            workflow_runner=SandboxedWorkflowRunner(),
        )
    async with worker:
        await asyncio.Event().wait()


@asynccontextmanager
async def worker_process(side: str, address: str, folder: Path) -> AsyncIterator[int]:
    """A worker of one side in a process of its own, for as long as the block runs; gives its process id."""
    process = subprocess.Popen([sys.executable, "-m", "bench", "work", side, address, str(folder)])
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


async def measure_rate(one: Callable[[str], Awaitable[str]], name: str, count: int, at_once: int) -> float:
    """Requests per second, `at_once` in flight."""
    slots = asyncio.Semaphore(at_once)

    async def run(number: int) -> None:
        async with slots:
            await one(f"{name}-{number}")

    began = time.perf_counter()
    await asyncio.gather(*(run(number) for number in range(count)))
    return count / (time.perf_counter() - began)


async def measure_cost(client: Client, workflow_id: str) -> Cost:
    """Events and bytes of a finished workflow's history."""
    handle = client.get_workflow_handle(workflow_id)
    await handle.result()
    history = await handle.fetch_history()
    kinds: dict[str, int] = {}
    for event in history.events:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        kinds[name] = kinds.get(name, 0) + 1
    return Cost(len(history.events), sum(event.ByteSize() for event in history.events) / 1000, kinds)


Rates = dict[int, list[float]]
"""Requests per second of each round, by the number of requests in flight."""


async def compare(folder: Path, *, count: int, in_flight: Sequence[int], rounds: int) -> None:
    """Print the tables: both sides in turn, `rounds` times with each number of requests in flight, and the medians."""
    rates: dict[str, Rates] = {side: {at_once: [] for at_once in in_flight} for side in SIDES}
    costs: dict[str, Cost] = {}
    used: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    async with temporal_server(folder) as (client, address, server_pid):
        for turn in range(rounds):
            for at_once, (name, side) in product(in_flight, SIDES.items()):
                async with worker_process(name, address, folder) as worker_pid:
                    driver = side(await client_of(name, address), folder)
                    run = f"{name}-{turn}-{at_once}"
                    await driver.one(f"{run}-first")  # the worker is up, and has read the definition
                    costs[name] = await measure_cost(client, await driver.one(f"{run}-second"))
                    before = _processor_seconds(server_pid, worker_pid)
                    rates[name][at_once].append(await measure_rate(driver.one, run, count, at_once))
                    after = _processor_seconds(server_pid, worker_pid)
                    used[name].append({part: (after[part] - before[part]) / count * 1000 for part in after})
    _print_costs(costs)
    _print_rates(rates, count)
    _print_used(used)


def _processor_seconds(server_pid: int, worker_pid: int) -> dict[str, float]:
    """Processor seconds used so far by the server, the worker and this driver."""
    processes = {"server": server_pid, "worker": worker_pid, "driver": os.getpid()}
    times = {name: psutil.Process(pid).cpu_times() for name, pid in processes.items()}
    return {name: spent.user + spent.system for name, spent in times.items()}


def _print_costs(costs: dict[str, Cost]) -> None:
    print("One pothole: open, two completions, closed")
    print(f"{'':14}{'events':>8}{'kB':>8}")
    for side, cost in costs.items():
        print(f"{side:14}{cost.events:8}{cost.kilobytes:8.1f}")
    fixline, allowed = costs["fixline"], 22 + EFFECTS
    print(f"at most {allowed} events (22 and {EFFECTS} effects) and 10 kB; Fixline's events:")
    print("  " + ", ".join(f"{name} {number}" for name, number in sorted(fixline.kinds.items())))


def _print_rates(rates: dict[str, Rates], count: int) -> None:
    print(f"Requests per second, {count} requests a round, medians; ratio round by round (wanted: at least 1.0)")
    print(f"{'in flight':14}{'fixline':>10}{'by hand':>10}{'ratio':>8}   each round's ratio")
    for at_once, ours in rates["fixline"].items():
        theirs = rates["handwritten"][at_once]
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        every = " ".join(f"{ratio:.2f}" for ratio in ratios)
        middle = [statistics.median(each) for each in (ours, theirs, ratios)]
        print(f"{at_once:<14}{middle[0]:10.1f}{middle[1]:10.1f}{middle[2]:8.2f}   {every}")


def _print_used(used: dict[str, list[dict[str, float]]]) -> None:
    print("Processor time per request, ms, medians")
    for side, rounds in used.items():
        parts = {part: statistics.median(each[part] for each in rounds) for part in rounds[0]}
        told = ", ".join(f"{part} {ms:.0f}" for part, ms in parts.items())
        print(f"{side:14}{sum(parts.values()):6.0f} ({told})")
